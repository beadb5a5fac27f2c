// Runs the bench: every measure beside its yardstick, in one table.

import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { against } from "./against.ts";
import { cases, lists, past } from "./aftersale.ts";
import { esdb } from "./cluster.ts";
import { Context } from "./context.ts";
import { budget, views } from "./costs.ts";
import { legality } from "./legality.ts";
import { machine, machineLines } from "./machine.ts";
import { answers, memory, rebuild, replay } from "./reading.ts";
import { type Row, table, verdictOf } from "./rows.ts";
import { serving } from "./serving.ts";
import { inFlight, oneAtATime, random, sharing } from "./writing.ts";

interface Measure {
  readonly name: string;
  readonly take: (context: Context) => Promise<readonly Row[]>;
}

const measures: readonly Measure[] = [
  { name: "one", take: oneAtATime },
  { name: "64", take: (context) => inFlight(context, 64) },
  { name: "1024", take: (context) => inFlight(context, 1_024) },
  { name: "sharing", take: sharing },
  { name: "random", take: random },
  { name: "cases", take: cases },
  { name: "past", take: past },
  { name: "lists", take: lists },
  { name: "legality", take: chart },
  { name: "replay-1", take: (context) => replay(context, 1) },
  { name: "replay-2", take: (context) => replay(context, 2) },
  { name: "rebuild", take: rebuild },
  { name: "evtstore-1", take: (context) => against(context, "evtstore", 1) },
  { name: "evtstore-64", take: (context) => against(context, "evtstore", 64) },
  { name: "emmett-1", take: (context) => against(context, "emmett", 1) },
  { name: "emmett-64", take: (context) => against(context, "emmett", 64) },
  { name: "memory", take: memory },
  { name: "answers", take: answers },
  { name: "http", take: serving },
  { name: "esdb", take: esdb },
  { name: "views", take: views },
  { name: "budget", take: budget },
];

const usage = `npm run bench -- [--only NAME]... [--quick] [--full] [--no-peers] [--folder DIR] [--log PREFIX] [--json]
names: ${measures.map(({ name }) => name).join(" ")}`;

async function chart(context: Context): Promise<readonly Row[]> {
  const compared = await legality(context.quick ? 20_000 : 50_000, context.rounds);
  return [
    {
      name: "legality",
      measure: "legality from the derived moves",
      value: compared.value,
      unit: "steps/s",
      yardstick: { name: "transition()", value: compared.yardstick },
      ratio: compared.ratio,
      spread: compared.spread,
      floor: { atLeast: 100 },
      aim: { atLeast: 500 },
      note: `equal on each of ${compared.steps.toLocaleString("en-GB")} random steps, ${compared.legal.toLocaleString("en-GB")} of them legal`,
    },
  ];
}

function options() {
  const { values } = parseArgs({
    options: {
      only: { type: "string", multiple: true, default: [] },
      quick: { type: "boolean", default: false },
      full: { type: "boolean", default: false },
      "no-peers": { type: "boolean", default: false },
      folder: { type: "string", default: tmpdir() },
      log: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const unknown = values.only.find((name) => !measures.some((measure) => measure.name === name));
  if (unknown !== undefined) throw new Error(`no measure is called ${unknown}`);
  return values;
}

/** The bench's own folder: this file is compiled into bench/dist/bench. */
const bench = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

async function main(): Promise<void> {
  const asked = options();
  if (asked.help) {
    process.stdout.write(`${usage}\n`);
    return;
  }
  mkdirSync(asked.folder, { recursive: true });
  const found = machine(resolve(asked.folder), dirname(bench));
  if (!asked.json) process.stdout.write(`${machineLines(found).join("\n")}\n\n`);
  const context = new Context({
    quick: asked.quick,
    full: asked.full,
    peers: !asked["no-peers"],
    folder: asked.folder,
    bench,
    log: asked.log === undefined ? undefined : resolve(asked.log),
  });
  const rows: Row[] = [];
  try {
    const chosen = measures.filter(({ name }) => asked.only.length === 0 || asked.only.includes(name));
    for (const { name, take } of chosen) {
      context.say(`${name} ...`);
      rows.push(...(await take(context)));
    }
  } finally {
    context.close();
  }
  if (asked.json) {
    const judged = rows.map((row) => ({ ...row, verdict: verdictOf(row) }));
    process.stdout.write(
      `${JSON.stringify({ v: 1, quick: asked.quick, machine: found, rows: judged }, null, 2)}\n`,
    );
  } else {
    process.stdout.write(`${table(rows)}\n`);
  }
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 2;
}
