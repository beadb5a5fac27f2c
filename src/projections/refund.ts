// One case in full, or a line that has none: progress, what may be done next and by whom, and the log of what happened to it.

import type { ReturnAddress } from "../domain/caseEvents.ts";
import type { Application, NextCommand } from "../domain/caseNext.ts";
import type { Case } from "../domain/caseState.ts";
import type { Line } from "../domain/events.ts";
import type { OrderStatus } from "../domain/lifecycle.ts";
import type { Refundable } from "../domain/refundable.ts";
import type { Ledger } from "../domain/state.ts";
import type { Steps } from "../domain/steps.ts";
import type { CaseProgress, LogEntry } from "./detail.ts";

/** A case with what was said of it. */
export interface CaseDetail extends CaseProgress {
  readonly case: Case;
  /** What the buyer wrote and showed when applying. */
  readonly note: string | undefined;
  readonly evidence: readonly string[];
  /** Where the goods are to be sent back to, as the merchant's approval says. */
  readonly returnAddress: ReturnAddress | undefined;
  /** Oldest first: who decided what, when and why, and the attempts to pay out. */
  readonly log: readonly LogEntry[];
}

/** All that after-sale has been on one order. */
export interface RefundHistory {
  readonly orderId: string;
  readonly currency: string;
  /** Revision of the order's last event. */
  readonly revision: bigint;
  readonly ledger: Ledger;
  /** Newest first, hidden ones too. */
  readonly cases: readonly CaseDetail[];
}

export interface RefundDetail {
  readonly orderId: string;
  readonly orderStatus: OrderStatus;
  readonly merchantId: string;
  readonly buyerId: string;
  readonly currency: string;
  /** Revision of the order's last event. */
  readonly revision: bigint;
  /** For when it says what may be done: milliseconds UTC. */
  readonly now: number;
  /** Undefined where the case is about the whole order. */
  readonly line: Line | undefined;
  /** The case that was asked for, or the line's latest; undefined where the line has none. */
  readonly refund: CaseDetail | undefined;
  /** The bars of the case; without one, those that invite to apply. */
  readonly steps: Steps;
  /** What can still be refunded of the line, beside all that is refunded or reserved. */
  readonly refundable: Refundable | undefined;
  /** What could be applied for on the line. */
  readonly application: Application | undefined;
  /** What would be accepted now, given soundly, and from whom; an application too. */
  readonly commands: readonly NextCommand[];
}
