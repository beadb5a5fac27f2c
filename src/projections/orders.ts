// The order list: one row an order, for filtered, stably paged lists per buyer, per merchant and in all.

import { type Deadline, deadlinesOf } from "../domain/deadlines.ts";
import { type Rating, orderEventTypes } from "../domain/events.ts";
import { type OrderStatus, orderStatuses } from "../domain/lifecycle.ts";
import { type Order, type OrderState, evolve, hasOpenCase, initialState } from "../domain/state.ts";
import { type Database, prepared } from "../store/database.ts";
import { isCount, limitOf, offsetOf, readCursor, writeCursor } from "./page.ts";
import type { Scope } from "./statistics.ts";
import { type Change, type View, type Writer, addChange, textRows } from "./view.ts";

/** An order in a list. Amounts in minor units, instants in milliseconds UTC. */
export interface OrderRow {
  readonly orderId: string;
  readonly orderNo: string;
  readonly merchantId: string;
  readonly buyerId: string;
  readonly status: OrderStatus;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly currency: string;
  readonly total: number;
  readonly paid: number;
  /** Settled refunds. */
  readonly refunded: number;
  readonly lines: number;
  readonly units: number;
  /** Title of the first line. */
  readonly title: string;
  readonly fulfilment: Order["fulfilment"];
  /** The ratings that its lines were given; empty before a review. */
  readonly ratings: readonly Rating[];
  /** It has a case, whatever became of it. */
  readonly hasRefund: boolean;
  /** Whether one of its cases waits for somebody, all have ended, or there are none. */
  readonly refundStatus: "open" | "ended" | "none";
  readonly hiddenByBuyer: boolean;
  readonly hiddenByMerchant: boolean;
  /** When its next deadline passes. */
  readonly dueAt: number | undefined;
}

export interface OrderFilter {
  readonly scope?: Scope | undefined;
  readonly statuses?: readonly OrderStatus[] | undefined;
  /** The one order of this number, if it is there. */
  readonly orderNo?: string | undefined;
  /** Of the completed ones those that were reviewed, or those that were not; the others all the same. */
  readonly reviewed?: boolean | undefined;
  /** Orders with a line that was rated so. */
  readonly rating?: Rating | undefined;
  readonly hasRefund?: boolean | undefined;
  /** Whether the merchant has cancelled it though it was paid (ruling 1). */
  readonly cancelRequested?: boolean | undefined;
  /** Created at or after, and before, these instants. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Words of titles or numbers; every word must stand in the order. */
  readonly text?: string | undefined;
  /** Orders a page, 1 to 1000; 20 without it. */
  readonly limit?: number | undefined;
  /** The `next` of the page before. */
  readonly cursor?: string | undefined;
  /** How many orders to leave out first, for pages by number; what is created meanwhile shifts those. */
  readonly offset?: number | undefined;
}

export interface OrderPage {
  /** Newest first; orders of one instant in the order of their ids, descending. */
  readonly orders: readonly OrderRow[];
  /** Give it as `cursor` for the next page; undefined at the end. What is created meanwhile does not shift the pages. */
  readonly next: string | undefined;
}

const ratingBits: Readonly<Record<Rating, number>> = { bad: 1, neutral: 2, good: 4 };

/** Every rating, worst first. */
const ratingNames = Object.keys(ratingBits) as readonly Rating[];

function ratingMask(ratings: readonly Rating[]): number {
  return ratings.reduce((mask, rating) => mask | ratingBits[rating], 0);
}

/** The earliest deadline that stands. */
function nextDue(order: Order): number | null {
  const due: Deadline | undefined = deadlinesOf(order)[0];
  return due?.dueAt ?? null;
}

class OrdersWriter implements Writer<OrderState> {
  readonly #changes = new Map<string, Change<OrderState>>();
  readonly #insert: ReturnType<Database["prepare"]>;
  readonly #update: ReturnType<Database["prepare"]>;
  readonly #delete: ReturnType<Database["prepare"]>;

