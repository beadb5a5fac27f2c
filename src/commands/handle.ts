// Handles one command: parse, load, decide, append; again on a conflict, and with the first receipt when it was done before.

import * as E from "fp-ts/lib/Either.js";

import type { Command, Policy, Request } from "../domain/commands.ts";
import { decide, mayTouch, merchantOf } from "../domain/decide.ts";
import type { OrderEvent } from "../domain/events.ts";
import { deepFreeze } from "../domain/freeze.ts";
import type { Rejection } from "../domain/refusals.ts";
import { type OrderState, evolve, initialState } from "../domain/state.ts";
import type { CaseType, Terms } from "../domain/terms.ts";
import { codec, encodeMeta, streamOf } from "../store/codec.ts";
import {
  type Appended,
  ClaimTakenError,
  ConflictError,
  type EventStore,
  type NewEvent,
  type RecordedEvent,
} from "../store/port.ts";
import { claimsOf, refusalOf } from "./claims.ts";
import { commandHash, eventId } from "./identity.ts";
import { wholeInstant } from "./instant.ts";
import { type ExecuteOptions, type Parsed, parse } from "./parse.ts";
import { codeHash, redemptionCode } from "./redemption.ts";

/** What an accepted command led to. Revisions count from 0; positions are opaque. */
export interface Receipt {
  readonly orderId: string;
  readonly commandId: string;
  /** Revision of the order after the command. */
  readonly revision: bigint;
  /** Position of its last event in the store. */
  readonly position: string;
  /** The facts recorded; none where there was nothing to do. */
  readonly events: readonly OrderEvent[];
  /** The command had been accepted before: this is its first receipt, and nothing was appended now. */
  readonly replayed: boolean;
}

/** What a command would lead to now. */
export interface Preview {
  readonly orderId: string;
  /** Revision that it was decided on; `none` before creation. */
  readonly revision: bigint | "none";
  readonly events: readonly OrderEvent[];
  /** The state it would lead to. */
  readonly state: OrderState;
}

/** The merchant's side of a decision, as the engine's options say it. */
export interface MerchantPolicy {
  readonly terms: Terms;
  readonly redeemStaff: readonly string[];
  /** What a buyer may choose from, by type of case; no rule reads it. */
  readonly reasons: { readonly [T in CaseType]?: readonly string[] | undefined };
}

/** Folded beside the state of each order and handed to the transaction: what the views keep. The handler does not look at it. */
export interface Companion {
  readonly empty: unknown;
  /** `state` is the order's state after the event. */
  evolve(companion: unknown, event: OrderEvent, state: OrderState): unknown;
}

/** What an append takes along into its transaction. */
export interface AppendContext {
  readonly before: unknown;
  readonly after: unknown;
}

export interface HandlerOptions {
  readonly store: EventStore;
  readonly clock: () => number;
  readonly policyOf: (merchantId: string) => MerchantPolicy;
  readonly redeemKey?: string | undefined;
  readonly companion: Companion;
  /** How many orders' states are kept in memory. */
  readonly cachedOrders?: number | undefined;
  /** Nothing can be appended: what is asked is looked up first, so that repeats and refusals are answered all the same. */
  readonly readOnly?: boolean | undefined;
}

/** An order as this process knows it, with what it has decided but not yet seen committed. */
interface Known {
  readonly stream: string;
  state: OrderState;
  companion: unknown;
  /** -1: no events. */
  revision: bigint;
  position: string | undefined;
  readonly done: Map<string, { readonly hash: string; readonly first: bigint; readonly last: bigint }>;
  /** The latest append that is not yet known to be committed. */
  pending: Promise<Appended> | undefined;
  /** The store's epoch when this was last seen to be all; -1: not looked at since it was read. */
  epoch: number;
}

/** How many orders' states are kept where nothing else is said. */
export const defaultCachedOrders = 10_000;

/** Fresh decisions after losing a race, before the caller is told of the conflict. */
const mostAttempts = 16;

export class CommandHandler {
  readonly #store: EventStore;
  readonly #options: HandlerOptions;
  readonly #cachedOrders: number;
  /** The orders asked for lately, and those asked for before that: when the first are half of what may be kept, the others go. */
  #known = new Map<string, Known>();
  #older = new Map<string, Known>();
  readonly #loading = new Map<string, Promise<Known>>();

  constructor(options: HandlerOptions) {
    this.#store = options.store;
    this.#options = options;
    this.#cachedOrders = options.cachedOrders ?? defaultCachedOrders;
  }

