// Reads a form as ShopXO does: one text a field, `0` and nothing both empty, lengths in characters.

import { type Fields, parseJson } from "../request.ts";

/** A field's text; undefined where it is not there, or is no text and no number. */
export function textOf(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (typeof value === "number") return String(value);
  return typeof value === "string" ? value : undefined;
}

export function isEmpty(text: string | undefined): text is undefined | "" | "0" {
  return text === undefined || text === "" || text === "0";
}

/** Whether a text has so many characters. */
export function isLong(text: string | undefined, least: number, most: number): boolean {
  const length = [...(text ?? "")].length;
  return length >= least && length <= most;
}

/** A text without tabs and ends of lines. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\t\r\n]/g, "");
}

/** A list that comes as an array, as its JSON, or as one text: its texts, and how many entries of whatever kind it has. */
export function listOf(
  fields: Fields,
  name: string,
): { readonly count: number; readonly texts: readonly string[] } {
  const value = fields[name];
  const parsed = typeof value === "string" ? parsedOf(value) : value;
  const entries = Array.isArray(parsed) ? (parsed as readonly unknown[]) : [parsed];
  const texts = entries.filter((entry): entry is string => typeof entry === "string" && entry !== "");
  return { count: Array.isArray(parsed) ? entries.length : texts.length, texts };
}

/** What is no JSON is a text itself; JSON of no list and no text, such as `null`, is nothing. */
function parsedOf(text: string): unknown {
  const value = parseJson(text);
  return value === undefined ? text : value;
}