  constructor(database: Database, prefix: string) {
    this.#insert = database.prepare(
      `INSERT INTO ${prefix} (order_id, status, updated_at, paid, refunded, cases, open, ratings, hidden, due_at, order_no,
         merchant_id, buyer_id, created_at, currency, total, lines, units, title, fulfilment, code_hash)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#update = database.prepare(
      `UPDATE ${prefix} SET status = ?, updated_at = ?, paid = ?, refunded = ?, cases = ?, open = ?, ratings = ?, hidden = ?, due_at = ?
       WHERE order_id = ?`,
    );
    this.#delete = database.prepare(`DELETE FROM ${prefix} WHERE order_id = ?`);
  }

  change(orderId: string, before: OrderState | undefined, after: OrderState | undefined): void {
    addChange(this.#changes, orderId, before, after);
  }

  get waiting(): number {
    return this.#changes.size;
  }

  flush(): void {
    for (const [orderId, { before, after }] of this.#changes) {
      const known = before !== undefined && before.status !== "none";
      if (after === undefined || after.status === "none") {
        if (known) this.#delete.run(orderId);
      } else if (known) {
        this.#update.run(...moving(after), orderId);
      } else {
        const units = after.lines.reduce((sum, line) => sum + line.quantity, 0);
        this.#insert.run(
          orderId,
          ...moving(after),
          after.orderNo,
          after.merchantId,
          after.buyerId,
          after.createdAt,
          after.currency,
          after.total,
          after.lines.length,
          units,
          after.lines[0]?.title ?? "",
          after.fulfilment,
          after.redemption?.codeHash ?? null,
        );
      }
    }
    this.#changes.clear();
  }
}

/** What of an order's row changes over its life. */
function moving(order: Order): [...status: number[], dueAt: number | null] {
  const hidden =
    (order.hiddenByBuyerAt === undefined ? 0 : 1) + (order.hiddenByMerchantAt === undefined ? 0 : 2);
  return [
    orderStatuses.indexOf(order.status),
    order.lastAt,
    order.paid,
    order.refunded,
    order.cases.length,
    (hasOpenCase(order) ? 1 : 0) + (order.cancelRequestedAt === undefined ? 0 : 2),
    ratingMask(order.ratings),
    hidden,
    nextDue(order),
  ];
}

export const ordersView: View<OrderState> = {
  name: "orders",
  version: 5,
  reads: Object.fromEntries(orderEventTypes.map((type) => [type, true])),
  ofState: true,
  tables: (prefix) => [
    {
      name: prefix,
      sql: `CREATE TABLE ${prefix} (
        order_id TEXT PRIMARY KEY, status INTEGER NOT NULL, updated_at INTEGER NOT NULL, paid INTEGER NOT NULL,
        refunded INTEGER NOT NULL, cases INTEGER NOT NULL, open INTEGER NOT NULL, ratings INTEGER NOT NULL, hidden INTEGER NOT NULL, due_at INTEGER, order_no TEXT NOT NULL, merchant_id TEXT NOT NULL,
        buyer_id TEXT NOT NULL, created_at INTEGER NOT NULL, currency TEXT NOT NULL, total INTEGER NOT NULL,
        lines INTEGER NOT NULL, units INTEGER NOT NULL, title TEXT NOT NULL, fulfilment TEXT NOT NULL, code_hash TEXT)
        WITHOUT ROWID;
        CREATE INDEX ${prefix}_buyer ON ${prefix} (buyer_id, created_at, order_id, hidden, status, ratings, cases, open);
        CREATE INDEX ${prefix}_status ON ${prefix} (merchant_id, status, created_at, order_id, hidden, ratings, cases, open);
        CREATE INDEX ${prefix}_created ON ${prefix} (created_at, order_id);
        CREATE INDEX ${prefix}_due ON ${prefix} (due_at, order_id) WHERE due_at IS NOT NULL;
        CREATE INDEX ${prefix}_code ON ${prefix} (code_hash) WHERE code_hash IS NOT NULL;`,
    },
  ],
  fold: (state, event) => evolve(state ?? initialState, event),
  writer: (database, prefix) => new OrdersWriter(database, prefix),
  rows: (database, prefix) =>
    textRows(
      database,
      `SELECT json_array(order_id, status, updated_at, paid, refunded, cases, open, ratings, hidden, due_at, order_no, merchant_id, buyer_id,
         created_at, currency, total, lines, units, title, fulfilment, code_hash) AS row FROM ${prefix} ORDER BY row`,
    ),
};

interface StoredRow {
  readonly order_id: string;
  readonly order_no: string;
  readonly merchant_id: string;
  readonly buyer_id: string;
  readonly status: number;
  readonly created_at: number;
  readonly updated_at: number;
  readonly currency: string;
  readonly total: number;
  readonly paid: number;
  readonly refunded: number;
  readonly cases: number;
  readonly open: number;
  readonly lines: number;
  readonly units: number;
  readonly title: string;
  readonly fulfilment: Order["fulfilment"];
  readonly ratings: number;
  readonly hidden: number;
  readonly due_at: number | null;
}

function rowOf(row: StoredRow): OrderRow {
  return {
    orderId: row.order_id,
    orderNo: row.order_no,
    merchantId: row.merchant_id,
    buyerId: row.buyer_id,
    status: orderStatuses[row.status] as OrderStatus,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    currency: row.currency,
    total: row.total,
    paid: row.paid,
    refunded: row.refunded,
    lines: row.lines,
    units: row.units,
    title: row.title,
    fulfilment: row.fulfilment,
    ratings: ratingNames.filter((rating) => (row.ratings & ratingBits[rating]) !== 0),
    hasRefund: row.cases > 0,
    refundStatus: row.cases === 0 ? "none" : (row.open & 1) !== 0 ? "open" : "ended",
    hiddenByBuyer: (row.hidden & 1) !== 0,
    hiddenByMerchant: (row.hidden & 2) !== 0,
    dueAt: row.due_at ?? undefined,
  };
}

type Value = string | number;

/** What restricts orders to those that a subquery gives. */
type Matching = { readonly sql: string; readonly value: string };

/** The conditions of a filter but for its statuses, as SQL and its values. */
function conditions(
  filter: OrderFilter,
  matching?: Matching,
): { readonly sql: string[]; readonly values: Value[] } {
  const { scope = "all", orderNo, reviewed, rating, hasRefund, cancelRequested, from, to, cursor } = filter;
  const sql: string[] = [];
  const values: Value[] = [];
  const and = (condition: string, ...bound: Value[]): void => {
    sql.push(condition);
    values.push(...bound);
  };
  if (scope !== "all") {
    if ("buyerId" in scope) and("buyer_id = ? AND hidden & 1 = 0", scope.buyerId);
    else and("merchant_id = ? AND hidden & 2 = 0", scope.merchantId);
  }
  if (orderNo !== undefined) and("order_no = ?", orderNo);
  if (reviewed !== undefined) {
    and(`(status <> ${numberOf("completed")} OR ratings ${reviewed ? "<>" : "="} 0)`);
  }
  if (rating !== undefined) and("ratings & ? <> 0", ratingBits[rating]);
  if (hasRefund !== undefined) and(hasRefund ? "cases > 0" : "cases = 0");
  if (cancelRequested !== undefined) and(cancelRequested ? "open & 2 <> 0" : "open & 2 = 0");
  if (from !== undefined) and("created_at >= ?", from);
  if (to !== undefined) and("created_at < ?", to);
  if (cursor !== undefined) {
    const { createdAt, orderId } = readCursor(cursor, placeOf);
    and("(created_at, order_id) < (?, ?)", createdAt, orderId);
  }
  if (matching !== undefined) and(`order_id IN (${matching.sql})`, matching.value);
  return { sql, values };
}

interface Place {
  readonly createdAt: number;
  readonly orderId: string;
}

function placeOf([createdAt, orderId]: readonly unknown[]): Place | undefined {
  return isCount(createdAt) && typeof orderId === "string" ? { createdAt, orderId } : undefined;
}

function numberOf(status: OrderStatus): number {
  const number = orderStatuses.indexOf(status);
  if (number === -1) throw new RangeError(`${JSON.stringify(status)} is no status of an order`);
  return number;
}

/**
 * Where in the indexes a filter finds its orders. A buyer's and a merchant's hold every column that lists are narrowed by, so that what
 * stands before a page is passed over without a look at its rows.
 */
function foundBy(
  prefix: string,
  filter: OrderFilter,
  matching?: Matching,
): { readonly selects: readonly string[]; readonly values: readonly Value[] } {
  const { sql, values } = conditions(filter, matching);
  const { scope = "all", orderNo } = filter;
  const wanted = filter.statuses && [...new Set(filter.statuses.map(numberOf))];
  const merchant = scope !== "all" && "merchantId" in scope;
  const index = merchant ? "status" : scope === "all" ? "created" : "buyer";
  // What few orders have is found by that; else the index is named, so that no planner ever prefers another.
  const named = matching === undefined && orderNo === undefined ? ` INDEXED BY ${prefix}_${index}` : "";
  // A merchant's list runs along one index range a status, so that few rows among many are found at once.
  const ranges = merchant
    ? (wanted ?? orderStatuses.map((_status, number) => number)).map((status) => [`status = ${status}`])
    : [wanted === undefined ? [] : [`status IN (${wanted.join(",")})`]];
  const selects = ranges.map((range) => {
    const where = [...range, ...sql];
    const filtered = where.length === 0 ? "" : ` WHERE ${where.join(" AND ")}`;
    return `SELECT created_at, order_id FROM ${prefix}${named}${filtered}`;
  });
  return { selects, values: selects.flatMap(() => values) };
}

const newestFirst = "created_at DESC, order_id DESC";

/**
 * Reads a page of orders. `matching` restricts it to order ids that a subquery gives (the text search).
 * @throws RangeError on a limit out of 1 to 1000, an offset below 0, a cursor that no page gave, or a status that is none.
 */
export function readOrders(
  database: Database,
  prefix: string,
  filter: OrderFilter,
  matching?: Matching,
): OrderPage {
  const limit = limitOf(filter.limit);
  const offset = offsetOf(filter.offset);
  const { selects, values } = foundBy(prefix, filter, matching);
  if (selects.length === 0) return { orders: [], next: undefined };
  const page = `${selects.join(" UNION ALL ")} ORDER BY ${newestFirst} LIMIT ${limit + 1} OFFSET ${offset}`;
  const rows = database
    .prepare(
      `SELECT whole.* FROM (${page}) AS page CROSS JOIN ${prefix} AS whole ON whole.order_id = page.order_id
       ORDER BY page.created_at DESC, page.order_id DESC`,
    )
    .all(...values) as unknown as StoredRow[];
  const orders = rows.slice(0, limit).map(rowOf);
  const last = orders.at(-1) as OrderRow;
  return { orders, next: rows.length > limit ? writeCursor([last.createdAt, last.orderId]) : undefined };
}

/**
 * Counts the orders of a filter, its pages aside.
 * @throws RangeError on a status that is none.
 */
export function readOrderCount(
  database: Database,
  prefix: string,
  { cursor: _cursor, ...filter }: OrderFilter,
  matching?: Matching,
): number {
  const { selects, values } = foundBy(prefix, filter, matching);
  if (selects.length === 0) return 0;
  const row: unknown = database
    .prepare(`SELECT COUNT(*) AS count FROM (${selects.join(" UNION ALL ")})`)
    .get(...values);
  return (row as { count: number }).count;
}

/** Whose an order is; undefined where there is none. The same work for every order, however long its life. */
export function readOwner(
  database: Database,
  prefix: string,
  orderId: string,
): { readonly buyerId: string; readonly merchantId: string } | undefined {
  const sql = `SELECT buyer_id, merchant_id FROM ${prefix} WHERE order_id = ?`;
  const [row] = prepared(database, sql).all(orderId) as { buyer_id: string; merchant_id: string }[];
  return row && { buyerId: row.buyer_id, merchantId: row.merchant_id };
}

/** Orders whose next deadline lies before an instant, earliest first, a page at a time; `after` is the last of the page before. */
export function readDue(
  database: Database,
  prefix: string,
  before: number,
  after?: { readonly orderId: string; readonly dueAt: number },
): readonly { readonly orderId: string; readonly dueAt: number }[] {
  const rows = database
    .prepare(
      `SELECT order_id, due_at FROM ${prefix}
       WHERE due_at IS NOT NULL AND due_at < ? AND (due_at, order_id) > (?, ?) ORDER BY due_at, order_id LIMIT 100`,
    )
    .all(before, after?.dueAt ?? -1, after?.orderId ?? "") as unknown as {
    order_id: string;
    due_at: number;
  }[];
  return rows.map((row) => ({ orderId: row.order_id, dueAt: row.due_at }));
}

/** The order that carries a write-off code, by the code's hash. */
export function readByCode(database: Database, prefix: string, codeHash: string): string | undefined {
  const row = database.prepare(`SELECT order_id FROM ${prefix} WHERE code_hash = ?`).get(codeHash) as unknown;
  return (row as { order_id: string } | undefined)?.order_id;
}
