// The server over loopback: a statistics call against the bare library, and orders created over HTTP against the engine in process.

import { once } from "node:events";
import { Worker } from "node:worker_threads";

import { addToken } from "../src/server/tokens.ts";
import { askOnce, load, requestBytes } from "./client.ts";
import type { Context } from "./context.ts";
import { alternate } from "./rounds.ts";
import type { Row } from "./rows.ts";
import type { Task } from "./server-worker.ts";
import { lifeOf } from "./workload.ts";

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

  static async start(file: string, tokens: string): Promise<Served> {
    const worker = new Worker(new URL("./server-worker.js", import.meta.url), {
      workerData: { file, tokens },
    });
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

export async function serving(context: Context): Promise<readonly Row[]> {
  const tokens = context.file("tokens");
  const buyer = await addToken(tokens, { role: "buyer", id: "buyer-1" }, 0);
  const service = await addToken(tokens, { role: "system", id: "bench" }, 0);
  const served = await Served.start(context.file("served.db"), tokens);
  try {
    const orders = context.quick ? 500 : 2_000;
    await served.tell({ kind: "live", first: 0, orders });
    let next = orders;
    const calls = context.quick ? 2_000 : 10_000;
    const statistics = requestBytes("GET", "/statistics", { authorization: `Bearer ${buyer}` });
    const body = (await askOnce(served.shop, statistics)).toString();
    await served.tell({ kind: "constant", body });
    const constant = requestBytes("GET", "/", { authorization: `Bearer ${buyer}` });
    const counted = await alternate(
      context.rounds,
      () => load(served.bare, lanes, times(calls, constant)),
      () => load(served.shop, lanes, times(calls, statistics)),
    );
    const made = context.quick ? 500 : 2_000;
    const created = await alternate(
      context.rounds,
      async () => {
        next += made;
        return served.tell({ kind: "create", first: next - made, orders: made, inFlight: lanes });
      },
      async () => {
        next += made;
        const requests = Array.from({ length: made }, (_, at) => {
          const [{ command, actor, commandId, at: when } = {} as never] = lifeOf(next - made + at);
          return requestBytes(
            "POST",
            "/commands",
            { authorization: `Bearer ${service}`, "content-type": "application/json" },
            JSON.stringify({ command, actor, commandId, at: when }),
          );
        });
        return load(served.shop, lanes, requests);
      },
    );
    return [
      {
        name: "http",
        measure: "statistics over HTTP, 64 in flight",
        value: counted.value,
        unit: "answers/s",
        yardstick: { name: "bare hono, a constant of that size", value: counted.yardstick },
        ratio: counted.ratio,
        spread: counted.spread,
        floor: { atLeast: 0.5 },
        note: `an answer of ${Buffer.byteLength(body)} bytes; client and server have a thread each`,
      },
      {
        name: "http",
        measure: "CreateOrder over HTTP, 64 in flight",
        value: created.value,
        unit: "commands/s",
        yardstick: { name: "in process", value: created.yardstick },
        ratio: created.ratio,
        spread: created.spread,
        floor: { atLeast: 0.25 },
      },
    ];
  } finally {
    await served.stop();
  }
}
