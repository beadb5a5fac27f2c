// The after-sale cases: one row a case, for the refund history of buyers and merchants, and for the queue of what waits for whom.

import { type Origin, caseEventTypes } from "../domain/caseEvents.ts";
import { type CaseStatus, caseStatuses } from "../domain/caseLifecycle.ts";
import type { Case } from "../domain/caseState.ts";
import {
  type CaseDeadlineKind,
  refundRetryAt,
  replacementConfirmAt,
  returnShipBy,
} from "../domain/deadlines.ts";
import { type Order, type OrderState, evolve, initialState } from "../domain/state.ts";
import { type CaseType, caseTypes } from "../domain/terms.ts";
import { type Party, parties, waitingOf } from "../domain/waiting.ts";
import { type Database, prepared } from "../store/database.ts";
import { isCount, limitOf, offsetOf, readCursor, writeCursor } from "./page.ts";
import type { Scope } from "./statistics.ts";
import { type Change, type View, type Writer, addChange, textRows } from "./view.ts";

/** A case in a list. Amounts in minor units, instants in milliseconds UTC. */
export interface CaseRow {
  readonly orderId: string;
  readonly caseId: string;
  /** Its place among the order's cases, from 1. */
  readonly number: number;
  readonly orderNo: string;
  readonly merchantId: string;
  readonly buyerId: string;
  /** Undefined where it is about the whole order. */
  readonly lineId: string | undefined;
  /** Of the line, or of the order's first. */
  readonly title: string;
  readonly origin: Origin;
  readonly type: CaseType;
  readonly status: CaseStatus;
  /** Units to be sent back. */
  readonly quantity: number;
  readonly currency: string;
  /** As it stands now, and as it was asked for. */
  readonly amount: number;
  readonly amountAsked: number;
  readonly reason: string | undefined;
  readonly appliedAt: number;
  /** Whom it waits for; undefined once it has ended. */
  readonly waitsFor: Party | undefined;
  /** Since when it waits, or when it ended. */
  readonly since: number;
  /** Its next deadline. */
  readonly deadline: { readonly kind: CaseDeadlineKind; readonly dueAt: number } | undefined;
  /** The merchant hid it, or its order. */
  readonly hiddenByMerchant: boolean;
  /** The buyer hid its order. */
  readonly hiddenByBuyer: boolean;
}

export interface CaseFilter {
  /** A merchant's omits what the merchant hid, a buyer's what the buyer hid; all of them without it. */
  readonly scope?: Scope | undefined;
  readonly statuses?: readonly CaseStatus[] | undefined;
  readonly types?: readonly CaseType[] | undefined;
  /** Applied for at or after, and before, these instants. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Cases a page, 1 to 1000; 20 without it. */
  readonly limit?: number | undefined;
  /** The `next` of the page before. */
  readonly cursor?: string | undefined;
  /** How many cases to leave out first, for pages by number; what is applied for meanwhile shifts those. */
  readonly offset?: number | undefined;
}

