// A scenario file, read: YAML documents become scenarios that can be run, and every fault is named with its line and column.

import * as E from "fp-ts/lib/Either.js";
import {
  type Alias,
  type Document,
  LineCounter,
  type Node,
  type Scalar,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  parseAllDocuments,
  visit,
} from "yaml";

import { readInstant } from "../commands/instant.ts";
import { issuesOf, readCommand } from "../commands/parse.ts";
import { codeHash, redemptionCode } from "../commands/redemption.ts";
import { type RefundScript, scriptedProvider } from "../commands/scripted.ts";
import { nearest } from "../commands/suggest.ts";
import { type TermsOption, termsSchema } from "../commands/terms.ts";
import { type Actor, type Role, roles } from "../domain/actor.ts";
import { caseCommandTypes, caseStatuses } from "../domain/caseLifecycle.ts";
import { type OrderEvent, isOrderEventType, orderEventTypes, ratings } from "../domain/events.ts";
import { type Json, type JsonObject, isObject } from "../domain/json.ts";
import { type OrderStatus, orderStatuses } from "../domain/lifecycle.ts";
import { isId, limits } from "../domain/limits.ts";
import { type Issue, type RejectionCode, describeIssue, rejectionCodes } from "../domain/refusals.ts";
import { caseTypes, defaultTerms } from "../domain/terms.ts";
import { type Party, parties } from "../domain/waiting.ts";
import { dialectNames, placeIn } from "../dialects/byName.ts";
import { type ShopData, shopSchema } from "../dialects/catalog.ts";
import type { CaseFilter } from "../projections/cases.ts";
import type { OrderFilter } from "../projections/orders.ts";
import type { Scope } from "../projections/statistics.ts";
import { requestOf } from "./ask.ts";
import {
  type EventExpected,
  type OutcomeExpected,
  type ReplyExpected,
  type RuleExpected,
  type ViewExpected,
  eventKeys,
  instantText,
  isInstantKey,
  viewKeys,
} from "./expectations.ts";
import {
  type AskStep,
  type Attempt,
  type CommandStep,
  type Fault,
  type GivenEvent,
  type Scenario,
  type Step,
  viewName,
} from "./scenario.ts";

