// The buyers' wallets, kept as streams beside the orders: topping up, refunds into them, and paying an order out of one.
//
// A payment moves two streams, one append each: the wallet holds the money, the order records the payment, the wallet takes what it
// held. Whoever finds a hold open goes on with it. That an order cannot record a payment whose money was released, nor money be released
// that an order has recorded, is the work of a claim: both appends claim the payment's id, and a store gives a claim to one stream only.

import { createHash } from "node:crypto";

import * as E from "fp-ts/lib/Either.js";
import { z } from "zod";

import type { Actor } from "../domain/actor.ts";
import type { Command } from "../domain/commands.ts";
import { currencyFault } from "../domain/currencies.ts";
import { limits } from "../domain/limits.ts";
import type { Rejection } from "../domain/refusals.ts";
import { type Order, type OrderState, isTerminal } from "../domain/state.ts";
import {
  type Hold,
  type WalletCommand,
  type WalletEvent,
  type WalletRefusal,
  type WalletState,
  balanceOf,
  decideWallet,
  evolveWallet,
  initialWallet,
} from "../domain/wallet.ts";
import {
  type Envelope,
  codec,
  encodeMeta,
  streamOf,
  walletCodec,
  walletPrefix,
  walletStreamOf,
} from "../store/codec.ts";
import { ClaimTakenError, ConflictError, type EventStore, StoreError } from "../store/port.ts";
import { paymentClaim } from "./claims.ts";
import type { CommandHandler, Receipt } from "./handle.ts";
import { commandHash, eventId } from "./identity.ts";
import { issuesOf } from "./parse.ts";
import type { RefundAnswer, RefundRequest, RefundStatus, Wallet } from "./refundPorts.ts";
import { amount, id } from "./schemas.ts";

/** Money paid into a wallet, once for each `topUpId`. */
export interface TopUp {
  readonly buyerId: string;
  readonly topUpId: string;
  /** Minor units of `currency` (ISO 4217), 1 or more. */
  readonly amount: number;
  readonly currency: string;
  readonly note?: string | undefined;
  /** Who paid it in. */
  readonly actor: Actor;
}

/** What a wallet holds. */
export interface WalletBalance {
  /** Minor units by currency: what may be spent. */
  readonly balances: Readonly<Record<string, number>>;
  /** Set aside for payments whose outcome is not known yet. */
  readonly held: readonly Hold[];
}

/** What became of a payment that was found half done. */
export interface HoldRun {
  readonly buyerId: string;
  readonly payId: string;
  readonly orderId: string;
  /** The order has recorded it; or the money is the buyer's again; or it could not be found out, and is asked about again. */
  readonly outcome: "taken" | "released" | "unknown";
  readonly error?: unknown;
}

/** The wallets in an engine's own store. As the port of the refund process it is what refunds to a wallet are paid into. */
export interface KeptWallet extends Wallet {
  /** @returns what the wallet then holds, also for a top-up that was done before. @throws StoreError where the store fails. */
  topUp(
    topUp: TopUp,
  ): Promise<
    E.Either<WalletRefusal | Rejection<"invalidCommand">, WalletBalance & { readonly replayed: boolean }>
  >;
  /**
   * Pays an order in full, which records it under `commandId`. Asked again, it goes on where it was interrupted, or answers with the receipt
   * of the payment, whose command id is that of who paid.
   * @throws StoreError where the store fails; the money is then held, and a repeat or `settleHolds` finishes what was begun.
   */
  pay(payment: {
    readonly orderId: string;
    readonly buyerId: string;
    readonly commandId?: string | undefined;
  }): Promise<E.Either<Rejection | WalletRefusal, Receipt>>;
  show(buyerId: string): Promise<WalletBalance>;
  /** The wallet's events, oldest first. */
  history(buyerId: string): Promise<readonly Envelope<WalletEvent>[]>;
  /** Finishes every payment that was interrupted between the two streams, and yields each. */
  settleHolds(options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<HoldRun>;
}

interface Known {
  readonly state: WalletState;
  /** -1: no events. */
  readonly revision: bigint;
}

const mostKnown = 1_000;

/** Fresh decisions after losing a race. */
const mostAttempts = 64;

const topUpSchema = z.strictObject({
  buyerId: id,
  topUpId: id,
  amount: amount.min(1),
  currency: z.string().superRefine((value, context) => {
    const fault = currencyFault(value);
    if (fault !== undefined) context.addIssue({ code: "custom", message: fault });
  }),
  note: z.string().max(limits.textLength).optional(),
  actor: z.object({ role: z.string(), id }),
});

export class StoredWallet implements KeptWallet {
  readonly name = "wallet";
  readonly #store: EventStore;
  readonly #orders: CommandHandler;
  readonly #clock: () => number;
  #known = new Map<string, Known>();
  /** Holds without an outcome, by payment id, as far as the store has been looked through. */
  readonly #open = new Map<string, { readonly buyerId: string; readonly orderId: string }>();
  #looked: string | undefined;

