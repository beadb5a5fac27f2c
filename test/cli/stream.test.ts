// `exec --stdin`: order of execution and of results, what is under way at once, exit codes, ends before the end.

import { Readable, Writable } from "node:stream";

import { test as property } from "@fast-check/vitest";
import fc from "fast-check";
import * as E from "fp-ts/lib/Either.js";
import { describe, expect, test } from "vitest";

import type { Receipt } from "../../src/commands/handle.ts";
import type { Rejection } from "../../src/domain/refusals.ts";
import type { Engine } from "../../src/engine.ts";
import { Output } from "../../src/cli/output.ts";
import { Session } from "../../src/cli/session.ts";
import { executeLines } from "../../src/cli/stream.ts";
import { StoreError } from "../../src/store/port.ts";
import {
  type Result,
  aftersale,
  cancel,
  closing,
  collector,
  create,
  executed,
  folder,
  ndjson,
  parsed,
  pay,
  ship,
  stdinOf,
} from "./aftersale.ts";

const codes = (results: readonly Result[]) => results.map(({ ok, error }) => (ok ? "ok" : error?.code));

describe("results", () => {
  test("come one a line, in the order of the lines, and say which line", async () => {
    using here = folder();
    const store = `sqlite:${here.file("a.db")}`;
    const { exit, results, stderr } = await executed(store, [
      create("a"),
      "",
      "{",
      ship("a"),
      create("b"),
      "   ",
      pay("a"),
      ship("a"),
    ]);
    expect(results.map(({ line }) => line)).toEqual([1, 3, 4, 5, 7, 8]);
    expect(codes(results)).toEqual(["ok", "unreadable", "orderStatusNotEligible", "ok", "ok", "ok"]);
    expect(results[4]?.receipt).toEqual({
      orderId: "a",
      commandId: "a-pay",
      revision: "2",
      position: expect.stringMatching(/^\d+$/) as string,
      events: ["OrderPaid", "StockDeducted"],
      replayed: false,
    });
    expect(results[1]?.error).toEqual({
      code: "unreadable",
      column: 2,
      message: 'stdin:3:2: not JSON: the text ends where there must be a key in double quotes or "}"',
    });
    expect(exit).toBe(3);
    expect(stderr).toBe("4 accepted, 0 replayed, 1 refused, 1 unreadable\n");
  });

  test("one at a time, the store holds them in the order of the lines, whichever order they are of", async () => {
    using here = folder();
    const lines = [
      create("a"),
      pay("a"),
      create("b"),
      ship("a"),
      pay("b"),
      create("c"),
      cancel("a"),
      ship("b"),
    ];
    const { results } = await executed(`sqlite:${here.file("a.db")}`, lines, ["--in-flight", "1"]);
    const positions = results.flatMap(({ receipt }) =>
      receipt === undefined ? [] : [Number(receipt.position)],
    );
    expect(positions).toHaveLength(7);
    expect(positions).toEqual(positions.toSorted((a, b) => a - b));
  });

  test("of the same lines again are the same, replayed, and the store stays as it is", async () => {
    using here = folder();
    const store = `sqlite:${here.file("a.db")}`;
    const lines = ["a", "b", "c"].flatMap((id) => [create(id), pay(id), ship(id)]);
    const first = await executed(store, lines);
    const stats = await aftersale(["stats", "--json", "--store", store]);
    const again = await executed(store, lines);
    expect([first.exit, again.exit]).toEqual([0, 0]);
    expect(again.results).toEqual(
      first.results.map(({ receipt, ...result }) => ({ ...result, receipt: { ...receipt, replayed: true } })),
    );
    expect(again.stderr).toBe("0 accepted, 9 replayed, 0 refused, 0 unreadable\n");
    expect(await aftersale(["stats", "--json", "--store", store])).toEqual(stats);
  });

  test("--no-results prints refusals and unreadable lines alone, --events the events whole", async () => {
    const lines = [create("a"), ship("a"), "x", pay("a")];
    const quiet = await executed("memory:", lines, ["--no-results"]);
    expect(codes(quiet.results)).toEqual(["orderStatusNotEligible", "unreadable"]);
    const whole = await executed("memory:", lines, ["--events"]);
    expect(whole.results[3]?.receipt?.["events"]).toMatchObject([
      { type: "OrderPaid", data: { amount: 6100 } },
      { type: "StockDeducted" },
    ]);
  });

  test("commands may be of any order, expect a revision, and conflict", async () => {
    const { exit, results } = await executed("memory:", [
      create("a"),
      { ...pay("a"), expect: 0 },
      { ...ship("a"), expect: "0" },
      { ...create("b"), expect: "none" },
      { ...create("a"), commandId: "again" },
      { ...create("a"), command: cancel("a").command },
    ]);
    expect(codes(results)).toEqual(["ok", "ok", "versionConflict", "ok", "orderExists", "commandIdReused"]);
    expect(exit).toBe(5);
  });
});

