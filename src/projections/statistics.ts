// Order statistics: the six counts of apifm's orderStatistics (S0:121-126) and the sums beside them, per buyer, per merchant, in all.

import { type CaseEvent, caseEventTypes, isCaseEvent } from "../domain/caseEvents.ts";
import {
  type CaseStatus,
  caseStatusAfter,
  caseStatusImported,
  caseStatuses,
  isOpen,
} from "../domain/caseLifecycle.ts";
import type { OrderEvent } from "../domain/events.ts";
import { type ChartStatus, statusAfter } from "../domain/lifecycle.ts";
import { type ExactSum, exactSum } from "../domain/money.ts";
import type { CaseType } from "../domain/terms.ts";
import { type Database, prepared } from "../store/database.ts";
import { type Change, type View, type Writer, addChange, textRows } from "./view.ts";

/** What one order adds to the counts. */
export interface Tally {
  readonly merchantId: string;
  readonly buyerId: string;
  readonly currency: string;
  readonly status: ChartStatus;
  readonly reviewed: boolean;
  readonly hiddenByBuyer: boolean;
  readonly hiddenByMerchant: boolean;
  readonly lines: number;
  readonly units: number;
  readonly paid: number;
  readonly refunded: number;
  readonly unitsReturned: number;
  readonly closedByRefund: boolean;
  readonly cases: readonly CaseTally[];
}

interface CaseTally {
  readonly caseId: string;
  readonly type: CaseType;
  readonly status: CaseStatus;
  /** By the merchant, from the merchant's counts (ruling 9). */
  readonly hidden: boolean;
}

/** The counts of one scope, by S0's names; sums of money in minor units by currency. */
export interface Statistics {
  /** 待支付: waits for confirmation or payment. */
  readonly count_id_no_pay: number;
  /** 已支付等待商家发货: paid, waits to be shipped. */
  readonly count_id_no_transfer: number;
  /** 商家已发货,等待确认收货: shipped, waits for receipt. */
  readonly count_id_no_confirm: number;
  /** 交易成功,等待评价: completed, not reviewed. */
  readonly count_id_no_reputation: number;
  /** 交易成功,且已评价: completed and reviewed. */
  readonly count_id_success: number;
  /** 关闭: cancelled or closed. */
  readonly count_id_close: number;
  /** Visible orders: the sum of the six. */
  readonly orders: number;
  readonly lines: number;
  readonly units: number;
  readonly paid: Readonly<Record<string, ExactSum>>;
  readonly refunded: Readonly<Record<string, ExactSum>>;
  /** After-sale cases by status. */
  readonly cases: Readonly<Record<string, number>>;
  /** Those of them that wait for somebody. */
  readonly casesOpen: number;
  /** Units sent back and refunded, or cancelled before they were sent. */
  readonly unitsReturned: number;
  /** Orders that were closed because all was refunded and returned. */
  readonly closedByRefund: number;
}

/**
 * The columns that are counted, in the order of a row; what was paid stands behind them. One column each: with as many units as an order
 * can have, it takes 4,600,000 orders to overflow one, and 4,500 to be told by the nearest number only.
 */
const counted = [
  "no_pay",
  "no_transfer",
  "no_confirm",
  "no_reputation",
  "success",
  "closed",
  "lines",
  "units",
] as const;

/** What few orders have, counted in rows of its own, so that the others cost nothing. */
type Aftermath = CaseStatus | "refunded_amount" | "units_returned" | "closed_by_refund";

const linesAt = counted.indexOf("lines");
const unitsAt = counted.indexOf("units");
const paidAt = counted.length;

/** A sum of money stands in two columns, `high * base + low`, since a thousand payments may be more than one holds; 0 <= low < base. */
const base = 10 ** 15;
const exactBase = BigInt(base);

const columns = [...counted, "paid_high", "paid_low"] as const;

/** How a sum in two columns grows by what an insert brought. */
function grown(high: string, low: string): string {
  return (
    `${high} = ${high} + excluded.${high} + (${low} + excluded.${low} >= ${base}), ` +
    `${low} = (${low} + excluded.${low}) % ${base}`
  );
}

/** A sum as its two columns have it; of one below nothing `high` is, and `low` is not. */
function parted(sum: Sum): readonly [high: number, low: number] {
  if (typeof sum === "number" && sum >= 0 && sum < base) return [0, sum];
  const exact = BigInt(sum);
  const low = ((exact % exactBase) + exactBase) % exactBase;
  return [Number((exact - low) / exactBase), Number(low)];
}

function joined(high: number, low: number): ExactSum {
  const near = high * base + low;
  // Rounding never makes a safe integer of a sum beyond them.
  return Number.isSafeInteger(near) ? near : exactSum(BigInt(high) * exactBase + BigInt(low));
}

