// What a scenario may expect, whether it is what happened, and where the two differ.

import { isDeepStrictEqual } from "node:util";

import { stringify } from "yaml";

import type { OrderEvent, OrderEventData, OrderEventType } from "../domain/events.ts";
import { type Json, type JsonObject, isObject } from "../domain/json.ts";
import { type Rejection, type RejectionCode, describeRejection } from "../domain/refusals.ts";
import type { Case } from "../domain/caseState.ts";
import type { Order } from "../domain/state.ts";
import type { CaseFilter, CaseRow, QueueFilter } from "../projections/cases.ts";
import type { OrderDetail } from "../projections/detail.ts";
import type { OrderFilter, OrderRow } from "../projections/orders.ts";
import type { CaseDetail, RefundDetail } from "../projections/refund.ts";
import type { Statistics } from "../projections/statistics.ts";

/** An event: its type alone where `data` is undefined, else with all of its data. */
export interface EventExpected {
  readonly type: OrderEventType;
  readonly data: JsonObject | undefined;
}

/** A broken rule: its code alone where `facts` is undefined, else with all of its facts. */
export interface RuleExpected {
  readonly code: RejectionCode;
  readonly facts: JsonObject | undefined;
}

export type OutcomeExpected =
  | { readonly kind: "accepted" }
  | { readonly kind: "events"; readonly events: readonly EventExpected[] }
  | { readonly kind: "repeat" }
  /** `all`: these are all rules that were broken, in order; else the first one is meant, whatever else was broken. */
  | { readonly kind: "refused"; readonly rules: readonly RuleExpected[]; readonly all: boolean };

interface ViewAsked {
  /** As it stood at this instant; now without it. */
  readonly asOf: number | undefined;
}

export type ViewExpected = ViewAsked &
  (
    | {
        readonly view: "statistics";
        readonly scope: NonNullable<OrderFilter["scope"]>;
        readonly is: JsonObject;
      }
    | { readonly view: "orders"; readonly filter: OrderFilter; readonly is: readonly JsonObject[] }
    /** `is` undefined: there is no such order. */
    | { readonly view: "order"; readonly orderId: string; readonly is: JsonObject | undefined }
    /** One order's cases, each in full; `is` undefined: there is no such order. */
    | {
        readonly view: "refundHistory";
        readonly orderId: string;
        readonly is: readonly JsonObject[] | undefined;
      }
    /** The cases of a buyer or a merchant, a row each. */
    | { readonly view: "refundHistory"; readonly filter: CaseFilter; readonly is: readonly JsonObject[] }
    | { readonly view: "queue"; readonly filter: QueueFilter; readonly is: readonly JsonObject[] }
    /** `is` undefined: there is no such case or line. */
    | { readonly view: "refund"; readonly of: RefundOf; readonly is: JsonObject | undefined }
    /** What the scripted payment provider or wallet has seen and done. */
    | { readonly view: "provider" | "wallet"; readonly is: JsonObject }
  );

/** A reply: all of it, or (`has`) what is named of it, at any depth. */
export type ReplyExpected = { readonly kind: "reply" | "has"; readonly is: Json };

/** A case, or the latest of a line. */
export type RefundOf = { readonly orderId: string } & (
  | { readonly caseId: string }
  | { readonly lineId: string }
);

/** What a command, or what fell due, came to: the events that the store holds now and did not hold before. */
export interface Outcome {
  readonly refused: Rejection | undefined;
  readonly repeat: boolean;
  readonly events: readonly Pick<OrderEvent, "type" | "data">[];
}

/** What was expected and what was there, both as a scenario would write them, and what else there is to say. */
export interface Difference {
  readonly expected: Json;
  readonly actual: Json;
  readonly note?: string | undefined;
}

// --- the keys that each document knows, held to their types by the compiler ---

type Keys<D> = { readonly [K in keyof D]-?: object extends Pick<D, K> ? "optional" : "required" };

const stock = { cause: "required", lines: "required" } as const;
const waybill = { caseId: "required", carrier: "required", trackingNumber: "required" } as const;
const payment = {
  payId: "required",
  amount: "required",
  channel: "required",
  method: "optional",
  tradeNo: "optional",
} as const;