test("the exit code is 0 for no lines, 5 for a refusal, 3 for an unreadable line above all", async () => {
  expect(await executed("memory:", [])).toMatchObject({
    exit: 0,
    stdout: "",
    stderr: "0 accepted, 0 replayed, 0 refused, 0 unreadable\n",
  });
  expect((await executed("memory:", [create("a")])).exit).toBe(0);
  expect((await executed("memory:", [create("a"), ship("a")])).exit).toBe(5);
  expect((await executed("memory:", [create("a"), ship("a"), "[]"])).exit).toBe(3);
});

// --- on an engine of the test's own, which answers when it is told to ---

interface Handed {
  readonly orderId: string;
  readonly n: number;
  answer(answer: E.Either<Rejection, Receipt>): void;
  fail(error: unknown): void;
}

class SlowEngine {
  readonly handed: Handed[] = [];
  readonly executed: string[] = [];
  most = 0;
  onHanded: (() => void) | undefined;

  execute(command: { readonly orderId: string; readonly n: number }): Promise<E.Either<Rejection, Receipt>> {
    const { orderId, n } = command;
    this.executed.push(`${orderId}/${n}`);
    return new Promise((answer, fail) => {
      this.handed.push({ orderId, n, answer, fail });
      this.most = Math.max(this.most, this.handed.length);
      this.onHanded?.();
    });
  }

  /** Answers one of those under way. */
  answer(which: number): void {
    const [one] = this.handed.splice(which % this.handed.length, 1);
    one?.answer(E.right(receipt(one.orderId, one.n)));
  }
}

const receipt = (orderId: string, n: number): Receipt => ({
  orderId,
  commandId: `c${n}`,
  revision: BigInt(n),
  position: String(n + 1),
  events: [],
  replayed: false,
});

const asked = (orderId: string, n: number): string =>
  `${JSON.stringify({ commandId: `c${n}`, actor: { role: "buyer", id: "li" }, command: { orderId, n } })}\n`;