export interface QueueFilter {
  /** One merchant's cases; everybody's without it. */
  readonly merchantId?: string | undefined;
  /** Whom they wait for; anybody without it. */
  readonly waitsFor?: readonly Party[] | undefined;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface CasePage {
  /** A history: newest application first. A queue: what has waited longest first. */
  readonly cases: readonly CaseRow[];
  /** Give it as `cursor` for the next page; undefined at the end. What is applied for meanwhile does not shift the pages. */
  readonly next: string | undefined;
}

// --- keeping ---

type Statement = ReturnType<Database["prepare"]>;
type Value = string | number | null;

/** What of a case's row changes over its life, but for what is hidden. */
const moving = ["type", "status", "amount", "waits_for", "since", "due_at"] as const;

/** What stays as it began. */
const fixed = [
  "case_id",
  "order_no",
  "merchant_id",
  "buyer_id",
  "line_id",
  "title",
  "origin",
  "quantity",
  "currency",
  "amount_asked",
  "reason",
  "applied_at",
] as const;

const columns = ["order_id", "number", "hidden", ...moving, ...fixed] as const;

function movingOf(order: Order, one: Case): Value[] {
  const waiting = waitingOf(order, one);
  return [
    caseTypes.indexOf(one.type),
    caseStatuses.indexOf(one.status),
    one.amount,
    waiting === undefined ? null : parties.indexOf(waiting.party),
    waiting?.since ?? one.endedAt ?? one.appliedAt,
    returnShipBy(order, one) ?? replacementConfirmAt(order, one) ?? refundRetryAt(order, one) ?? null,
  ];
}

function fixedOf(order: Order, one: Case): Value[] {
  const line = order.lines.find(({ lineId }) => lineId === one.lineId) ?? order.lines[0];
  return [
    one.caseId,
    order.orderNo,
    order.merchantId,
    order.buyerId,
    one.lineId ?? null,
    line?.title ?? "",
    one.origin,
    one.quantity,
    order.currency,
    one.amountAsked,
    one.reason ?? null,
    one.appliedAt,
  ];
}

/** By whom a case is hidden, as bits: the buyer's list omits 1, the merchant's 2. */
function hiddenOf({ hiddenByBuyerAt, hiddenByMerchantAt }: Order, { hiddenAt }: Case): number {
  const byMerchant = hiddenByMerchantAt !== undefined || hiddenAt !== undefined;
  return (hiddenByBuyerAt === undefined ? 0 : 1) + (byMerchant ? 2 : 0);
}

const noCases: readonly Case[] = [];

function casesOf(state: OrderState | undefined): readonly Case[] {
  return state === undefined || state.status === "none" ? noCases : state.cases;
}

/** Whether the two have the same rows: those of an order say nothing of it but its cases and who hid it. */
function areAlike(before: OrderState | undefined, after: OrderState | undefined): boolean {
  const was = casesOf(before);
  const now = casesOf(after);
  if (was.length === 0 && now.length === 0) return true;
  if (was !== now) return false;
  const [earlier, later] = [before as Order, after as Order];
  return (
    earlier.hiddenByBuyerAt === later.hiddenByBuyerAt &&
    earlier.hiddenByMerchantAt === later.hiddenByMerchantAt
  );
}

class CasesWriter implements Writer<OrderState> {
  readonly #changes = new Map<string, Change<OrderState>>();
  readonly #insert: Statement;
  readonly #move: Statement;
  readonly #hide: Statement;
  readonly #delete: Statement;

  constructor(database: Database, prefix: string) {
    this.#insert = database.prepare(
      `INSERT INTO ${prefix} (${columns.join(", ")}) VALUES (?${", ?".repeat(columns.length - 1)})`,
    );
    const moved = moving.map((column) => `${column} = ?`).join(", ");
    this.#move = database.prepare(`UPDATE ${prefix} SET ${moved} WHERE order_id = ? AND number = ?`);
    // Apart from the others, so that the indexes over what is not hidden are left alone but for this.
    this.#hide = database.prepare(`UPDATE ${prefix} SET hidden = ? WHERE order_id = ? AND number = ?`);
    this.#delete = database.prepare(`DELETE FROM ${prefix} WHERE order_id = ? AND number = ?`);
  }

  change(orderId: string, before: OrderState | undefined, after: OrderState | undefined): void {
    if (areAlike(before, after)) return;
    addChange(this.#changes, orderId, before, after);
  }

  get waiting(): number {
    return this.#changes.size;
  }

  flush(): void {
    for (const [orderId, { before, after }] of this.#changes) {
      const was = casesOf(before);
      const now = casesOf(after);
      for (const [index, one] of now.entries()) {
        this.#write(orderId, before as Order, was[index], after as Order, one);
      }
      for (const { number } of was.slice(now.length)) this.#delete.run(orderId, number);
    }
    this.#changes.clear();
  }

  #write(orderId: string, before: Order, was: Case | undefined, after: Order, one: Case): void {
    const { number } = one;
    const hidden = hiddenOf(after, one);
    if (was === undefined) {
      this.#insert.run(orderId, number, hidden, ...movingOf(after, one), ...fixedOf(after, one));
      return;
    }
    if (one !== was) this.#move.run(...movingOf(after, one), orderId, number);
    if (hidden !== hiddenOf(before, was)) this.#hide.run(hidden, orderId, number);
  }
}

