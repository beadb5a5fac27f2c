// What may be asked of an order, in the imperative: the parsed shapes, free of any I/O or schema library.

import type { Actor } from "./actor.ts";
import type { CaseCommandData } from "./caseCommands.ts";
import type { Destination } from "./caseEvents.ts";
import type { Charge, Fulfilment, PaymentData, Rating, Recipient, Shipment, channels } from "./events.ts";
import type { JsonPairs } from "./json.ts";
import type { CaseType, Terms } from "./terms.ts";

/** A line as asked for; `available` is what the shop's stock had when it asked, and an order over it is refused. */
export interface LineAsked {
  readonly lineId: string;
  readonly goodsId: string;
  readonly sku?: string | undefined;
  readonly title: string;
  readonly unitPrice: number;
  readonly quantity: number;
  readonly available?: number | undefined;
  readonly allowedTypes?: readonly CaseType[] | undefined;
  readonly source?: JsonPairs | undefined;
}

type Optional<T> = { readonly [K in keyof T]?: T[K] | undefined };

export interface CommandData extends CaseCommandData {
  readonly CreateOrder: {
    readonly orderNo?: string | undefined;
    readonly merchantId?: string | undefined;
    /** A buyer's own id if the buyer asks; to be named where a merchant or the system asks for one. */
    readonly buyerId?: string | undefined;
    readonly currency: string;
    readonly lines: readonly LineAsked[];
    readonly charges?: readonly Charge[] | undefined;
    readonly discount?: number | undefined;
    readonly fulfilment: Fulfilment;
    /** Give the order a write-off code (apifm isCanHx). */
    readonly redeemable?: boolean | undefined;
    /** Overrides of the merchant's terms; from a merchant or the system only (ruling 10). */
    readonly terms?: Optional<Terms> | undefined;
    readonly personal?: Optional<Recipient> | undefined;
    readonly source?: JsonPairs | undefined;
  };
  readonly ConfirmOrder: object;
  readonly Pay: Optional<Pick<PaymentData, "method" | "tradeNo">> &
    Pick<PaymentData, "payId" | "amount"> & {
      readonly currency?: string | undefined;
      readonly channel: (typeof channels)[number];
    };
  /** Of a paid order it opens a case for all that is left: `caseId` names it, `destination` pays it out at once (ruling 1). */
  readonly CancelOrder: {
    readonly reason?: string | undefined;
    readonly caseId?: string | undefined;
    readonly destination?: Destination | undefined;
  };
  readonly ExpireOrder: object;
  readonly Ship: {
    readonly shipments?: readonly Optional<Shipment>[] | undefined;
    /** The write-off code, where a pickup order has one (ShopXO extraction_code). */
    readonly code?: string | undefined;
    /** Although a case is open on a line that is sent. */
    readonly force?: boolean | undefined;
  };
  readonly CorrectShipment: { readonly shipments: readonly Optional<Shipment>[] };
  readonly ConfirmReceipt: object;
  readonly Redeem: { readonly code: string; readonly source?: JsonPairs | undefined };
  readonly Review: {
    readonly items: readonly {
      readonly lineId: string;
      readonly rating: Rating;
      readonly text?: string | undefined;
      readonly pictures?: readonly string[] | undefined;
    }[];
  };
  readonly HideOrder: object;
  readonly AuditPayment: object;
  readonly MarkPurchased: { readonly reference?: string | undefined };
  readonly RecordTaxSurplus: { readonly amount: number };
  readonly RecordTaxRefund: { readonly amount: number };
}

export type CommandType = keyof CommandData;

/** One command, always for one order. */
export type Command<T extends CommandType = CommandType> = {
  readonly [K in T]: { readonly type: K; readonly orderId: string } & CommandData[K];
}[T];

/** What the merchant's side knows at the moment a command is decided; never stored but for the terms. */
export interface Policy {
  /** The terms in force for new orders of this merchant. */
  readonly terms: Terms;
  /** Who may redeem write-off codes now. */
  readonly redeemStaff: readonly string[];
  /** HMAC of the order's derived write-off code; undefined without a key. */
  readonly codeHash?: string | undefined;
  /** HMAC of the code that the command presents, where it presents one. */
  readonly presentedHash?: string | undefined;
}

/** A command with who gives it and the policy it meets. */
export interface Request<T extends CommandType = CommandType> {
  readonly actor: Actor;
  readonly command: Command<T>;
  readonly policy: Policy;
}
