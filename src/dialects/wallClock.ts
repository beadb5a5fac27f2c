// Instants as the wall-clock texts of a time zone, and back.

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone,
      calendar: "gregory",
      numberingSystem: "latn",
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
    formats.set(timeZone, format);
  }
  return format;
}

/**
 * An instant (milliseconds UTC) as `2021-10-10 17:34:22` in a zone.
 * @throws RangeError on a zone that there is none of, or an instant that no date has.
 */
export function wallClock(at: number, timeZone: string): string {
  const part: Record<string, string> = {};
  for (const { type, value } of formatOf(timeZone).formatToParts(at)) part[type] = value;
  const year = (part["year"] as string).padStart(4, "0");
  return `${year}-${part["month"]}-${part["day"]} ${part["hour"]}:${part["minute"]}:${part["second"]}`;
}

/**
 * The instant of a text such as `2021-10-10 17:34:22`, or of a date alone (its first second), in a zone; undefined where it is none. Of
 * an hour that clocks show twice it is the first; an hour that they leave out is read as the one after it.
 */
export function instantOf(text: string, timeZone: string): number | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{2}):(\d{2}):(\d{2}))?$/.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const asUtc = utcOf(year, month, day, hour, minute, second);
  if (asUtc === undefined) return undefined;
  const offsets = [asUtc - 86_400_000, asUtc, asUtc + 86_400_000].map((at) => offsetAt(at, timeZone));
  const candidates = offsets.map((offset) => asUtc - offset);
  const exact = candidates.filter((at) => at + offsetAt(at, timeZone) === asUtc);
  return exact.length > 0 ? Math.min(...exact) : Math.max(...candidates);
}

/** What clocks of a zone are ahead of UTC by, in milliseconds, to the second. */
function offsetAt(at: number, timeZone: string): number {
  const shown = /^(\d+)-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)$/.exec(wallClock(at, timeZone)) ?? [];
  const [year, month, day, hour, minute, second] = shown.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return (utcOf(year, month, day, hour, minute, second) as number) - Math.floor(at / 1_000) * 1_000;
}

function utcOf(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number | undefined {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const same =
    date.getUTCFullYear() === year &&
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second;
  return same ? date.getTime() : undefined;
}
