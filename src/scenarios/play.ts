// Plays one scenario on a fresh store and a clock of its own, and says whether what was expected is what happened.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";

import * as E from "fp-ts/lib/Either.js";

import { copyEvents } from "../audit/copy.ts";
import { claimsOf } from "../commands/claims.ts";
import { commandHash, eventId } from "../commands/identity.ts";
import { type Scripted, memoryWallet, scriptedProvider } from "../commands/scripted.ts";
import type { PaymentProvider, Wallet } from "../commands/refundPorts.ts";
import type { NextCommand } from "../domain/caseNext.ts";
import type { Json } from "../domain/json.ts";
import { type ExactSum, exactSum } from "../domain/money.ts";
import type { OrderState } from "../domain/state.ts";
import type { Step as BarStep, Steps } from "../domain/steps.ts";
import { shopSchema } from "../dialects/catalog.ts";
import { type Engine, openEngine } from "../engine.ts";
import type { CaseProgress, LogEntry, OrderDetail } from "../projections/detail.ts";
import type { CaseDetail, RefundDetail } from "../projections/refund.ts";
import { type Envelope, codec, encodeMeta, orderPrefix, streamOf } from "../store/codec.ts";
import { type MemoryStore, openMemoryStore } from "../store/memory.ts";
import { type SqliteStore, openSqliteStore } from "../store/sqlite.ts";
import { replyTo } from "./ask.ts";
import {
  type Difference,
  type Outcome,
  type ViewExpected,
  documentDifference,
  eventKeys,
  listDifference,
  outcomeDifference,
  plainOf,
  replyDifference,
} from "./expectations.ts";
import type { ScenarioResult, StepResult } from "./reporters.ts";
import {
  type AskStep,
  type Attempt,
  type CommandStep,
  type GivenEvent,
  type Scenario,
  type Step,
  type TogetherStep,
  expectsAnything,
  viewName,
} from "./scenario.ts";

// --- stores ---

type Store = MemoryStore | SqliteStore;

export const storeKinds = ["memory:", "sqlite:"] as const;

export type StoreKind = (typeof storeKinds)[number];

/** A scenario's own store, which can be closed and opened again. */
interface Ground {
  store: Store;
  /** Has the store closed, and opens what it held, as another process would. */
  reopen(close: () => Promise<void>): Promise<void>;
  /** Removes what the store leaves behind; to be called when it is closed. */
  clear(): Promise<void>;
}

async function openGround(kind: StoreKind): Promise<Ground> {
  if (kind === "memory:") {
    const ground: Ground = {
      store: openMemoryStore(),
      reopen: async (close) => {
        const copy = await copied(ground.store);
        await close();
        ground.store = copy;
      },
      clear: async () => {},
    };
    return ground;
  }
  const folder = await mkdtemp(join(tmpdir(), "aftersale-scenario-"));
  const clear = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const open = (): Promise<Store> => openSqliteStore(join(folder, "scenario.db"));
  try {
    const ground: Ground = {
      store: await open(),
      reopen: async (close) => {
        await close();
        ground.store = await open();
      },
      clear,
    };
    return ground;
  } catch (error) {
    await clear();
    throw error;
  }
}

/** A memory store ends with its engine: what it held goes on in another. */
async function copied(store: Store): Promise<Store> {
  const copy = openMemoryStore();
  await copyEvents(store, copy);
  return copy;
}

// --- one scenario ---

const lastStep = "state by replay equals state kept";

/** Plays a scenario. @throws the signal's reason where it was aborted. */
export async function playScenario(
  file: string,
  scenario: Scenario,
  kind: StoreKind,
  signal: AbortSignal,
): Promise<ScenarioResult> {
  const { line, name, given, steps } = scenario;
  const results: StepResult[] = [];
  const said = { file, line, name, steps: results };
  const ground = await openGround(kind);
  let stage: Stage | undefined;
  let placed: { readonly line: number; readonly name: string } = { line, name: "given" };
  try {
    for (const one of given.filter((two) => two.kind === "event")) await appendGiven(ground.store, one);
    stage = await Stage.open(ground, scenario);
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
    await (stage === undefined ? ground.store.close() : stage.engine.close());
    await ground.clear();
  }
}

