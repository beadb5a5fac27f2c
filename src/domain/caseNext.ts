// What may be done next about a case or a line, and by whom: `decide` is asked itself, with the soundest command of each kind.

import type { Role } from "./actor.ts";
import type { CaseCommandType } from "./caseCommands.ts";
import type { Case } from "./caseState.ts";
import type { Rejection } from "./refusals.ts";
import type { Order } from "./state.ts";
import type { CaseType } from "./terms.ts";

/** A command that would be accepted, given soundly, from each of these roles. */
export interface NextCommand {
  readonly command: CaseCommandType;
  readonly roles: readonly Role[];
}

/** What could be applied for on a line. */
export interface Application {
  /** The types that the line allows while the order stands as it does. */
  readonly types: readonly CaseType[];
  /** Days from receipt; until when that is, once it is received (milliseconds UTC, that second included); whether it is open. */
  readonly window: { readonly days: number; readonly until: number | undefined; readonly open: boolean };
  /** Why no application would be accepted now; undefined where one would be. */
  readonly refusal: Rejection | undefined;
}

/** The commands to a case that would be accepted at an instant (milliseconds UTC). */
export function nextOf(_order: Order, _one: Case, _now: number): readonly NextCommand[] {
  return [];
}

/** What could be applied for on a line at an instant (milliseconds UTC). */
export function applicationOf(_order: Order, _lineId: string, _now: number): Application {
  return { types: [], window: { days: 0, until: undefined, open: false }, refusal: undefined };
}
