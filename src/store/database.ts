// The one SQLite door: node:sqlite where the runtime has it, else the prebuilt package with the same API; errors get our codes.

import { statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";

import type { DatabaseSync } from "@photostructure/sqlite";

import { StoreError, type StoreErrorCode } from "./port.ts";

export type Database = InstanceType<typeof DatabaseSync>;

type Driver = { readonly DatabaseSync: new (path: string, options?: object) => Database };

let driver: Driver | undefined;

function loadDriver(): Driver {
  if (driver !== undefined) return driver;
  const builtin = process.getBuiltinModule as ((id: string) => unknown) | undefined;
  // Asking for it prints an ExperimentalWarning on some versions; the API used here has been stable since 22.13.
  const silenced = process.emitWarning;
  try {
    process.emitWarning = () => undefined;
    driver = builtin?.("node:sqlite") as Driver | undefined;
  } finally {
    process.emitWarning = silenced;
  }
  driver ??= createRequire(import.meta.url)("@photostructure/sqlite") as Driver;
  return driver;
}

/** Opens a database file, or `:memory:`; the caller closes it. */
export function openDatabase(path: string, options: { readonly readOnly?: boolean } = {}): Database {
  const { DatabaseSync } = loadDriver();
  try {
    return new DatabaseSync(path, { readOnly: options.readOnly ?? false });
  } catch (error) {
    throw unopenable(path) ?? storeError(error, `cannot open ${path}`);
  }
}

type Statement = ReturnType<Database["prepare"]>;

const statements = new WeakMap<Database, Map<string, Statement>>();

/** More than any process asks again and again: views that were rebuilt leave theirs behind. */
const mostStatements = 200;

/**
 * A statement that is asked again and again, prepared once for each database: to prepare it costs more than to run it. Its integers are
 * bigints. Run it to its end each time.
 */
export function prepared(database: Database, sql: string): Statement {
  let known = statements.get(database);
  if (known === undefined || known.size >= mostStatements) {
    known = new Map();
    statements.set(database, known);
  }
  let statement = known.get(sql);
  if (statement === undefined) {
    statement = database.prepare(sql);
    statement.setReadBigInts(true);
    known.set(sql, statement);
  }
  return statement;
}

/** SQLite says no more than "unable to open database file"; undefined where that is all there is to say. */
function unopenable(path: string): StoreError | undefined {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
    return new StoreError("notAStore", `cannot open ${path}: it is a folder`);
  }
  const folder = dirname(path);
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) {
    return new StoreError("unavailable", `cannot open ${path}: there is no folder ${folder}`);
  }
  return undefined;
}

/**
 * Closes a database. The packaged driver lets go of the file only when its statements are collected, so what still stands in
 * the write-ahead log goes into the file here: whoever copies it after this has everything.
 */
export function closeDatabase(database: Database): void {
  try {
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch {
    // Read-only, damaged, or a full disk: what is in the log is safe there.
  }
  database.close();
}

/** Ends a transaction without its changes, where it has not ended by itself. */
export function rollBack(database: Database): void {
  try {
    database.exec("ROLLBACK");
  } catch {
    // SQLite has rolled back by itself (a full disk): the first error is the one to tell.
  }
}

const codes: Readonly<Record<number, StoreErrorCode>> = {
  5: "unavailable", // BUSY
  6: "unavailable", // LOCKED
  8: "denied", // READONLY
  3: "denied", // PERM
  23: "denied", // AUTH
  10: "unavailable", // IOERR
  11: "corrupt",
  13: "full",
  14: "unavailable", // CANTOPEN
  26: "notAStore", // NOTADB
};

/** What SQLite says with each code, for the packaged driver's `all()`, whose errors have words only. */
const sayings: readonly (readonly [string, number])[] = [
  ["database is locked", 5],
  ["database table is locked", 6],
  ["attempt to write a readonly database", 8],
  ["disk I/O error", 10],
  ["database disk image is malformed", 11],
  ["database or disk is full", 13],
  ["unable to open database file", 14],
  ["file is not a database", 26],
];

/** SQLite's primary result code of an error of either driver; undefined where it is none of SQLite's. */
function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  if (typeof errcode === "number") return errcode & 0xff;
  if (code !== "ERR_SQLITE_ERROR") return undefined;
  return sayings.find(([saying]) => error.message.includes(saying))?.[1];
}

export function isBusy(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === 5 || code === 6;
}

/** An error of SQLite as one of ours, with its cause; anything else is given back as it is. */
export function storeError(error: unknown, doing: string): unknown {
  const code = sqliteCode(error);
  if (code === undefined) return error;
  const known = codes[code];
  if (known === undefined) return error;
  return new StoreError(known, `${doing}: ${(error as Error).message}`, { cause: error });
}
