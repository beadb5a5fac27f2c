// Ids of ours for what other systems name as they like.

import { createHash } from "node:crypto";

import { idPattern, limits } from "../../domain/limits.ts";

export function digestOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}

/** Beginnings that the engine keeps for what it names itself. */
const kept = /^(late|cancel|due|refund):/;

/** A name as an id: itself where it is one, else made from it, always the same. */
export function fittingId(name: string): string {
  const fits = name.length <= limits.idLength && idPattern.test(name) && !kept.test(name);
  return fits ? name : `baidu:${digestOf(name).slice(0, 40)}`;
}
