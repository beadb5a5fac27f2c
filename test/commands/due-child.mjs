// A process that fires the deadlines of a store once it is told to, and prints a line for each: its command id, and whether it was the first.
//
// Arguments: STORE NOW. It prints `open`, and begins when its input ends. It is plain JavaScript, because Node 20 runs no other: without
// what the linter knows from types.

import { once } from "node:events";

import { openEngine } from "../../dist/index.js";

const [store, now] = process.argv.slice(2);
const engine = await openEngine({ store });
process.stdout.write("open\n");
process.stdin.resume();
await once(process.stdin, "end");
for await (const { orderId, commandId, dueAt, result } of engine.runDue(Number(now))) {
  const outcome = result._tag === "Left" ? result.left.code : result.right.replayed ? "replayed" : "fired";
  process.stdout.write(`${JSON.stringify({ orderId, commandId, dueAt, outcome })}\n`);
}
await engine.close();
