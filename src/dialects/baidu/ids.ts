// Ids of ours for what other systems name as they like.

import { createHash } from "node:crypto";

import { isId } from "../../domain/limits.ts";

/** An id made of a value, always the same of the same. */
export function idFrom(value: unknown): string {
  return `baidu:${createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 40)}`;
}

/** Beginnings that the engine keeps for what it names itself. */
const kept = /^(late|cancel|due|refund):/;

/** A name as an id: itself where it is one, else made of it. */
export function fittingId(name: string): string {
  return isId(name) && !kept.test(name) ? name : idFrom(name);
}
