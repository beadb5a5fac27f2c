// Runs scenarios, each on a fresh store and a clock of its own, and says whether what was expected is what happened.

import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";

import * as E from "fp-ts/lib/Either.js";

import { claimsOf } from "../commands/claims.ts";
import { commandHash, eventId } from "../commands/identity.ts";
import { nearest } from "../commands/suggest.ts";
import { type Engine, openEngine } from "../engine.ts";
import type { OrderState } from "../domain/state.ts";
import type { OrderDetail } from "../projections/detail.ts";
import { codec, encodeMeta, orderPrefix, streamOf } from "../store/codec.ts";
import { type MemoryStore, openMemoryStore } from "../store/memory.ts";
import { type SqliteStore, openSqliteStore } from "../store/sqlite.ts";
import { CliError, type Exit, exits, messageOf } from "./exits.ts";
import {
  type Difference,
  type Outcome,
  type ViewExpected,
  documentDifference,
  listDifference,
  outcomeDifference,
  plainOf,
  eventKeys,
} from "./expectations.ts";
import { readText } from "./input.ts";
import { Output, isColoured, paint, printable } from "./output.ts";
import {
  type ReporterName,
  type ScenarioResult,
  type StepResult,
  reporterNames,
  reporterOf,
} from "./reporters.ts";
import {
  type CommandStep,
  type GivenEvent,
  type Fault,
  type Scenario,
  type Step,
  expectsAnything,
  readScenarios,
  viewName,
} from "./scenario.ts";
import type { Io } from "./session.ts";

export interface RunOptions {
  /** `spec`, `tap`, `junit` or `json`; `spec` without it. */
  readonly reporter?: string | undefined;
  /** `memory:`, or `sqlite:` for a file that each scenario gets anew; `memory:` without it. */
  readonly store?: string | undefined;
}

/**
 * Runs the scenarios of files and folders, and reports them on stdout; what cannot be read is named on stderr, and then nothing is run.
 * @returns 0 where all passed, 4 where an expectation failed, 3 where a file was unreadable, 9 where nothing was checked (no scenario, or
 * one that expects nothing), 1 on a defect.
 * @throws CliError on wrong options; the signal's reason where it was aborted.
 */
export async function runScenarios(
  files: readonly string[],
  options: RunOptions,
  io: Pick<Io, "stdout" | "stderr" | "env" | "signal">,
): Promise<Exit> {
  const name = reporterNameOf(options.reporter ?? "spec");
  const open = openingOf(options.store ?? "memory:");
  const coloured = isColoured(io.stdout, io.env);
  const reporter = reporterOf(name, (text, colour) => (coloured ? paint(text, colour) : text));
  const out = new Output(io.stdout);

  const scenarios: { readonly file: string; readonly scenario: Scenario }[] = [];
  const faults: string[] = [];
  for (const file of await filesOf(files)) {
    const read = readScenarios(await readText(file));
    scenarios.push(...read.scenarios.map((scenario) => ({ file, scenario })));
    const wrong = [...read.faults];
    if (wrong.length === 0)
      for (const scenario of read.scenarios) wrong.push(...(await givenFaults(scenario)));
    faults.push(
      ...wrong.map(({ line, column, message }) => `${file}:${line}:${column}: ${printable(message)}\n`),
    );
  }
  if (faults.length > 0) {
    await new Output(io.stderr).write(faults.join(""));
    return exits.unreadable;
  }

  const results: ScenarioResult[] = [];
  await out.write(reporter.begin(scenarios.length));
  for (const { file, scenario } of scenarios) {
    io.signal.throwIfAborted();
    const result = await runScenario(file, scenario, open, io.signal);
    results.push(result);
    await out.write(reporter.scenario(result));
  }
  await out.write(reporter.end(results));
  await out.finish();
  return exitFor(results);
}

function exitFor(results: readonly ScenarioResult[]): Exit {
  const some = (status: ScenarioResult["status"]): boolean =>
    results.some((result) => result.status === status);
  if (some("broken")) return exits.bug;
  if (some("failed")) return exits.expectationFailed;
  return results.length === 0 || some("unchecked") ? exits.unchecked : exits.done;
}

function reporterNameOf(text: string): ReporterName {
  const known = reporterNames.find((name) => name === text);
  if (known !== undefined) return known;
  const near = nearest(text, reporterNames);
  const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
  throw new CliError(
    exits.usage,
    `--reporter: no such reporter ${JSON.stringify(text)}${hint}; there are ${reporterNames.join(", ")}`,
  );
}

/** The files named, and those of the folders named, in the order of their names. */
async function filesOf(paths: readonly string[]): Promise<readonly string[]> {
  const files: string[] = [];
  for (const path of paths) {
    const found = await stat(path).catch((cause: unknown) => {
      throw new CliError(exits.unreadable, `${path}: cannot be read`, { cause });
    });
    if (!found.isDirectory()) files.push(path);
    else {
      const inside = (await readdir(path)).filter((name) => /\.ya?ml$/.test(name)).sort();
      files.push(...inside.map((name) => join(path, name)));
    }
  }
  return files;
}