function notRun(steps: readonly { readonly line: number; readonly name: string }[]): readonly StepResult[] {
  return steps.map(({ line, name }) => ({ line, name, status: "skipped" }));
}

/** The engine under a scenario's clock. */
class Stage {
  /** The scenario's clock. */
  now = 0;
  /** These are other people's, and go on when the engine ends. */
  readonly provider: PaymentProvider & Scripted;
  readonly wallet: Wallet & Scripted;
  readonly #ground: Ground;
  readonly #scenario: Scenario;
  #engine: Engine | undefined;

  private constructor(ground: Ground, scenario: Scenario) {
    this.#ground = ground;
    this.#scenario = scenario;
    this.provider = scriptedProvider(scenario.provider);
    this.wallet = memoryWallet(scenario.wallet);
  }

  static async open(ground: Ground, scenario: Scenario): Promise<Stage> {
    const stage = new Stage(ground, scenario);
    await stage.#open();
    return stage;
  }

  get engine(): Engine {
    return this.#engine as Engine;
  }

  get store(): Store {
    return this.#ground.store;
  }

  async restart(): Promise<void> {
    await this.#ground.reopen(() => this.engine.close());
    await this.#open();
  }

  async #open(): Promise<void> {
    const { terms, redeemKey, wallets } = this.#scenario;
    const { provider: payments, wallet } = this;
    this.#engine = await openEngine({
      store: this.store,
      clock: () => this.now,
      terms,
      redeemKey,
      payments,
      wallet: wallets === undefined ? wallet : "kept",
    });
    for (const [buyerId, amount] of Object.entries(wallets ?? {})) {
      await this.#engine.wallet.topUp({
        buyerId,
        topUpId: "scenario",
        amount,
        currency: this.#shop.currency,
        actor: { role: "system", id: "scenario" },
      });
    }
  }

  get #shop() {
    return this.#scenario.shop ?? shopSchema.parse({});
  }

  /** What a request is answered with. */
  reply(step: AskStep): Promise<Json> {
    const { engine, provider: payments } = this;
    return replyTo(step, { engine, shop: this.#shop, payments, clock: () => this.now });
  }
}

/** Why events that are given cannot be an order's at all: they are stored, folded and kept, before anything is run. */
export async function givenFault(
  scenario: Scenario,
): Promise<{ readonly event: GivenEvent; readonly error: unknown } | undefined> {
  const events = scenario.given.filter((one) => one.kind === "event");
  let event = events[0];
  if (event === undefined) return undefined;
  const ground = await openGround("memory:");
  let stage: Stage | undefined;
  try {
    for (event of events) await appendGiven(ground.store, event);
    stage = await Stage.open(ground, scenario);
    await keptDifference(stage.engine);
  } catch (error) {
    return { event, error };
  } finally {
    await (stage === undefined ? ground.store : stage.engine).close();
  }
  return undefined;
}

/** Writes a given event as its command would have, without deciding anything. */
async function appendGiven(store: Store, { orderId, event, actor, commandId }: GivenEvent): Promise<void> {
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
  stage.now = Math.max(stage.now, step.at);
  const difference = await workDifference(stage, step);
  if (difference !== undefined) return difference;
  for (const view of step.views) {
    const seen = await viewDifference(stage, view);
    if (seen !== undefined) return step.kind === "look" ? seen : { ...seen, note: viewName(view) };
  }
  return undefined;
}

async function workDifference(stage: Stage, step: Step): Promise<Difference | undefined> {
  if (step.kind === "look") return undefined;
  if (step.kind === "together") return togetherDifference(stage, step);
  if (step.kind === "ask") return askDifference(stage, step);
  const outcome = await outcomeOf(stage, step);
  return step.outcome === undefined ? undefined : outcomeDifference(step.outcome, outcome);
}

/** Gives the command, or has the engine do its work; the events are read back from the store. */
async function outcomeOf(
  stage: Stage,
  step: CommandStep | Exclude<Step, { readonly kind: "look" | "together" | "ask" }>,
): Promise<Outcome> {
  stage.now = Math.max(stage.now, step.at);
  const before = await stage.store.head();
  let refused: Outcome["refused"];
  let repeat = false;
  switch (step.kind) {
    case "command": {
      const { command, actor, commandId, at, expect } = step;
      const answer = await stage.engine.execute(command, { actor, commandId, at, expect });
      if (E.isLeft(answer)) refused = answer.left;
      else repeat = answer.right.replayed;
      break;
    }
    case "due":
      for await (const { result } of stage.engine.runDue(step.at)) {
        if (E.isLeft(result)) refused ??= result.left;
      }
      break;
    case "refunds":
      for await (const run of stage.engine.runRefunds()) {
        if (run.outcome === "refused") refused ??= run.rejection;
      }
      break;
    case "restart":
      await stage.restart();
      break;
  }
  const events = (await envelopesAfter(stage.store, before)).map(({ event }) => event);
  return { refused, repeat, events };
}

/** Asks in a dialect; the reply, and what was appended for it. */
async function askDifference(
  stage: Stage,
  step: Extract<Step, { readonly kind: "ask" }>,
): Promise<Difference | undefined> {
  const before = await stage.store.head();
  const reply = await stage.reply(step);
  const difference = step.reply === undefined ? undefined : replyDifference(step.reply, reply);
  if (difference !== undefined) return { ...difference, note: "the reply" };
  if (step.outcome === undefined) return undefined;
  const events = (await envelopesAfter(stage.store, before)).map(({ event }) => event);
  return outcomeDifference(step.outcome, { refused: undefined, repeat: false, events });
}

/** Gives the commands one after the other without waiting, and tells their events apart by who had them appended. */
async function togetherDifference(
  { engine, store }: Stage,
  { attempts }: TogetherStep,
): Promise<Difference | undefined> {
  const before = await store.head();
  const answers = await Promise.all(
    attempts.map(({ command, actor, commandId, at, expect }) =>
      engine.execute(command, { actor, commandId, at, expect }),
    ),
  );
  let others = await envelopesAfter(store, before);
  for (const [index, { name, outcome, ...attempt }] of attempts.entries()) {
    const answer = answers[index] as (typeof answers)[number];
    const accepted = E.isRight(answer) && !answer.right.replayed;
    const own = others.filter((envelope) => accepted && isOf(attempt, envelope));
    others = others.filter((envelope) => !own.includes(envelope));
    const difference = outcomeDifference(outcome, {
      refused: E.isLeft(answer) ? answer.left : undefined,
      repeat: E.isRight(answer) && answer.right.replayed,
      events: own.map(({ event }) => event),
    });
    if (difference !== undefined) {
      const { note } = difference;
      return { ...difference, note: note === undefined ? name : `${name}: ${note}` };
    }
  }
  return others.length === 0
    ? undefined
    : {
        expected: "nothing",
        actual: others.map(({ event }) => event.type),
        note: "appended by none of these commands",
      };
}

function isOf({ commandId, command }: Omit<Attempt, "name" | "outcome">, envelope: Envelope): boolean {
  return envelope.meta.commandId === commandId && envelope.stream === streamOf(command["orderId"] as string);
}

async function envelopesAfter(store: Store, position: string | undefined): Promise<readonly Envelope[]> {
  const envelopes: Envelope[] = [];
  for (let after = position; ;) {
    const page = await store.readAll({ after, prefixes: [orderPrefix] });
    envelopes.push(...page.events.map(codec.decode));
    if (page.end) return envelopes;
    after = page.checkpoint;
  }
}

async function viewDifference(stage: Stage, expected: ViewExpected): Promise<Difference | undefined> {
  const { views } = stage.engine;
  const at = expected.asOf === undefined ? undefined : { time: expected.asOf };
  switch (expected.view) {
    case "statistics": {
      const { scope, is } = expected;
      const answer = await views.statistics({ ...(scope === "all" ? {} : scope), at });
      return documentDifference(
        is,
        scope === "all" ? answer.all : "buyerId" in scope ? answer.buyer : answer.merchant,
      );
    }
    case "orders": {
      // One more than is expected, so that an order too many shows.
      const { orders } = await views.orders({ ...expected.filter, limit: expected.is.length + 1, at });
      return listDifference(expected.is, orders, ["orderId", "status"]);
    }
    case "order": {
      const detail = await views.order(expected.orderId, { at });
      return documentDifference(expected.is, detail === undefined ? undefined : orderDocument(detail));
    }
    case "queue": {
      const { cases } = await views.queue({ ...expected.filter, limit: expected.is.length + 1, at });
      return listDifference(expected.is, cases, ["orderId", "caseId", "status"]);
    }
    case "refundHistory": {
      if (!("orderId" in expected)) {
        const { is, filter } = expected;
        const { cases } = await views.refundHistory({ ...filter, limit: is.length + 1, at });
        return listDifference(is, cases, ["orderId", "caseId", "status"]);
      }
      const { orderId, is } = expected;
      const history = await views.refundHistory({ orderId, at });
      if (is === undefined || history === undefined) return documentDifference(is && {}, history);
      return listDifference(is, history.cases.map(caseDocument), ["caseId", "status"]);
    }
    case "refund": {
      const detail = await views.refund({ ...expected.of, at });
      return documentDifference(
        expected.is,
        detail === undefined ? undefined : refundDocument(detail),
        "a case or a line",
      );
    }
    case "provider":
    case "wallet":
      return documentDifference(expected.is, portDocument(stage[expected.view]));
  }
}

// --- documents as a scenario names them ---

/** An order with its log, and how far its cases are. */
function orderDocument({ order, log, refunds, ...rest }: OrderDetail): object {
  return { ...order, ...rest, log: log.map(logDocument), refunds: refunds.map(progressDocument) };
}

/** One case with all that was said of it. */
function caseDocument({ case: one, log, note, evidence, returnAddress, ...progress }: CaseDetail): object {
  return {
    ...one,
    ...progressDocument(progress),
    note,
    evidence,
    returnAddress,
    log: log.map(logDocument),
  };
}

/** A case and its line in one document; without a case what there is to say of the line. */
function refundDocument({ refund, steps, commands, ...rest }: RefundDetail): object {
  return {
    ...(refund === undefined ? {} : caseDocument(refund)),
    ...rest,
    steps: stepsDocument(steps),
    commands: commandsDocument(commands),
  };
}

function progressDocument({ steps, commands, ...rest }: CaseProgress): object {
  return { ...rest, steps: stepsDocument(steps), commands: commandsDocument(commands) };
}

/** Each bar as ShopXO's four digits a step: is_caret, is_angle, is_active, is_end. */
function stepsDocument(steps: Steps): object {
  const digits = (bar: readonly BarStep[]): string =>
    bar.map((step) => `${step.is_caret}${step.is_angle}${step.is_active}${step.is_end}`).join(" ");
  return Object.fromEntries(
    Object.entries(steps).map(([name, bar]) => [name, digits(bar as readonly BarStep[])]),
  );
}

/** Each command with the roles that may give it. */
function commandsDocument(commands: readonly NextCommand[]): object {
  return Object.fromEntries(commands.map(({ command, roles }) => [command, roles]));
}

/** Each entry with who, when, from what, to what and why; of a case's entry, the case's own statuses. */
function logDocument({ event, at, actor, from, to, reason, case: one }: LogEntry): object {
  return {
    event,
    at,
    by: `${actor.role}:${actor.id}`,
    from: one?.from ?? from,
    to: one?.to ?? to,
    caseId: one?.caseId,
    reason,
  };
}

/** What was asked of a scripted side and answered, what it took on, and what it has paid. */
function portDocument({ calls, book }: Scripted): object {
  const paid: Record<string, ExactSum> = {};
  for (const { currency, answer } of book.values()) {
    if (answer.status === "settled")
      paid[currency] = exactSum(BigInt(paid[currency] ?? 0) + BigInt(answer.amount));
  }
  return {
    calls: calls.map(
      ({ method, refundId, answer }) => `${method} ${refundId}: ${answer?.status ?? "no answer"}`,
    ),
    book: [...book.values()].map(({ answer, ...entry }) => ({ ...entry, status: answer.status })),
    paid,
  };
}

// --- the last step ---

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
