// The sender: exactly what changed, in the order of the log, once more where an answer was lost, and never because of a replay.

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  type Checkpoint,
  type SenderOptions,
  type Sent,
  SenderError,
  followChanges,
  sendChanges,
} from "../../../src/dialects/baidu/sender.ts";
import { orderDocument } from "../../../src/dialects/baidu/views.ts";
import type { LogLine } from "../../../src/dialects/ports.ts";
import type { Engine } from "../../../src/engine.ts";
import { life } from "../../domain/caseLife.ts";
import { buyer, merchant, minute, t0 } from "../../domain/orders.ts";
import { accepted, by, caseOf, live, newCase, open, tidyEngines } from "../../engines.ts";
import { later, live as liveOn, redeemKey, shop } from "./lives.ts";
import { Centre, type Trouble, sorted } from "./sending.ts";

tidyEngines();

function memory(): Checkpoint & { position: string | undefined } {
  return {
    position: undefined,
    async load() {
      return this.position;
    },
    async save(position) {
      this.position = position;
    },
  };
}

async function stand(engine: Engine, centre: Centre, over: Partial<SenderOptions> = {}) {
  const waits: number[] = [];
  const lines: LogLine[] = [];
  const options: SenderOptions = {
    engine,
    shop,
    baseUrl: await centre.listen(),
    token: async () => "secret-token",
    checkpoint: memory(),
    log: (line) => lines.push(line),
    sleep: async (ms) => {
      waits.push(ms);
    },
    ...over,
  };
  return { options, waits, lines };
}

async function all(run: AsyncIterable<Sent>): Promise<Sent[]> {
  const sent: Sent[] = [];
  for await (const one of run) sent.push(one);
  return sent;
}

const operations = (centre: Centre): string[] =>
  centre.asked.splice(0).map(({ operation, Data }) => `${operation} ${Data[0]!.ResourceID}`);

async function expected(engine: Engine): Promise<unknown[]> {
  const { orders } = await engine.views.orders({ limit: 1_000 });
  const documents = await Promise.all(
    orders.map(async ({ orderId }) => orderDocument((await engine.views.order(orderId))!, shop)!),
  );
  return sorted(documents);
}

it("tells exactly what changed since it last told", async () => {
  const engine = await open({ store: "memory:" });
  await using centre = new Centre();
  const { options } = await stand(engine, centre);
  expect(await all(sendChanges(options))).toEqual([]);
  await live(engine, "o-1", 2);
  await live(engine, "o-2", 1);
  const sent = await all(sendChanges(options));
  expect(sent).toEqual([
    { orderId: "o-1", operation: "add/main/info", outcome: "sent", attempts: 1 },
    { orderId: "o-2", operation: "add/main/info", outcome: "sent", attempts: 1 },
  ]);
  expect(centre.asked[0]!.query).toEqual({
    access_token: "secret-token",
    open_id: "buyer-1",
    scene_type: "2",
  });
  expect(operations(centre)).toEqual(["add/main/info o-1", "add/main/info o-2"]);
  // Nothing happened, and a replay, a check and a rebuild are nothing that happens.
  await engine.replay();
  await engine.check();
  await engine.rebuild("orders");
  expect(await all(sendChanges(options))).toEqual([]);
  accepted(await engine.execute(newCase("o-1"), by(buyer, { at: t0 + 5 * minute })));
  await all(sendChanges(options));
  expect(operations(centre)).toEqual(["append/sub/info o-1"]);
  const reject = { type: "RejectRefund", orderId: "o-1", caseId: caseOf("o-1"), reason: "no proof" };
  accepted(await engine.execute(reject, by(merchant, { at: t0 + 6 * minute })));
  await all(sendChanges(options));
  expect(operations(centre)).toEqual(["update/sub/info o-1"]);
  const again = newCase("o-1", { caseId: "c-2" });
  accepted(await engine.execute(again, by(buyer, { at: t0 + 7 * minute })));
  const approve = { type: "ApproveRefund", orderId: "o-1", caseId: "c-2", destination: "manual" };
  accepted(await engine.execute(approve, by(merchant, { at: t0 + 8 * minute })));
  const cancel = { type: "CancelOrder", orderId: "o-2" };
  accepted(await engine.execute(cancel, by(buyer, { at: t0 + 8 * minute })));
  await all(sendChanges(options));
  expect(operations(centre)).toEqual(["append/sub/info o-1", "update/main/info o-2"]);
  expect(sorted(centre.held.values())).toEqual(await expected(engine));
});

