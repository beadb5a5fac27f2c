// What a scenario may expect, whether it is what happened, and where the two differ.

import { isDeepStrictEqual } from "node:util";

import { stringify } from "yaml";

import type { OrderEvent, OrderEventData, OrderEventType } from "../domain/events.ts";
import type { Json } from "../domain/json.ts";
import { type Rejection, type RejectionCode, describeRejection } from "../domain/refusals.ts";
import type { Order } from "../domain/state.ts";
import type { OrderDetail } from "../projections/detail.ts";
import type { OrderFilter, OrderRow } from "../projections/orders.ts";
import type { Statistics } from "../projections/statistics.ts";

export type JsonMap = { readonly [key: string]: Json };

/** An event: its type alone where `data` is undefined, else with all of its data. */
export interface EventExpected {
  readonly type: OrderEventType;
  readonly data: JsonMap | undefined;
}

/** A broken rule: its code alone where `facts` is undefined, else with all of its facts. */
export interface RuleExpected {
  readonly code: RejectionCode;
  readonly facts: JsonMap | undefined;
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
    | { readonly view: "statistics"; readonly scope: NonNullable<OrderFilter["scope"]>; readonly is: JsonMap }
    | { readonly view: "orders"; readonly filter: OrderFilter; readonly is: readonly JsonMap[] }
    /** `is` undefined: there is no such order. */
    | { readonly view: "order"; readonly orderId: string; readonly is: JsonMap | undefined }
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

const line = { cause: "required", lines: "required" } as const;
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
  StockDeducted: { ...line, rule: "required" },
  StockReleased: line,
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
  StockRestored: line,
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

/** The keys of each view's document; of `orders`, those of one order in it. */
export const viewKeys: Readonly<Record<ViewExpected["view"], readonly string[]>> = {
  statistics: Object.keys(statisticsKeys),
  orders: Object.keys(rowKeys),
  order: Object.keys(orderKeys),
};

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
  expected: JsonMap | undefined,
  actual: object | undefined,
): Difference | undefined {
  if (expected === undefined || actual === undefined) {
    if (expected === actual) return undefined;
    return {
      expected: expected === undefined ? "nothing" : written(expected),
      actual: actual === undefined ? "nothing" : "an order",
    };
  }
  const named = namedOf(expected, actual);
  return isDeepStrictEqual(expected, named)
    ? undefined
    : { expected: written(expected), actual: written(named) };
}

function namedOf(expected: JsonMap, actual: object): JsonMap {
  const all = plainOf(actual) as JsonMap;
  return Object.fromEntries(Object.keys(expected).map((key) => [key, all[key] ?? null]));
}

/** As many documents, in this order, each as `documentDifference` has it. */
export function listDifference(
  expected: readonly JsonMap[],
  actual: readonly OrderRow[],
): Difference | undefined {
  const named = actual.map((row, index): JsonMap =>
    namedOf(expected[index] ?? { orderId: null, status: null }, row),
  );
  return isDeepStrictEqual(expected, named)
    ? undefined
    : { expected: expected.map(written), actual: named.map(written) };
}

// --- as a scenario writes it ---

const instantKey = /^(?:at|payBy|[a-z][A-Za-z]*At)$/;

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
  const a = linesOf(expected);
  const b = linesOf(actual);
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

function linesOf(value: Json): readonly string[] {
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