  /**
   * Executes a command: appends its events and answers when they are durable.
   * @returns the receipt; the first one again, with `replayed`, for a command id that was accepted before; or the refusal.
   * @throws StoreError where the store failed (with `unavailable` it is not known whether the events were written: send the same
   * command again); the signal's reason where it was aborted before the append had begun, also while it waited for its turn in a file.
   */
  async execute(input: unknown, options: ExecuteOptions): Promise<E.Either<Rejection, Receipt>> {
    const read = parse(input, options);
    if (E.isLeft(read)) return read;
    const parsed = read.right;
    const hash = commandHash(parsed.canonical);
    let lost: ConflictError | undefined;
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      options.signal?.throwIfAborted();
      // An order that is being created is taken to be new without asking: the append finds out.
      const creating =
        attempt === 0 && parsed.command.type === "CreateOrder" && this.#options.readOnly !== true;
      const current = this.#current(parsed.command.orderId, creating);
      const known = current instanceof Promise ? await current : current;
      options.signal?.throwIfAborted();
      // Others have waited for the same order, and the first of them is under way with it again.
      if (this.#store.local === undefined && known.pending !== undefined) {
        attempt -= 1;
        continue;
      }
      const repeat = repeatOf(known, parsed, hash);
      const decided = repeat === undefined ? this.#decide(known, parsed) : undefined;
      if (decided !== undefined && E.isRight(decided) && decided.right.length > 0) {
        const events = decided.right;
        const records = newEvents(parsed, hash, events);
        const appending = this.#append(known, parsed, hash, events, records, options.signal);
        const { revision } = known;
        try {
          const appended = await appending;
          if (known.pending === appending) known.pending = undefined;
          if (appended.repeated) {
            // These very events stood there: this process did not know them, and reads them now.
            this.#forget(known);
            continue;
          }
          known.position = appended.position;
          return E.right(firstReceipt(parsed, revision, appended.position, events, records));
        } catch (error) {
          this.#forget(known);
          if (error instanceof ClaimTakenError) return E.left(refusalOf(error.claim));
          if (!(error instanceof ConflictError)) throw error;
          lost = error;
          continue;
        }
      }
      // A refusal, a repeat, or nothing to do: answered only for what the store says, and when it says so. Others may go on with
      // this order meanwhile, so what it was decided on is taken down first.
      const { revision } = known;
      const settled = await this.#settled(known);
      if (settled === undefined) continue;
      if (repeat !== undefined) {
        return E.isLeft(repeat)
          ? repeat
          : E.right(await this.#receiptAgain(known.stream, parsed, repeat.right));
      }
      const answer = decided as E.Either<Rejection, readonly OrderEvent[]>;
      if (E.isLeft(answer)) return answer;
      const { orderId } = parsed.command;
      const { position } = settled;
      return E.right({
        orderId,
        commandId: parsed.commandId,
        revision,
        position,
        events: [],
        replayed: false,
      });
    }
    return E.left({
      code: "versionConflict",
      expected: lost === undefined ? "none" : String(lost.expected),
      actual: lost?.actual === undefined ? "none" : String(lost.actual),
    });
  }

