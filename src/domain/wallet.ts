// A buyer's wallet: what is paid in, held for orders, taken or given back, and refunded, decided and folded on a stream of its own.

import * as E from "fp-ts/lib/Either.js";

import { formatAmount } from "./money.ts";

/** The facts of a wallet. Amounts are minor units of `currency` (ISO 4217), 1 or more, and `at` is milliseconds UTC. */
export interface WalletFacts {
  WalletToppedUp: {
    readonly topUpId: string;
    readonly amount: number;
    readonly currency: string;
    readonly note?: string | undefined;
  };
  /** Money is set aside for a payment of an order, and can be spent on nothing else until its outcome is known. */
  WalletHeld: {
    readonly payId: string;
    readonly orderId: string;
    readonly amount: number;
    readonly currency: string;
  };
  /** The order has recorded the payment: the money is spent. */
  WalletTaken: { readonly payId: string };
  /** The order has not recorded the payment, and never will: the money is the buyer's again. */
  WalletReleased: { readonly payId: string };
  WalletCredited: {
    readonly refundId: string;
    readonly orderId: string;
    readonly amount: number;
    readonly currency: string;
  };
}

export type WalletEventType = keyof WalletFacts;

export type WalletEvent<T extends WalletEventType = WalletEventType> = {
  readonly [K in T]: { readonly type: K; readonly at: number; readonly data: WalletFacts[K] };
}[T];

export const walletEventTypes = [
  "WalletToppedUp",
  "WalletHeld",
  "WalletTaken",
  "WalletReleased",
  "WalletCredited",
] as const satisfies readonly WalletEventType[];

/** What may be asked of a wallet; each is done once under its id. */
export type WalletCommand =
  | ({ readonly type: "TopUp" } & WalletFacts["WalletToppedUp"])
  | ({ readonly type: "Hold" } & WalletFacts["WalletHeld"])
  | ({ readonly type: "Take" } & WalletFacts["WalletTaken"])
  | ({ readonly type: "Release" } & WalletFacts["WalletReleased"])
  | ({ readonly type: "Credit" } & WalletFacts["WalletCredited"]);

export interface WalletRefusalFacts {
  balanceTooLow: { readonly balance: number; readonly due: number; readonly currency: string };
  /** The id was used for another amount, currency or order. */
  walletIdUsed: { readonly id: string };
  walletFull: { readonly currency: string; readonly limit: number };
  holdUnknown: { readonly payId: string };
  /** What was taken cannot be released, nor what was released be taken. */
  holdEnded: { readonly payId: string; readonly state: "taken" | "released" };
}

export type WalletRefusalCode = keyof WalletRefusalFacts;

export type WalletRefusal<C extends WalletRefusalCode = WalletRefusalCode> = {
  readonly [K in C]: { readonly code: K } & WalletRefusalFacts[K];
}[C];

export interface Hold {
  readonly payId: string;
  readonly orderId: string;
  readonly amount: number;
  readonly currency: string;
  readonly state: "open" | "taken" | "released";
}

interface Done {
  readonly amount: number;
  readonly currency: string;
  readonly orderId?: string | undefined;
}

export interface WalletState {
  /** What may be spent, by currency. */
  readonly balances: ReadonlyMap<string, number>;
  /** By payment id. */
  readonly holds: ReadonlyMap<string, Hold>;
  /** Top-ups and credits that are done, by `topUp/<id>` and `refund/<id>`. */
  readonly done: ReadonlyMap<string, Done>;
  readonly lastAt: number;
}

export const initialWallet: WalletState = {
  balances: new Map(),
  holds: new Map(),
  done: new Map(),
  lastAt: 0,
};

/** The facts that a command leads to: none where it was done before. An instant before the latest one counts as the latest. */
export function decideWallet(
  command: WalletCommand,
  state: WalletState,
  now: number,
): E.Either<WalletRefusal, readonly WalletEvent[]> {
  const at = Math.max(now, state.lastAt);
  switch (command.type) {
    case "TopUp": {
      const { topUpId, amount, currency, note } = command;
      const known = state.done.get(`topUp/${topUpId}`);
      if (known !== undefined) return repeat(isSame(known, command), topUpId);
      const data = { topUpId, amount, currency, ...(note === undefined ? {} : { note }) };
      return added(state, amount, currency, { type: "WalletToppedUp", at, data });
    }
    case "Credit": {
      const { refundId, orderId, amount, currency } = command;
      const known = state.done.get(`refund/${refundId}`);
      if (known !== undefined) return repeat(isSame(known, command), refundId);
      const data = { refundId, orderId, amount, currency };
      return added(state, amount, currency, { type: "WalletCredited", at, data });
    }
    case "Hold": {
      const { payId, orderId, amount, currency } = command;
      const hold = state.holds.get(payId);
      if (hold !== undefined) {
        const same = isSame(hold, command);
        if (same && hold.state === "released") return E.left({ code: "holdEnded", payId, state: "released" });
        return repeat(same, payId);
      }
      const balance = balanceOf(state, currency);
      if (balance < amount) return E.left({ code: "balanceTooLow", balance, due: amount, currency });
      return E.right([{ type: "WalletHeld", at, data: { payId, orderId, amount, currency } }]);
    }
    case "Take":
    case "Release": {
      const { payId } = command;
      const ending = command.type === "Take" ? "taken" : "released";
      const hold = state.holds.get(payId);
      if (hold === undefined) return E.left({ code: "holdUnknown", payId });
      if (hold.state === ending) return E.right([]);
      if (hold.state !== "open") return E.left({ code: "holdEnded", payId, state: hold.state });
      return E.right([
        { type: command.type === "Take" ? "WalletTaken" : "WalletReleased", at, data: { payId } },
      ]);
    }
  }
}