/** Which of the six counts an order stands in. */
function bucketOf({ status, reviewed }: Tally): number {
  switch (status) {
    case "none":
    case "pendingConfirmation":
    case "pendingPayment":
      return 0;
    case "paid":
      return 1;
    case "shipped":
      return 2;
    case "completed":
      return reviewed ? 4 : 3;
    case "cancelled":
    case "closed":
      return 5;
  }
}

function fold(tally: Tally | undefined, event: OrderEvent): Tally | undefined {
  if (tally === undefined) {
    if (event.type !== "OrderCreated") return undefined;
    const { merchantId, buyerId, currency, lineCount, units } = event.data;
    return {
      merchantId,
      buyerId,
      currency,
      // To be confirmed or to be paid: one count, so the terms need not be read. A free order is paid by the append's next event.
      status: statusAfter("none", event, "payable"),
      reviewed: false,
      hiddenByBuyer: false,
      hiddenByMerchant: false,
      lines: lineCount,
      units,
      paid: 0,
      refunded: 0,
      unitsReturned: 0,
      closedByRefund: false,
      cases: [],
    };
  }
  if (isCaseEvent(event)) return foldCase(tally, event);
  const status = statusAfter(tally.status, event);
  switch (event.type) {
    case "OrderPaid":
    case "LatePaymentReceived":
      return { ...tally, status, paid: tally.paid + event.data.amount };
    case "OrderClosedByRefund":
      return { ...tally, status, closedByRefund: true, unitsReturned: event.data.returnedUnits };
    case "OrderReviewed":
      return { ...tally, status, reviewed: true };
    case "OrderHidden":
      return event.data.from === "buyer"
        ? { ...tally, hiddenByBuyer: true }
        : { ...tally, hiddenByMerchant: true };
    default:
      return status === tally.status ? tally : { ...tally, status };
  }
}

function foldCase(tally: Tally, event: CaseEvent): Tally {
  const { caseId } = event.data;
  const place = tally.cases.findIndex((one) => one.caseId === caseId);
  const before = tally.cases[place];
  if (event.type === "RefundApplied" || event.type === "RefundImported") {
    if (before !== undefined) return tally;
    const status = event.type === "RefundApplied" ? "requested" : caseStatusImported(event.data.status);
    const opened: CaseTally = { caseId, type: event.data.caseType, status, hidden: false };
    return { ...tally, cases: [...tally.cases, opened] };
  }
  if (before === undefined) return tally;
  const type = event.type === "ExchangeConverted" ? event.data.toType : before.type;
  const status = caseStatusAfter(before.status, event.type, before.type);
  const hidden = before.hidden || event.type === "RefundHidden";
  const cases = tally.cases.with(place, { caseId, type, status, hidden });
  if (event.type !== "RefundSettled") {
    return status === before.status && hidden === before.hidden ? tally : { ...tally, cases };
  }
  const { amount, quantity } = event.data;
  return {
    ...tally,
    cases,
    refunded: tally.refunded + amount,
    unitsReturned: tally.unitsReturned + quantity,
  };
}

/** A sum: a bigint once it is more than a number holds exactly. */
type Sum = number | bigint;

type Row = Sum[];

function plus(sum: Sum, added: number): Sum {
  if (typeof sum === "number") {
    const next = sum + added;
    if (Number.isSafeInteger(next)) return next;
  }
  return BigInt(sum) + BigInt(added);
}

/** What is to be added to the rows of one currency. */
interface Added {
  readonly all: Row;
  readonly merchants: Map<string, Row>;
  readonly buyers: Map<string, Row>;
}

class StatisticsWriter implements Writer<Tally> {
  /** Of orders that were counted before: those that are new are counted at once. */
  readonly #changes = new Map<string, Change<Tally>>();
  readonly #added = new Map<string, Added>();
  readonly #add: ReturnType<Database["prepare"]>;
  /** By scope, currency and name, as one text. */
  readonly #aftermath = new Map<string, { readonly key: readonly [string, string, string]; count: Sum }>();
  readonly #addAftermath: ReturnType<Database["prepare"]>;