// --- stores ---

interface Opened {
  readonly store: MemoryStore | SqliteStore;
  /** Removes what the store leaves behind; to be called when it is closed. */
  clear(): Promise<void>;
}

type Opening = () => Promise<Opened>;

function openingOf(url: string): Opening {
  if (url === "memory:") return async () => ({ store: openMemoryStore(), clear: async () => {} });
  if (url === "sqlite:") {
    return async () => {
      const folder = await mkdtemp(join(tmpdir(), "aftersale-scenario-"));
      const clear = (): Promise<void> => rm(folder, { recursive: true, force: true });
      try {
        return { store: await openSqliteStore(join(folder, "scenario.db")), clear };
      } catch (error) {
        await clear();
        throw error;
      }
    };
  }
  throw new CliError(
    exits.usage,
    `store: scenarios run on fresh stores, memory: or sqlite: (without a file), not on ${JSON.stringify(url)}`,
  );
}

// --- one scenario ---

const lastStep = "state by replay equals state kept";

async function runScenario(
  file: string,
  scenario: Scenario,
  open: Opening,
  signal: AbortSignal,
): Promise<ScenarioResult> {
  const { line, name, given, steps } = scenario;
  const results: StepResult[] = [];
  const said = { file, line, name, steps: results };
  const opened = await open();
  let stage: Stage | undefined;
  let placed: { readonly line: number; readonly name: string } = { line, name: "given" };
  try {
    for (const one of given.filter((two) => two.kind === "event")) await appendGiven(opened.store, one);
    stage = await openStage(opened.store, scenario);
    for (const one of [...given.filter((two) => two.kind === "command"), ...steps]) {
      signal.throwIfAborted();
      placed = one;
      const difference = "views" in one ? await playStep(stage, one) : await playGiven(stage, one);
      // What is given is told of only where it fails.
      if (difference !== undefined || "views" in one) {
        results.push({
          line: one.line,
          name: one.name,
          status: difference === undefined ? "passed" : "failed",
          difference,
        });
      }
      if (difference !== undefined) {
        results.push(...notRun([...steps.slice(steps.indexOf(one as Step) + 1), { line, name: lastStep }]));
        return { ...said, status: "failed" };
      }
    }
    placed = { line, name: lastStep };
    const difference = await keptDifference(stage.engine);
    results.push({ ...placed, status: difference === undefined ? "passed" : "failed", difference });
    if (difference !== undefined) return { ...said, status: "failed" };
    return { ...said, status: expectsAnything(scenario) ? "passed" : "unchecked" };
  } catch (error) {
    signal.throwIfAborted();
    const defect = error instanceof Error ? (error.stack ?? error.message) : String(error);
    results.push({ ...placed, status: "broken", defect });
    return { ...said, status: "broken" };
  } finally {
    await (stage === undefined ? opened.store.close() : stage.engine.close());
    await opened.clear();
  }
}

function notRun(steps: readonly { readonly line: number; readonly name: string }[]): readonly StepResult[] {
  return steps.map(({ line, name }) => ({ line, name, status: "skipped" }));
}

interface Stage {
  readonly engine: Engine;
  readonly store: Opened["store"];
  /** The scenario's clock. */
  now: number;
}

async function openStage(store: Opened["store"], { terms, redeemKey }: Scenario): Promise<Stage> {
  const clock = { now: 0 };
  const engine = await openEngine({ store, clock: () => clock.now, terms, redeemKey });
  return Object.assign(clock, { engine, store });
}

/** Whether events that are given can be an order's at all: they are stored, folded and kept, before anything is run. */
async function givenFaults(scenario: Scenario): Promise<readonly Fault[]> {
  const events = scenario.given.filter((one) => one.kind === "event");
  if (events.length === 0) return [];
  const store = openMemoryStore();
  let last = events[0];
  let engine: Engine | undefined;
  try {
    for (const one of events) {
      last = one;
      await appendGiven(store, one);
    }
    ({ engine } = await openStage(store, scenario));
    await keptDifference(engine);
  } catch (error) {
    const { line, column, name } = last as GivenEvent;
    return [{ line, column, message: `${name}: ${messageOf(error)}` }];
  } finally {
    await (engine ?? store).close();
  }
  return [];
}