function streaming(
  stdin: Readable,
  options: { readonly inFlight?: number; readonly stdout?: Writable; readonly signal?: AbortSignal } = {},
) {
  const engine = new SlowEngine();
  const out = collector();
  const err = collector();
  const stdout = options.stdout ?? out;
  const signal = options.signal ?? new AbortController().signal;
  const session = new Session(
    { stdin, stdout, stderr: err, env: {}, signal },
    {},
    new Output(stdout),
    new Output(err),
  );
  const exit = executeLines(session, engine as unknown as Engine, {
    inFlight: options.inFlight ?? 8,
    results: true,
    whole: false,
  });
  return { engine, out, err, exit };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Lets everything happen that can happen by itself. */
async function settled(): Promise<void> {
  for (let n = 0; n < 20; n += 1) await turn();
}

describe("under way at once", () => {
  property.prop(
    [
      fc.array(fc.constantFrom("a", "b", "c", "d", "e"), { maxLength: 60 }),
      fc.integer({ min: 1, max: 6 }),
      fc.infiniteStream(fc.nat({ max: 100 })),
    ],
    { numRuns: 60 },
  )(
    "whatever answers come first, an order's commands run in turn and results in line",
    async (orders, inFlight, picks) => {
      const { engine, out, exit } = streaming(
        Readable.from(orders.map((orderId, n) => Buffer.from(asked(orderId, n)))),
        { inFlight },
      );
      let ended = false;
      void exit.then(() => {
        ended = true;
      });
      while (!ended) {
        await settled();
        const under = engine.handed.map(({ orderId }) => orderId);
        expect(new Set(under).size).toBe(under.length);
        if (under.length > 0) engine.answer(picks.next().value as number);
      }
      expect(await exit).toBe(0);
      expect(engine.most).toBeLessThanOrEqual(inFlight);
      for (const order of new Set(orders)) {
        const mine = engine.executed
          .filter((one) => one.startsWith(`${order}/`))
          .map((one) => Number(one.slice(2)));
        expect(mine).toEqual(mine.toSorted((a, b) => a - b));
      }
      expect(parsed<Result>(out.text()).map(({ line }) => line)).toEqual(orders.map((_order, at) => at + 1));
    },
  );

  test("is as much as was asked for, and little more is read", async () => {
    let read = 0;
    const stdin = Readable.from(
      (function* () {
        for (; read < 10_000; read += 1) yield Buffer.from(asked(`o${read}`, read));
      })(),
      { highWaterMark: 1 },
    );
    const { engine, exit } = streaming(stdin, { inFlight: 3 });
    await settled();
    expect(engine.handed).toHaveLength(3);
    expect(read).toBeLessThan(3 * 4 + 4);
    engine.onHanded = () => setImmediate(() => engine.answer(0));
    while (engine.handed.length > 0) engine.answer(0);
    expect(await exit).toBe(0);
    expect(engine.executed).toHaveLength(10_000);
  });

  test("nothing is read on while nobody reads the results", async () => {
    let release: () => void = () => undefined;
    const stdout = new Writable({
      highWaterMark: 1,
      write: (_chunk, _encoding, done) => {
        release = done;
      },
    });
    let read = 0;
    const stdin = Readable.from(
      (function* () {
        for (; read < 1_000; read += 1) yield Buffer.from(asked(`o${read}`, read));
      })(),
      { highWaterMark: 1 },
    );
    const { engine, exit } = streaming(stdin, { inFlight: 4, stdout });
    engine.onHanded = () => setImmediate(() => engine.answer(0));
    await settled();
    const held = read;
    await settled();
    expect(read).toBe(held);
    expect(held).toBeLessThan(100);
    let ended = false;
    void exit.then(() => {
      ended = true;
    });
    while (!ended) {
      release();
      await turn();
    }
    expect(read).toBe(1_000);
  });

  test("long lines are held in bounded memory, however many commands may be under way", async () => {
    const padding = " ".repeat(2 * 1024 * 1024);
    let read = 0;
    const stdin = Readable.from(
      (function* () {
        for (; read < 100; read += 1) yield Buffer.from(padding + asked(`o${read}`, read));
      })(),
      { highWaterMark: 1 },
    );
    const { engine, exit } = streaming(stdin, { inFlight: 1_000 });
    await settled();
    expect(engine.handed.length).toBeGreaterThan(10);
    expect(engine.handed.length).toBeLessThan(40);
    engine.onHanded = () => setImmediate(() => engine.answer(0));
    while (engine.handed.length > 0) engine.answer(0);
    expect(await exit).toBe(0);
    expect(engine.executed).toHaveLength(100);
  });
});

describe("an end before the end", () => {
  test("a store that fails stops it: what was under way is answered, the exit code is the store's", async () => {
    const { engine, out, err, exit } = streaming(
      Readable.from([Buffer.from(asked("a", 0) + asked("b", 1) + asked("a", 2))]),
    );
    await settled();
    const [a, b] = engine.handed.splice(0);
    a?.fail(new StoreError("full", "appending: the disk is full"));
    b?.answer(E.right(receipt("b", 1)));
    expect(await exit).toBe(10);
    expect(parsed<Result>(out.text())).toMatchObject([
      { line: 1, ok: false, error: { code: "full", message: "appending: the disk is full" } },
      { line: 2, ok: true },
    ]);
    expect(engine.executed).toEqual(["a/0", "b/1"]);
    expect(err.text()).toContain(
      "aftersale: stopped: 1 of the 3 lines read were answered: appending: the disk is full\n",
    );
  });

  test("a defect stops it with 1", async () => {
    const { engine, out, exit } = streaming(Readable.from([Buffer.from(asked("a", 0))]));
    await settled();
    engine.handed.pop()?.fail(new TypeError("x is not a function"));
    expect(await exit).toBe(1);
    expect(parsed<Result>(out.text())).toMatchObject([
      { error: { code: "defect", message: "x is not a function" } },
    ]);
  });

  test("an interrupt finishes what is under way, and says how far it came", async () => {
    const stdin = stdinOf();
    const interrupt = new AbortController();
    const { engine, out, err, exit } = streaming(stdin, { signal: interrupt.signal });
    stdin.write(asked("a", 0) + asked("b", 1) + asked("a", 2));
    await settled();
    interrupt.abort(new Error("interrupted by SIGINT"));
    await settled();
    expect(engine.handed).toHaveLength(2);
    engine.answer(1);
    engine.answer(0);
    expect(await exit).toBe(130);
    expect(engine.executed).toEqual(["a/0", "b/1"]);
    expect(parsed<Result>(out.text()).map(({ line }) => line)).toEqual([1, 2]);
    expect(err.text()).toContain(
      "aftersale: interrupted: 2 of the 3 lines read were answered, position 2; the same lines again are answered as repeats\n",
    );
  });

  test("an input that breaks off is told, and nothing that acts on a terminal", async () => {
    const stdin = new Readable({
      read() {
        this.destroy(new Error("EIO: i/o error, read\u001b[31m"));
      },
    });
    const { err, exit } = streaming(stdin);
    expect(await exit).toBe(3);
    expect(err.text()).toContain("stdin cannot be read: EIO: i/o error, read\\u001b[31m\n");
  });

  test("a reader of the results that goes does not keep the lines from being executed", async () => {
    using here = folder();
    const store = `sqlite:${here.file("a.db")}`;
    const lines = Array.from({ length: 3_000 }, (_, n) => create(`o${n}`));
    const ran = await aftersale(["exec", "--stdin", "--store", store, "--in-flight", "16"], {
      stdin: ndjson(lines),
      stdout: closing(),
    });
    expect(ran).toMatchObject({ exit: 0, stderr: "3000 accepted, 0 replayed, 0 refused, 0 unreadable\n" });
    expect((await aftersale(["stats", "--json", "--store", store])).stdout).toContain('"orders":3000');
  });
});

test("progress and speed are shown on a terminal only", async () => {
  const stdin = ndjson([create("a"), pay("a")]);
  const args = ["exec", "--stdin", "--store", "memory:"];
  const shown = await aftersale(args, { stdin, terminal: 80 });
  expect(shown.stderr).toContain("\r\u001b[2K");
  expect(shown.stderr).toMatch(/2 accepted, 0 replayed, 0 refused, 0 unreadable, [\d,]+ commands\/s\n$/);
  expect((await aftersale([...args, "--quiet"], { stdin, terminal: 80 })).stderr).toBe("");
  expect((await aftersale(args, { stdin })).stderr).toBe("2 accepted, 0 replayed, 0 refused, 0 unreadable\n");
});
