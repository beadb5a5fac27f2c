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

const quarter = 900_000;

/** How many quarters of an hour are remembered for a zone, and how many days. */
const mostRemembered = 10_000;

/** What a zone's clocks are ahead of UTC by, by quarter of an hour; undefined where they are put forward or back within it. */
const steady = new Map<string, Map<number, number | undefined>>();

/** To ask the formatter costs as much as all else that a reply needs: it is asked once for each quarter of an hour. */
function steadyOffset(at: number, timeZone: string): number | undefined {
  let known = steady.get(timeZone);
  const start = Math.floor(at / quarter);
  if (known?.has(start) === true) return known.get(start);
  const first = offsetAt(start * quarter, timeZone);
  const offset = first === offsetAt((start + 1) * quarter - 1, timeZone) ? first : undefined;
  if (known === undefined || known.size >= mostRemembered) {
    known = new Map();
    steady.set(timeZone, known);
  }
  known.set(start, offset);
  return offset;
}

/** Instants whose year has four digits in every zone, and which Date writes as such. */
const firstPlain = Date.UTC(1000, 0, 1);
const lastPlain = Date.UTC(9999, 11, 30);

/**
 * An instant (milliseconds UTC) as `2021-10-10 17:34:22` in a zone.
 * @throws RangeError on a zone that there is none of, or an instant that no date has.
 */
export function wallClock(at: number, timeZone: string): string {
  const offset = at >= firstPlain && at <= lastPlain ? steadyOffset(at, timeZone) : undefined;
  if (offset === undefined) return formatted(at, timeZone);
  const second = Math.floor((at + offset) / 1_000);
  const days = Math.floor(second / daySeconds);
  const ofDay = second - days * daySeconds;
  const minute = Math.floor(ofDay / 60);
  const hour = Math.floor(minute / 60);
  return `${dateOf(days)} ${two(hour)}:${two(minute - hour * 60)}:${two(ofDay - minute * 60)}`;
}

const daySeconds = 86_400;

/** A page shows a dozen instants of a few days: a day's date is written once. */
const dates = new Map<number, string>();

/** The date of a day, counted from 1970. */
function dateOf(days: number): string {
  let date = dates.get(days);
  if (date === undefined) {
    if (dates.size >= mostRemembered) dates.clear();
    date = new Date(days * daySeconds * 1_000).toISOString().slice(0, 10);
    dates.set(days, date);
  }
  return date;
}

function two(number: number): string {
  return number < 10 ? `0${number}` : String(number);
}

function formatted(at: number, timeZone: string): string {
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
  const shown = /^(\d+)-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)$/.exec(formatted(at, timeZone)) ?? [];
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
