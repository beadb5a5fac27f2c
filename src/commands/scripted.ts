// A payment provider and a wallet in memory that do what a script says: for tests, scenarios and first steps.

import { isObject } from "../domain/json.ts";
import type { PaymentProvider, RefundAnswer, RefundRequest, RefundStatus, Wallet } from "./refundPorts.ts";
import { nearest } from "./suggest.ts";

const words = ["settle", "pending", "refuse", "refuseForGood", "throw", "payThenThrow"] as const;

/**
 * What is done on one call about a refund:
 * - `settle`: the money moves, and it is said so; `{settle: 900}` says that so much moved;
 * - `pending`: taken on; the next step comes with the next question, or `settle` and `refuse` of the provider end it;
 * - `refuse`: for now, `refuseForGood`: not to be tried again; `{refuse: "CODE", retryable?, message?}` with a code of its own;
 * - `throw`: nothing is done, and nothing answered;
 * - `payThenThrow`: the money moves, and nothing is answered.
 */
export type ScriptStep =
  | (typeof words)[number]
  | { readonly settle: number }
  | {
      readonly refuse: string;
      readonly retryable?: boolean | undefined;
      readonly message?: string | undefined;
    };

/**
 * Steps by refund id (`<caseId>:<attempt>`), `*` for all others; without either, `settle`. Of several steps, each call that finds the
 * refund's end still open takes one, and the last one is repeated.
 */
export type RefundScript = Readonly<Record<string, ScriptStep | readonly ScriptStep[]>>;

/** What the scripted side knows of a refund that it took on. */
export interface BookEntry {
  readonly refundId: string;
  readonly orderId: string;
  readonly caseId: string;
  readonly buyerId: string;
  readonly amount: number;
  readonly currency: string;
  readonly answer: RefundAnswer;
}

/** One call, in order; `answer` is undefined where it threw. */
export interface ScriptedCall {
  readonly method: "refund" | "status";
  readonly refundId: string;
  readonly answer: RefundStatus | undefined;
}

/** What can be seen of, and done to, what is scripted. */
export interface Scripted {
  /** By refund id; a refund that is unknown is not in it. */
  readonly book: ReadonlyMap<string, BookEntry>;
  readonly calls: readonly ScriptedCall[];
  /** Ends a pending refund, as its callback will say. @throws RangeError where none is pending under this id. */
  settle(refundId: string): BookEntry;
  refuse(refundId: string): BookEntry;
}

/** A payment provider that does what a script says. @throws TypeError on a script that is none, naming the fault. */
export function scriptedProvider(script: RefundScript = {}): PaymentProvider & Scripted {
  const teller = new Teller(script);
  return Object.assign(teller, {
    name: "provider",
    refund: (request: RefundRequest) => teller.pay(request),
  });
}

/** A wallet in memory; balances begin at 0. @throws TypeError on a script that is none, naming the fault. */
export function memoryWallet(script: RefundScript = {}): Wallet & Scripted {
  const teller = new Teller(script);
  return Object.assign(teller, {
    name: "wallet",
    credit: (request: RefundRequest) => teller.pay(request),
    balance: async (buyerId: string, currency: string) =>
      [...teller.book.values()]
        .filter((entry) => entry.buyerId === buyerId && entry.currency === currency)
        .reduce((sum, { answer }) => sum + (answer.status === "settled" ? answer.amount : 0), 0),
  });
}

class Teller {
  readonly book = new Map<string, BookEntry>();
  readonly calls: ScriptedCall[] = [];
  readonly #script: ReadonlyMap<string, readonly ScriptStep[]>;
  readonly #taken = new Map<string, number>();

  constructor(script: RefundScript) {
    this.#script = readScript(script);
  }

  async pay(request: RefundRequest): Promise<RefundAnswer> {
    const { refundId } = request;
    const known = this.book.get(refundId);
    return this.#told("refund", refundId, known === undefined ? this.#step(request) : known.answer);
  }

  async status(refundId: string): Promise<RefundStatus> {
    const known = this.book.get(refundId);
    const answer = known?.answer.status === "pending" ? this.#step(known) : known?.answer;
    return this.#told("status", refundId, answer ?? { status: "unknown" });
  }

