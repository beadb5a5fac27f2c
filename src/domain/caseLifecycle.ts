// The after-sale case's chart, the one source of which command is legal when, with what each status is in a progress bar.

import { setup } from "xstate";

import type { CaseCommandType } from "./caseCommands.ts";
import type { CaseEventType, ImportedStatus } from "./caseEvents.ts";
import { legalityOf, movesOf } from "./chart.ts";
import type { CaseType } from "./terms.ts";

export const openCaseStatuses = [
  "requested",
  "awaitingReturn",
  "returnInTransit",
  "refundPending",
  "replacementPending",
  "replacementShipped",
] as const;

export const endedCaseStatuses = ["refunded", "exchanged", "rejected", "cancelled", "closed"] as const;

export const caseStatuses = [...openCaseStatuses, ...endedCaseStatuses] as const;

export type CaseStatus = (typeof caseStatuses)[number];

/** `none`: before the application. */
export type CaseChartStatus = "none" | CaseStatus;

/** What a command can lead to: its name, or `Command/variant` where it can lead to several statuses. */
export type CaseOutcome =
  | Exclude<CaseCommandType, "ApproveRefund" | "ReceiveReturn" | "ImportRefund">
  | `ApproveRefund/${"refund" | "return"}`
  | `ReceiveReturn/${"refund" | "exchange"}`
  | `ImportRefund/${Exclude<ImportedStatus, "refunded">}`;

/** ShopXO's status of a case: 0 to be confirmed, 1 to be sent back, 2 to be audited, 3 done, 4 rejected, 5 cancelled. */
export type ShopxoStatus = 0 | 1 | 2 | 3 | 4 | 5;

/** What a status is by the case's type: ShopXO's status (domain 2.4), and for an exchange the step it stands at (0: none). */
export interface CaseStatusMeta {
  readonly shopxo: Readonly<Partial<Record<CaseType, ShopxoStatus>>>;
  readonly exchangeStep: number;
}

const waiting = (
  shopxo: CaseStatusMeta["shopxo"],
  exchangeStep: number,
): { readonly meta: CaseStatusMeta } => ({
  meta: { shopxo, exchangeStep },
});

const every = (status: ShopxoStatus): CaseStatusMeta["shopxo"] => ({
  refundOnly: status,
  returnRefund: status,
  exchange: status,
});

/**
 * The chart, exported for those who want it in a front end. Its events are outcomes; the meta of a transition names the fact that
 * the move records. No guards, no actions, no clock: those are `decide`'s.
 */
export const caseMachine = setup({
  types: {
    events: {} as { type: CaseOutcome },
    meta: {} as CaseStatusMeta,
    transitionMeta: {} as { records: CaseEventType },
  },
}).createMachine({
  id: "case",
  initial: "none",
  states: {
    none: {
      on: {
        ApplyRefund: { target: "requested", meta: { records: "RefundApplied" } },
        "ImportRefund/requested": { target: "requested", meta: { records: "RefundImported" } },
        "ImportRefund/awaitingReturn": { target: "awaitingReturn", meta: { records: "RefundImported" } },
        "ImportRefund/refundPending": { target: "refundPending", meta: { records: "RefundImported" } },
        "ImportRefund/exchanged": { target: "exchanged", meta: { records: "RefundImported" } },
        "ImportRefund/rejected": { target: "rejected", meta: { records: "RefundImported" } },
        "ImportRefund/closed": { target: "closed", meta: { records: "RefundImported" } },
      },
    },
    requested: {
      ...waiting({ refundOnly: 2, returnRefund: 0, exchange: 0 }, 2),
      on: {
        "ApproveRefund/refund": { target: "refundPending", meta: { records: "RefundApproved" } },
        "ApproveRefund/return": { target: "awaitingReturn", meta: { records: "RefundApproved" } },
        RejectRefund: { target: "rejected", meta: { records: "RefundRejected" } },
        CancelRefund: { target: "cancelled", meta: { records: "RefundCancelled" } },
        CloseRefund: { target: "closed", meta: { records: "RefundClosed" } },
      },
    },
    awaitingReturn: {
      ...waiting({ returnRefund: 1, exchange: 1 }, 3),
      on: {
        ShipReturn: { target: "returnInTransit", meta: { records: "ReturnShipped" } },
        CancelRefund: { target: "cancelled", meta: { records: "RefundCancelled" } },
        CloseRefund: { target: "closed", meta: { records: "RefundClosed" } },
      },
    },
    returnInTransit: {
      ...waiting({ returnRefund: 2, exchange: 2 }, 4),
      on: {
        CorrectReturnShipment: { target: "returnInTransit", meta: { records: "ReturnShipmentCorrected" } },
        "ReceiveReturn/refund": { target: "refundPending", meta: { records: "ReturnReceived" } },
        "ReceiveReturn/exchange": { target: "replacementPending", meta: { records: "ReturnReceived" } },
        RejectRefund: { target: "rejected", meta: { records: "RefundRejected" } },
        CancelRefund: { target: "cancelled", meta: { records: "RefundCancelled" } },
        CloseRefund: { target: "closed", meta: { records: "RefundClosed" } },
      },
    },
    refundPending: {
      ...waiting({ refundOnly: 2, returnRefund: 2 }, 0),
      on: {
        IssueRefund: { target: "refundPending", meta: { records: "RefundIssued" } },
        SettleRefund: { target: "refunded", meta: { records: "RefundSettled" } },
        FailRefund: { target: "refundPending", meta: { records: "RefundFailed" } },
        RejectRefund: { target: "rejected", meta: { records: "RefundRejected" } },
        CancelRefund: { target: "cancelled", meta: { records: "RefundCancelled" } },
        CloseRefund: { target: "closed", meta: { records: "RefundClosed" } },
      },
    },
    replacementPending: {
      ...waiting({ exchange: 2 }, 4),
      on: {
        ShipReplacement: { target: "replacementShipped", meta: { records: "ReplacementShipped" } },
        ConvertToRefund: { target: "refundPending", meta: { records: "ExchangeConverted" } },
        CloseRefund: { target: "closed", meta: { records: "RefundClosed" } },
      },
    },
    replacementShipped: {
      ...waiting({ exchange: 2 }, 5),
      on: {
        ConfirmReplacement: { target: "exchanged", meta: { records: "ReplacementReceived" } },
        CloseRefund: { target: "closed", meta: { records: "RefundClosed" } },
      },
    },
    refunded: waiting({ refundOnly: 3, returnRefund: 3 }, 0),
    exchanged: waiting({ exchange: 3 }, 6),
    rejected: {
      ...waiting(every(4), 0),
      on: {
        CancelRefund: { target: "cancelled", meta: { records: "RefundCancelled" } },
        HideRefund: { target: "rejected", meta: { records: "RefundHidden" } },
      },
    },
    cancelled: {
      ...waiting(every(5), 0),
      on: { HideRefund: { target: "cancelled", meta: { records: "RefundHidden" } } },
    },
    closed: {
      ...waiting(every(5), 0),
      on: { HideRefund: { target: "closed", meta: { records: "RefundHidden" } } },
    },
  },
});