export const casesView: View<OrderState> = {
  name: "cases",
  version: 2,
  // A case knows of nothing but its own events, its order's creation and who hid that.
  reads: Object.fromEntries(["OrderCreated", "OrderHidden", ...caseEventTypes].map((type) => [type, true])),
  ofState: true,
  tables: (prefix) => [
    {
      name: prefix,
      sql: `CREATE TABLE ${prefix} (
        order_id TEXT NOT NULL, number INTEGER NOT NULL, hidden INTEGER NOT NULL,
        type INTEGER NOT NULL, status INTEGER NOT NULL, amount INTEGER NOT NULL, waits_for INTEGER,
        since INTEGER NOT NULL, due_at INTEGER,
        case_id TEXT NOT NULL, order_no TEXT NOT NULL, merchant_id TEXT NOT NULL, buyer_id TEXT NOT NULL,
        line_id TEXT, title TEXT NOT NULL, origin TEXT NOT NULL, quantity INTEGER NOT NULL,
        currency TEXT NOT NULL, amount_asked INTEGER NOT NULL, reason TEXT, applied_at INTEGER NOT NULL,
        PRIMARY KEY (order_id, number)) WITHOUT ROWID;
        CREATE INDEX ${prefix}_id ON ${prefix} (case_id);
        CREATE INDEX ${prefix}_buyer ON ${prefix} (buyer_id, applied_at, order_id, number, type, status, hidden)
          WHERE hidden & 1 = 0;
        CREATE INDEX ${prefix}_merchant ON ${prefix} (merchant_id, applied_at, order_id, number, hidden) WHERE hidden & 2 = 0;
        CREATE INDEX ${prefix}_merchant_kind ON ${prefix} (merchant_id, type, status, applied_at, order_id, number, hidden)
          WHERE hidden & 2 = 0;
        CREATE INDEX ${prefix}_all ON ${prefix} (applied_at, order_id, number);
        CREATE INDEX ${prefix}_all_kind ON ${prefix} (type, status, applied_at, order_id, number);
        CREATE INDEX ${prefix}_merchant_waits ON ${prefix} (merchant_id, waits_for, since, order_id, number)
          WHERE waits_for IS NOT NULL;
        CREATE INDEX ${prefix}_all_waits ON ${prefix} (waits_for, since, order_id, number)
          WHERE waits_for IS NOT NULL;`,
    },
  ],
  fold: (state, event) => evolve(state ?? initialState, event),
  writer: (database, prefix) => new CasesWriter(database, prefix),
  rows: (database, prefix) =>
    textRows(database, `SELECT json_array(${columns.join(", ")}) AS row FROM ${prefix} ORDER BY row`),
};

// --- reading ---

interface StoredRow {
  readonly order_id: string;
  readonly number: number;
  readonly hidden: number;
  readonly type: number;
  readonly status: number;
  readonly amount: number;
  readonly waits_for: number | null;
  readonly since: number;
  readonly due_at: number | null;
  readonly case_id: string;
  readonly order_no: string;
  readonly merchant_id: string;
  readonly buyer_id: string;
  readonly line_id: string | null;
  readonly title: string;
  readonly origin: Origin;
  readonly quantity: number;
  readonly currency: string;
  readonly amount_asked: number;
  readonly reason: string | null;
  readonly applied_at: number;
}

/** A status has one deadline at the most. */
const dueIn: Readonly<Partial<Record<CaseStatus, CaseDeadlineKind>>> = {
  awaitingReturn: "returnShip",
  replacementShipped: "replacementConfirm",
  refundPending: "refundRetry",
};

