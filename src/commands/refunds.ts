// The refund process: asks the payment provider and the wallet what became of every refund in flight, and records what they answer.

import * as E from "fp-ts/lib/Either.js";

import type { Destination } from "../domain/caseEvents.ts";
import { type Attempt, type Case, inFlight } from "../domain/caseState.ts";
import type { Command } from "../domain/commands.ts";
import { isId, limits } from "../domain/limits.ts";
import type { Rejection } from "../domain/refusals.ts";
import type { Order } from "../domain/state.ts";
import type { CommandHandler, Receipt } from "./handle.ts";
import { refundPrefix } from "./parse.ts";
import type { PaymentProvider, RefundAnswer, RefundRequest, RefundStatus, Wallet } from "./refundPorts.ts";

/** A case in which a refund may be in flight. */
interface Paying {
  readonly orderId: string;
  readonly caseId: string;
}

/** Where those are found, the longest waiting first, a page at a time; `cursor` is the `next` of the page before. */
export type PayingCases = (
  cursor: string | undefined,
) => Promise<{ readonly cases: readonly Paying[]; readonly next: string | undefined }>;

/** A refund that was issued to a payment provider or a wallet, and has no outcome yet. */
export interface RefundInFlight {
  readonly orderId: string;
  readonly caseId: string;
  readonly refundId: string;
  /** 1 for the case's first. */
  readonly attempt: number;
  readonly destination: Exclude<Destination, "manual">;
  /** Minor units of `currency`. */
  readonly amount: number;
  readonly currency: string;
  readonly merchantId: string;
  readonly buyerId: string;
  /** The payment that is given back. */
  readonly payId: string;
  readonly tradeNo: string | undefined;
  /** Milliseconds UTC. */
  readonly issuedAt: number;
}

/** What became of one case's refund in one run. Its id is missing only where the order could not be read. */
export type RefundRun = Paying & { readonly refundId?: string } & (
    | { readonly outcome: "settled" | "failed"; readonly receipt: Receipt }
    /** It is on its way; asked about again in a later run. */
    | { readonly outcome: "pending" }
    /** What was answered cannot be so (another amount, above all): nothing was recorded, and a person should look. */
    | { readonly outcome: "refused"; readonly answer: RefundAnswer; readonly rejection: Rejection }
    /** No answer, or (with `answer`) one that could not be stored: left in flight, and asked about again in a later run. */
    | { readonly outcome: "unknown"; readonly error: unknown; readonly answer?: RefundAnswer }
    /** There is nobody to ask: no provider, or no wallet. */
    | { readonly outcome: "noPort"; readonly destination: RefundInFlight["destination"] }
  );

interface RefundPorts {
  readonly payments?: PaymentProvider | undefined;
  readonly wallet?: Wallet | undefined;
}

export interface RefundRunOptions {
  /** Aborted: no more are begun, those begun are finished, and then its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** How many are asked about at a time; 8 without it. */
  readonly concurrency?: number | undefined;
}

/** Who pays back, whichever port it is. */
interface Payer {
  readonly name: string;
  pay(request: RefundRequest): Promise<RefundAnswer>;
  status(refundId: string, request: RefundRequest): Promise<RefundStatus>;
}

interface Patience {
  readonly asked: number;
  readonly notBefore: number;
}

const minute = 60_000;
const hour = 60 * minute;
const defaultConcurrency = 8;

export class RefundProcess {
  readonly #handler: CommandHandler;
  readonly #paying: PayingCases;
  readonly #clock: () => number;
  readonly #payers: Readonly<Record<RefundInFlight["destination"], Payer | undefined>>;
  /** Being asked about at this moment, by refund id: two runs of one process do not ask twice. */
  readonly #asking = new Set<string>();
  /** Those without an outcome so far. Lost with the process, which costs no more than a question. */
  readonly #patience = new Map<string, Patience>();