const everyCaseCommand: Readonly<Record<CaseCommandType, true>> = {
  ApplyRefund: true,
  ApproveRefund: true,
  RejectRefund: true,
  CancelRefund: true,
  CloseRefund: true,
  HideRefund: true,
  ShipReturn: true,
  CorrectReturnShipment: true,
  ReceiveReturn: true,
  IssueRefund: true,
  SettleRefund: true,
  FailRefund: true,
  ShipReplacement: true,
  ConfirmReplacement: true,
  ConvertToRefund: true,
  ImportRefund: true,
};

export const caseCommandTypes = Object.keys(everyCaseCommand) as readonly CaseCommandType[];

export const caseMoves = movesOf<CaseChartStatus, CaseOutcome, CaseEventType>(caseMachine, caseCommandTypes);

const {
  isLegal: isCaseLegal,
  statusesFor: caseStatusesFor,
  after,
} = legalityOf<CaseChartStatus, CaseCommandType>(caseMoves, caseCommandTypes);

export { caseStatusesFor, isCaseLegal };

/** The commands that are legal in a case's status, in the table's order. */
export function caseCommandsFor(status: CaseChartStatus): readonly CaseCommandType[] {
  return caseCommandTypes.filter((type) => isCaseLegal(status, type));
}

/** The status of a case after a fact; the same where no move records it from here. */
export function caseStatusAfter(status: CaseStatus, event: CaseEventType, type: CaseType): CaseStatus {
  return (after(status, keyOf(event, type)) as CaseStatus | undefined) ?? status;
}

/** Where a case stands once it is imported: what is refunded elsewhere is to be paid here, and is in the same append. */
export function caseStatusImported(status: ImportedStatus): CaseStatus {
  const key: CaseOutcome = `ImportRefund/${status === "refunded" ? "refundPending" : status}`;
  return after("none", key) as CaseStatus;
}

/** Whether some move records this fact in this status. */
export function isCaseFact(status: CaseStatus, event: CaseEventType, type: CaseType): boolean {
  return after(status, keyOf(event, type)) !== undefined;
}

/** The outcome where a fact can lead to several statuses: the case's type tells which. */
function keyOf(event: CaseEventType, type: CaseType): string {
  if (event === "RefundApproved")
    return type === "refundOnly" ? "ApproveRefund/refund" : "ApproveRefund/return";
  if (event === "ReturnReceived")
    return type === "exchange" ? "ReceiveReturn/exchange" : "ReceiveReturn/refund";
  return event;
}

const open: ReadonlySet<CaseStatus> = new Set(openCaseStatuses);

/** Whether the case waits for somebody. */
export function isOpen(status: CaseStatus): boolean {
  return open.has(status);
}

const charted = caseMachine.config.states as Readonly<Record<CaseStatus, { readonly meta: CaseStatusMeta }>>;

/** What a status is in the progress bars. */
export function metaOf(status: CaseStatus): CaseStatusMeta {
  return charted[status].meta;
}
