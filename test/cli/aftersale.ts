// Runs the program in this process, on streams of its own, and gives what came out: exit code, stdout and stderr.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable, Writable } from "node:stream";

import { main } from "../../src/cli/program.ts";
import type { Io } from "../../src/cli/session.ts";

export interface Ran {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunWith {
  readonly stdin?: string | Uint8Array | Readable;
  readonly env?: Record<string, string>;
  readonly signal?: AbortSignal;
  /** Make stderr and stdout terminals of this width. */
  readonly terminal?: number;
  readonly stdout?: Writable;
  readonly onStdout?: (text: string) => void;
}

export function collector(onText?: (text: string) => void): Writable & { readonly text: () => string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      onText?.(chunk.toString());
      done();
    },
  });
  return Object.assign(stream, { text: () => Buffer.concat(chunks).toString() });
}

export async function aftersale(args: readonly string[], options: RunWith = {}): Promise<Ran> {
  const stdout = collector(options.onStdout);
  const stderr = collector();
  if (options.terminal !== undefined) {
    for (const stream of [stdout, stderr]) Object.assign(stream, { isTTY: true, columns: options.terminal });
  }
  const { stdin = "" } = options;
  const io: Io = {
    stdin: stdin instanceof Readable ? stdin : Readable.from([Buffer.from(stdin)]),
    stdout: options.stdout ?? stdout,
    stderr,
    env: options.env ?? {},
    signal: options.signal ?? new AbortController().signal,
  };
  const exit = await main(args, io);
  return { exit, stdout: stdout.text(), stderr: stderr.text() };
}

/** A folder that is removed when the test's scope ends. */
export function folder(): { readonly path: string; file(name: string): string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "aftersale-cli-"));
  return {
    path,
    file: (name) => join(path, name),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

export interface HarnessLine {
  readonly commandId?: unknown;
  readonly at?: unknown;
  readonly actor?: unknown;
  readonly expect?: unknown;
  readonly command?: unknown;
}

export const noon = Date.UTC(2026, 0, 5, 12);
export const minute = 60_000;
export const day = 86_400_000;

const buyer = { role: "buyer", id: "li" };
const merchant = { role: "merchant", id: "main" };

/** An order of two lines, 58.00 + 2 x 1.50 CNY. */
export function create(orderId: string, at = noon, more: object = {}): HarnessLine {
  return {
    commandId: `${orderId}-create`,
    at,
    actor: buyer,
    command: {
      type: "CreateOrder",
      orderId,
      currency: "CNY",
      fulfilment: "express",
      lines: [
        { lineId: "1", goodsId: "tea", title: "龙井茶 250g", unitPrice: 5800, quantity: 1 },
        { lineId: "2", goodsId: "cup", title: "Cup", unitPrice: 150, quantity: 2 },
      ],
      ...more,
    },
  };
}

export function pay(orderId: string, at = noon + minute): HarnessLine {
  return {
    commandId: `${orderId}-pay`,
    at,
    actor: buyer,
    command: { type: "Pay", orderId, payId: `${orderId}-pay`, amount: 6100, channel: "online" },
  };
}

export function ship(orderId: string, at = noon + 2 * minute): HarnessLine {
  const shipments = [{ carrier: "SF", trackingNumber: "SF1" }];
  return {
    commandId: `${orderId}-ship`,
    at,
    actor: merchant,
    command: { type: "Ship", orderId, shipments },
  };
}

export function receive(orderId: string, at = noon + 3 * minute): HarnessLine {
  return {
    commandId: `${orderId}-receive`,
    at,
    actor: buyer,
    command: { type: "ConfirmReceipt", orderId },
  };
}

export function review(orderId: string, at = noon + 4 * minute): HarnessLine {
  const items = [
    { lineId: "1", rating: "good", text: "好茶" },
    { lineId: "2", rating: "bad" },
  ];
  return { commandId: `${orderId}-review`, at, actor: buyer, command: { type: "Review", orderId, items } };
}

export function cancel(orderId: string, at = noon + minute): HarnessLine {
  return {
    commandId: `${orderId}-cancel`,
    at,
    actor: buyer,
    command: { type: "CancelOrder", orderId, reason: "changed my mind" },
  };
}

export const ndjson = (lines: readonly unknown[]): string =>
  lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join("");

/** Executes lines on a store, and gives the results parsed. */
export async function executed(
  store: string,
  lines: readonly unknown[],
  args: readonly string[] = [],
): Promise<Ran & { readonly results: readonly Result[] }> {
  const ran = await aftersale(["exec", "--stdin", "--store", store, ...args], { stdin: ndjson(lines) });
  return { ...ran, results: parsed<Result>(ran.stdout) };
}

export interface Result {
  readonly line: number;
  readonly ok: boolean;
  readonly receipt?: Record<string, unknown>;
  readonly error?: { readonly code: string; readonly message: string } & Record<string, unknown>;
}

/** The JSON documents of an output, a line each. */
export function parsed<T>(text: string): readonly T[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
}

/** Streams whose reader goes after the first bytes, as `| head -1` does. */
export function closing(): Writable {
  let written = false;
  return new Writable({
    write(_chunk, _encoding, done) {
      if (!written) {
        written = true;
        done();
        return;
      }
      done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
    },
  });
}

export function stdinOf(): PassThrough {
  return new PassThrough();
}