describe("where the order centre does not answer well", () => {
  const down: Trouble = { status: 503, body: "" };

  it("the same is asked again, after longer and longer", async () => {
    const engine = await open({ store: "memory:" });
    await using centre = new Centre();
    const { options, waits, lines } = await stand(engine, centre, { mostBackOffMs: 1_500 });
    await live(engine, "o-1", 1);
    const token = { status: 200, body: { error_code: 111, error_msg: "Access token expired" } };
    centre.troubles.push(down, "cutBefore", "cutAfter", token, { status: 200, body: "no" });
    expect(await all(sendChanges(options))).toEqual([
      { orderId: "o-1", operation: "add/main/info", outcome: "sent", attempts: 6 },
    ]);
    expect(waits).toEqual([500, 1_000, 1_500, 1_500, 1_500]);
    expect(JSON.stringify(lines)).not.toContain("secret");
    expect(sorted(centre.held.values())).toEqual(await expected(engine));
  });

  it.each([
    ...[408, 429, 500].map((status) => ({ status, body: { errno: 0, data: [] } })),
    ...[1, 2, 4, 17, 18, 19, 110, 111].map((error_code) => ({ status: 200, body: { error_code } })),
  ])("what passes is waited for: %j", async (trouble) => {
    const engine = await open({ store: "memory:" });
    await using centre = new Centre();
    const { options } = await stand(engine, centre);
    await live(engine, "o-1", 1);
    centre.troubles.push(trouble);
    expect(await all(sendChanges(options))).toMatchObject([{ outcome: "sent", attempts: 2 }]);
  });

  it("what it does not know is told in full", async () => {
    const engine = await open({ store: "memory:" });
    await using centre = new Centre();
    const { options } = await stand(engine, centre);
    await live(engine, "o-1", 2);
    await all(sendChanges(options));
    centre.held.clear();
    centre.asked.splice(0);
    accepted(await engine.execute(newCase("o-1"), by(buyer, { at: t0 + 5 * minute })));
    expect(await all(sendChanges(options))).toEqual([
      { orderId: "o-1", operation: "add/main/info", outcome: "sent", attempts: 2 },
    ]);
    expect(sorted(centre.held.values())).toEqual(await expected(engine));
  });

  it("what it refuses is logged, and the rest goes on", async () => {
    const engine = await open({ store: "memory:" });
    await using centre = new Centre();
    const { options, lines } = await stand(engine, centre);
    await live(engine, "o-1", 1);
    await live(engine, "o-2", 1);
    centre.troubles.push({ status: 200, body: { errno: 100, msg: "Invalid parameter" } });
    expect((await all(sendChanges(options))).map(({ outcome }) => outcome)).toEqual(["refused", "sent"]);
    expect(lines).toMatchObject([{ level: "error", event: "baiduRefused", orderId: "o-1" }]);
    expect([...centre.held.keys()]).toEqual(["o-2"]);
  });

  const busy: Trouble = { status: 200, body: { errno: 1, msg: "system busy" } };

  it("what it could not do just now is asked again", async () => {
    const engine = await open({ store: "memory:" });
    await using centre = new Centre();
    const { options, waits, lines } = await stand(engine, centre);
    await live(engine, "o-1", 1);
    centre.troubles.push(busy, busy);
    expect(await all(sendChanges(options))).toMatchObject([{ outcome: "sent", attempts: 3 }]);
    expect(waits).toEqual([500, 1_000]);
    expect(lines.map(({ event }) => event)).toEqual(["baiduWaits", "baiduWaits"]);
    expect(sorted(centre.held.values())).toEqual(await expected(engine));
  });

  it("but not for ever", async () => {
    const engine = await open({ store: "memory:" });
    await using centre = new Centre();
    const { options, waits, lines } = await stand(engine, centre);
    await live(engine, "o-1", 1);
    await live(engine, "o-2", 1);
    centre.troubles.push(down, ...Array.from({ length: 8 }, () => busy));
    // What passes by itself does not count.
    expect(await all(sendChanges(options))).toMatchObject([
      { orderId: "o-1", outcome: "refused", attempts: 9 },
      { orderId: "o-2", outcome: "sent", attempts: 1 },
    ]);
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000]);
    expect(lines.at(-1)).toMatchObject({ event: "baiduRefused", fault: "errno 1 system busy" });
  });

  it.each([
    { status: 200, body: { error_code: 6, error_msg: "No permission" } },
    { status: 403, body: "" },
  ])("who may not tell at all tells later: %j", async (trouble) => {
    const engine = await open({ store: "memory:" });
    await using centre = new Centre();
    const { options } = await stand(engine, centre);
    await live(engine, "o-1", 1);
    centre.troubles.push(trouble);
    await expect(all(sendChanges(options))).rejects.toBeInstanceOf(SenderError);
    expect(await options.checkpoint.load()).toBeUndefined();
    expect(await all(sendChanges(options))).toHaveLength(1);
  });

  it("all is left alone once the signal says so", async () => {
    const engine = await open({ store: "memory:" });
    await using centre = new Centre();
    const stop = new AbortController();
    const { options } = await stand(engine, centre, {
      sleep: async () => stop.abort(new Error("enough")),
    });
    await live(engine, "o-1", 1);
    centre.troubles.push(down, down);
    await expect(all(sendChanges(options, { signal: stop.signal }))).rejects.toThrow("enough");
    expect(centre.asked).toHaveLength(1);
  });
});

