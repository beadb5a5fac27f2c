// Ids of ours for what other systems name as they like.

import { createHash } from "node:crypto";

import { isId } from "../../domain/limits.ts";

export function digestOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}

/** Beginnings that the engine keeps for what it names itself. */
const kept = /^(late|cancel|due|refund):/;

/** A name as an id: itself where it is one, else made from it, always the same. */
export function fittingId(name: string): string {
  return isId(name) && !kept.test(name) ? name : `baidu:${digestOf(name).slice(0, 40)}`;
}