  constructor(database: Database, prefix: string) {
    const sums = counted.map((column) => `${column} = ${column} + excluded.${column}`).join(", ");
    this.#add = database.prepare(
      `INSERT INTO ${prefix} (scope, currency, ${columns.join(", ")})
       VALUES (?, ?${", ?".repeat(columns.length)})
       ON CONFLICT (scope, currency) DO UPDATE SET ${sums}, ${grown("paid_high", "paid_low")}`,
    );
    this.#addAftermath = database.prepare(
      `INSERT INTO ${prefix}_aftermath (scope, currency, name, high, low) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (scope, currency, name) DO UPDATE SET ${grown("high", "low")}`,
    );
  }

  change(orderId: string, before: Tally | undefined, after: Tally | undefined): void {
    if (before === after) return;
    if (before === undefined) this.#count(after as Tally, 1);
    else addChange(this.#changes, orderId, before, after);
  }

  get waiting(): number {
    let rows = this.#changes.size + this.#aftermath.size;
    for (const { merchants, buyers } of this.#added.values()) rows += merchants.size + buyers.size;
    return rows;
  }

  flush(): void {
    for (const { before, after } of this.#changes.values()) {
      this.#count(before as Tally, -1);
      if (after !== undefined) this.#count(after, 1);
    }
    this.#changes.clear();
    for (const [currency, { all, merchants, buyers }] of this.#added) {
      this.#write("all", currency, all);
      for (const [merchantId, row] of merchants) this.#write(`merchant:${merchantId}`, currency, row);
      for (const [buyerId, row] of buyers) this.#write(`buyer:${buyerId}`, currency, row);
    }
    this.#added.clear();
    for (const { key, count: added } of this.#aftermath.values()) {
      if (Number(added) !== 0) this.#addAftermath.run(...key, ...parted(added));
    }
    this.#aftermath.clear();
  }

  #write(scope: string, currency: string, row: Row): void {
    if (row.every((value) => Number(value) === 0)) return;
    this.#add.run(scope, currency, ...row.slice(0, paidAt), ...parted(row[paidAt] as Sum));
  }

  #count(tally: Tally, sign: 1 | -1): void {
    const { currency, merchantId, buyerId } = tally;
    let added = this.#added.get(currency);
    if (added === undefined) {
      added = { all: emptyRow(), merchants: new Map(), buyers: new Map() };
      this.#added.set(currency, added);
    }
    const bucket = bucketOf(tally);
    count(added.all, tally, bucket, sign);
    if (!tally.hiddenByMerchant) count(rowOf(added.merchants, merchantId), tally, bucket, sign);
    if (!tally.hiddenByBuyer) count(rowOf(added.buyers, buyerId), tally, bucket, sign);
    if (tally.cases.length > 0) this.#countAftermath(tally, sign);
  }

  #countAftermath(tally: Tally, sign: 1 | -1): void {
    const merchants = `merchant:${tally.merchantId}`;
    const scopes = ["all"];
    if (!tally.hiddenByMerchant) scopes.push(merchants);
    if (!tally.hiddenByBuyer) scopes.push(`buyer:${tally.buyerId}`);
    const names: (readonly [name: Aftermath, n: number, hidden?: boolean])[] = [
      ...tally.cases.map(({ status, hidden }) => [status, 1, hidden] as const),
      ["refunded_amount", tally.refunded],
      ["units_returned", tally.unitsReturned],
      ["closed_by_refund", tally.closedByRefund ? 1 : 0],
    ];
    for (const scope of scopes) {
      for (const [name, n, hidden] of names) {
        if (hidden === true && scope === merchants) continue;
        const key = [scope, tally.currency, name] as const;
        const text = key.join(" ");
        const known = this.#aftermath.get(text);
        if (known === undefined) this.#aftermath.set(text, { key, count: sign * n });
        else known.count = plus(known.count, sign * n);
      }
    }
  }
}

function emptyRow(): Row {
  return [0, 0, 0, 0, 0, 0, 0, 0, 0];
}

function rowOf(rows: Map<string, Row>, id: string): Row {
  let row = rows.get(id);
  if (row === undefined) {
    row = emptyRow();
    rows.set(id, row);
  }
  return row;
}

function count(row: Row, { lines, units, paid }: Tally, bucket: number, sign: 1 | -1): void {
  row[bucket] = plus(row[bucket] as Sum, sign);
  row[linesAt] = plus(row[linesAt] as Sum, sign * lines);
  row[unitsAt] = plus(row[unitsAt] as Sum, sign * units);
  row[paidAt] = plus(row[paidAt] as Sum, sign * paid);
}

