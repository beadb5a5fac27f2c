// A process that fires deadlines and runs the refund process until no refund is left, with a payment provider whose book is a folder.
//
// Arguments: STORE BOOK NOW MODE. `race` answers as chance will have it; `hang` pays, says so, and never answers. It prints `open`, a line
// `pay ID` for each time it is asked to pay, `moved ID` once the money has moved, and `recorded ID` for each event appended. It is plain
// JavaScript, because Node 20 runs no other: without what the linter knows from types.

import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

import { openEngine } from "../../dist/index.js";

const [store, book, start, mode] = process.argv.slice(2);
const hour = 3_600_000;

const say = (line) => writeSync(1, `${line}\n`);
const entry = (refundId) => join(book, `${refundId.replaceAll(":", "_")}.json`);

/** Writes an answer down for good, unless there is one: the link is made for one of any number of processes. */
function settleOn(refundId, answer) {
  const draft = `${entry(refundId)}.${process.pid}.${Math.random()}`;
  const handle = openSync(draft, "wx");
  writeSync(handle, JSON.stringify(answer));
  fsyncSync(handle);
  closeSync(handle);
  try {
    linkSync(draft, entry(refundId));
    const folder = openSync(book, "r");
    fsyncSync(folder);
    closeSync(folder);
    if (answer.status === "settled") say(`moved ${refundId}`);
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  } finally {
    rmSync(draft);
  }
  return known(refundId);
}

function known(refundId) {
  return existsSync(entry(refundId)) ? JSON.parse(readFileSync(entry(refundId), "utf8")) : undefined;
}

/** Lets what else is under way go on for a while of no certain length. */
async function aWhile() {
  for (let turns = Math.floor(Math.random() * 20); turns > 0; turns -= 1) await new Promise(setImmediate);
}

const payments = {
  name: "bank",
  async refund({ refundId, amount }) {
    say(`pay ${refundId}`);
    await aWhile();
    const chance = mode === "hang" ? 1 : Math.random();
    if (chance < 0.15) throw new Error("not reached");
    if (chance < 0.35) return settleOn(refundId, { status: "refused", failure: "BUSY", retryable: true });
    const answer = settleOn(refundId, { status: "settled", amount, tradeNo: `bank-${refundId}` });
    if (mode === "hang") await new Promise(() => undefined);
    await aWhile();
    if (chance < 0.5) throw new Error("no answer");
    return answer;
  },
  async status(refundId) {
    await aWhile();
    if (mode === "race" && Math.random() < 0.1) throw new Error("not reached");
    return known(refundId) ?? { status: "unknown" };
  },
};

let now = Number(start);
const engine = await openEngine({ store, clock: () => now, payments });
say("open");

async function isOver() {
  for await (const _one of engine.refundsInFlight()) return false;
  for await (const _one of engine.due(now + 1_000 * hour)) return false;
  return true;
}

while (!(await isOver())) {
  for await (const { result } of engine.runDue(now)) {
    if (result._tag === "Left" && !["timeRunsBackwards", "refundInFlight"].includes(result.left.code)) {
      throw new Error(JSON.stringify(result.left));
    }
  }
  for await (const one of engine.runRefunds()) {
    if (one.outcome === "refused") throw new Error(JSON.stringify(one.rejection));
    if (one.receipt?.events.length > 0 && !one.receipt.replayed) say(`recorded ${one.refundId}`);
  }
  now += hour;
}
await engine.close();
