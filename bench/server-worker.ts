// A thread with a shop's server in it, the bare HTTP library beside it, and the engine to be called without either.

import { parentPort, workerData } from "node:worker_threads";

import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { openEngine } from "../src/engine.ts";
import { serve } from "../src/server/serve.ts";
import { type Asked, drive } from "./workload.ts";

/** What the thread is told, and what it says to each. */
export type Task =
  | { readonly kind: "constant"; readonly body: string }
  /** Commands as they come from outside, a list a client; a second, the views' catching up included. */
  | { readonly kind: "give"; readonly queue: readonly (readonly Asked[])[]; readonly inFlight: number }
  | { readonly kind: "settle" }
  | { readonly kind: "stop" };

export interface WorkerData {
  readonly file: string;
  readonly tokens: string;
  readonly catalog: string;
}

const { file, tokens, catalog } = workerData as WorkerData;
const engine = await openEngine({ store: `sqlite:${file}` });
const server = await serve({
  engine,
  host: "127.0.0.1",
  port: 0,
  tokens,
  catalog,
  upkeepMs: 0,
  log: () => undefined,
});

let constant = "";
const app = new Hono();
app.get("/", () => new Response(constant, { headers: { "content-type": "application/json" } }));
const listener = getRequestListener(app.fetch);
const bare = createServer((incoming, outgoing) => void listener(incoming, outgoing));
await new Promise<void>((resolve) => bare.listen(0, "127.0.0.1", resolve));

const port = parentPort;
if (port === null) throw new Error("this file is a worker");
const execute = async ({ command, actor, commandId, at }: Asked): Promise<void> => {
  const answer = await engine.execute(command, { actor, commandId, at });
  if (answer._tag === "Left") throw new Error(JSON.stringify(answer.left));
};

async function done(task: Task): Promise<number> {
  switch (task.kind) {
    case "constant":
      constant = task.body;
      return 0;
    case "give": {
      const begun = performance.now();
      const { commands } = await drive(task.queue, task.inFlight, execute);
      await engine.caughtUp();
      return commands / ((performance.now() - begun) / 1_000);
    }
    case "settle":
      await engine.caughtUp();
      return 0;
    case "stop":
      bare.closeAllConnections();
      await Promise.all([server.stop(), new Promise((resolve) => bare.close(resolve))]);
      await engine.close();
      return 0;
  }
}

port.on("message", (task: Task) => {
  done(task).then(
    (rate) => port.postMessage(rate),
    (error: unknown) => {
      throw error;
    },
  );
});
port.postMessage({ shop: server.port, bare: (bare.address() as AddressInfo).port });