/** The data of each event. */
export const eventKeys: { readonly [T in OrderEventType]: Keys<OrderEventData[T]> } = {
  OrderCreated: {
    orderId: "required",
    orderNo: "required",
    merchantId: "required",
    buyerId: "required",
    currency: "required",
    fulfilment: "required",
    lineCount: "required",
    units: "required",
    goods: "required",
    discount: "required",
    total: "required",
    payBy: "optional",
    lines: "required",
    charges: "required",
    terms: "required",
    redemption: "optional",
    personal: "optional",
    source: "optional",
  },
  OrderConfirmed: { payBy: "optional" },
  OrderPaid: payment,
  LatePaymentReceived: payment,
  OrderCancelled: { by: "required", reason: "optional" },
  OrderExpired: { payBy: "required" },
  StockDeducted: { ...stock, rule: "required" },
  StockReleased: stock,
  OrderShipped: { shipments: "required" },
  ShipmentCorrected: { shipments: "required" },
  OrderRedeemed: { staffId: "required", source: "optional" },
  ReceiptConfirmed: { by: "required" },
  OrderReviewed: { items: "required", personal: "optional" },
  OrderHidden: { from: "required" },
  PaymentAudited: {},
  GoodsPurchased: { reference: "optional" },
  TaxSurplusRecorded: { amount: "required" },
  TaxRefunded: { amount: "required" },
  StockRestored: stock,
  OrderClosedByRefund: { refunded: "required", returnedUnits: "required" },
  RefundApplied: {
    caseId: "required",
    origin: "required",
    lineId: "optional",
    payId: "optional",
    caseType: "required",
    quantity: "required",
    amount: "required",
    goodsReceived: "required",
    reason: "optional",
    causeType: "optional",
    personal: "optional",
  },
  RefundApproved: { caseId: "required", by: "required", amount: "required", personal: "optional" },
  RefundRejected: { caseId: "required", stage: "required", reason: "required" },
  RefundCancelled: { caseId: "required", from: "required" },
  RefundClosed: { caseId: "required", cause: "required", reason: "optional" },
  RefundHidden: { caseId: "required" },
  ReturnShipped: waybill,
  ReturnShipmentCorrected: waybill,
  ReturnReceived: { caseId: "required", dispositions: "required", personal: "optional" },
  RefundIssued: {
    caseId: "required",
    refundId: "required",
    attempt: "required",
    amount: "required",
    destination: "required",
    payId: "required",
  },
  RefundSettled: {
    caseId: "required",
    refundId: "required",
    amount: "required",
    quantity: "required",
    tradeNo: "optional",
  },
  RefundFailed: {
    caseId: "required",
    refundId: "required",
    failure: "required",
    retryable: "required",
    message: "optional",
  },
  ReplacementShipped: waybill,
  ReplacementReceived: { caseId: "required", by: "required" },
  ExchangeConverted: { caseId: "required", toType: "required", amount: "required" },
  RefundImported: {
    caseId: "required",
    source: "required",
    status: "required",
    lineId: "required",
    caseType: "required",
    quantity: "required",
    amount: "required",
    goodsReceived: "required",
    reason: "optional",
    raw: "required",
  },
};

const statisticsKeys: Readonly<Record<keyof Statistics, true>> = {
  count_id_no_pay: true,
  count_id_no_transfer: true,
  count_id_no_confirm: true,
  count_id_no_reputation: true,
  count_id_success: true,
  count_id_close: true,
  orders: true,
  lines: true,
  units: true,
  paid: true,
  refunded: true,
  cases: true,
  casesOpen: true,
  unitsReturned: true,
  closedByRefund: true,
};

const rowKeys: Readonly<Record<keyof OrderRow, true>> = {
  orderId: true,
  orderNo: true,
  merchantId: true,
  buyerId: true,
  status: true,
  createdAt: true,
  updatedAt: true,
  currency: true,
  total: true,
  paid: true,
  refunded: true,
  lines: true,
  units: true,
  title: true,
  fulfilment: true,
  ratings: true,
  hasRefund: true,
  refundStatus: true,
  hiddenByBuyer: true,
  hiddenByMerchant: true,
  dueAt: true,
};