  constructor(
    handler: CommandHandler,
    paying: PayingCases,
    { payments, wallet, clock }: RefundPorts & { readonly clock: () => number },
  ) {
    this.#handler = handler;
    this.#paying = paying;
    this.#clock = clock;
    for (const name of [payments?.name, wallet?.name]) {
      // Nothing could be recorded in such a name, once the money has moved.
      if (name === undefined || isId(name)) continue;
      throw new TypeError(
        `the name of a payment provider or wallet is an id, and ${JSON.stringify(name)} is none`,
      );
    }
    this.#payers = {
      original: payments && {
        name: payments.name,
        pay: (request) => payments.refund(request),
        status: (refundId, request) => payments.status(refundId, request),
      },
      wallet: wallet && {
        name: wallet.name,
        pay: (request) => wallet.credit(request),
        status: (refundId, request) => wallet.status(refundId, request),
      },
    };
  }

  /** Every refund in flight as its order stands now, the longest waiting first; nobody is asked. */
  async *list(signal?: AbortSignal): AsyncGenerator<RefundInFlight, void, void> {
    for await (const row of this.#rows()) {
      signal?.throwIfAborted();
      const found = await this.#find(row);
      if (found !== undefined) yield found.refund;
    }
  }

  /**
   * Asks about every refund in flight, the longest waiting first, several at a time, and yields each as it ends. One without an outcome
   * is left alone for a minute, and twice as long each time that there is none again, an hour at the most.
   */
  async *run({ signal, concurrency = defaultConcurrency }: RefundRunOptions = {}): AsyncGenerator<
    RefundRun,
    void,
    void
  > {
    if (!Number.isInteger(concurrency) || concurrency < 1) {
      throw new RangeError(`concurrency must be 1 or more, and is ${concurrency}`);
    }
    const running = new Set<Promise<void>>();
    const ended: RefundRun[] = [];
    const seen = new Set<string>();
    try {
      for await (const row of this.#rows()) {
        if (signal?.aborted === true) break;
        const one = this.#ask(row, seen, signal).then((run) => {
          running.delete(one);
          if (run !== undefined) ended.push(run);
        });
        running.add(one);
        if (running.size >= concurrency) await Promise.race(running);
        yield* ended.splice(0);
      }
      while (running.size > 0 || ended.length > 0) {
        if (ended.length === 0) await Promise.race(running);
        yield* ended.splice(0);
      }
    } finally {
      // Whoever stops listening must not leave one half asked.
      await Promise.all(running);
    }
    signal?.throwIfAborted();
    for (const refundId of this.#patience.keys()) if (!seen.has(refundId)) this.#patience.delete(refundId);
  }

  async *#rows(): AsyncGenerator<Paying, void, void> {
    let cursor: string | undefined;
    do {
      const page = await this.#paying(cursor);
      yield* page.cases;
      cursor = page.next;
    } while (cursor !== undefined);
  }

  /** The refund of a case that is in flight as its order stands now, with the case's number. */
  async #find({ orderId, caseId }: Paying) {
    const order = await this.#handler.state(orderId);
    if (order.status === "none") return undefined;
    const one = order.cases.find((known) => known.caseId === caseId);
    const attempt = one === undefined ? undefined : inFlight(one);
    if (one === undefined || attempt === undefined) return undefined;
    return { refund: refundOf(order, one, attempt), number: one.number };
  }

  /** Never throws: what befalls one refund does not hold up the others. Undefined where there is nothing to ask, or to say. */
  async #ask(
    row: Paying,
    seen: Set<string>,
    signal: AbortSignal | undefined,
  ): Promise<RefundRun | undefined> {
    const { orderId, caseId } = row;
    try {
      const found = await this.#find(row);
      if (found === undefined) return undefined;
      const { refundId, destination } = found.refund;
      seen.add(refundId);
      const payer = this.#payers[destination];
      if (payer === undefined) return { orderId, caseId, refundId, outcome: "noPort", destination };
      const impatient = this.#clock() >= (this.#patience.get(refundId)?.notBefore ?? 0);
      if (!impatient || this.#asking.has(refundId)) return undefined;
      this.#asking.add(refundId);
      try {
        const run = await this.#paid(found.refund, found.number, payer, signal);
        this.#learn(refundId, run);
        return run;
      } finally {
        this.#asking.delete(refundId);
      }
    } catch (error) {
      // The order could not be read.
      return { orderId, caseId, outcome: "unknown", error };
    }
  }

  #learn(refundId: string, run: RefundRun | undefined): void {
    if (run === undefined || run.outcome === "settled" || run.outcome === "failed") {
      this.#patience.delete(refundId);
      return;
    }
    const asked = this.#patience.get(refundId)?.asked ?? 0;
    const notBefore = this.#clock() + Math.min(hour, minute * 2 ** asked);
    this.#patience.set(refundId, { asked: asked + 1, notBefore });
  }

  async #paid(
    refund: RefundInFlight,
    number: number,
    payer: Payer,
    signal: AbortSignal | undefined,
  ): Promise<RefundRun | undefined> {
    const { orderId, caseId, refundId } = refund;
    let answer: RefundAnswer | undefined;
    try {
      answer = await answerOf(payer, requestFor(refund, signal));
      if (answer.status === "pending") return { orderId, caseId, refundId, outcome: "pending" };
      return await this.#record(refund, number, payer.name, answer);
    } catch (error) {
      const answered = answer === undefined ? {} : { answer };
      return { orderId, caseId, refundId, outcome: "unknown", error, ...answered };
    }
  }

  async #record(
    { orderId, caseId, refundId, attempt }: RefundInFlight,
    number: number,
    id: string,
    answer: Exclude<RefundAnswer, { readonly status: "pending" }>,
  ): Promise<RefundRun | undefined> {
    const settled = answer.status === "settled";
    const command: Command = settled
      ? {
          type: "SettleRefund",
          orderId,
          caseId,
          refundId,
          amount: answer.amount,
          tradeNo: clipped(answer.tradeNo, limits.idLength),
        }
      : {
          type: "FailRefund",
          orderId,
          caseId,
          refundId,
          failure: clipped(answer.failure, limits.idLength) ?? "refused",
          retryable: answer.retryable,
          message: clipped(answer.message, limits.textLength),
        };
    const outcome = settled ? "settled" : "failed";
    // The case's number is short whatever its id is, as in the ids of deadlines.
    const commandId = `${refundPrefix}${number}.${attempt}:${outcome}`;
    const result = await this.#handler.execute(command, { actor: { role: "provider", id }, commandId });
    if (E.isRight(result)) return { orderId, caseId, refundId, outcome, receipt: result.right };
    const order = await this.#handler.state(orderId);
    const ended =
      order.status === "none"
        ? undefined
        : order.cases.flatMap(({ attempts }) => attempts).find((known) => known.refundId === refundId);
    // Another process was told the same, and was faster: in other words of the provider's, this is not the same command.
    const same = settled
      ? ended?.state === "settled" && ended.amount === answer.amount
      : ended?.state === "failed";
    return same
      ? undefined
      : { orderId, caseId, refundId, outcome: "refused", answer, rejection: result.left };
  }
}

