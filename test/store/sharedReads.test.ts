// Reads of one turn: one state of the file for all, each failing alone, others let through, and no transaction left behind.

import { describe, expect, it } from "vitest";

import { type Database, closeDatabase, openDatabase } from "../../src/store/database.ts";
import { SharedReads } from "../../src/store/sharedReads.ts";
import { newFile, tidyFiles } from "./files.ts";

tidyFiles();

/** A file with a table of one column, another connection to write to it, and the reads. */
function stand(turnMs = Infinity): {
  database: Database;
  other: Database;
  reads: SharedReads;
  count: () => number;
} {
  const file = newFile();
  const database = openDatabase(file);
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("CREATE TABLE t (n INTEGER)");
  const other = openDatabase(file);
  const counting = database.prepare("SELECT count(*) AS n FROM t");
  const count = (): number => (counting.get() as { n: number }).n;
  return { database, other, reads: new SharedReads(database, turnMs), count };
}

function close(...databases: readonly Database[]): void {
  for (const database of databases) closeDatabase(database);
}

describe("reads that are asked for in one turn", () => {
  it("see one state of the file, whoever writes meanwhile, and one that is not older than they", async () => {
    const { database, other, reads, count } = stand();
    other.exec("INSERT INTO t VALUES (1)");
    const answers = await Promise.all([
      reads.read(count),
      reads.read(() => {
        other.exec("INSERT INTO t VALUES (2)");
        return count();
      }),
      reads.read(count),
    ]);
    expect(answers).toEqual([1, 1, 1]);
    expect(await reads.read(count)).toBe(2);
    close(database, other);
  });

  it("fail alone", async () => {
    const { database, other, reads, count } = stand();
    const broken = new RangeError("broken");
    const [first, second, third] = await Promise.allSettled([
      reads.read(count),
      reads.read(() => {
        throw broken;
      }),
      reads.read(count),
    ]);
    expect(first).toEqual({ status: "fulfilled", value: 0 });
    expect(second).toEqual({ status: "rejected", reason: broken });
    expect(third).toEqual({ status: "fulfilled", value: 0 });
    close(database, other);
  });

  it("let others have their turn when they take long, and are done in their order all the same", async () => {
    const { database, other, reads, count } = stand(0);
    const order: string[] = [];
    const all = ["a", "b", "c"].map((name) =>
      reads.read(() => {
        order.push(name);
        return count();
      }),
    );
    const write = new Promise<void>((resolve) => {
      setImmediate(() => {
        // A read transaction that was still open would have this wait for ever.
        database.exec("BEGIN IMMEDIATE");
        database.exec("INSERT INTO t VALUES (1)");
        database.exec("COMMIT");
        order.push("another");
        resolve();
      });
    });
    expect(await Promise.all(all)).toEqual([0, 1, 1]);
    await write;
    expect(order).toEqual(["a", "another", "b", "c"]);
    close(database, other);
  });

  it("may ask for more", async () => {
    const { database, other, reads, count } = stand();
    const inner = await reads.read(() => reads.read(count));
    expect(inner).toBe(0);
    close(database, other);
  });

  it("go on where one of them has lost the transaction, as a disk that cannot be read does", async () => {
    const { database, other, reads, count } = stand();
    const lose = reads.read(() => database.exec("ROLLBACK"));
    expect(await reads.read(count)).toBe(0);
    await lose;
    expect(await reads.read(count)).toBe(0);
    database.exec("BEGIN IMMEDIATE");
    database.exec("COMMIT");
    close(database, other);
  });

  it("read within a transaction that somebody has begun, and leave it to them", async () => {
    const { database, other, reads, count } = stand();
    database.exec("BEGIN IMMEDIATE");
    database.exec("INSERT INTO t VALUES (1)");
    expect(await reads.read(count)).toBe(1);
    database.exec("ROLLBACK");
    expect(await reads.read(count)).toBe(0);
    close(database, other);
  });

  it("each say what is wrong where the database is closed", async () => {
    const { database, other, reads, count } = stand();
    const asked = [reads.read(count), reads.read(count)];
    close(database, other);
    for (const settled of await Promise.allSettled(asked)) expect(settled.status).toBe("rejected");
  });
});