export const statisticsView: View<Tally> = {
  name: "statistics",
  version: 4,
  reads: {
    ...Object.fromEntries(caseEventTypes.map((type) => [type, true])),
    OrderClosedByRefund: true,
    OrderCreated: { before: "lines" },
    OrderPaid: true,
    LatePaymentReceived: true,
    OrderCancelled: false,
    OrderExpired: false,
    OrderShipped: false,
    OrderRedeemed: false,
    ReceiptConfirmed: false,
    OrderReviewed: false,
    OrderHidden: true,
  },
  timeless: true,
  tables: (prefix) => [
    {
      name: prefix,
      sql: `CREATE TABLE ${prefix} (scope TEXT NOT NULL, currency TEXT NOT NULL,
        ${columns.map((column) => `${column} INTEGER NOT NULL`).join(", ")},
        PRIMARY KEY (scope, currency)) WITHOUT ROWID`,
    },
    {
      name: `${prefix}_aftermath`,
      sql: `CREATE TABLE ${prefix}_aftermath (scope TEXT NOT NULL, currency TEXT NOT NULL, name TEXT NOT NULL,
        high INTEGER NOT NULL, low INTEGER NOT NULL, PRIMARY KEY (scope, currency, name)) WITHOUT ROWID`,
    },
  ],
  fold,
  writer: (database, prefix) => new StatisticsWriter(database, prefix),
  // A count that came back to nothing is no count: a rebuild would not make the row.
  rows: (database, prefix) =>
    textRows(
      database,
      `SELECT json_array(scope, currency, ${columns.join(", ")}) AS row FROM ${prefix}
       WHERE ${columns.map((column) => `${column} <> 0`).join(" OR ")}
       UNION ALL SELECT json_array(scope, currency, name, high, low) AS row FROM ${prefix}_aftermath
       WHERE high <> 0 OR low <> 0 ORDER BY row`,
    ),
};

/** Whose counts: one buyer's, one merchant's, or all there are. */
export type Scope = "all" | { readonly buyerId: string } | { readonly merchantId: string };

/** What is counted in one currency, as it stands in a row. */
type StoredRow = readonly [currency: string, ...counts: number[]];

type StoredAftermath = readonly [currency: string, name: Aftermath, high: number, low: number];

let asked = { prefix: "", sql: "" };

/**
 * What is asked of a generation's tables: the same text each time, so that it need not be written again. The rows come as one text, which
 * costs a third of what they cost one by one.
 */
function questionOf(prefix: string): string {
  if (asked.prefix !== prefix) {
    const sql = `SELECT
      (SELECT json_group_array(json_array(currency, ${columns.join(", ")})) FROM ${prefix} WHERE scope = ?) AS counts,
      (SELECT json_group_array(json_array(currency, name, high, low)) FROM ${prefix}_aftermath
        WHERE scope = ? AND (high <> 0 OR low <> 0)) AS aftermath`;
    asked = { prefix, sql };
  }
  return asked.sql;
}

/** Reads the counts of a scope: a row a currency, however many orders there are, and those of its aftermath behind them. */
export function readStatistics(database: Database, prefix: string, scope: Scope): Statistics {
  const key =
    scope === "all" ? scope : "buyerId" in scope ? `buyer:${scope.buyerId}` : `merchant:${scope.merchantId}`;
  const [found] = prepared(database, questionOf(prefix)).all(key, key) as unknown as [
    { readonly counts: string; readonly aftermath: string },
  ];
  const rows = JSON.parse(found.counts) as readonly StoredRow[];
  const totals = emptyRow() as number[];
  const paid: Record<string, ExactSum> = {};
  for (const [currency, ...counts] of rows) {
    for (let at = 0; at < paidAt; at += 1) totals[at] = (totals[at] as number) + (counts[at] as number);
    const sum = joined(counts[paidAt] as number, counts[paidAt + 1] as number);
    if (sum !== 0) paid[currency] = sum;
  }
  const [
    noPay = 0,
    noTransfer = 0,
    noConfirm = 0,
    noReputation = 0,
    success = 0,
    closed = 0,
    lines = 0,
    units = 0,
  ] = totals;
  return {
    count_id_no_pay: noPay,
    count_id_no_transfer: noTransfer,
    count_id_no_confirm: noConfirm,
    count_id_no_reputation: noReputation,
    count_id_success: success,
    count_id_close: closed,
    orders: noPay + noTransfer + noConfirm + noReputation + success + closed,
    lines,
    units,
    paid,
    ...aftermathOf(JSON.parse(found.aftermath) as readonly StoredAftermath[]),
  };
}

function aftermathOf(
  rows: readonly StoredAftermath[],
): Pick<Statistics, "refunded" | "cases" | "casesOpen" | "unitsReturned" | "closedByRefund"> {
  const sums: { [N in Exclude<Aftermath, "refunded_amount">]?: number } = {};
  const refunded: Record<string, ExactSum> = {};
  for (const [currency, name, high, low] of rows) {
    if (name === "refunded_amount") refunded[currency] = joined(high, low);
    else sums[name] = (sums[name] ?? 0) + high * base + low;
  }
  const cases: Record<string, number> = {};
  let casesOpen = 0;
  for (const status of caseStatuses) {
    const n = sums[status] ?? 0;
    if (n === 0) continue;
    cases[status] = n;
    if (isOpen(status)) casesOpen += n;
  }
  return {
    refunded,
    cases,
    casesOpen,
    unitsReturned: sums.units_returned ?? 0,
    closedByRefund: sums.closed_by_refund ?? 0,
  };
}