/** Asks before it pays: only what is unknown there is asked to be paid. */
async function answerOf(payer: Payer, request: RefundRequest): Promise<RefundAnswer> {
  const known = await payer.status(request.refundId, request);
  const answer = known.status === "unknown" ? await payer.pay(request) : known;
  // Ports may be written in plain JavaScript.
  const { status, retryable }: { readonly status: unknown; readonly retryable?: unknown } = answer;
  if (status === "settled" || status === "pending") return answer;
  if (status === "refused" && typeof retryable === "boolean") return answer;
  const said = JSON.stringify(status === "refused" ? { status, retryable } : status);
  throw new TypeError(`${payer.name} answered ${said} about refund ${request.refundId}`);
}

function refundOf(order: Order, { caseId, attempts }: Case, attempt: Attempt): RefundInFlight {
  const { refundId, issuedAt, destination, amount, payId } = attempt;
  return {
    orderId: order.orderId,
    refundId,
    issuedAt,
    caseId,
    attempt: attempts.length,
    destination: destination as RefundInFlight["destination"],
    amount,
    currency: order.currency,
    merchantId: order.merchantId,
    buyerId: order.buyerId,
    payId,
    tradeNo: order.payments.find((payment) => payment.payId === payId)?.tradeNo,
  };
}

function requestFor(refund: RefundInFlight, signal: AbortSignal | undefined): RefundRequest {
  const { refundId, amount, currency, orderId, caseId, merchantId, buyerId, payId, tradeNo } = refund;
  return { refundId, amount, currency, orderId, caseId, merchantId, buyerId, payId, tradeNo, signal };
}

/** A text as it can be recorded: an outcome is not lost over how it is put. One that says nothing is none. */
function clipped(text: unknown, length: number): string | undefined {
  if (typeof text !== "string") return undefined;
  const kept = [...text.toWellFormed().replaceAll("\0", "")].slice(0, length).join("");
  return kept === "" ? undefined : kept;
}