/** Reads the scenarios of a file; they may be run only where there is no fault. */
export function readScenarios(text: string): {
  readonly scenarios: readonly Scenario[];
  readonly faults: readonly Fault[];
} {
  const lines = new LineCounter();
  const faults: Fault[] = [];
  const scenarios: Scenario[] = [];
  try {
    const documents = parseAllDocuments(text, {
      lineCounter: lines,
      prettyErrors: false,
      stringKeys: true,
      customTags: codeTags,
    });
    for (const document of documents) {
      const reader = new DocumentReader(document, lines, faults);
      const scenario = reader.scenario();
      if (scenario !== undefined) scenarios.push(scenario);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // The parser recurses; what overflows its stack was not written to be read.
    faults.push({ line: 1, column: 1, message: "nested too deep" });
  }
  return { scenarios, faults: faults.sort((a, b) => a.line - b.line || a.column - b.column) };
}

/** `!code ORDER` and `!codeHash ORDER`: an order's write-off code, and what its OrderCreated keeps of it. */
const codeTags = ["!code", "!codeHash"].map((tag) => ({ tag, resolve: (orderId: string) => orderId }));

/** Nodes that one document may come to when its aliases are followed, and how deep they may lie in each other. */
const mostNodes = 200_000;
const deepest = 64;

const ofCase: ReadonlySet<string> = new Set(caseCommandTypes);

/** Orders that a list may name: one less than a page of them holds, so that one too many shows. */
const mostRows = 999;

/** Too much to read on: the fault is noted already. */
class Exhausted extends Error {}

interface Field {
  readonly key: Node;
  readonly value: Node | undefined;
}

/** A name as it stands alone (`bare`), or as the key of its data. */
interface Named extends Field {
  readonly name: string;
  readonly bare: boolean;
}

type Fields = ReadonlyMap<string, Field>;

type Place = Pick<Fault, "line" | "column">;

class DocumentReader {
  readonly #document: Document.Parsed;
  readonly #lines: LineCounter;
  readonly #faults: Fault[];
  readonly #aliases = new Map<Alias, Node>();
  #nodes = 0;
  #order: string | undefined;
  #case: string | undefined;
  #redeemKey: string | undefined;
  #now = 0;

  constructor(document: Document.Parsed, lines: LineCounter, faults: Fault[]) {
    this.#document = document;
    this.#lines = lines;
    this.#faults = faults;
  }

  /** The document's scenario; undefined where it is empty or faulty. */
  scenario(): Scenario | undefined {
    const before = this.#faults.length;
    for (const { message, pos } of [...this.#document.errors, ...this.#document.warnings]) {
      this.#faults.push({ ...this.#placeOf(pos[0]), message });
    }
    if (this.#faults.length > before) return undefined;
    const root = this.#document.contents as Node | null;
    if (root === null || (isScalar(root) && root.value === null)) return undefined;
    try {
      this.#follow();
      if (this.#faults.length > before) return undefined;
      const scenario = this.#scenario(root);
      return this.#faults.length > before ? undefined : scenario;
    } catch (error) {
      if (error instanceof Exhausted) return undefined;
      throw error;
    }
  }

  /** Finds what each alias stands for. */
  #follow(): void {
    const anchors = new Map<string, Node>();
    visit(this.#document, {
      Alias: (_key, alias) => {
        const node = anchors.get(alias.source);
        if (node === undefined) this.#fault(alias, `no anchor &${alias.source} stands before this`);
        else this.#aliases.set(alias, node);
      },
      Value: (_key, node) => {
        if (node.anchor !== undefined) anchors.set(node.anchor, node);
      },
    });
  }

  #scenario(root: Node): Scenario | undefined {
    const keys = [
      "name",
      "clock",
      "order",
      "case",
      "terms",
      "redeemKey",
      "provider",
      "wallet",
      "shop",
      "given",
      "steps",
    ];
    const fields = this.#fields(root, "a scenario", keys);
    if (fields === undefined) return undefined;
    const name = this.#text(this.#needed(root, fields, "name"), "name");
    this.#now = this.#instant(this.#needed(root, fields, "clock"), "clock") ?? 0;
    this.#order = this.#optional(fields, "order", (node) => this.#id(node, "order"));
    this.#case = this.#optional(fields, "case", (node) => this.#id(node, "case"));
    this.#redeemKey = this.#optional(fields, "redeemKey", (node) => this.#text(node, "redeemKey"));
    const terms = this.#optional(fields, "terms", (node) => this.#terms(node));
    const provider = this.#optional(fields, "provider", (node) => this.#script(node, "provider"));
    const wallet = this.#optional(fields, "wallet", (node) => this.#script(node, "wallet"));
    const shop = this.#optional(fields, "shop", (node) => this.#shop(node));
    if (shop?.wallets !== undefined && fields.has("wallet")) {
      this.#fault(fields.get("wallet")?.key, "wallet: what the shop's own wallets do needs no script");
    }
    const given = this.#list(fields.get("given"), "given").map((node, index) => this.#given(node, index));
    const command = given.findIndex((one) => one?.kind === "command");
    const late = given.findIndex((one, index) => one?.kind === "event" && command !== -1 && index > command);
    if (late !== -1) {
      this.#fault(this.#list(fields.get("given"), "given")[late], "given: events come before commands");
    }
    this.#needed(root, fields, "steps");
    const steps = this.#list(fields.get("steps"), "steps").map((node, index) => this.#step(node, index));
    return {
      name: name as string,
      line: this.#place(root).line,
      terms,
      redeemKey: this.#redeemKey,
      provider,
      wallet,
      shop: shop?.data,
      wallets: shop?.wallets,
      given: given.filter((one) => one !== undefined),
      steps: steps.filter((one) => one !== undefined),
    };
  }

  /** As the file of `serve --catalog`, and beside it `wallets`. */
  #shop(
    node: Node,
  ): { readonly data: ShopData; readonly wallets: Readonly<Record<string, number>> | undefined } | undefined {
    const { wallets, ...given } = this.#plain(node) as JsonObject;
    const read = shopSchema.safeParse(given);
    if (!read.success) {
      const known = (path: readonly PropertyKey[]): readonly string[] =>
        path.length === 0 ? [...Object.keys(shopSchema.shape), "wallets"] : [];
      return this.#issues(node, "shop", issuesOf(read.error, known));
    }
    if (wallets === undefined) return { data: read.data, wallets: undefined };
    const amounts = isObject(wallets) ? Object.entries(wallets) : [];
    const good = amounts.every(
      ([id, amount]) => isId(id) && Number.isSafeInteger(amount) && Number(amount) > 0,
    );
    return good && amounts.length > 0
      ? { data: read.data, wallets: Object.fromEntries(amounts) as Record<string, number> }
      : this.#fault(this.#inside(node, "wallets"), "wallets: amounts in minor units by the buyers' ids");
  }

  #script(node: Node, what: string): RefundScript | undefined {
    const script = this.#plain(node) as RefundScript;
    try {
      scriptedProvider(script);
      return script;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      return this.#fault(node, `${what}: ${error.message.replace(/^script: /, "")}`);
    }
  }

  #terms(node: Node): TermsOption | undefined {
    const read = termsSchema.safeParse(this.#plain(node));
    if (read.success) return read.data;
    const known = (path: readonly PropertyKey[]): readonly string[] =>
      path.length === 1 ? [...Object.keys(defaultTerms), "redeemStaff", "reasons"] : [];
    return this.#issues(node, "terms", issuesOf(read.error, known));
  }

  // --- given ---

  #given(node: Node, index: number): GivenEvent | CommandStep | undefined {
    const about = ["as", "at", "after", "id", "order", "case"];
    const fields = this.#fields(node, "what is given");
    if (fields === undefined) return undefined;
    const [named, ...more] = [...fields].filter(([key]) => !about.includes(key));
    if (named === undefined || more.length > 0) {
      const [key, field] = more[0] ?? [undefined, undefined];
      const hint = key === undefined ? undefined : nearest(key, about);
      return this.#fault(
        field?.key ?? node,
        key === undefined
          ? "what is given is one event or command, and what stands beside it"
          : `unknown key ${JSON.stringify(key)}${meant(hint)}`,
      );
    }
    const [type, { key, value }] = named;
    const at = this.#moment(fields);
    const commandId = this.#optional(fields, "id", (id) => this.#id(id, "id")) ?? `given-${index + 1}`;
    const place = this.#place(node);
    if (!isOrderEventType(type)) {
      const actor = this.#giver(fields, type, key);
      const command = this.#command(type, key, value, fields, true);
      if (actor === undefined || command === undefined) return undefined;
      const name = `given ${this.#name(type, actor, command)}`;
      return { ...place, kind: "command", name, at, command, actor, commandId, expect: undefined };
    }
    const orderId = this.#orderOf(fields, key);
    const data = this.#eventData(type, key, value);
    if (orderId === undefined || data === undefined) return undefined;
    const missing = Object.entries(eventKeys[type]).filter(
      ([name, need]) => need === "required" && !Object.hasOwn(data, name),
    );
    if (missing.length > 0) {
      return this.#fault(
        key,
        `${type}: what is given is given whole; missing: ${missing.map(([name]) => name).join(", ")}`,
      );
    }
    const actor = this.#optional(fields, "as", (as) => this.#actor(as, as)) ?? {
      role: "system",
      id: "scenario",
    };
    const event = { type, at, data } as unknown as OrderEvent;
    return { ...place, kind: "event", name: `given ${type}`, at, orderId, event, actor, commandId };
  }

  // --- steps ---

  #step(node: Node, index: number): Step | undefined {
    const about = ["as", "at", "after", "id", "order", "case", "expect", "with"];
    const keys = ["when", "together", "ask", ...about, "then", "reply", "has", "and"];
    const fields = this.#fields(node, "a step", keys);
    if (fields === undefined) return undefined;
    const at = this.#moment(fields);
    const place = this.#place(node);
    const when = fields.get("when");
    const then = fields.get("then");
    const views = this.#views(fields.get("and"));
    if (then !== undefined && this.#isView(then.value)) {
      const view = this.#view(then.value as Node);
      if (view !== undefined) views.unshift(view);
    }
    const said = then === undefined || this.#isView(then.value) ? undefined : this.#outcome(then);
    const only = (allowed: readonly string[], why: string): void => {
      for (const [key, field] of fields) if (!allowed.includes(key)) this.#fault(field.key, `${key}: ${why}`);
    };
    const together = fields.get("together");
    if (together !== undefined) {
      only(["together", "at", "after", "order", "case", "and"], "stands in each step of `together` itself");
      const attempts = this.#attempts(together, fields, at, index);
      const name = attempts.map((attempt) => attempt.name).join(" | ");
      return { ...place, kind: "together", name, at, attempts, outcome: undefined, views };
    }
    const ask = fields.get("ask");
    if (ask !== undefined) {
      only(
        ["ask", "with", "as", "at", "after", "id", "then", "reply", "has", "and"],
        "has no meaning for a request",
      );
      return this.#request(place, fields, { at, said, views, key: `step-${index + 1}` });
    }
    for (const name of ["with", "reply", "has"])
      if (fields.has(name)) this.#fault(fields.get(name)?.key, `${name}: stands only beside an \`ask\``);
    if (when === undefined) {
      if (then === undefined) this.#fault(node, "a step has a `when`, or a `then` that looks at a view");
      else if (!this.#isView(then.value))
        this.#fault(then.key, "then: without a `when` only a view can be looked at");
      only(["at", "after", "order", "then", "and"], "stands only beside a `when`");
      return { ...place, kind: "look", name: views.map(viewName).join(", "), at, outcome: undefined, views };
    }
    const work = engineWork.find((one) => one === scalarOf(when.value));
    if (work !== undefined) {
      only(["when", "at", "after", "order", "then", "and"], `has no meaning for \`${work}\``);
      const outcome: OutcomeExpected = said ?? { kind: "accepted" };
      return { ...place, kind: work, name: `${work} at ${instantText(at)}`, at, outcome, views };
    }
    const attempt = this.#attempt(place, fields, at, said, `step-${index + 1}`);
    return attempt === undefined ? undefined : { ...attempt, views };
  }

  /** A request in a dialect: `ask: { apifm: GET /order/detail }`. */
  #request(
    place: Place,
    fields: Fields,
    {
      at,
      said,
      views,
      key: stepKey,
    }: {
      readonly at: number;
      readonly said: OutcomeExpected | undefined;
      readonly views: readonly ViewExpected[];
      readonly key: string;
    },
  ): Step | undefined {
    const ask = fields.get("ask") as Field;
    if (ask.value === undefined) return this.#fault(ask.key, "ask is empty");
    const named = this.#named(ask.value, "ask");
    if (named === undefined) return undefined;
    const dialect = this.#oneOf(named.key, "ask", dialectNames);
    const text = named.value === undefined ? undefined : this.#text(named.value, named.name);
    const [, method = "POST", path] = /^(?:(GET|POST) )?(\/(?![/\\])\S*)$/.exec(text ?? "") ?? [];
    if (path === undefined) {
      this.#fault(named.value ?? named.key, `${named.name}: a path such as /order/pay, or GET /order/detail`);
    }
    const form = this.#optional(fields, "with", (node) => this.#plain(node)) ?? {};
    if (!isObject(form)) return this.#fault(fields.get("with")?.value, "with: must be a mapping");
    const actor = this.#optional(fields, "as", (as) => this.#actor(as, as));
    const key = this.#optional(fields, "id", (id) => this.#id(id, "id")) ?? stepKey;
    const [reply, has] = ["reply" as const, "has" as const].map((kind): ReplyExpected | undefined => {
      const field = fields.get(kind);
      return field === undefined ? undefined : { kind, is: this.#plain(field.value) };
    });
    if (reply !== undefined && has !== undefined)
      this.#fault(fields.get("has")?.key, "has: stands beside `reply`, and only one of them can be meant");
    if (has !== undefined && isObject(has.is) && Object.keys(has.is).length === 0)
      this.#fault(fields.get("has")?.key, "has: names no key, and so checks nothing");
    if (said !== undefined && said.kind !== "events")
      this.#fault(
        fields.get("then")?.value,
        "then: of a request, the events or `nothing`; the rest is its reply",
      );
    if (said === undefined && reply === undefined && has === undefined && views.length === 0)
      this.#fault(ask.key, "ask: what must come of it is missing: `reply`, `has`, `then` or `and`");
    if (dialect === undefined || path === undefined) return undefined;
    const by = actor === undefined ? "" : ` as ${actor.role}:${actor.id}`;
    const step: Extract<Step, AskStep> = {
      ...place,
      kind: "ask",
      name: `${dialect} ${path}${by}`,
      at,
      dialect,
      method: method as "GET" | "POST",
      path,
      fields: form,
      actor,
      key,
      reply: reply ?? has,
      outcome: said,
      views,
    };
    this.#operation(named.value, step);
    return step;
  }

  /** That there is such an operation: what is asked of nothing changes nothing, and would pass for `then: nothing`. */
  #operation(node: Node | undefined, step: AskStep): void {
    const { dialect, method, path: asked } = step;
    const { path, operations } = placeIn(dialect, requestOf(step).url);
    const there = operations.filter((one) => one.path === path);
    if (there.length === 0) {
      const near = nearest(
        path,
        operations.map((one) => one.path),
      );
      this.#fault(node, `${dialect}: no such ${JSON.stringify(asked)}${meant(near)}`);
      return;
    }
    const methods = there.flatMap((one) => one.methods);
    if (!methods.includes(method)) {
      this.#fault(node, `${dialect}: ${asked} is asked with ${methods.join(" or ")}`);
    }
  }

  /** The command of a step, with what must come of it. */
  #attempt(
    place: Place,
    fields: Fields,
    at: number,
    said: OutcomeExpected | undefined,
    stepId: string,
  ): Attempt | undefined {
    const when = fields.get("when") as Field;
    if (when.value === undefined) return this.#fault(when.key, "when is empty");
    const named = this.#named(when.value, "when");
    if (named === undefined) return undefined;
    const outcome: OutcomeExpected = said ?? { kind: "accepted" };
    const { name: type, key, value } = named;
    const actor = this.#giver(fields, type, key);
    const malformed = outcome.kind === "refused" && outcome.rules[0]?.code === "invalidCommand";
    const command = this.#command(type, key, value, fields, !malformed);
    const commandId = this.#optional(fields, "id", (id) => this.#id(id, "id")) ?? stepId;
    const expect = this.#optional(fields, "expect", (revision) => this.#expect(revision));
    if (actor === undefined || command === undefined) return undefined;
    const name = this.#name(type, actor, command);
    return { ...place, kind: "command", name, at, command, actor, commandId, expect, outcome };
  }

  /** The steps of `together`: commands of one instant. The order and the case that stand beside it are theirs. */
  #attempts({ key, value }: Field, outer: Fields, at: number, index: number): readonly Attempt[] {
    const nodes = this.#list({ key, value }, "together");
    if (nodes.length < 2) this.#fault(value ?? key, "together: two commands or more");
    return nodes.flatMap((node, place) => {
      const keys = ["when", "as", "id", "order", "case", "expect", "then"];
      const own = this.#fields(node, "a step of together", keys);
      if (own === undefined) return [];
      if (!own.has("when")) {
        this.#fault(node, "when is missing");
        return [];
      }
      const fields = new Map([...outer, ...own]);
      const then = own.get("then");
      const said = then === undefined ? undefined : this.#outcome(then);
      const id = `step-${index + 1}.${place + 1}`;
      return this.#attempt(this.#place(node), fields, at, said, id) ?? [];
    });
  }

  #name(type: string, { role, id }: Actor, command: JsonObject): string {
    const { orderId, caseId } = command;
    const of = typeof caseId === "string" && caseId !== this.#case ? ` of ${caseId}` : "";
    const on =
      orderId === this.#order ? "" : ` on ${typeof orderId === "string" ? orderId : JSON.stringify(orderId)}`;
    return `${type}${of}${on} as ${role}:${id}`;
  }

  /** A name alone, or the one key of a mapping with what it holds. */
  #named(node: Node, what: string): Named | undefined {
    const found = this.#deref(node);
    if (isScalar(found) && typeof found.value === "string") {
      return { name: found.value, key: found, value: undefined, bare: true };
    }
    const [first, ...more] = (isMap(found) ? this.#fields(found, what) : undefined) ?? [];
    if (first === undefined || more.length > 0) {
      return this.#fault(node, `${what}: must be a name, or one name with its data`);
    }
    return { name: first[0], ...first[1], bare: false };
  }

  /** A command as the engine takes it; with `checked`, what the engine could not read is a fault of the file. */
  #command(
    type: string,
    key: Node,
    value: Node | undefined,
    fields: Fields,
    checked: boolean,
  ): JsonObject | undefined {
    const data = value === undefined ? {} : (this.#plain(value) ?? {});
    if (!isObject(data)) return this.#fault(value, `${type}: its data must be a mapping`);
    const orderId = Object.hasOwn(data, "orderId") ? data["orderId"] : this.#orderOf(fields, key);
    // Without an order, which is a fault already, what else is wrong is still worth telling.
    const caseId = ofCase.has(type) ? this.#caseOf(fields) : undefined;
    if (checked && ofCase.has(type) && caseId === undefined && !Object.hasOwn(data, "caseId")) {
      return this.#fault(key, `${type}: which case is missing: \`case\`, here or for the whole scenario`);
    }
    const command: JsonObject = {
      type,
      orderId: orderId ?? "unknown",
      ...(caseId === undefined ? {} : { caseId }),
      ...data,
    };
    const read = readCommand(command);
    if (!checked || E.isRight(read)) return orderId === undefined ? undefined : command;
    const unknown = isOrderEventType(type) ? " (that is an event; a command is in the imperative)" : "";
    return this.#issues(value ?? key, `${type}${unknown}`, read.left.issues, key);
  }

  #orderOf(fields: Fields, key: Node): string | undefined {
    const order = this.#optional(fields, "order", (node) => this.#id(node, "order"));
    if (fields.has("order") || this.#order !== undefined) return order ?? this.#order;
    return this.#fault(key, "which order is missing: `order`, here or for the whole scenario");
  }

  #caseOf(fields: Fields): string | undefined {
    return this.#optional(fields, "case", (node) => this.#id(node, "case")) ?? this.#case;
  }

  #giver(fields: Fields, type: string, key: Node): Actor | undefined {
    const as = fields.get("as");
    return as === undefined
      ? this.#fault(key, `${type}: who gives it is missing: as`)
      : this.#actor(as.value, as.key);
  }

  #actor(node: Node | undefined, key: Node): Actor | undefined {
    const text = this.#text(node ?? key, "as");
    if (text === undefined) return undefined;
    const [role = "", ...rest] = text.split(":");
    const id = rest.join(":");
    if (!roles.includes(role as Role)) {
      return this.#fault(
        node,
        `as: no such role ${JSON.stringify(role)}${meant(nearest(role, roles))}; there are ${roles.join(", ")}`,
      );
    }
    if (!isId(id)) return this.#fault(node, "as: a role and an id, such as buyer:b1");
    return { role: role as Role, id };
  }

  #expect(node: Node): bigint | "none" | undefined {
    const value = this.#plain(node);
    if (value === "none") return value;
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
    return this.#fault(node, "expect: `none`, or a revision such as 0");
  }

  // --- expectations ---

  #outcome({ key, value }: Field): OutcomeExpected | undefined {
    const node = value === undefined ? undefined : this.#deref(value);
    if (isScalar(node) && node.value === "nothing") return { kind: "events", events: [] };
    if (isScalar(node) && node.value === "repeat") return { kind: "repeat" };
    if (isSeq(node)) {
      const events = this.#items(node).map((item) => this.#event(item));
      return { kind: "events", events: events.filter((event) => event !== undefined) };
    }
    if (isMap(node)) {
      const refused = this.#fields(node, "then", ["refused", "view"])?.get("refused");
      return refused === undefined ? undefined : this.#refused(refused);
    }
    return this.#fault(
      value ?? key,
      "then: a list of events, `nothing`, `repeat`, `refused: CODE`, or a `view`",
    );
  }

  #event(node: Node): EventExpected | undefined {
    const named = this.#named(node, "an event");
    if (named === undefined) return undefined;
    const { name: type, key, value, bare } = named;
    if (!isOrderEventType(type)) {
      return this.#fault(
        key,
        `no such event ${JSON.stringify(type)}${meant(nearest(type, orderEventTypes))}`,
      );
    }
    if (bare) return { type, data: undefined };
    const data = this.#eventData(type, key, value);
    return data === undefined ? undefined : { type, data };
  }

  #eventData(type: OrderEvent["type"], key: Node, value: Node | undefined): JsonObject | undefined {
    const fields =
      value === undefined
        ? undefined
        : this.#fields(value, `${type}: its data`, Object.keys(eventKeys[type]));
    if (value === undefined)
      return this.#fault(key, `${type}: its data must be a mapping; {} where it has none`);
    return fields === undefined ? undefined : (this.#plain(value, true) as JsonObject);
  }

  #refused({ key, value }: Field): OutcomeExpected | undefined {
    const node = value === undefined ? undefined : this.#deref(value);
    const nodes = isSeq(node) ? this.#items(node) : [node ?? key];
    const rules = nodes.map((rule) => this.#rule(rule)).filter((rule) => rule !== undefined);
    if (nodes.length === 0) return this.#fault(value, "refused: which rule is missing");
    return { kind: "refused", rules, all: isSeq(node) };
  }

  #rule(node: Node): RuleExpected | undefined {
    const named = this.#named(node, "refused");
    if (named === undefined) return undefined;
    const { name: code, key, value, bare } = named;
    if (!rejectionCodes.includes(code as RejectionCode)) {
      return this.#fault(
        key,
        `refused: no such code ${JSON.stringify(code)}${meant(nearest(code, rejectionCodes))}`,
      );
    }
    if (bare) return { code: code as RejectionCode, facts: undefined };
    const facts = this.#plain(value, true);
    if (!isObject(facts))
      return this.#fault(value ?? key, `${code}: its facts must be a mapping; {} where it has none`);
    return { code: code as RejectionCode, facts };
  }

  #isView(node: Node | undefined): boolean {
    const found = node === undefined ? undefined : this.#deref(node);
    return isMap(found) && found.has("view");
  }

  #views(field: Field | undefined): ViewExpected[] {
    if (field === undefined) return [];
    const found = field.value === undefined ? undefined : this.#deref(field.value);
    const nodes = isMap(found) ? [found] : this.#list(field, "and");
    return nodes.map((node) => this.#view(node)).filter((view) => view !== undefined);
  }

  #view(node: Node): ViewExpected | undefined {
    const fields = this.#fields(node, "a view", ["view", "of", "line", "asOf", "where", "is"]);
    if (fields === undefined) return undefined;
    const view = this.#oneOf(this.#needed(node, fields, "view"), "view", viewNames);
    const is = this.#needed(node, fields, "is");
    const asOf = this.#optional(fields, "asOf", (instant) => this.#instant(instant, "asOf"));
    if (view === undefined || is === undefined) return undefined;
    const where = fields.get("where");
    if (where !== undefined && !isNarrowed(view, fields.get("of")))
      return this.#fault(where.key, "where: narrows a list of orders or of cases, nothing else");
    const line = fields.get("line");
    if (line !== undefined && view !== "refund")
      return this.#fault(line.key, "line: `refund` looks at a line, nothing else does");
    const filterOf = where === undefined ? undefined : (where.value ?? where.key);
    const of = fields.get("of");
    switch (view) {
      case "statistics":
      case "provider":
      case "wallet": {
        const document = this.#viewDocument(is, view);
        if (document === undefined) return undefined;
        if (view === "statistics") return { asOf, view, scope: this.#scope(of), is: document };
        for (const key of ["of", "asOf"]) {
          if (fields.has(key)) this.#fault(fields.get(key)?.key, `${key}: has no meaning for the ${view}`);
        }
        return { asOf, view, is: document };
      }
      case "orders": {
        const rows = this.#rows(is, "orders", view);
        const filter = filterOf === undefined ? {} : this.#filter(filterOf);
        const scope = this.#scope(of);
        return rows === undefined ? undefined : { asOf, view, filter: { ...filter, scope }, is: rows };
      }
      case "queue": {
        const rows = this.#rows(is, "cases", view);
        const scope = this.#scope(of);
        const merchantId = scope !== "all" && "merchantId" in scope ? scope.merchantId : undefined;
        if (scope !== "all" && merchantId === undefined) return this.#fault(of?.value, "of: a merchant");
        const waitsFor = filterOf === undefined ? undefined : this.#waitsFor(filterOf);
        return rows === undefined ? undefined : { asOf, view, filter: { merchantId, waitsFor }, is: rows };
      }
      case "refundHistory": {
        if (isActor(of)) {
          const rows = this.#rows(is, "cases", "refundRows");
          const filter = filterOf === undefined ? {} : this.#caseFilter(filterOf);
          const scope = this.#scope(of);
          return rows === undefined ? undefined : { asOf, view, filter: { ...filter, scope }, is: rows };
        }
        const orderId = this.#viewedOrder(node, fields);
        if (orderId === undefined) return undefined;
        if (isNothing(is)) return { asOf, view, orderId, is: undefined };
        const cases = this.#rows(is, "cases", view);
        return cases === undefined ? undefined : { asOf, view, orderId, is: cases };
      }
      case "refund": {
        const orderId = this.#order;
        if (orderId === undefined)
          return this.#fault(node, "which order is missing: `order`, for the whole scenario");
        const lineId = this.#optional(fields, "line", (one) => this.#id(one, "line"));
        const caseId = this.#optional(fields, "of", (one) => this.#id(one, "of")) ?? this.#case;
        if (lineId === undefined && caseId === undefined)
          return this.#fault(
            node,
            "which case is missing: `of`, or `line`, or `case` for the whole scenario",
          );
        const asked = lineId === undefined ? { orderId, caseId: caseId as string } : { orderId, lineId };
        if (isNothing(is)) return { asOf, view, of: asked, is: undefined };
        const document = this.#viewDocument(is, view);
        return document === undefined ? undefined : { asOf, view, of: asked, is: document };
      }
      case "order": {
        const orderId = this.#viewedOrder(node, fields);
        if (orderId === undefined) return undefined;
        if (isNothing(is)) return { asOf, view, orderId, is: undefined };
        const document = this.#viewDocument(is, view);
        return document === undefined ? undefined : { asOf, view, orderId, is: document };
      }
    }
  }

  #viewedOrder(node: Node, fields: Fields): string | undefined {
    const orderId = this.#optional(fields, "of", (of) => this.#id(of, "of")) ?? this.#order;
    return orderId ?? this.#fault(node, "which order is missing: `of`, or `order` for the whole scenario");
  }

  #rows(is: Node, what: "orders" | "cases", keys: keyof typeof viewKeys): readonly JsonObject[] | undefined {
    const found = this.#deref(is);
    if (!isSeq(found)) return this.#fault(is, `is: a list of ${what}, [] for none`);
    if (found.items.length > mostRows) return this.#fault(is, `is: at most ${mostRows} ${what}`);
    return this.#items(found)
      .map((row) => this.#viewDocument(row, keys))
      .filter((row) => row !== undefined);
  }

  /** The part of a view's document that is expected; it names at least one key, else it would check nothing. */
  #viewDocument(node: Node, view: keyof typeof viewKeys): JsonObject | undefined {
    const fields = this.#fields(
      node,
      `is: ${view === "refundRows" ? "refundHistory" : view}`,
      viewKeys[view],
    );
    if (fields?.size === 0) return this.#fault(node, "is: names no key, and so checks nothing");
    return fields === undefined ? undefined : (this.#plain(node, true) as JsonObject);
  }

  #scope(field: Field | undefined): Scope {
    if (field === undefined) return "all";
    const actor = this.#actor(field.value, field.key);
    if (actor?.role === "merchant") return { merchantId: actor.id };
    if (actor !== undefined && actor.role !== "buyer") this.#fault(field.value, "of: a buyer or a merchant");
    return { buyerId: actor?.id ?? "" };
  }

  #filter(node: Node): OrderFilter {
    const fields = this.#fields(node, "where", ["statuses", "rating", "hasRefund", "from", "to", "text"]);
    if (fields === undefined) return {};
    return {
      statuses: this.#words<OrderStatus>(fields, "statuses", orderStatuses),
      rating: this.#optional(fields, "rating", (value) => this.#oneOf(value, "rating", ratings)),
      hasRefund: this.#optional(fields, "hasRefund", (value) => this.#flag(value)),
      from: this.#optional(fields, "from", (value) => this.#instant(value, "from")),
      to: this.#optional(fields, "to", (value) => this.#instant(value, "to")),
      text: this.#optional(fields, "text", (value) => this.#text(value, "text")),
    };
  }

  #caseFilter(node: Node): CaseFilter {
    const fields = this.#fields(node, "where", ["statuses", "types", "from", "to"]);
    if (fields === undefined) return {};
    return {
      statuses: this.#words(fields, "statuses", caseStatuses),
      types: this.#words(fields, "types", caseTypes),
      from: this.#optional(fields, "from", (value) => this.#instant(value, "from")),
      to: this.#optional(fields, "to", (value) => this.#instant(value, "to")),
    };
  }

  #waitsFor(node: Node): readonly Party[] | undefined {
    const fields = this.#fields(node, "where", ["waitsFor"]);
    return fields === undefined ? undefined : this.#words(fields, "waitsFor", parties);
  }

  #words<T extends string>(fields: Fields, name: string, known: readonly T[]): readonly T[] | undefined {
    if (!fields.has(name)) return undefined;
    return this.#list(fields.get(name), name)
      .map((word) => this.#oneOf<T>(word, name, known))
      .filter((word) => word !== undefined);
  }

  // --- time ---

  /** When a step happens. The clock goes on to it, and never back. */
  #moment(fields: Fields): number {
    const at = this.#optional(fields, "at", (node) => this.#instant(node, "at"));
    const after = this.#optional(fields, "after", (node) => this.#duration(node));
    if (fields.has("at") && fields.has("after")) {
      this.#fault(fields.get("after")?.key, "after: stands beside `at`, and only one of them can be meant");
    }
    const moment = at ?? this.#now + (after ?? 0);
    if (moment > limits.latest) this.#fault(fields.get("after")?.value, "after: leads past the year 9999");
    this.#now = Math.max(this.#now, moment);
    return moment;
  }

  #instant(node: Node | undefined, what: string): number | undefined {
    if (node === undefined) return undefined;
    const text = this.#text(node, what);
    if (text === undefined) return undefined;
    const at = readInstant(text);
    return (
      at ??
      this.#fault(node, `${what}: an instant such as 2026-01-31T08:00:00Z, and is ${JSON.stringify(text)}`)
    );
  }

  #duration(node: Node): number | undefined {
    const text = this.#text(node, "after");
    if (text === undefined) return undefined;
    const after = durationOf(text);
    return (
      after ??
      this.#fault(node, `after: a duration such as 30m, 15d or 1h 30m 1s, and is ${JSON.stringify(text)}`)
    );
  }

  // --- nodes ---

  #fields(given: Node, what: string, allowed?: readonly string[]): Fields | undefined {
    const node = this.#deref(given);
    if (!isMap(node)) return this.#fault(given, `${what}: must be a mapping`);
    const fields = new Map<string, Field>();
    for (const { key, value } of node.items) {
      const name = String((key as Scalar).value);
      if (allowed !== undefined && !allowed.includes(name)) {
        this.#fault(
          key as Node,
          `${what}: unknown key ${JSON.stringify(name)}${meant(nearest(name, allowed))}`,
        );
      }
      fields.set(name, { key: key as Node, value: isNode(value) && !isNull(value) ? value : undefined });
    }
    return fields;
  }

  #needed(parent: Node, fields: Fields, name: string): Node | undefined {
    const field = fields.get(name);
    if (field === undefined) return this.#fault(parent, `${name} is missing`);
    return field.value ?? this.#fault(field.key, `${name} is empty`);
  }

  #optional<T>(fields: Fields, name: string, read: (node: Node) => T | undefined): T | undefined {
    const field = fields.get(name);
    if (field === undefined) return undefined;
    return field.value === undefined ? this.#fault(field.key, `${name} is empty`) : read(field.value);
  }

  #list(field: Field | undefined, what: string): readonly Node[] {
    if (field === undefined || field.value === undefined) return [];
    const node = this.#deref(field.value);
    if (isSeq(node)) return this.#items(node);
    this.#fault(field.value, `${what}: must be a list`);
    return [];
  }

  #items(node: { readonly items: readonly unknown[] }): readonly Node[] {
    return node.items as readonly Node[];
  }

  #text(given: Node | undefined, what: string): string | undefined {
    if (given === undefined) return undefined;
    const node = this.#deref(given);
    if (isScalar(node) && typeof node.value === "string" && node.value !== "") return node.value;
    return this.#fault(given, `${what}: must be text`);
  }

  #id(node: Node, what: string): string | undefined {
    const text = this.#text(node, what);
    return text === undefined || isId(text)
      ? text
      : this.#fault(node, `${what}: must be an id, and is ${JSON.stringify(text)}`);
  }

  #flag(given: Node): boolean | undefined {
    const value = this.#plain(given);
    return typeof value === "boolean" ? value : this.#fault(given, "must be true or false");
  }

  #oneOf<T extends string>(node: Node | undefined, what: string, known: readonly T[]): T | undefined {
    const text = this.#text(node, what);
    if (text === undefined || known.includes(text as T)) return text as T | undefined;
    return this.#fault(
      node,
      `${what}: no such ${JSON.stringify(text)}${meant(nearest(text, known))}; there are ${known.join(", ")}`,
    );
  }

  /** A node as JSON; with `instants`, text under a key that holds an instant becomes its milliseconds. */
  #plain(given: Node | null | undefined, instants = false, depth = 0): Json {
    if (!isNode(given)) return null;
    if (depth > deepest) this.#exhaust(given, `nested deeper than ${deepest} levels`);
    const node = this.#deref(given);
    if (isSeq(node)) return this.#items(node).map((item) => this.#plain(item, instants, depth + 1));
    if (isMap(node)) {
      const pairs = node.items.map(({ key, value }): [string, Json] => {
        const name = String((key as Scalar).value);
        const item = this.#plain(
          value as Node | null,
          instants && name !== "source" && name !== "personal",
          depth + 1,
        );
        const at = instants && isInstantKey(name) && typeof item === "string" ? readInstant(item) : undefined;
        return [name, at ?? item];
      });
      return Object.fromEntries(pairs);
    }
    const { value, tag } = node as Scalar;
    if (tag === "!code" || tag === "!codeHash") return this.#code(node, String(value), tag);
    if (typeof value === "number" && !Number.isFinite(value))
      return this.#fault(given, "no number of JSON") ?? null;
    return value as Json;
  }

  #code(node: Node, orderId: string, tag: string): Json {
    const key = this.#redeemKey;
    if (key === undefined) return this.#fault(node, `${tag}: the scenario has no redeemKey`) ?? "unknown";
    const code = redemptionCode(key, orderId);
    return tag === "!code" ? code : codeHash(key, code);
  }

  /** The node itself, or the one that an alias stands for; each is paid for out of what a document may come to. */
  #deref(node: Node): Node {
    this.#nodes += 1;
    if (this.#nodes > mostNodes) this.#exhaust(node, `the document comes to more than ${mostNodes} nodes`);
    return isAlias(node) ? (this.#aliases.get(node) ?? node) : node;
  }

  // --- faults ---

  #fault(node: Node | undefined, message: string): undefined {
    this.#faults.push({ ...(node === undefined ? this.#placeOf(0) : this.#place(node)), message });
    return undefined;
  }

  #exhaust(node: Node, message: string): never {
    this.#fault(node, message);
    throw new Exhausted(message);
  }

  /** The faults that a schema found in a node's value, each at the place that it names. */
  #issues(node: Node, what: string, issues: readonly Issue[], whole = node): undefined {
    for (const issue of issues) {
      const at = issue.field === "" || issue.field === "type" ? whole : this.#inside(node, issue.field);
      this.#fault(at, `${what}: ${describeIssue(issue)}`);
    }
  }

  /** The key or item that a path such as `lines[2].unitPrice` leads to, or as far as it leads. */
  #inside(node: Node, path: string): Node {
    let at = node;
    let within: Node | undefined = node;
    for (const step of path.match(/[^.[\]]+/g) ?? []) {
      const found: Node | undefined = within === undefined ? undefined : this.#deref(within);
      if (isMap(found)) {
        const pair: { key: unknown; value: unknown } | undefined = found.items.find(
          ({ key }) => (key as Scalar).value === step,
        );
        if (pair === undefined) break;
        at = pair.key as Node;
        within = isNode(pair.value) ? pair.value : undefined;
      } else if (isSeq(found) && isNode(found.items[Number(step)])) {
        at = found.items[Number(step)] as Node;
        within = at;
      } else {
        break;
      }
    }
    return at;
  }

  #place(node: Node): Place {
    return this.#placeOf(node.range?.[0] ?? 0);
  }

  #placeOf(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }
}

