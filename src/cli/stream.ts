// `aftersale exec --stdin`: many lines under way at once, each order's in their own order, results in the order of the lines.

import type * as E from "fp-ts/lib/Either.js";

import type { Receipt } from "../commands/handle.ts";
import { isObject } from "../domain/json.ts";
import type { Rejection } from "../domain/refusals.ts";
import type { Engine } from "../engine.ts";
import { CliError, type Exit, exitOf, exits, messageOf } from "./exits.ts";
import { type InputLine, jsonFault, maxLineBytes, readLines } from "./input.ts";
import { type Asked, lineKeys, readLine } from "./line.ts";
import { printable } from "./output.ts";
import { receiptJson, refusalDocument } from "./receipt.ts";
import type { Session } from "./session.ts";

export interface StreamOptions {
  /** Commands handed to the engine and not yet answered. */
  readonly inFlight: number;
  /** Print accepted lines too. */
  readonly results: boolean;
  /** Print the events whole. */
  readonly whole: boolean;
}

/** Lines read ahead for each command in flight: an order's next command waits for the one before it, and others' need not. */
const readAhead = 4;

/** Bytes of lines that are held at once, but for one line at the least. */
const heldBytes = 16 * maxLineBytes;

/** A line that was taken and is not yet printed. */
interface Slot {
  readonly line: number;
  readonly bytes: number;
  /** What to print; empty for nothing, undefined while under way. */
  result: string | undefined;
}

interface Job extends Asked {
  readonly slot: Slot;
  readonly orderId: string | undefined;
}

/**
 * Executes every line of stdin.
 * @returns 3 where a line could not be read, else 5 where one was refused, else 0; what the store's failure says where it failed.
 */
export async function executeLines(session: Session, engine: Engine, options: StreamOptions): Promise<Exit> {
  const stream = new Stream(session, engine, options);
  const { stdin } = session.io;
  const stop = (): void => void stdin.destroy();
  session.signal.addEventListener("abort", stop, { once: true });
  const began = performance.now();
  try {
    await stream.run(readLines(bytesOf(stdin)));
  } finally {
    session.signal.removeEventListener("abort", stop);
  }
  return stream.ended(performance.now() - began);
}

async function* bytesOf(stdin: AsyncIterable<Uint8Array | string>): AsyncGenerator<Uint8Array | string> {
  try {
    yield* stdin;
  } catch (cause) {
    throw new CliError(exits.unreadable, "stdin cannot be read", { cause });
  }
}

class Stream {
  readonly #session: Session;
  readonly #engine: Engine;
  readonly #options: StreamOptions;

  /** Lines in their order, from the first that is not printed. */
  #slots: Slot[] = [];
  #held = 0;
  /** By order: the commands that wait for its command under way. */
  readonly #waiting = new Map<string, Job[]>();
  #ready: Job[] = [];
  #inFlight = 0;
  #wake: (() => void) | undefined;

  #text = "";
  #look: NodeJS.Immediate | undefined;
  #blocked: Promise<void> | undefined;

  readonly #counts = { accepted: 0, replayed: 0, refused: 0, unreadable: 0 };
  #taken = 0;
  #lastLine = 0;
  #position: string | undefined;
  #failure: unknown;

  constructor(session: Session, engine: Engine, options: StreamOptions) {
    this.#session = session;
    this.#engine = engine;
    this.#options = options;
  }

