// What the disk, the driver and JSON.parse can do bare, in the same run: F, G(N) and S.

import { closeSync, fdatasyncSync, fsyncSync, openSync, writeSync } from "node:fs";

import type { Database } from "../src/store/database.ts";
import { openSqliteStore } from "../src/store/sqlite.ts";

/** F: 4 KiB overwrites, each with its own fdatasync, a second. */
export function syncs(file: string, milliseconds: number): { round(): number; close(): void } {
  const block = Buffer.alloc(4_096, 0x61);
  const handle = openSync(file, "w+");
  writeSync(handle, block, 0, block.length, 0);
  fsyncSync(handle);
  return {
    round() {
      const begun = performance.now();
      let done = 0;
      let passed = 0;
      while (passed < milliseconds) {
        writeSync(handle, block, 0, block.length, 0);
        fdatasyncSync(handle);
        done += 1;
        passed = performance.now() - begun;
      }
      return done / (passed / 1_000);
    },
    close: () => closeSync(handle),
  };
}

/** A row of the events table, without its position. */
export type EventRow = readonly [
  stream: number,
  revision: number,
  type: number,
  id: string,
  meta: string,
  data: string,
];

/** The events that an engine wrote after a position, as rows. */
export async function rowsOf(file: string, after = 0): Promise<readonly EventRow[]> {
  const store = await openSqliteStore(file, { readOnly: true });
  try {
    return store.database
      .prepare(
        "SELECT stream_id, revision, type_id, id, meta, data FROM events WHERE position > ? ORDER BY position",
      )
      .all(after)
      .map((row) => Object.values(row as Record<string, unknown>)) as unknown as EventRow[];
  } finally {
    await store.close();
  }
}

export interface Inserts {
  /** Inserts all of the rows once more, for streams that are new; events a second. */
  round(): number;
  close(): Promise<void>;
}

/** G(N): bare prepared inserts of these rows into a store's own events table, N rows a transaction. */
export async function inserts(file: string, rows: readonly EventRow[], perCommit: number): Promise<Inserts> {
  // The store's own connection: its schema and its settings, none of its code.
  const store = await openSqliteStore(file);
  const database: Database = store.database;
  const insert = database.prepare(
    "INSERT INTO events (stream_id, revision, type_id, id, meta, data) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const firstStream = rows.reduce((least, [stream]) => Math.min(least, stream), Infinity);
  const lastStream = rows.reduce((most, [stream]) => Math.max(most, stream), 0);
  const span = lastStream - firstStream + 1;
  let done = 0;
  return {
    round() {
      const shift = done * span - firstStream + 1;
      done += 1;
      const begun = performance.now();
      for (let from = 0; from < rows.length; from += perCommit) {
        database.exec("BEGIN IMMEDIATE");
        const to = Math.min(from + perCommit, rows.length);
        for (let index = from; index < to; index += 1) {
          const [stream, revision, type, id, meta, data] = rows[index] as EventRow;
          insert.run(stream + shift, revision, type, id, meta, data);
        }
        database.exec("COMMIT");
      }
      return rows.length / ((performance.now() - begun) / 1_000);
    },
    close: () => store.close(),
  };
}

/** S: a thousand events a page by position, and JSON.parse of each one's data; events a second. */
export async function scan(
  file: string,
): Promise<{ round(): number; events: number; close(): Promise<void> }> {
  const store = await openSqliteStore(file, { readOnly: true });
  const page = store.database.prepare(
    "SELECT position, stream_id, revision, type_id, id, meta, data FROM events WHERE position > ? ORDER BY position LIMIT 1000",
  );
  const { events } = store.database.prepare("SELECT count(*) AS events FROM events").get() as {
    events: number;
  };
  return {
    events,
    round() {
      const begun = performance.now();
      let seen = 0;
      let parsed = 0;
      let position = 0;
      for (;;) {
        const rows = page.all(position) as unknown as { position: number; data: string }[];
        for (const row of rows) {
          if (typeof JSON.parse(row.data) === "object") parsed += 1;
          position = row.position;
        }
        seen += rows.length;
        if (rows.length === 0) break;
      }
      if (seen !== events || parsed !== events) throw new Error(`scan: ${seen} of ${events} events`);
      return events / ((performance.now() - begun) / 1_000);
    },
    close: () => store.close(),
  };
}