function rowOf(row: StoredRow): CaseRow {
  const status = caseStatuses[row.status] as CaseStatus;
  const kind = dueIn[status];
  return {
    orderId: row.order_id,
    caseId: row.case_id,
    number: row.number,
    orderNo: row.order_no,
    merchantId: row.merchant_id,
    buyerId: row.buyer_id,
    lineId: row.line_id ?? undefined,
    title: row.title,
    origin: row.origin,
    type: caseTypes[row.type] as CaseType,
    status,
    quantity: row.quantity,
    currency: row.currency,
    amount: row.amount,
    amountAsked: row.amount_asked,
    reason: row.reason ?? undefined,
    appliedAt: row.applied_at,
    waitsFor: row.waits_for === null ? undefined : parties[row.waits_for],
    since: row.since,
    deadline: kind === undefined || row.due_at === null ? undefined : { kind, dueAt: row.due_at },
    hiddenByMerchant: (row.hidden & 2) !== 0,
    hiddenByBuyer: (row.hidden & 1) !== 0,
  };
}

/** Where in a list a row stands: a row in one list and in another are told apart by the instant they are ordered by. */
interface Place {
  readonly at: number;
  readonly orderId: string;
  readonly number: number;
}

type Listed = "applied_at" | "since";

const placeIn =
  (by: Listed) =>
  ([of, at, orderId, number]: readonly unknown[]): Place | undefined =>
    of === by && isCount(at) && typeof orderId === "string" && isCount(number)
      ? { at, orderId, number }
      : undefined;

/** One index range: conditions that lead the index, with their values. */
interface Range {
  readonly index: string;
  readonly where: readonly string[];
  readonly values: readonly (string | number)[];
}

/**
 * A page of index ranges, merged in the order that each of them has already: SQLite reads of each no more than the page takes, however
 * many rows there are, and of what stands before the page the index alone. The index is named, so that no planner ever prefers another.
 */
function readPage(
  database: Database,
  prefix: string,
  by: Listed,
  descending: boolean,
  ranges: readonly Range[],
  asked: Pick<CaseFilter, "limit" | "offset">,
): CasePage {
  const limit = limitOf(asked.limit);
  const offset = offsetOf(asked.offset);
  if (ranges.length === 0) return { cases: [], next: undefined };
  const place = [by, "order_id", "number"];
  const selected = ranges.map(({ index, where }) => {
    const filtered = where.length === 0 ? "" : ` WHERE ${where.join(" AND ")}`;
    return `SELECT ${place.join(", ")} FROM ${prefix} INDEXED BY ${prefix}_${index}${filtered}`;
  });
  const order = (of: string): string =>
    place.map((column) => `${of}${column}${descending ? " DESC" : ""}`).join(", ");
  const page = `${selected.join(" UNION ALL ")} ORDER BY ${order("")} LIMIT ${limit + 1} OFFSET ${offset}`;
  const rows = database
    .prepare(
      `SELECT ${columns.map((column) => `whole.${column}`).join(", ")} FROM (${page}) AS page
       CROSS JOIN ${prefix} AS whole ON whole.order_id = page.order_id AND whole.number = page.number
       ORDER BY ${order("page.")}`,
    )
    .all(...ranges.flatMap(({ values }) => values)) as unknown as StoredRow[];
  const shown = rows.slice(0, limit);
  const last = shown.at(-1) as StoredRow;
  return {
    cases: shown.map(rowOf),
    next: rows.length > limit ? writeCursor([by, last[by], last.order_id, last.number]) : undefined,
  };
}

function numbersOf<T extends string>(
  wanted: readonly T[],
  all: readonly T[],
  what: string,
): readonly number[] {
  const numbers = wanted.map((one) => {
    const number = all.indexOf(one);
    if (number === -1) throw new RangeError(`${JSON.stringify(one)} is no ${what} of a case`);
    return number;
  });
  return [...new Set(numbers)];
}

