// The server over loopback: answers against the bare library, orders created over HTTP against the engine in process, and a late page.

import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { Worker } from "node:worker_threads";

import { addToken } from "../src/server/tokens.ts";
import { returnOf } from "./aftersale.ts";
import { askOnce, load, requestBytes } from "./client.ts";
import type { Context } from "./context.ts";
import { type Compared, alternate } from "./rounds.ts";
import type { Row } from "./rows.ts";
import type { Task, WorkerData } from "./server-worker.ts";
import { type Asked, buyerOf, lifeOf } from "./workload.ts";

/** A server in a thread of its own, so that who asks and who answers have a core each. */
class Served {
  readonly shop: number;
  readonly bare: number;
  readonly #worker: Worker;

  private constructor(worker: Worker, ports: { readonly shop: number; readonly bare: number }) {
    this.#worker = worker;
    this.shop = ports.shop;
    this.bare = ports.bare;
  }

  static async start(workerData: WorkerData): Promise<Served> {
    const worker = new Worker(new URL("./server-worker.js", import.meta.url), { workerData });
    const [ports] = (await once(worker, "message")) as [{ shop: number; bare: number }];
    return new Served(worker, ports);
  }

  async tell(task: Task): Promise<number> {
    this.#worker.postMessage(task);
    const [rate] = (await once(this.#worker, "message")) as [number];
    return rate;
  }

  async stop(): Promise<void> {
    await this.tell({ kind: "stop" });
    await this.#worker.terminate();
  }
}

function* times(count: number, request: Buffer): Generator<Buffer> {
  for (let at = 0; at < count; at += 1) yield request;
}

const lanes = 64;
const form = { "content-type": "application/x-www-form-urlencoded" };

function posted(path: string, fields: Readonly<Record<string, string>>): Buffer {
  return requestBytes("POST", path, form, new URLSearchParams(fields).toString());
}

/** A part of the goods that the workload's lines are of. */
const goods = Array.from({ length: 100 }, (_, at) => ({
  goodsId: `goods-${at}`,
  title: "Cotton shirt, long sleeves, navy blue",
  unitPrice: 100 + at,
}));

/** The choice of the n-th order by apifm: five lines, as the workload's orders have. */
function choiceOf(order: number): string {
  const chosen = Array.from({ length: 5 }, (_, line) => ({
    goodsId: `goods-${(order * 5 + line * 37) % goods.length}`,
    number: 1 + ((order + line) % 4),
    propertyChildIds: "",
  }));
  return JSON.stringify(chosen);
}

const deepBuyer = { role: "buyer", id: "buyer-of-many" } as const;

export async function serving(context: Context): Promise<readonly Row[]> {
  const tokens = context.file("tokens");
  const catalog = context.file("shop.json");
  const returnAddress = { name: "Returns", phone: "020-5550101", address: "8 Harbour Road" };
  writeFileSync(catalog, JSON.stringify({ goods, returnAddress }));
  // The first order's buyer, who has asked for a return and may send it back.
  const buyer = await addToken(tokens, buyerOf(1), 0);
  const deep = await addToken(tokens, deepBuyer, 0);
  const service = await addToken(tokens, { role: "system", id: "bench" }, 0);
  const served = await Served.start({ file: context.file("served.db"), tokens, catalog });
  const { rounds } = context;
  try {
    const orders = context.quick ? 500 : 2_000;
    const queue = Array.from({ length: orders }, (_, at): readonly Asked[] =>
      at === 1 ? [...lifeOf(at), ...returnOf(at, 0).slice(0, 2)] : lifeOf(at),
    );
    await served.tell({ kind: "give", queue, inFlight: lanes });

    const answered = async (
      request: Buffer,
      calls: number,
    ): Promise<Compared & { readonly bytes: number }> => {
      const body = (await askOnce(served.shop, request)).toString();
      await served.tell({ kind: "constant", body });
      const constant = requestBytes("GET", "/", { authorization: `Bearer ${buyer}` });
      const compared = await alternate(
        rounds,
        () => load(served.bare, lanes, times(calls, constant)),
        () => load(served.shop, lanes, times(calls, request)),
      );
      return { ...compared, bytes: Buffer.byteLength(body) };
    };
    const calls = context.quick ? 2_000 : 10_000;
    const bearer = { authorization: `Bearer ${buyer}` };
    const statistics = await answered(requestBytes("GET", "/statistics", bearer), calls);
    const apifmStatistics = await answered(
      requestBytes("GET", `/apifm/shop/order/statistics?token=${buyer}`, {}),
      calls,
    );
    const page = posted("/shopxo/api.php?s=orderaftersale/aftersale", {
      token: buyer,
      oid: "bench-1",
      did: "1",
    });
    const detail = await answered(page, calls / 4);

    let next = orders;
    const made = context.quick ? 500 : 2_000;
    const created = (requestOf: (order: number) => Buffer): Promise<Compared> =>
      alternate(
        rounds,
        () => {
          const fresh = Array.from({ length: made }, (_, at) => lifeOf(next + at).slice(0, 1));
          next += made;
          return served.tell({ kind: "give", queue: fresh, inFlight: lanes });
        },
        async () => {
          const requests = Array.from({ length: made }, (_, at) => requestOf(next + at));
          next += made;
          const begun = performance.now();
          await load(served.shop, lanes, requests);
          await served.tell({ kind: "settle" });
          return made / ((performance.now() - begun) / 1_000);
        },
      );
    const commands = await created((order) => {
      const [{ command, actor, commandId, at }] = lifeOf(order) as [Asked];
      return requestBytes(
        "POST",
        "/commands",
        { authorization: `Bearer ${service}`, "content-type": "application/json" },
        JSON.stringify({ command, actor, commandId, at }),
      );
    });
    const apifmCreated = await created((order) =>
      posted("/apifm/shop/order/create", {
        token: buyer,
        goodsJsonStr: choiceOf(order),
        peisongType: "kd",
        linkMan: "Li",
        mobile: "13800000000",
        address: "1 Garden Street",
      }),
    );

    const listed = 20_000;
    for (let done = 0; done < listed; done += 4_000) {
      const theirs = Array.from({ length: 4_000 }, (_, at) =>
        lifeOf(next + done + at)
          .slice(0, 1)
          .map((asked) => ({ ...asked, actor: deepBuyer })),
      );
      await served.tell({ kind: "give", queue: theirs, inFlight: 1_024 });
    }
    const pages = context.quick ? 20 : 100;
    const pageOf = (number: number) => () =>
      load(
        served.shop,
        1,
        times(pages, posted("/apifm/shop/order/list", { token: deep, page: String(number), pageSize: "20" })),
      );
    const late = await alternate(rounds, pageOf(1), pageOf(1_000));

    const sized = ({ bytes }: { readonly bytes: number }): string =>
      `an answer of ${bytes} bytes; client and server have a thread each`;
    const bare = "bare hono, a constant of that size";
    return [
      row("statistics over HTTP, 64 in flight", "answers/s", bare, statistics, 0.5, sized(statistics)),
      row(
        "apifm's order/statistics, 64 in flight",
        "answers/s",
        bare,
        apifmStatistics,
        0.5,
        sized(apifmStatistics),
      ),
      row("ShopXO's page of a return, 64 in flight", "answers/s", bare, detail, 0.3, sized(detail)),
      row("CreateOrder over HTTP, 64 in flight", "commands/s", "in process", commands, 0.25),
      row("apifm's order/create, 64 in flight", "commands/s", "in process", apifmCreated, 0.25),
      row(
        "page 1,000 of apifm's order/list",
        "pages/s",
        "page 1",
        late,
        0.5,
        "of 20,000 orders of one buyer",
      ),
    ];
  } finally {
    await served.stop();
  }
}

function row(
  measure: string,
  unit: string,
  yardstick: string,
  compared: Compared,
  floor: number,
  note?: string,
): Row {
  return {
    name: "http",
    measure,
    value: compared.value,
    unit,
    yardstick: { name: yardstick, value: compared.yardstick },
    ratio: compared.ratio,
    spread: compared.spread,
    floor: { atLeast: floor },
    ...(note === undefined ? {} : { note }),
  };
}