/** What the engine does without being given a command. */
const engineWork = ["due", "refunds", "restart"] as const;

const viewNames: readonly ViewExpected["view"][] = [
  "statistics",
  "orders",
  "order",
  "refundHistory",
  "refund",
  "queue",
  "provider",
  "wallet",
];

/** Whether a view is a list that can be narrowed. */
function isNarrowed(view: ViewExpected["view"], of: Field | undefined): boolean {
  return view === "orders" || view === "queue" || (view === "refundHistory" && isActor(of));
}

/** Whose history, rather than which order's: ids of orders have no role before them. */
function isActor(field: Field | undefined): boolean {
  const text = scalarOf(field?.value);
  return typeof text === "string" && /^(?:buyer|merchant):/.test(text);
}

function isNothing(node: Node): boolean {
  return scalarOf(node) === "nothing";
}

function scalarOf(node: Node | undefined): unknown {
  return isScalar(node) ? node.value : undefined;
}

function meant(suggestion: string | undefined): string {
  return suggestion === undefined ? "" : ` (did you mean ${suggestion}?)`;
}

function isNull(node: Node): boolean {
  return isScalar(node) && node.value === null;
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function durationOf(text: string): number | undefined {
  if (!/^\d{1,9}(?:ms|s|m|h|d)(?: ?\d{1,9}(?:ms|s|m|h|d))*$/.test(text)) return undefined;
  let sum = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|s|m|h|d)/g))
    sum += Number(count) * (units[unit as string] as number);
  return sum;
}
