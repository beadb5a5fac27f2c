// Refunds that were issued and have no outcome yet: what the refund process asks about, found without looking at any other order.

import type { OrderEvent } from "../domain/events.ts";
import type { Database } from "../store/database.ts";
import { type View, type Writer, textRows } from "./view.ts";

export interface InFlightRow {
  readonly orderId: string;
  readonly refundId: string;
  /** Milliseconds UTC. */
  readonly issuedAt: number;
}

type Flying = Omit<InFlightRow, "orderId">;

/** An order's refunds in flight, oldest first; those paid out by hand never are. */
function fold(flying: readonly Flying[] | undefined, event: OrderEvent): readonly Flying[] | undefined {
  switch (event.type) {
    case "RefundIssued": {
      const { refundId, destination } = event.data;
      return destination === "manual" ? flying : [...(flying ?? []), { refundId, issuedAt: event.at }];
    }
    case "RefundSettled":
    case "RefundFailed": {
      const left = flying?.filter(({ refundId }) => refundId !== event.data.refundId);
      return left?.length === 0 ? undefined : left;
    }
    default:
      return flying;
  }
}

class InFlightWriter implements Writer<readonly Flying[]> {
  readonly #changes = new Map<string, InFlightRow & { readonly landed: boolean }>();
  readonly #insert: ReturnType<Database["prepare"]>;
  readonly #delete: ReturnType<Database["prepare"]>;

  constructor(database: Database, prefix: string) {
    this.#insert = database.prepare(
      `INSERT INTO ${prefix} (issued_at, refund_id, order_id) VALUES (?, ?, ?)`,
    );
    this.#delete = database.prepare(
      `DELETE FROM ${prefix} WHERE issued_at = ? AND refund_id = ? AND order_id = ?`,
    );
  }

  change(orderId: string, before: readonly Flying[] | undefined, after: readonly Flying[] | undefined): void {
    if (before === after) return;
    for (const one of missingIn(after, before)) {
      const key = `${orderId}/${one.refundId}`;
      // One that took off and landed since the last flush has no row.
      if (!this.#changes.delete(key)) this.#changes.set(key, { ...one, orderId, landed: true });
    }
    for (const one of missingIn(before, after)) {
      this.#changes.set(`${orderId}/${one.refundId}`, { ...one, orderId, landed: false });
    }
  }

  flush(): void {
    for (const { orderId, refundId, issuedAt, landed } of this.#changes.values()) {
      (landed ? this.#delete : this.#insert).run(issuedAt, refundId, orderId);
    }
    this.#changes.clear();
  }
}

function missingIn(some: readonly Flying[] = [], all: readonly Flying[] = []): readonly Flying[] {
  return all.filter(({ refundId }) => !some.some((one) => one.refundId === refundId));
}

export const inFlightView: View<readonly Flying[]> = {
  name: "inFlight",
  version: 1,
  reads: { RefundIssued: true, RefundSettled: true, RefundFailed: true },
  tables: (prefix) => [
    {
      name: prefix,
      sql: `CREATE TABLE ${prefix} (issued_at INTEGER NOT NULL, refund_id TEXT NOT NULL, order_id TEXT NOT NULL,
        PRIMARY KEY (issued_at, refund_id, order_id)) WITHOUT ROWID;`,
    },
  ],
  fold,
  writer: (database, prefix) => new InFlightWriter(database, prefix),
  rows: (database, prefix) =>
    textRows(
      database,
      `SELECT json_array(issued_at, refund_id, order_id) AS row FROM ${prefix} ORDER BY row`,
    ),
};

/** A page of the refunds in flight, the longest waiting first; `after` is the last of the page before. */
export function readInFlight(
  database: Database,
  prefix: string,
  after?: InFlightRow,
): readonly InFlightRow[] {
  const rows = database
    .prepare(
      `SELECT issued_at, refund_id, order_id FROM ${prefix} WHERE (issued_at, refund_id, order_id) > (?, ?, ?)
       ORDER BY issued_at, refund_id, order_id LIMIT 100`,
    )
    .all(after?.issuedAt ?? -1, after?.refundId ?? "", after?.orderId ?? "") as unknown as {
    issued_at: number;
    refund_id: string;
    order_id: string;
  }[];
  return rows.map((row) => ({ orderId: row.order_id, refundId: row.refund_id, issuedAt: row.issued_at }));
}