  /** What a command would lead to now, nothing where it was accepted before; nothing is appended, remembered or reserved. */
  async preview(input: unknown, options: ExecuteOptions): Promise<E.Either<Rejection, Preview>> {
    const read = parse(input, options);
    if (E.isLeft(read)) return read;
    const parsed = read.right;
    const hash = commandHash(parsed.canonical);
    for (;;) {
      options.signal?.throwIfAborted();
      const known = await this.#current(parsed.command.orderId);
      const repeat = repeatOf(known, parsed, hash);
      const decided = repeat === undefined ? this.#decide(known, parsed) : E.map(() => noEvents)(repeat);
      const { revision, state } = known;
      if ((await this.#settled(known)) === undefined) continue;
      if (E.isLeft(decided)) return decided;
      return E.right({
        orderId: parsed.command.orderId,
        revision: revision < 0n ? "none" : revision,
        events: decided.right,
        state: deepFreeze(decided.right.reduce(evolve, state)),
      });
    }
  }

  /** The order as it stands in the store now. */
  async state(orderId: string): Promise<OrderState> {
    for (;;) {
      const known = await this.#current(orderId);
      const { state } = known;
      if ((await this.#settled(known)) !== undefined) return deepFreeze(state);
    }
  }

  // --- deciding ---

  #decide(known: Known, parsed: Parsed): E.Either<Rejection, readonly OrderEvent[]> {
    const { command, actor, expect } = parsed;
    const { state } = known;
    if (expect !== undefined && expect !== (known.revision < 0n ? "none" : known.revision)) {
      // Whose order it is comes first: a stranger must not learn its revision.
      if (state.status === "none" || mayTouch(state, actor)) {
        return E.left({ code: "versionConflict", expected: String(expect), actual: revisionText(known) });
      }
    }
    const now = parsed.at ?? Math.max(this.#clock(), state.status === "none" ? 0 : state.lastAt);
    const request: Request = { actor, command, policy: this.#policyFor(command, parsed, state) };
    return decide(request, state, now);
  }

  /** @throws RangeError where the clock gives what no event can carry. */
  #clock(): number {
    return wholeInstant(this.#options.clock(), "clock");
  }

  #policyFor(command: Command, { actor }: Parsed, state: OrderState): Policy {
    const merchantId =
      state.status !== "none"
        ? state.merchantId
        : command.type === "CreateOrder"
          ? merchantOf(command, actor)
          : "main";
    const { terms, redeemStaff } = this.#options.policyOf(merchantId);
    const { redeemKey } = this.#options;
    const presented = "code" in command ? command.code : undefined;
    return {
      terms,
      redeemStaff,
      codeHash:
        redeemKey !== undefined && command.type === "CreateOrder" && command.redeemable === true
          ? codeHash(redeemKey, redemptionCode(redeemKey, command.orderId))
          : undefined,
      presentedHash:
        redeemKey !== undefined && presented !== undefined ? codeHash(redeemKey, presented) : undefined,
    };
  }

  // --- appending ---

  /** Hands the events to the store, and goes on with this order as if they were there: `pending` says that they are not yet. */
  #append(
    known: Known,
    { commandId }: Parsed,
    hash: string,
    events: readonly OrderEvent[],
    records: readonly NewEvent[],
    signal: AbortSignal | undefined,
  ): Promise<Appended> {
    const before = known.companion;
    const expected = known.revision < 0n ? "none" : known.revision;
    const first = known.revision + 1n;
    for (const event of events) {
      known.state = evolve(known.state, event);
      known.companion = this.#options.companion.evolve(known.companion, event, known.state);
    }
    known.revision += BigInt(events.length);
    known.done.set(commandId, { hash, first, last: known.revision });
    const context: AppendContext = { before, after: known.companion };
    known.pending = this.#store.append(known.stream, expected, records, {
      claims: claimsOf(events),
      context,
      follows: known.pending,
      values: this.#store.local === undefined ? events.map(({ data }) => data) : undefined,
      signal,
    });
    return known.pending;
  }

  async #receiptAgain(stream: string, parsed: Parsed, done: Done): Promise<Receipt> {
    const recorded = await this.#store.readStream(stream, { from: done.first, to: done.last });
    const envelopes = recorded.map(codec.decode);
    return {
      orderId: parsed.command.orderId,
      commandId: parsed.commandId,
      revision: done.last,
      position: (recorded.at(-1) as RecordedEvent).position,
      events: envelopes.map(({ event }) => event),
      replayed: true,
    };
  }

  // --- knowing ---

  /** The order as far as this process knows it: from memory, or read from the store. */
  #current(orderId: string, creating = false): Known | Promise<Known> {
    const stream = streamOf(orderId);
    const known = this.#known.get(stream) ?? this.#revived(stream);
    const { local } = this.#store;
    if (local !== undefined) {
      if (known !== undefined) return known;
      const fresh = this.#empty(stream);
      if (!creating) this.#apply(fresh, local.readStream(stream));
      return this.#keep(fresh);
    }
    if (creating && known === undefined && !this.#loading.has(stream)) return this.#keep(this.#empty(stream));
    // Over a wire one command an order is under way at a time: its next one is decided on what was committed.
    if (known?.pending !== undefined) {
      return known.pending.then(
        () => this.#current(orderId),
        () => this.#current(orderId),
      );
    }
    if (known !== undefined) return known;
    const loading = this.#loading.get(stream) ?? this.#load(stream);
    this.#loading.set(stream, loading);
    return loading;
  }