/** Writes a given event as its command would have, without deciding anything. */
async function appendGiven(
  store: Opened["store"],
  { orderId, event, actor, commandId }: GivenEvent,
): Promise<void> {
  const { type, at, data } = event;
  const stream = streamOf(orderId);
  const revision = store.local.revision(stream);
  // Fields stand in the order in which the engine writes them, whatever the scenario's is.
  const fields = Object.entries(data as Record<string, unknown>);
  const order = Object.keys(eventKeys[type]);
  const text = JSON.stringify(
    Object.fromEntries(fields.sort(([a], [b]) => order.indexOf(a) - order.indexOf(b))),
  );
  const digest = commandHash(JSON.stringify({ commandId, actor, orderId, type, text }));
  const meta = encodeMeta({ v: codec.versionOf(type), at, actor, commandId, commandHash: digest });
  const id = eventId(digest, 0);
  await store.append(stream, revision ?? "none", [{ id, type, data: text, meta }], {
    claims: claimsOf([event]),
  });
}

async function playGiven(stage: Stage, step: CommandStep): Promise<Difference | undefined> {
  return outcomeDifference({ kind: "accepted" }, await outcomeOf(stage, step));
}

async function playStep(stage: Stage, step: Step): Promise<Difference | undefined> {
  const difference =
    step.outcome === undefined ? undefined : outcomeDifference(step.outcome, await outcomeOf(stage, step));
  if (difference !== undefined) return difference;
  for (const view of step.views) {
    const seen = await viewDifference(stage.engine, view);
    if (seen !== undefined) return step.kind === "look" ? seen : { ...seen, note: viewName(view) };
  }
  return undefined;
}

/** Gives the command, or lets fall due what is due; the events are read back from the store. */
async function outcomeOf(stage: Stage, step: CommandStep | Step): Promise<Outcome> {
  const { engine, store } = stage;
  stage.now = Math.max(stage.now, step.at);
  const before = await store.head();
  let refused: Outcome["refused"];
  let repeat = false;
  if (step.kind === "command") {
    const { command, actor, commandId, at, expect } = step;
    const answer = await engine.execute(command, { actor, commandId, at, expect });
    if (E.isLeft(answer)) refused = answer.left;
    else repeat = answer.right.replayed;
  } else {
    for await (const { result } of engine.runDue(step.at)) if (E.isLeft(result)) refused ??= result.left;
  }
  return { refused, repeat, events: await eventsAfter(store, before) };
}

async function eventsAfter(store: Opened["store"], position: string | undefined): Promise<Outcome["events"]> {
  const events: Outcome["events"][number][] = [];
  for (let after = position; ;) {
    const page = await store.readAll({ after, prefixes: [orderPrefix] });
    events.push(...page.events.map((recorded) => codec.decode(recorded).event));
    if (page.end) return events;
    after = page.checkpoint;
  }
}

async function viewDifference(engine: Engine, expected: ViewExpected): Promise<Difference | undefined> {
  const at = expected.asOf === undefined ? undefined : { time: expected.asOf };
  switch (expected.view) {
    case "statistics": {
      const { scope, is } = expected;
      const answer = await engine.views.statistics({ ...(scope === "all" ? {} : scope), at });
      return documentDifference(
        is,
        scope === "all" ? answer.all : "buyerId" in scope ? answer.buyer : answer.merchant,
      );
    }
    case "orders": {
      // One more than is expected, so that an order too many shows.
      const { orders } = await engine.views.orders({ ...expected.filter, limit: expected.is.length + 1, at });
      return listDifference(expected.is, orders);
    }
    case "order": {
      const detail = await engine.views.order(expected.orderId, { at });
      return documentDifference(expected.is, detail === undefined ? undefined : orderDocument(detail));
    }
  }
}

/** An order with its log as a scenario names it: each entry with who, when, from what, to what and why. */
function orderDocument({ order, log, ...rest }: OrderDetail): object {
  const entries = log.map(({ event, at, actor, from, to, reason }) => {
    return { event, at, by: `${actor.role}:${actor.id}`, from, to, reason };
  });
  return { ...order, ...rest, log: entries };
}

/** Where the state that commands are decided on, or a kept view, is not what the events come to; undefined where all is. */
export async function keptDifference(
  engine: Pick<Engine, "replay" | "state" | "check">,
): Promise<Difference | undefined> {
  const replayed = new Map<string, OrderState>();
  await engine.replay({ onOrder: (orderId, state) => replayed.set(orderId, state) });
  for (const [orderId, state] of replayed) {
    const kept = await engine.state(orderId);
    if (!isDeepStrictEqual(kept, state)) {
      return {
        expected: plainOf(state),
        actual: plainOf(kept),
        note: `order ${orderId}: its state as replayed, and as kept`,
      };
    }
  }
  for (const { view, different, differences } of await engine.check()) {
    if (different === 0) continue;
    const rows = (side: "kept" | "rebuilt"): string[] =>
      differences.map((one) => one[side]).filter((row) => row !== undefined);
    return {
      expected: rows("rebuilt"),
      actual: rows("kept"),
      note: `view ${view}: its rows as rebuilt, and as kept`,
    };
  }
  return undefined;
}
