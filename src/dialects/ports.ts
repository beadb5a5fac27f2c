// What a shop must say for itself, as ports of a few methods each: who is asking, what is sold, what freight costs, who pays.

import type * as E from "fp-ts/lib/Either.js";

import type { Receipt } from "../commands/handle.ts";
import type { PaymentProvider } from "../commands/refundPorts.ts";
import type { Actor } from "../domain/actor.ts";
import type { Fulfilment } from "../domain/events.ts";
import type { JsonObject } from "../domain/json.ts";
import type { Rejection } from "../domain/refusals.ts";
import type { CaseType } from "../domain/terms.ts";
import type { WalletRefusal } from "../domain/wallet.ts";

/**
 * Who sent a request, as the shop knows them; as an actor of a command they are the same. Dialects are for buyers, merchants and staff;
 * the other roles are the shop's own services, for the plain API; what Baidu's order centre sends may come from `system`, too.
 */
export type Caller = Actor;

/** Knows callers by the token they send. */
export interface Authentication {
  /** Undefined for a token that is none of the shop's, or no longer. */
  authenticate(token: string): Promise<Caller | undefined>;
}

/** A choice of goods: an id, and what was chosen of its options as the dialect writes it down (apifm: `propertyChildIds`). */
export interface Choice {
  readonly goodsId: string;
  readonly options?: string | undefined;
}

/** What the shop says of goods. */
export interface Goods {
  readonly title: string;
  /** Minor units of `currency`, of one unit with these options. */
  readonly unitPrice: number;
  /** ISO 4217. */
  readonly currency: string;
  readonly sku?: string | undefined;
  /** URL of a picture. */
  readonly picture?: string | undefined;
  /** Units in stock; not counted without it. */
  readonly available?: number | undefined;
  /** Kinds of after-sale that the goods allow; the terms' own without it. */
  readonly allowedTypes?: readonly CaseType[] | undefined;
  /** Grams of one unit, for freight that goes by weight. */
  readonly weight?: number | undefined;
  /** What no rule reads, carried on the order's line (ruling 13). */
  readonly source?: JsonObject | undefined;
}

/** Knows what is sold. */
export interface Catalog {
  /** Undefined where there are no such goods, or not with these options. */
  find(choice: Choice): Promise<Goods | undefined>;
}

/** What freight is asked for. */
export interface Parcel {
  readonly fulfilment: Fulfilment;
  readonly currency: string;
  /** Sum of the goods in minor units. */
  readonly goods: number;
  readonly units: number;
  /** Grams, where every line's goods say so. */
  readonly weight?: number | undefined;
  /** Where it goes, in the dialect's own words. */
  readonly to?: Readonly<Record<string, string>> | undefined;
}

/** Knows what it costs to bring goods to a buyer. */
export interface Freight {
  /** Minor units of the parcel's currency, 0 or more; undefined where it cannot be brought there. */
  costOf(parcel: Parcel): Promise<number | undefined>;
}

/** A payment of an order out of its buyer's wallet. */
export interface WalletPayment {
  readonly orderId: string;
  readonly buyerId: string;
  /** Under which the order is to record it, so that this very request is known again. */
  readonly commandId?: string | undefined;
}

/** The buyers' money with the shop. The default is kept in the engine's own store: `engine.wallet`. */
export interface Purse {
  /** What a buyer may spend, in minor units of a currency. */
  balance(buyerId: string, currency: string): Promise<number>;
  /**
   * Pays an order in full: takes the money and has the order record it, each once, whatever fails between the two and however often it
   * is asked for. An order paid so before answers with its receipt.
   */
  pay(payment: WalletPayment): Promise<E.Either<Rejection | WalletRefusal, Receipt>>;
}

/** Where goods are to be sent back to. */
export interface ReturnAddress {
  readonly name: string;
  readonly phone: string;
  readonly address: string;
}

/** Knows the shop's own addresses. */
export interface Addresses {
  /** Undefined where the merchant has named none. */
  returnTo(merchantId: string): Promise<ReturnAddress | undefined>;
}

/** Where a parcel was at an instant, in the carrier's words. */
export interface Trace {
  /** Milliseconds UTC. */
  readonly at: number;
  readonly text: string;
}

/** Knows where parcels are: a carrier, or who asks carriers. */
export interface Tracking {
  /** A parcel's traces, the oldest first; none where nothing is known of it. What it throws is logged, and told as none. */
  traces(parcel: { readonly carrier: string; readonly trackingNumber: string }): Promise<readonly Trace[]>;
}

/** One line of the structured log: an event's name, and facts that hold neither tokens nor personal data. */
export interface LogLine {
  readonly level: "info" | "warn" | "error";
  readonly event: string;
  readonly [fact: string]: unknown;
}

export type Log = (line: LogLine) => void;

/** Everything that a dialect asks of the shop around it. */
export interface Ports {
  readonly authentication: Authentication;
  readonly catalog: Catalog;
  readonly freight: Freight;
  readonly addresses: Addresses;
  /** Undefined: nobody has money with the shop. */
  readonly wallet: Purse | undefined;
  /** Online payment and its way back; undefined: wallet and manual only. The same one that the engine was opened with. */
  readonly payments: PaymentProvider | undefined;
  /** Undefined: of a parcel only that it was sent and received is told. */
  readonly tracking?: Tracking | undefined;
  /** In which orders are made: a merchant's id, ISO 4217, and the zone in which wall clocks are read (IANA). */
  readonly merchantId: string;
  readonly currency: string;
  readonly timeZone: string;
  /** Milliseconds UTC now. */
  readonly clock: () => number;
  /** A new secret of 122 bits or more as text, such as a UUID: what ids are made from where a request brings no key. */
  readonly newSeed: () => string;
  readonly log: Log;
}