/** The ranges in which a filter finds its rows, before time and cursor. */
function rangesOf({ scope = "all", statuses, types }: CaseFilter): readonly Range[] {
  const wantedTypes = numbersOf(types ?? caseTypes, caseTypes, "type");
  const wantedStatuses = numbersOf(statuses ?? caseStatuses, caseStatuses, "status");
  const narrowed = types !== undefined || statuses !== undefined;
  if (wantedTypes.length === 0 || wantedStatuses.length === 0) return [];
  if (scope !== "all" && "buyerId" in scope) {
    // One buyer's cases are few: they are looked through.
    const kinds = narrowed
      ? [`type IN (${wantedTypes.join(", ")})`, `status IN (${wantedStatuses.join(", ")})`]
      : [];
    return [{ index: "buyer", where: ["buyer_id = ?", "hidden & 1 = 0", ...kinds], values: [scope.buyerId] }];
  }
  const merchant = scope !== "all";
  const where = merchant ? ["merchant_id = ?", "hidden & 2 = 0"] : [];
  const values = merchant ? [scope.merchantId] : [];
  const index = merchant ? "merchant" : "all";
  if (!narrowed) return [{ index, where, values }];
  return wantedTypes.flatMap((type) =>
    wantedStatuses.map((status): Range => {
      return { index: `${index}_kind`, where: [...where, `type = ${type}`, `status = ${status}`], values };
    }),
  );
}

/**
 * Reads a page of cases, newest first; cases of one instant in the order of their orders' ids and their numbers, descending.
 * @throws RangeError on a limit out of 1 to 1000, an offset below 0, a cursor that no such page gave, or a status or type that is none.
 */
export function readCases(database: Database, prefix: string, filter: CaseFilter): CasePage {
  const { from, to, cursor } = filter;
  const last = cursor === undefined ? undefined : readCursor(cursor, placeIn("applied_at"));
  // One upper bound, and always one, so that the range of the index begins where the page does.
  const before =
    last !== undefined && (to === undefined || last.at < to)
      ? last
      : { at: to ?? Number.MAX_SAFE_INTEGER, orderId: "", number: 0 };
  const bounds = {
    where: ["(applied_at, order_id, number) < (?, ?, ?)", ...(from === undefined ? [] : ["applied_at >= ?"])],
    values: [before.at, before.orderId, before.number, ...(from === undefined ? [] : [from])],
  };
  const ranges = rangesOf(filter).map(({ index, where, values }): Range => {
    return { index, where: [...where, ...bounds.where], values: [...values, ...bounds.values] };
  });
  return readPage(database, prefix, "applied_at", true, ranges, filter);
}

/**
 * Reads a page of open cases, what has waited longest first; of one instant in the order of their orders' ids and their numbers. What is
 * hidden still waits.
 * @throws RangeError on a limit out of 1 to 1000, a cursor that no such page gave, or a party that is none.
 */
export function readQueue(database: Database, prefix: string, filter: QueueFilter): CasePage {
  const { merchantId, waitsFor = parties, cursor, limit } = filter;
  const last = cursor === undefined ? undefined : readCursor(cursor, placeIn("since"));
  const merchant = merchantId !== undefined;
  const ranges = numbersOf(waitsFor, parties, "party").map((party): Range => {
    return {
      index: merchant ? "merchant_waits" : "all_waits",
      where: [
        ...(merchant ? ["merchant_id = ?"] : []),
        `waits_for = ${party}`,
        ...(last === undefined ? [] : ["(since, order_id, number) > (?, ?, ?)"]),
      ],
      values: [
        ...(merchant ? [merchantId] : []),
        ...(last === undefined ? [] : [last.at, last.orderId, last.number]),
      ],
    };
  });
  return readPage(database, prefix, "since", false, ranges, { limit });
}

/** Of which order a case is, and whose; undefined where there is none of this id. The same work for every case. */
export function readCaseOwner(
  database: Database,
  prefix: string,
  caseId: string,
): { readonly orderId: string; readonly buyerId: string; readonly merchantId: string } | undefined {
  const sql = `SELECT order_id, buyer_id, merchant_id FROM ${prefix} INDEXED BY ${prefix}_id WHERE case_id = ?`;
  const [row] = prepared(database, sql).all(caseId) as {
    order_id: string;
    buyer_id: string;
    merchant_id: string;
  }[];
  return row && { orderId: row.order_id, buyerId: row.buyer_id, merchantId: row.merchant_id };
}