  get #stopped(): boolean {
    return this.#session.signal.aborted || this.#failure !== undefined;
  }

  async run(input: AsyncIterable<readonly InputLine[]>): Promise<void> {
    const most = this.#options.inFlight * readAhead;
    try {
      for await (const lines of input) {
        for (const line of lines) {
          if (this.#stopped) break;
          this.#take(line);
          while (!this.#stopped && (this.#slots.length >= most || this.#held > heldBytes)) await this.#next();
          if (this.#blocked !== undefined) await this.#blocked;
        }
        if (this.#stopped) break;
      }
    } catch (error) {
      // Interrupted while it waited for a line.
      if (!this.#session.signal.aborted)
        this.#failure ??= new Error("stdin cannot be read", { cause: error });
    }
    if (this.#stopped) this.#drop();
    while (this.#inFlight > 0) await this.#next();
    this.#flush();
    await this.#blocked;
  }

  /** Waits until something was answered. */
  #next(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  // --- taking lines ---

  #take(line: InputLine): void {
    const slot: Slot = { line: line.number, bytes: line.bytes, result: undefined };
    this.#slots.push(slot);
    this.#held += slot.bytes;
    this.#taken += 1;
    this.#lastLine = line.number;
    if ("fault" in line) return this.#unreadable(slot, 1, line.fault);
    let value: unknown;
    try {
      value = JSON.parse(line.text) as unknown;
    } catch {
      const { column, rule } = jsonFault(line.text);
      return this.#unreadable(slot, column, `not JSON: ${rule}`);
    }
    if (!isObject(value)) return this.#unreadable(slot, 1, `a line is an object of ${lineKeys.join(", ")}`);
    const asked = readLine(value);
    if ("code" in asked) return this.#refused(slot, asked);
    const orderId = isObject(asked.command) ? asked.command["orderId"] : undefined;
    this.#enqueue({ ...asked, slot, orderId: typeof orderId === "string" ? orderId : undefined });
  }

  #enqueue(job: Job): void {
    const { orderId } = job;
    if (orderId !== undefined) {
      const before = this.#waiting.get(orderId);
      if (before !== undefined) {
        before.push(job);
        return;
      }
      this.#waiting.set(orderId, []);
    }
    this.#start(job);
  }

  #start(job: Job): void {
    if (this.#inFlight >= this.#options.inFlight) return this.#line(job);
    this.#inFlight += 1;
    this.#engine.execute(job.command, job.options).then(
      (answer) => this.#answered(job, answer),
      (error: unknown) => this.#failed(job, error),
    );
  }

  /** Puts a command among those that are ready: the earliest line is next. */
  #line(job: Job): void {
    let at = this.#ready.length;
    while (at > 0 && (this.#ready[at - 1] as Job).slot.line > job.slot.line) at -= 1;
    this.#ready.splice(at, 0, job);
  }

  /** What was not handed to the engine is not answered. */
  #drop(): void {
    this.#ready = [];
    this.#waiting.clear();
    this.#wake?.();
  }

  // --- answers ---

  #answered(job: Job, answer: E.Either<Rejection, Receipt>): void {
    if (answer._tag === "Left") this.#refused(job.slot, answer.left);
    else this.#accepted(job.slot, answer.right);
    this.#done(job);
  }

  #failed(job: Job, error: unknown): void {
    this.#failure ??= error;
    const code = (error as { readonly code?: unknown }).code;
    const said = { code: typeof code === "string" ? code : "defect", message: messageOf(error) };
    this.#settle(job.slot, `{"line":${job.slot.line},"ok":false,"error":${JSON.stringify(said)}}\n`);
    this.#drop();
    this.#done(job);
  }

  #done({ orderId }: Job): void {
    this.#inFlight -= 1;
    if (orderId !== undefined) {
      const following = this.#waiting.get(orderId);
      const next = following?.shift();
      if (next !== undefined) this.#line(next);
      else this.#waiting.delete(orderId);
    }
    while (!this.#stopped && this.#inFlight < this.#options.inFlight) {
      const job = this.#ready.shift();
      if (job === undefined) break;
      this.#start(job);
    }
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  #accepted(slot: Slot, receipt: Receipt): void {
    this.#counts[receipt.replayed ? "replayed" : "accepted"] += 1;
    if (this.#position === undefined || isFurther(receipt.position, this.#position))
      this.#position = receipt.position;
    const { results, whole } = this.#options;
    this.#settle(
      slot,
      results ? `{"line":${slot.line},"ok":true,"receipt":${receiptJson(receipt, whole)}}\n` : "",
    );
  }

  #refused(slot: Slot, rejection: Rejection): void {
    this.#counts.refused += 1;
    this.#settle(
      slot,
      `{"line":${slot.line},"ok":false,"error":${JSON.stringify(refusalDocument(rejection))}}\n`,
    );
  }

  #unreadable(slot: Slot, column: number, rule: string): void {
    this.#counts.unreadable += 1;
    const message = `stdin:${slot.line}:${column}: ${rule}`;
    this.#settle(
      slot,
      `{"line":${slot.line},"ok":false,"error":${JSON.stringify({ code: "unreadable", column, message })}}\n`,
    );
  }

  // --- printing ---

  #settle(slot: Slot, result: string): void {
    slot.result = result;
    // One look for all that one commit answers.
    this.#look ??= setImmediate(() => this.#flush());
  }

  /** Prints the results at the front of the line; after an end before the end, also those behind lines that were dropped. */
  #flush(): void {
    clearImmediate(this.#look);
    this.#look = undefined;
    let printed = 0;
    for (const { result, bytes } of this.#slots) {
      if (result === undefined && !(this.#stopped && this.#inFlight === 0)) break;
      printed += 1;
      this.#held -= bytes;
      this.#text += result ?? "";
    }
    if (printed > 0) this.#slots = this.#slots.slice(printed);
    if (this.#text !== "") {
      const blocked = this.#session.write(this.#text);
      this.#text = "";
      if (blocked !== undefined) {
        this.#blocked = blocked.then(() => {
          this.#blocked = undefined;
        });
      }
    }
    this.#session.progress(() => `${this.#summary()}, line ${this.#lastLine.toLocaleString("en")}`);
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  #summary(): string {
    const { accepted, replayed, refused, unreadable } = this.#counts;
    return `${accepted} accepted, ${replayed} replayed, ${refused} refused, ${unreadable} unreadable`;
  }

  ended(milliseconds: number): Exit {
    const session = this.#session;
    const { accepted, replayed, refused, unreadable } = this.#counts;
    const rate = Math.round((accepted + replayed + refused) / (milliseconds / 1000));
    const speed = session.showsProgress ? `, ${rate.toLocaleString("en")} commands/s` : "";
    session.note(this.#summary() + speed);
    const reached = `${accepted + replayed + refused + unreadable} of the ${this.#taken} lines read were answered`;
    if (this.#failure !== undefined) {
      session.complain(`aftersale: stopped: ${reached}: ${printable(messageOf(this.#failure))}`);
      return exitOf(this.#failure);
    }
    if (session.signal.aborted) {
      session.complain(
        `aftersale: interrupted: ${reached}, position ${this.#position ?? "unchanged"}; ` +
          "the same lines again are answered as repeats",
      );
      return exits.interrupted;
    }
    if (unreadable > 0) return exits.unreadable;
    return refused > 0 ? exits.refused : exits.done;
  }
}

function isFurther(a: string, b: string): boolean {
  return a.length === b.length ? a > b : a.length > b.length;
}