const orderKeys: Readonly<Record<keyof Order | Exclude<keyof OrderDetail, "order">, true>> = {
  status: true,
  orderId: true,
  orderNo: true,
  merchantId: true,
  buyerId: true,
  currency: true,
  lines: true,
  charges: true,
  discount: true,
  goods: true,
  total: true,
  fulfilment: true,
  terms: true,
  createdAt: true,
  payBy: true,
  confirmedAt: true,
  payments: true,
  paid: true,
  paidAt: true,
  stock: true,
  shipments: true,
  shippedAt: true,
  receivedAt: true,
  receivedBy: true,
  redemption: true,
  endedAt: true,
  reviewedAt: true,
  ratings: true,
  hiddenByBuyerAt: true,
  hiddenByMerchantAt: true,
  procurement: true,
  tax: true,
  cases: true,
  tallies: true,
  refunded: true,
  inFlight: true,
  pausedSince: true,
  pausedFor: true,
  cancelRequestedAt: true,
  closedByRefund: true,
  lastAt: true,
  revision: true,
  log: true,
  deadlines: true,
  commands: true,
  ledger: true,
  hasRefund: true,
  refundStatus: true,
  refunds: true,
};

const caseRowKeys: Readonly<Record<keyof CaseRow, true>> = {
  orderId: true,
  caseId: true,
  number: true,
  orderNo: true,
  merchantId: true,
  buyerId: true,
  lineId: true,
  title: true,
  origin: true,
  type: true,
  status: true,
  quantity: true,
  currency: true,
  amount: true,
  amountAsked: true,
  reason: true,
  appliedAt: true,
  waitsFor: true,
  since: true,
  deadline: true,
  hiddenByMerchant: true,
  hiddenByBuyer: true,
};

const caseKeys: Readonly<Record<keyof Case | Exclude<keyof CaseDetail, "case">, true>> = {
  caseId: true,
  number: true,
  origin: true,
  lineId: true,
  payId: true,
  type: true,
  status: true,
  quantity: true,
  amount: true,
  amountAsked: true,
  goodsReceived: true,
  reason: true,
  causeType: true,
  appliedAt: true,
  imported: true,
  approvedAt: true,
  rejection: true,
  returnShipment: true,
  returned: true,
  replacement: true,
  convertedAt: true,
  attempts: true,
  settledQuantity: true,
  closedBy: true,
  endedAt: true,
  hiddenAt: true,
  note: true,
  evidence: true,
  returnAddress: true,
  steps: true,
  waiting: true,
  commands: true,
  deadline: true,
  log: true,
};

const refundKeys: Readonly<Record<Exclude<keyof RefundDetail, "refund">, true>> = {
  orderId: true,
  orderStatus: true,
  merchantId: true,
  buyerId: true,
  currency: true,
  revision: true,
  now: true,
  line: true,
  steps: true,
  refundable: true,
  convertible: true,
  application: true,
  reasons: true,
  commands: true,
};

/** What can be seen of a scripted side: its calls, the refunds that it took on, and what it has paid by currency. */
const portKeys = ["calls", "book", "paid"];

/** The keys of each view's document; of lists, those of one entry in it. */
export const viewKeys = {
  statistics: Object.keys(statisticsKeys),
  orders: Object.keys(rowKeys),
  order: Object.keys(orderKeys),
  /** Of one order's history: one case in full. */
  refundHistory: Object.keys(caseKeys),
  /** Of a buyer's or a merchant's history, and of the queue: a row. */
  refundRows: Object.keys(caseRowKeys),
  queue: Object.keys(caseRowKeys),
  refund: Object.keys({ ...caseKeys, ...refundKeys }),
  provider: portKeys,
  wallet: portKeys,
} satisfies Readonly<Record<ViewExpected["view"] | "refundRows", readonly string[]>>;

// --- comparing ---

/** Where what happened is not what was expected; undefined where it is. */
export function outcomeDifference(expected: OutcomeExpected, actual: Outcome): Difference | undefined {
  if (outcomeMeets(expected, actual)) return undefined;
  const { refused } = actual;
  return {
    expected: writtenExpected(expected),
    actual: writtenOutcome(expected, actual),
    note: refused === undefined ? undefined : describeRejection(refused),
  };
}

