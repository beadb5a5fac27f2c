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

/** A list that comes as an array, as its JSON, or as one text. */
export function listOf(fields: Fields, name: string): readonly string[] {
  const value = fields[name];
  const parsed = typeof value === "string" ? (parseJson(value) ?? value) : value;
  const items = Array.isArray(parsed) ? (parsed as readonly unknown[]) : [parsed];
  return items.filter((item): item is string => typeof item === "string" && item !== "");
}
