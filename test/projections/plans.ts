// What SQLite says it would do for the one statement that a reader of a view asks.

import { expect } from "vitest";

import type { AnyView, View } from "../../src/projections/view.ts";
import { type Database, openDatabase } from "../../src/store/database.ts";

/** The details of its EXPLAIN QUERY PLAN, in their order. */
export function plan<S>(
  view: View<S> | AnyView,
  read: (database: Database, prefix: string) => unknown,
): readonly string[] {
  const prefix = `${view.name}_1`;
  const database = openDatabase(":memory:");
  try {
    for (const { sql } of view.tables(prefix)) database.exec(sql);
    const asked: string[] = [];
    const noting = {
      prepare: (sql: string) => {
        asked.push(sql);
        return database.prepare(sql);
      },
    };
    read(noting as unknown as Database, prefix);
    expect(asked).toHaveLength(1);
    const [sql = ""] = asked;
    const values = [...sql].filter((character) => character === "?").map(() => 1);
    const rows = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values);
    return (rows as unknown as { readonly detail: string }[]).map(({ detail }) => detail);
  } finally {
    database.close();
  }
}