function outcomeMeets(expected: OutcomeExpected, { refused, repeat, events }: Outcome): boolean {
  switch (expected.kind) {
    case "accepted":
      return refused === undefined;
    case "repeat":
      return repeat && events.length === 0;
    case "events":
      return (
        refused === undefined &&
        !repeat &&
        events.length === expected.events.length &&
        expected.events.every(({ type, data }, index) => {
          const event = events[index] as Outcome["events"][number];
          return event.type === type && (data === undefined || isDeepStrictEqual(data, plainOf(event.data)));
        })
      );
    case "refused": {
      if (refused === undefined || events.length > 0) return false;
      const broken = rulesOf(refused);
      return (
        (!expected.all || broken.length === expected.rules.length) &&
        expected.rules.every(({ code, facts }, index) => {
          const rule = broken[index];
          return rule?.code === code && (facts === undefined || isDeepStrictEqual(facts, factsOf(rule)));
        })
      );
    }
  }
}

/** A refusal's rules in order, the first one first. */
function rulesOf(rejection: Rejection): readonly Rejection[] {
  return [rejection, ...(rejection.also ?? []).flatMap(rulesOf)];
}

function factsOf({ code: _code, also: _also, ...facts }: Rejection): Json {
  return plainOf(facts);
}

/** A document as JSON holds it: without what is undefined, revisions as numbers. */
export function plainOf(value: unknown): Json {
  return JSON.parse(
    JSON.stringify(value, (_key, item: unknown) => (typeof item === "bigint" ? Number(item) : item)),
  ) as Json;
}

/** The keys that are named must be there with exactly these values; null stands for what is absent. */
export function documentDifference(
  expected: JsonObject | undefined,
  actual: object | undefined,
  what = "an order",
): Difference | undefined {
  if (expected === undefined || actual === undefined) {
    if (expected === actual) return undefined;
    return {
      expected: expected === undefined ? "nothing" : written(expected),
      actual: actual === undefined ? "nothing" : what,
    };
  }
  const named = namedOf(expected, actual);
  return isDeepStrictEqual(expected, named)
    ? undefined
    : { expected: written(expected), actual: written(named) };
}

/** Where a reply is not what was expected; undefined where it is. */
export function replyDifference({ kind, is }: ReplyExpected, reply: Json): Difference | undefined {
  const seen = kind === "reply" ? reply : askedOf(is, reply);
  return isDeepStrictEqual(is, seen) ? undefined : { expected: is, actual: seen };
}

/** Of mappings the keys that are named, null for one that is absent; of lists every entry; all else as it is. */
function askedOf(asked: Json | undefined, found: Json): Json {
  if (isJsonList(asked) && isJsonList(found)) return found.map((one, index) => askedOf(asked[index], one));
  if (!isObject(asked) || !isObject(found)) return found;
  return Object.fromEntries(
    Object.entries(asked).map(([key, inside]) => [
      key,
      Object.hasOwn(found, key) ? askedOf(inside, found[key] as Json) : null,
    ]),
  );
}

/** Documents, and lists of documents, inside a document: of these, too, only what is named is looked at. */
const inner: ReadonlySet<string> = new Set(["cases", "attempts", "log", "refunds", "book", "steps"]);

function namedOf(expected: JsonObject, actual: object): JsonObject {
  const all = plainOf(actual) as JsonObject;
  return Object.fromEntries(
    Object.entries(expected).map(([key, asked]) => {
      const found = all[key] ?? null;
      return [key, inner.has(key) ? namedIn(asked, found) : found];
    }),
  );
}

/** What is there, with the keys that are named; a document too many in a list shows whole. */
function namedIn(asked: Json | undefined, found: Json): Json {
  if (isJsonList(asked) && isJsonList(found)) {
    return found.map((one, index) => namedIn(asked[index], one));
  }
  return isObject(asked) && isObject(found) ? namedOf(asked, found) : found;
}

function isJsonList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** As many documents, in this order, each as `documentDifference` has it; `shown` are the keys that show of one too many. */
export function listDifference(
  expected: readonly JsonObject[],
  actual: readonly object[],
  shown: readonly string[],
): Difference | undefined {
  const others = Object.fromEntries(shown.map((key) => [key, null]));
  const named = actual.map((row, index): JsonObject => namedOf(expected[index] ?? others, row));
  return isDeepStrictEqual(expected, named)
    ? undefined
    : { expected: expected.map(written), actual: named.map(written) };
}

