// What can be said of a store's file: its size, settings and contents, and whether SQLite finds it whole.

import { statSync } from "node:fs";

import { orderPrefix } from "./codec.ts";
import { type Database, storeError } from "./database.ts";

export interface FileDescription {
  readonly path: string;
  readonly bytes: number;
  readonly driver: string;
  readonly sqlite: string;
  readonly journalMode: string;
  /** How appends are synced: what this version sets when it opens a file for writing; it is no property of the file. */
  readonly synchronous: "FULL";
  readonly formatVersion: number;
  readonly events: number;
  readonly orders: number;
  readonly claims: number;
  /** What SQLite's quick check found wrong, and streams with holes; empty where there is nothing, undefined where it was not asked. */
  readonly faults: readonly string[] | undefined;
}

/** Describes the file behind a connection; `check` reads all of it. */
export function describeFile(database: Database, path: string, check: boolean): FileDescription {
  const value = (sql: string): unknown => {
    const row = database.prepare(sql).get() as Readonly<Record<string, unknown>> | undefined;
    return Object.values(row ?? {})[0];
  };
  const builtin = process.getBuiltinModule as ((id: string) => unknown) | undefined;
  try {
    return {
      path,
      bytes: statSync(path).size,
      driver: builtin?.("node:sqlite") === undefined ? "@photostructure/sqlite" : "node:sqlite",
      sqlite: String(value("SELECT sqlite_version()")),
      journalMode: String(value("PRAGMA journal_mode")),
      synchronous: "FULL",
      formatVersion: Number(value("PRAGMA user_version")),
      events: Number(value("SELECT count(*) FROM events")),
      orders: Number(value(`SELECT count(*) FROM streams WHERE name GLOB '${orderPrefix}*'`)),
      claims: Number(value("SELECT count(*) FROM claims")),
      faults: check ? [...quickCheck(database), ...holes(database)] : undefined,
    };
  } catch (error) {
    throw storeError(error, `reading ${path}`);
  }
}

function quickCheck(database: Database): readonly string[] {
  const rows = database.prepare("PRAGMA quick_check(10)").all();
  return rows.map((row) => String(Object.values(row as object)[0])).filter((found) => found !== "ok");
}

/** The streams that lack events which they must have had: the first ten. */
function holes(database: Database): readonly string[] {
  const rows = database
    .prepare(
      `SELECT name, max(revision) + 1 - count(*) AS missing FROM events JOIN streams ON streams.id = stream_id
       GROUP BY stream_id HAVING missing <> 0 LIMIT 10`,
    )
    .all() as unknown as readonly { readonly name: string; readonly missing: number }[];
  return rows.map(({ name, missing }) => `${name}: ${missing} of its events are missing`);
}