  settle(refundId: string): BookEntry {
    const entry = this.#pending(refundId);
    return this.#write(entry, settledWith(entry, entry.amount));
  }

  refuse(refundId: string): BookEntry {
    return this.#write(this.#pending(refundId), refusedWith("refused", true));
  }

  #pending(refundId: string): BookEntry {
    const entry = this.book.get(refundId);
    if (entry?.answer.status === "pending") return entry;
    throw new RangeError(`no refund ${refundId} is pending`);
  }

  #told<T extends RefundStatus>(method: ScriptedCall["method"], refundId: string, answer: T | "none"): T {
    this.calls.push({ method, refundId, answer: answer === "none" ? undefined : answer });
    if (answer === "none") throw new Error(`no answer about refund ${refundId}`);
    return answer;
  }

  /** Does the next step of a refund's script; `none`: without an answer. */
  #step(about: Omit<BookEntry, "answer">): RefundAnswer | "none" {
    const { refundId } = about;
    const steps = this.#script.get(refundId) ?? this.#script.get("*") ?? ["settle"];
    const taken = this.#taken.get(refundId) ?? 0;
    this.#taken.set(refundId, taken + 1);
    const step = steps[Math.min(taken, steps.length - 1)] as ScriptStep;
    if (step === "throw") return "none";
    const { answer } = this.#write(about, answerOf(step, about));
    return step === "payThenThrow" ? "none" : answer;
  }

  #write(about: Omit<BookEntry, "answer">, answer: RefundAnswer): BookEntry {
    const { refundId, orderId, caseId, buyerId, amount, currency } = about;
    const entry = { refundId, orderId, caseId, buyerId, amount, currency, answer };
    this.book.set(refundId, entry);
    return entry;
  }
}

function answerOf(step: Exclude<ScriptStep, "throw">, about: Omit<BookEntry, "answer">): RefundAnswer {
  switch (step) {
    case "settle":
    case "payThenThrow":
      return settledWith(about, about.amount);
    case "pending":
      return { status: "pending" };
    case "refuse":
      return refusedWith("refused", true);
    case "refuseForGood":
      return refusedWith("refused", false);
    default:
      return "settle" in step
        ? settledWith(about, step.settle)
        : refusedWith(step.refuse, step.retryable ?? true, step.message);
  }
}

function settledWith({ refundId }: { readonly refundId: string }, amount: number): RefundAnswer {
  return { status: "settled", amount, tradeNo: `paid-${refundId}`.slice(0, 128) };
}

function refusedWith(failure: string, retryable: boolean, message?: string): RefundAnswer {
  return { status: "refused", failure, retryable, ...(message === undefined ? {} : { message }) };
}

// --- reading a script ---

function readScript(script: unknown): ReadonlyMap<string, readonly ScriptStep[]> {
  if (!isObject(script)) throw new TypeError("script: must map refund ids, or *, to steps");
  return new Map(
    Object.entries(script).map(([refundId, given]) => {
      const steps: readonly unknown[] = Array.isArray(given) ? given : [given];
      if (steps.length === 0) throw new TypeError(`script: ${refundId}: no steps`);
      return [refundId, steps.map((step) => readStep(step, refundId))];
    }),
  );
}

function readStep(step: unknown, refundId: string): ScriptStep {
  if (words.some((word) => word === step)) return step as ScriptStep;
  if (isObject(step)) {
    const { settle, refuse, retryable, message, ...rest } = step;
    const others = Object.keys(rest).length;
    if (others === 0 && Number.isSafeInteger(settle) && Object.keys(step).length === 1) {
      return step as ScriptStep;
    }
    const refusal =
      typeof refuse === "string" &&
      settle === undefined &&
      (retryable === undefined || typeof retryable === "boolean") &&
      (message === undefined || typeof message === "string");
    if (others === 0 && refusal) return step as ScriptStep;
  }
  const near = typeof step === "string" ? nearest(step, words) : undefined;
  throw new TypeError(
    `script: ${refundId}: ${JSON.stringify(step)} is no step${near === undefined ? "" : ` (${near}?)`}; ` +
      `steps are ${words.join(", ")}, {settle: amount} and {refuse: code, retryable?, message?}`,
  );
}