it.each(["http://openapi.example", "ftp://127.0.0.1", "no"])("a token is not sent to %s", async (baseUrl) => {
  const engine = await open({ store: "memory:" });
  await using centre = new Centre();
  const { options } = await stand(engine, centre);
  await expect(all(sendChanges({ ...options, baseUrl }))).rejects.toBeInstanceOf(TypeError);
});

it.each([
  ["https://gate.example", "/rest/2.0/smartapp/ordercenter/app/add/main/info"],
  ["https://gate.example/baidu", "/baidu/rest/2.0/smartapp/ordercenter/app/add/main/info"],
  ["https://gate.example/baidu/", "/baidu/rest/2.0/smartapp/ordercenter/app/add/main/info"],
  ["http://[::1]:8080", "/rest/2.0/smartapp/ordercenter/app/add/main/info"],
])("of %s, %s is asked, and nobody it sends on to", async (baseUrl, path) => {
  const engine = await open({ store: "memory:" });
  await using centre = new Centre();
  const asked: unknown[] = [];
  const { options } = await stand(engine, centre, {
    fetch: (async (url: URL, { method, redirect }: RequestInit) => {
      asked.push([url.pathname, method, redirect]);
      return Response.json({ errno: 0, msg: "success", data: [{ rows_affected: "1" }] });
    }) as typeof fetch,
  });
  await live(engine, "o-1", 1);
  expect(await all(sendChanges({ ...options, baseUrl }))).toMatchObject([{ outcome: "sent" }]);
  expect(asked).toEqual([[path, "POST", "error"]]);
});

it("follows what happens until it is told to stop", async () => {
  const engine = await open({ store: "memory:" });
  await using centre = new Centre();
  const stop = new AbortController();
  const { options } = await stand(engine, centre);
  const sent: string[] = [];
  const following = (async () => {
    for await (const { orderId, operation } of followChanges(options, { signal: stop.signal })) {
      sent.push(`${operation} ${orderId}`);
      if (sent.length === 1) await live(engine, "o-2", 1);
      if (sent.length === 2) stop.abort();
    }
  })();
  await live(engine, "o-1", 1);
  await following.catch(() => undefined);
  expect(sent).toEqual(["add/main/info o-1", "add/main/info o-2"]);
});

it(
  "whatever fails and whenever it is begun anew, in the end the centre holds what is so",
  { timeout: 0 },
  async () => {
    const trouble = fc.constantFrom<Trouble | undefined>(
      undefined,
      undefined,
      { status: 500, body: "" },
      "cutBefore",
      "cutAfter",
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(life, fc.array(trouble, { maxLength: 6 }), fc.nat({ max: 12 })), {
          minLength: 1,
          maxLength: 3,
        }),
        fc.integer({ min: 1, max: 40 }),
        async (lives, pageEvents) => {
          const engine = await open({ store: "memory:", redeemKey, clock: () => later });
          await using centre = new Centre();
          const { options } = await stand(engine, centre, { pageEvents });
          for (const [at, [of, troubles, dies]] of lives.entries()) {
            await liveOn(engine, `o-${at}`, of);
            centre.troubles.push(...troubles);
            // Dies after so many requests, wherever that is: what was not saved is told again.
            let left = dies;
            for await (const _sent of sendChanges(options)) {
              left -= 1;
              if (left < 0) break;
            }
          }
          await all(sendChanges(options));
          expect(sorted(centre.held.values())).toEqual(await expected(engine));
          centre.asked.splice(0);
          await all(sendChanges(options));
          expect(centre.asked).toEqual([]);
        },
      ),
      { numRuns: Number(process.env["AFTERSALE_RUNS"] ?? 25), endOnFailure: true },
    );
  },
);
