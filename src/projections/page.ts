// A page of a list: how many rows it may have and how many stand before it, and the cursor that says where it ended.

const defaultLimit = 20;
const mostLimit = 1_000;

/**
 * The limit of a page, 20 where none is asked for.
 * @throws RangeError out of 1 to 1000.
 */
export function limitOf(limit: number = defaultLimit): number {
  if (!Number.isInteger(limit) || limit < 1 || limit > mostLimit) {
    throw new RangeError(`limit must be 1 to ${mostLimit}, and is ${limit}`);
  }
  return limit;
}

/**
 * How many rows stand before a page, 0 where none is asked for.
 * @throws RangeError below 0.
 */
export function offsetOf(offset: number = 0): number {
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw new RangeError(`offset must be 0 or more, and is ${offset}`);
  return offset;
}

/** Where a page ended: opaque to callers. */
export function writeCursor(place: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

/**
 * The place that a page wrote down, as `placeOf` reads it; undefined where its parts are no place of such a list.
 * @throws RangeError on what is no cursor of such a list.
 */
export function readCursor<P>(cursor: string, placeOf: (parts: readonly unknown[]) => P | undefined): P {
  const parsed = parsedOf(Buffer.from(cursor, "base64url").toString());
  const place = Array.isArray(parsed) ? placeOf(parsed as unknown[]) : undefined;
  if (place === undefined) throw new RangeError(`cursor ${JSON.stringify(cursor)} is none that a page gave`);
  return place;
}

/** What a text says as JSON; undefined where it is none: what a parser says of bytes that somebody made up tells nobody anything. */
function parsedOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a part of a cursor can be an instant, or a number in a list. */
export function isCount(part: unknown): part is number {
  return Number.isSafeInteger(part) && (part as number) >= 0;
}