// --- as a scenario writes it ---

const instantKey = /^(?:at|payBy|now|since|until|[a-z][A-Za-z]*(?:At|Since))$/;

/** Whether milliseconds stand under this key, which a scenario may write as text. */
export function isInstantKey(key: string): boolean {
  return instantKey.test(key);
}

/** A value with its instants as text. */
function written(value: Json): Json {
  if (Array.isArray(value)) return value.map(written);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      typeof item === "number" && isInstantKey(key) ? instantText(item) : written(item),
    ]),
  );
}

/** An instant in words of ISO 8601, without milliseconds where there are none. */
export function instantText(at: number): string {
  return Number.isInteger(at) && Math.abs(at) <= 8.64e15
    ? new Date(at).toISOString().replace(".000Z", "Z")
    : String(at);
}

function writtenExpected(expected: OutcomeExpected): Json {
  switch (expected.kind) {
    case "accepted":
    case "repeat":
      return expected.kind;
    case "events":
      return expected.events.length === 0
        ? "nothing"
        : expected.events.map(({ type, data }) => (data === undefined ? type : { [type]: written(data) }));
    case "refused": {
      const rules = expected.rules.map(({ code, facts }) =>
        facts === undefined ? code : { [code]: written(facts) },
      );
      return { refused: expected.all ? rules : (rules[0] as Json) };
    }
  }
}

/** What happened, in as much detail as was expected, so that the two differ in nothing but what is different. */
function writtenOutcome(expected: OutcomeExpected, { refused, repeat, events }: Outcome): Json {
  const inFull = new Set(
    expected.kind === "events"
      ? expected.events.flatMap(({ type, data }) => (data === undefined ? [] : [type]))
      : [],
  );
  const appended = events.map(({ type, data }): Json =>
    inFull.has(type) ? { [type]: written(plainOf(data)) } : type,
  );
  if (refused !== undefined) {
    const rules = rulesOf(refused).map((rule, index): Json => {
      const like = expected.kind === "refused" ? expected.rules[index] : undefined;
      return like?.facts !== undefined && like.code === rule.code
        ? { [rule.code]: written(factsOf(rule)) }
        : rule.code;
    });
    const said = { refused: expected.kind === "refused" && expected.all ? rules : (rules[0] as Json) };
    return appended.length === 0 ? said : [said, ...appended];
  }
  if (repeat) return appended.length === 0 ? "repeat" : ["repeat", ...appended];
  return appended.length === 0 ? "nothing" : appended;
}

// --- the difference in lines ---

/** Lines of YAML: `-` what was expected and not there, `+` what was there and not expected, two spaces what was both. */
export function diffLines({ expected, actual }: Difference): readonly string[] {
  const a = yamlLines(expected);
  const b = yamlLines(actual);
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  const both = (lines: readonly string[]): string[] => lines.map((text) => `  ${text}`);
  return [
    ...both(a.slice(0, start)),
    ...middle(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...both(a.slice(a.length - end)),
  ];
}

/** A value as lines of YAML. */
export function yamlLines(value: Json): readonly string[] {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false }).trimEnd().split("\n");
}

/** So many cells of the table below are still quick to fill. */
const mostCells = 4_000_000;

function middle(a: readonly string[], b: readonly string[]): string[] {
  const removed = a.map((text) => `- ${text}`);
  const added = b.map((text) => `+ ${text}`);
  if (a.length * b.length > mostCells) return [...removed, ...added];
  // longest[i][j]: how many lines the rests from i and j have in common.
  const longest = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  const at = (i: number, j: number): number => (longest[i] as Uint32Array)[j] as number;
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      (longest[i] as Uint32Array)[j] =
        a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: string[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      lines.push(`  ${a[i] as string}`);
      i += 1;
      j += 1;
    } else if (at(i + 1, j) >= at(i, j + 1)) {
      lines.push(removed[i] as string);
      i += 1;
    } else {
      lines.push(added[j] as string);
      j += 1;
    }
  }
  return [...lines, ...removed.slice(i), ...added.slice(j)];
}