  async #load(stream: string): Promise<Known> {
    try {
      const fresh = this.#empty(stream);
      this.#apply(fresh, await this.#store.readStream(stream));
      return this.#keep(fresh);
    } finally {
      this.#loading.delete(stream);
    }
  }

  #empty(stream: string): Known {
    return {
      stream,
      state: initialState,
      companion: this.#options.companion.empty,
      revision: -1n,
      position: undefined,
      done: new Map(),
      pending: undefined,
      epoch: -1,
    };
  }

  #apply(known: Known, recorded: readonly RecordedEvent[]): void {
    for (const one of recorded) {
      const { event, meta } = codec.decode(one);
      known.state = evolve(known.state, event);
      known.companion = this.#options.companion.evolve(known.companion, event, known.state);
      known.revision = one.revision;
      known.position = one.position;
      const { first } = known.done.get(meta.commandId) ?? { first: one.revision };
      known.done.set(meta.commandId, { hash: meta.commandHash, first, last: one.revision });
    }
  }

  #keep(known: Known): Known {
    if (this.#known.size * 2 >= this.#cachedOrders) {
      const dropped = this.#older;
      this.#older = this.#known;
      this.#known = new Map();
      for (const one of dropped.values()) if (one.pending !== undefined) this.#known.set(one.stream, one);
    }
    this.#known.set(known.stream, known);
    return known;
  }

  #revived(stream: string): Known | undefined {
    const known = this.#older.get(stream);
    if (known === undefined) return undefined;
    this.#older.delete(stream);
    return this.#keep(known);
  }

  #forget(known: Known): void {
    for (const kept of [this.#known, this.#older]) {
      if (kept.get(known.stream) === known) kept.delete(known.stream);
    }
  }

  /**
   * Waits until what the order was decided on is known to be what the store holds, all of it committed, and gives its position.
   * Where it is not, the order is forgotten, to be decided again from the store.
   */
  async #settled(known: Known): Promise<{ readonly position: string } | undefined> {
    const { pending, revision } = known;
    const position = known.position ?? "";
    if (pending !== undefined) {
      try {
        const appended = await pending;
        if (!appended.repeated) return appended;
      } catch {
        // Its own caller is told why; here it only means that nothing may rest on it.
      }
      this.#forget(known);
      return undefined;
    }
    const { local } = this.#store;
    if (local === undefined) {
      const newer = await this.#store.readStream(known.stream, { from: revision + 1n });
      if (newer.length === 0) return { position };
      this.#forget(known);
      return undefined;
    }
    const epoch = local.epoch();
    if (epoch !== known.epoch) {
      if ((local.revision(known.stream) ?? -1n) !== revision) {
        this.#forget(known);
        return undefined;
      }
      known.epoch = epoch;
    }
    return { position };
  }
}

const noEvents: readonly OrderEvent[] = [];

type Done = { readonly first: bigint; readonly last: bigint };

/** What was answered to this command id before, or that it was given to another command; undefined where it is new. */
function repeatOf(
  { state, done }: Known,
  { commandId, actor }: Parsed,
  hash: string,
): E.Either<Rejection, Done> | undefined {
  const before = done.get(commandId);
  if (before === undefined) return undefined;
  if (before.hash === hash) return E.right(before);
  // A stranger is told what a stranger is told, not that the order or the id exists.
  if (state.status !== "none" && !mayTouch(state, actor)) return undefined;
  return E.left({ code: "commandIdReused", commandId, revision: String(before.first) });
}

/**
 * The receipt of what was appended just now. Its events are read out of the very texts that were stored, once somebody asks for them:
 * those of the decision are parts of the state kept here, and whoever changed them would change the order.
 */
function firstReceipt(
  { command, commandId }: Parsed,
  revision: bigint,
  position: string,
  decided: readonly OrderEvent[],
  records: readonly NewEvent[],
): Receipt {
  let events: readonly OrderEvent[] | undefined;
  return {
    orderId: command.orderId,
    commandId,
    revision,
    position,
    get events() {
      events ??= records.map(
        ({ data }, index) => ({ ...decided[index], data: JSON.parse(data) as unknown }) as OrderEvent,
      );
      return events;
    },
    replayed: false,
  };
}

function revisionText({ revision }: Known): string {
  return revision < 0n ? "none" : String(revision);
}

function newEvents(
  { commandId, actor }: Parsed,
  hash: string,
  events: readonly OrderEvent[],
): readonly NewEvent[] {
  let meta = "";
  let metaOf = 0;
  return events.map(({ type, at, data }, index) => {
    const v = codec.versionOf(type);
    if (v !== metaOf) {
      meta = encodeMeta({ v, at, actor, commandId, commandHash: hash });
      metaOf = v;
    }
    return { id: eventId(hash, index), type, data: JSON.stringify(data), meta };
  });
}