  constructor(store: EventStore, orders: CommandHandler, clock: () => number) {
    this.#store = store;
    this.#orders = orders;
    this.#clock = clock;
  }

  // --- the refund process' port ---

  async credit({ refundId, buyerId, orderId, amount, currency }: RefundRequest): Promise<RefundAnswer> {
    const actor: Actor = { role: "provider", id: this.name };
    const done = await this.#execute(buyerId, { type: "Credit", refundId, orderId, amount, currency }, actor);
    return E.isRight(done)
      ? { status: "settled", amount }
      : { status: "refused", failure: done.left.code, retryable: false };
  }

  async status(refundId: string, { buyerId }: RefundRequest): Promise<RefundStatus> {
    const done = (await this.#load(buyerId)).state.done.get(`refund/${refundId}`);
    return done === undefined ? { status: "unknown" } : { status: "settled", amount: done.amount };
  }

  async balance(buyerId: string, currency: string): Promise<number> {
    return balanceOf((await this.#load(buyerId)).state, currency);
  }

  // --- looking and topping up ---

  async show(buyerId: string): Promise<WalletBalance> {
    return shown((await this.#load(buyerId)).state);
  }

  async history(buyerId: string): Promise<readonly Envelope<WalletEvent>[]> {
    return (await this.#store.readStream(walletStreamOf(buyerId))).map(walletCodec.decode);
  }

  async topUp(topUp: TopUp): ReturnType<KeptWallet["topUp"]> {
    const read = topUpSchema.safeParse(topUp);
    if (!read.success) {
      const issues = issuesOf(read.error, () => Object.keys(topUpSchema.shape));
      return E.left({ code: "invalidCommand", issues });
    }
    const { buyerId, topUpId, amount, currency, note, actor } = topUp;
    const done = await this.#execute(buyerId, { type: "TopUp", topUpId, amount, currency, note }, actor);
    return E.map(({ state, appended }: Done) => ({ ...shown(state), replayed: !appended }))(done);
  }

  // --- paying ---

  async pay({
    orderId,
    buyerId,
    commandId,
  }: Parameters<KeptWallet["pay"]>[0]): Promise<E.Either<Rejection | WalletRefusal, Receipt>> {
    const order = await this.#orders.state(orderId);
    if (order.status === "none") return E.left({ code: "orderNotFound", orderId });
    if (order.buyerId !== buyerId) return E.left({ code: "notOwner", orderId, role: "buyer" });
    const holds = holdsFor((await this.#load(buyerId)).state, orderId);
    const standing = holds.find(({ state }) => state !== "released");
    const payment = standing ?? {
      payId: payIdOf(orderId, holds.length + 1),
      orderId,
      amount: order.total,
      currency: order.currency,
    };
    if (standing === undefined) {
      // Nothing is held for an order that would not record it, nor for one whose money would come too late.
      if (order.status !== "pendingPayment") return E.left(notPayable(order));
      const held = await this.#execute(buyerId, { ...payment, type: "Hold" }, { role: "buyer", id: buyerId });
      if (E.isLeft(held)) return held;
    }
    const paid = await this.#record(buyerId, payment, commandId);
    if (E.isRight(paid)) {
      await this.#end(buyerId, payment.payId, "Take");
      const late = paid.right.events.some(({ type }) => type === "LatePaymentReceived");
      return late ? E.left(notPayable(await this.#orders.state(orderId))) : paid;
    }
    await this.#release(buyerId, payment);
    return paid;
  }

  async *settleHolds({ signal }: { readonly signal?: AbortSignal | undefined } = {}): AsyncGenerator<
    HoldRun,
    void,
    void
  > {
    await this.#look(signal);
    for (const [payId, { buyerId, orderId }] of this.#open) {
      signal?.throwIfAborted();
      try {
        const hold = (await this.#load(buyerId)).state.holds.get(payId);
        if (hold?.state !== "open") continue;
        yield { buyerId, payId, orderId, outcome: await this.#settle(buyerId, hold) };
      } catch (error) {
        yield { buyerId, payId, orderId, outcome: "unknown", error };
      }
    }
  }

  /** Ends one open hold: as the buyer wanted it while the order can be paid, else in the buyer's favour. */
  async #settle(buyerId: string, hold: Hold): Promise<"taken" | "released"> {
    const order = await this.#orders.state(hold.orderId);
    if (!isTerminal(order) && E.isRight(await this.#record(buyerId, hold))) {
      await this.#end(buyerId, hold.payId, "Take");
      return "taken";
    }
    return this.#release(buyerId, hold);
  }

  /** Has the order record the payment: once, whoever gives it and however often, and answered with the receipt of that once. */
  async #record(
    buyerId: string,
    { payId, orderId, amount, currency }: Omit<Hold, "state">,
    commandId = payId,
  ): Promise<E.Either<Rejection, Receipt>> {
    const command: Command = { type: "Pay", orderId, payId, amount, currency, channel: "wallet" };
    const give = (under: string) =>
      this.#orders.execute(command, { actor: { role: "buyer", id: buyerId }, commandId: under });
    const given = await give(commandId);
    if (E.isLeft(given) || given.right.events.length > 0) return given;
    const recorded = (await this.#store.readStream(streamOf(orderId)))
      .map(codec.decode)
      .find(({ event }) => "payId" in event.data && event.data.payId === payId);
    return recorded === undefined ? given : give(recorded.meta.commandId);
  }

  /** Gives back what was held, unless the order has recorded the payment after all: the claim decides. */
  async #release(buyerId: string, { payId, orderId }: Omit<Hold, "state">): Promise<"taken" | "released"> {
    let taken: ClaimTakenError;
    try {
      await this.#end(buyerId, payId, "Release", [paymentClaim(payId)]);
      return "released";
    } catch (error) {
      if (!(error instanceof ClaimTakenError)) throw error;
      taken = error;
    }
    const order = await this.#orders.state(orderId);
    if (order.status !== "none" && order.payments.some((payment) => payment.payId === payId)) {
      await this.#end(buyerId, payId, "Take");
      return "taken";
    }
    if (taken.holder === streamOf(orderId)) {
      // Somebody is about to have the order record it, or broke off: which of them, the claim's age will tell.
      throw new StoreError(
        "unavailable",
        `payment ${payId}: its order has claimed it, and not recorded it yet`,
        {
          cause: taken,
        },
      );
    }
    // Another order holds the claim, and for ever: this one can never record the payment.
    await this.#end(buyerId, payId, "Release");
    return "released";
  }

  async #end(
    buyerId: string,
    payId: string,
    type: "Take" | "Release",
    claims?: readonly string[],
  ): Promise<void> {
    await this.#execute(buyerId, { type, payId }, { role: "system", id: this.name }, claims);
  }

  /** Looks through what was recorded since the last time for holds that are open. */
  async #look(signal: AbortSignal | undefined): Promise<void> {
    for (let end = false; !end;) {
      signal?.throwIfAborted();
      const page = await this.#store.readAll({ after: this.#looked, prefixes: [walletPrefix] });
      for (const recorded of page.events) {
        const event = walletCodec.decodeFact(recorded);
        if (event.type === "WalletHeld") {
          const buyerId = recorded.stream.slice(walletPrefix.length);
          this.#open.set(event.data.payId, { buyerId, orderId: event.data.orderId });
        } else if (event.type === "WalletTaken" || event.type === "WalletReleased") {
          this.#open.delete(event.data.payId);
        }
      }
      this.#looked = page.checkpoint;
      ({ end } = page);
      // Others in this process get their turn between two pages.
      if (!end) await new Promise(setImmediate);
    }
  }

  // --- one wallet ---

  /** Decides a command on the wallet as it stands in the store, and appends what it leads to; again on a conflict. */
  async #execute(
    buyerId: string,
    command: WalletCommand,
    actor: Actor,
    claims?: readonly string[],
  ): Promise<E.Either<WalletRefusal, Done>> {
    const stream = walletStreamOf(buyerId);
    const commandId = idOf(command);
    const hash = commandHash(JSON.stringify({ stream, actor, command }));
    for (let attempt = 1; ; attempt += 1) {
      const { state, revision } = await this.#load(buyerId);
      const decided = decideWallet(command, state, Math.floor(this.#clock()));
      if (E.isLeft(decided)) return decided;
      const events = decided.right;
      if (events.length === 0) return E.right({ state, appended: false });
      const records = events.map(({ type, at, data }, index) => ({
        id: eventId(hash, index),
        type,
        data: JSON.stringify(data),
        meta: encodeMeta({ v: walletCodec.versionOf(type), at, actor, commandId, commandHash: hash }),
      }));
      try {
        await this.#store.append(stream, revision < 0n ? "none" : revision, records, { claims });
        const after = events.reduce(evolveWallet, state);
        return E.right({ state: after, appended: true });
      } catch (error) {
        if (!(error instanceof ConflictError) || attempt === mostAttempts) throw error;
      }
    }
  }

  /** The wallet as the store has it: what is known of it, and what was recorded since. */
  async #load(buyerId: string): Promise<Known> {
    const stream = walletStreamOf(buyerId);
    const known = this.#known.get(stream) ?? { state: initialWallet, revision: -1n };
    const newer = await this.#store.readStream(stream, { from: known.revision + 1n });
    const last = newer.at(-1);
    if (last === undefined) return known;
    const state = newer.map((one) => walletCodec.decode(one).event).reduce(evolveWallet, known.state);
    const now = { state, revision: last.revision };
    if (this.#known.size >= mostKnown) this.#known = new Map();
    this.#known.set(stream, now);
    return now;
  }
}

interface Done {
  readonly state: WalletState;
  /** Undefined where it had been done before. */
  readonly appended: boolean;
}

function shown({ balances, holds }: WalletState): WalletBalance {
  return {
    balances: Object.fromEntries(balances),
    held: [...holds.values()].filter(({ state }) => state === "open"),
  };
}

function holdsFor({ holds }: WalletState, orderId: string): readonly Hold[] {
  return [...holds.values()].filter((hold) => hold.orderId === orderId);
}

function notPayable(order: OrderState): Rejection {
  return {
    code: "orderStatusNotEligible",
    command: "Pay",
    status: order.status,
    allowed: ["pendingPayment"] satisfies readonly Order["status"][],
  };
}

/** The id of an order's n-th payment by wallet, as long as any id may be whatever the order's own is. */
function payIdOf(orderId: string, number: number): string {
  return `wallet:${createHash("sha256").update(orderId).digest("hex").slice(0, 40)}:${number}`;
}

function idOf(command: WalletCommand): string {
  switch (command.type) {
    case "TopUp":
      return command.topUpId;
    case "Credit":
      return command.refundId;
    default:
      return command.payId;
  }
}
