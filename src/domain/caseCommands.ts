// What may be asked of an after-sale case, in the imperative: the parsed shapes.

import type { Destination, Disposition, ImportedStatus, ReturnAddress, Waybill } from "./caseEvents.ts";
import type { JsonPairs } from "./json.ts";
import type { CaseType } from "./terms.ts";

/** Each but ApplyRefund and ImportRefund names a case that is there. */
interface OfCase {
  readonly caseId: string;
}

/** Where the refund goes: given, it is issued in the same append; without it the case waits for IssueRefund. */
interface Payable {
  readonly destination?: Destination | undefined;
}

type Optional<T> = { readonly [K in keyof T]?: T[K] | undefined };

export interface CaseCommandData {
  readonly ApplyRefund: OfCase & {
    readonly lineId: string;
    readonly caseType: CaseType;
    /** Units to be sent back; 0 without it. */
    readonly quantity?: number | undefined;
    readonly amount: number;
    readonly goodsReceived?: boolean | undefined;
    readonly reason?: string | undefined;
    readonly causeType?: number | undefined;
    readonly personal?:
      | { readonly note?: string | undefined; readonly evidence?: readonly string[] | undefined }
      | undefined;
  };
  readonly ApproveRefund: OfCase &
    Payable & {
      /** Less than was asked for; all of it without this. */
      readonly amount?: number | undefined;
      readonly personal?:
        | {
            readonly note?: string | undefined;
            readonly returnAddress?: Optional<ReturnAddress> | undefined;
          }
        | undefined;
    };
  readonly RejectRefund: OfCase & { readonly reason: string };
  readonly CancelRefund: OfCase;
  readonly CloseRefund: OfCase & { readonly reason?: string | undefined };
  readonly HideRefund: OfCase;
  readonly ShipReturn: OfCase & Waybill;
  readonly CorrectReturnShipment: OfCase & Waybill;
  readonly ReceiveReturn: OfCase &
    Payable & {
      readonly dispositions: readonly Disposition[];
      readonly personal?: { readonly note?: string | undefined } | undefined;
    };
  /** Without a destination it goes where the attempt before was to go. */
  readonly IssueRefund: OfCase & Payable;
  readonly SettleRefund: OfCase & {
    readonly refundId: string;
    readonly amount: number;
    readonly tradeNo?: string | undefined;
  };
  readonly FailRefund: OfCase & {
    readonly refundId: string;
    readonly failure: string;
    readonly retryable: boolean;
    readonly message?: string | undefined;
  };
  /** `available` is what the shop's stock has now; a replacement over it is refused. */
  readonly ShipReplacement: OfCase & Waybill & { readonly available?: number | undefined };
  readonly ConfirmReplacement: OfCase;
  readonly ConvertToRefund: OfCase &
    Payable & {
      readonly amount: number;
      /** That the buyer agreed to money instead of goods. */
      readonly buyerConsents: boolean;
    };
  /** A case that was opened and brought so far in another system; from here on it is a case like any other. */
  readonly ImportRefund: OfCase & {
    /** The other system's name. */
    readonly source: string;
    readonly status: ImportedStatus;
    readonly lineId: string;
    readonly caseType: CaseType;
    /** Units to be sent back, or sent back; 0 without it. */
    readonly quantity?: number | undefined;
    readonly amount: number;
    readonly goodsReceived?: boolean | undefined;
    readonly reason?: string | undefined;
    /** The snapshot as it came. */
    readonly raw: JsonPairs;
  };
}

export type CaseCommandType = keyof CaseCommandData;