function repeat(same: boolean, id: string): E.Either<WalletRefusal, readonly WalletEvent[]> {
  return same ? E.right([]) : E.left({ code: "walletIdUsed", id });
}

/** What a wallet holds and has set aside can always be added up: a refund of what was held must find room. */
function added(
  state: WalletState,
  amount: number,
  currency: string,
  event: WalletEvent,
): E.Either<WalletRefusal, readonly WalletEvent[]> {
  let sum = balanceOf(state, currency) + amount;
  for (const hold of state.holds.values()) {
    if (hold.state === "open" && hold.currency === currency) sum += hold.amount;
  }
  return Number.isSafeInteger(sum)
    ? E.right([event])
    : E.left({ code: "walletFull", currency, limit: Number.MAX_SAFE_INTEGER });
}

function isSame(known: Done, asked: Done): boolean {
  return (
    known.amount === asked.amount && known.currency === asked.currency && known.orderId === asked.orderId
  );
}

/** What may be spent of a currency. */
export function balanceOf({ balances }: WalletState, currency: string): number {
  return balances.get(currency) ?? 0;
}

/**
 * The state after an event that was recorded.
 * @throws TypeError on an event that no wallet has, naming it.
 */
export function evolveWallet(state: WalletState, event: WalletEvent): WalletState {
  const lastAt = Math.max(state.lastAt, event.at);
  switch (event.type) {
    case "WalletToppedUp": {
      const { topUpId, amount, currency } = event.data;
      const done = new Map(state.done).set(`topUp/${topUpId}`, { amount, currency });
      return { ...state, balances: moved(state, currency, amount), done, lastAt };
    }
    case "WalletCredited": {
      const { refundId, orderId, amount, currency } = event.data;
      const done = new Map(state.done).set(`refund/${refundId}`, { amount, currency, orderId });
      return { ...state, balances: moved(state, currency, amount), done, lastAt };
    }
    case "WalletHeld": {
      const { payId, orderId, amount, currency } = event.data;
      const holds = new Map(state.holds).set(payId, { payId, orderId, amount, currency, state: "open" });
      return { ...state, balances: moved(state, currency, -amount), holds, lastAt };
    }
    case "WalletTaken":
      return { ...state, holds: ended(state, event.data.payId, "taken"), lastAt };
    case "WalletReleased": {
      const hold = state.holds.get(event.data.payId);
      const balances = hold?.state === "open" ? moved(state, hold.currency, hold.amount) : state.balances;
      return { ...state, balances, holds: ended(state, event.data.payId, "released"), lastAt };
    }
    default:
      throw new TypeError(`no wallet event ${JSON.stringify((event as { type: unknown }).type)}`);
  }
}

function moved(state: WalletState, currency: string, by: number): ReadonlyMap<string, number> {
  return new Map(state.balances).set(currency, balanceOf(state, currency) + by);
}

function ended(state: WalletState, payId: string, how: "taken" | "released"): ReadonlyMap<string, Hold> {
  const hold = state.holds.get(payId);
  return hold?.state === "open" ? new Map(state.holds).set(payId, { ...hold, state: how }) : state.holds;
}

const words: { readonly [K in WalletRefusalCode]: (facts: WalletRefusalFacts[K]) => string } = {
  balanceTooLow: ({ balance, due, currency }) =>
    `balance: ${formatAmount(balance, currency)} ${currency} is there, ${formatAmount(due, currency)} ${currency} is due`,
  walletIdUsed: ({ id }) => `id: ${id} was used for another amount or order`,
  walletFull: ({ currency, limit }) =>
    `amount: the ${currency} of a wallet come to more than ${limit} minor units`,
  holdUnknown: ({ payId }) => `payId: nothing is held for ${payId}`,
  holdEnded: ({ payId, state }) => `payId: what was held for ${payId} is ${state}`,
};

export const walletRefusalCodes = Object.keys(words) as readonly WalletRefusalCode[];

/** Whether a refusal is the wallet's, not the order's. */
export function isWalletRefusal(refusal: { readonly code: string }): refusal is WalletRefusal {
  return Object.hasOwn(words, refusal.code);
}

/** A refusal in words: the field, the rule and the numbers. */
export function describeWalletRefusal(refusal: WalletRefusal): string {
  return (words[refusal.code] as (facts: WalletRefusal) => string)(refusal);
}
