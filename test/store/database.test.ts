// The SQLite door: both drivers' errors get our codes, and closing leaves a whole file behind.

import { copyFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { closeDatabase, isBusy, openDatabase, storeError } from "../../src/store/database.ts";
import { isStoreError } from "../../src/store/port.ts";
import { newFile, tidyFiles } from "./files.ts";

tidyFiles();

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

describe("an error of SQLite", () => {
  it.each([
    [5, "unavailable"],
    [517, "unavailable"],
    [6, "unavailable"],
    [8, "denied"],
    [1544, "denied"],
    [10, "unavailable"],
    [266, "unavailable"],
    [11, "corrupt"],
    [267, "corrupt"],
    [13, "full"],
    [14, "unavailable"],
    [26, "notAStore"],
  ] as const)("%i is %s, with its cause", (errcode, code) => {
    const cause = Object.assign(new Error("words"), { code: "ERR_SQLITE_ERROR", errcode });
    const error = storeError(cause, "reading a file");
    expect(error).toMatchObject({ name: "StoreError", code, message: "reading a file: words", cause });
  });

  it.each([
    ["database is locked", "unavailable"],
    ["database table is locked: events", "unavailable"],
    ["attempt to write a readonly database", "denied"],
    ["disk I/O error", "unavailable"],
    ["database disk image is malformed", "corrupt"],
    ["database or disk is full", "full"],
    ["unable to open database file", "unavailable"],
    ["file is not a database", "notAStore"],
  ] as const)("that only says '%s' is %s", (message, code) => {
    const cause = Object.assign(new Error(message), { code: "ERR_SQLITE_ERROR" });
    expect(isStoreError(storeError(cause, "reading"), code)).toBe(true);
  });

  it("is left as it is where we have no word for it, and where it is none", () => {
    const others = [
      Object.assign(new Error("UNIQUE constraint failed"), { code: "ERR_SQLITE_ERROR", errcode: 2067 }),
      Object.assign(new Error("no such column"), { code: "ERR_SQLITE_ERROR" }),
      new Error("database is locked"),
      "database is locked",
      undefined,
    ];
    for (const other of others) {
      expect(storeError(other, "reading")).toBe(other);
      expect(isBusy(other)).toBe(false);
    }
  });

  it("is known as busy from every way of asking", () => {
    const path = newFile();
    const [holder, other] = [openDatabase(path), openDatabase(path)];
    holder.exec("CREATE TABLE t (n INTEGER)");
    const select = other.prepare("SELECT n FROM t");
    holder.exec("BEGIN EXCLUSIVE");
    for (const ask of [
      () => select.get(),
      () => select.all(),
      () => other.exec("BEGIN IMMEDIATE"),
      () => other.prepare("INSERT INTO t VALUES (1)").run(),
    ]) {
      expect(isBusy(thrownBy(ask))).toBe(true);
    }
    holder.close();
    other.close();
  });
});

describe("closing", () => {
  it("leaves everything in the file itself, and nobody locked out", () => {
    const path = newFile();
    const database = openDatabase(path);
    database.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (n INTEGER)");
    database.prepare("INSERT INTO t VALUES (?)").run(7);
    closeDatabase(database);
    const copy = newFile();
    copyFileSync(path, copy);
    for (const file of [path, copy]) {
      const again = openDatabase(file);
      expect(again.prepare("SELECT n FROM t").get()).toMatchObject({ n: 7 });
      again.exec("INSERT INTO t VALUES (8); DELETE FROM t WHERE n = 8");
      closeDatabase(again);
    }
  });

  it("closes what can only be read, too", () => {
    const path = newFile();
    closeDatabase(openDatabase(path));
    const database = openDatabase(path, { readOnly: true });
    closeDatabase(database);
    expect(() => database.exec("SELECT 1")).toThrow("not open");
  });
});
