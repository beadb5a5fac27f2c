// What may ride along unread: plain JSON, and the ordered pairs in which open maps are kept.

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** An open map in canonical form: pairs sorted by key, so that no key is ever taken for an array index. */
export type JsonPairs = readonly (readonly [key: string, value: Json])[];

/** What stands under a key; undefined where nothing does. */
export function under(pairs: JsonPairs | undefined, key: string): Json | undefined {
  return pairs?.find(([name]) => name === key)?.[1];
}

export interface JsonObject {
  readonly [key: string]: Json;
}

/** Without the keys that stand for nothing. */
export function present<T extends object>(given: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const kept: Partial<T> = {};
  for (const key of Object.keys(given) as (keyof T)[]) if (given[key] !== undefined) kept[key] = given[key];
  return kept as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** Whether a value is an object: no list, and not null. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
