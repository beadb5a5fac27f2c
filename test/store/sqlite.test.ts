// The SQLite store: the contract, then what a file adds to it: commits, locks, other processes, and files that are not right.

import { copyFileSync, existsSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { describe, expect, it } from "vitest";

import { type Database, openDatabase } from "../../src/store/database.ts";
import {
  ConflictError,
  type InTransaction,
  type Message,
  type StoreErrorCode,
  isStoreError,
} from "../../src/store/port.ts";
import { openSqliteStore } from "../../src/store/sqlite.ts";
import { storeContract } from "./contract.ts";
import { newFile, newFolder, openFile, tidyFiles } from "./files.ts";
import { startWriter } from "./processes.ts";
import {
  eventsIn,
  ids,
  isLive,
  messagesUntil,
  readEverything,
  sample,
  samples,
  settle,
  turn,
} from "./samples.ts";

tidyFiles();

storeContract("sqlite", { open: () => openFile(newFile()), inProcess: true, runs: 60 });

function withConnection<T>(path: string, work: (database: Database) => T): T {
  const database = openDatabase(path);
  try {
    return work(database);
  } finally {
    database.close();
  }
}

function pragma(database: Database, name: string): unknown {
  return Object.values(database.prepare(`PRAGMA ${name}`).get() as object)[0];
}

it("an append that is told to stop while it waits for the lock is not made, and holds up no other", async () => {
  const path = newFile();
  const store = await openFile(path);
  const other = openDatabase(path);
  other.exec("BEGIN IMMEDIATE");
  const controller = new AbortController();
  const reason = new Error("enough");
  const stopped = store.append("a", "none", [sample()], { signal: controller.signal });
  const follower = store.append("a", 0n, [sample()], { follows: stopped });
  const neighbour = store.append("b", "none", [sample()], { signal: new AbortController().signal });
  await turn();
  controller.abort(reason);
  await expect(stopped).rejects.toBe(reason);
  await expect(store.append("c", "none", [sample()], { signal: controller.signal })).rejects.toBe(reason);
  other.exec("ROLLBACK");
  other.close();
  await expect(follower).rejects.toThrow(ConflictError);
  expect((await neighbour).position).toBe("1");
  expect(await store.readStream("a")).toEqual([]);
});

it("a stream with a hole is corrupt, from wherever it is read across it", async () => {
  const path = newFile();
  const store = await openFile(path);
  await store.append("s", "none", samples(4));
  withConnection(path, (database) => database.exec("DELETE FROM events WHERE revision = 1"));
  const hole = expect.objectContaining({
    code: "corrupt",
    message: "s: its event at revision 1 is missing",
  }) as Error;
  for (const read of [{}, { from: 1n }, { to: 2n }, { backwards: true }, { limit: 3 }]) {
    await expect(store.readStream("s", read)).rejects.toEqual(hole);
  }
  expect(() => store.local.streams({ after: 0, limit: 10 })).toThrow(hole);
  for (const read of [{ from: 2n }, { to: 0n }, { from: 3n, backwards: true, limit: 2 }, { from: 9n }]) {
    expect((await store.readStream("s", read)).length).toBeLessThanOrEqual(2);
  }
  withConnection(path, (database) => database.exec("DELETE FROM events WHERE revision = 0"));
  await expect(store.readStream("s")).rejects.toThrow("revision 0 is missing");
});

it.each([":memory:", "file:a?mode=memory", "file::memory:?cache=shared", "file:b.db"])(
  "a file may be called %s: what is in it is on disk",
  async (name) => {
    const before = process.cwd();
    process.chdir(newFolder());
    try {
      const store = await openSqliteStore(name);
      await store.append("s", "none", [sample()]);
      await store.close();
      expect(existsSync(resolve(name))).toBe(true);
      const again = await openSqliteStore(name, { readOnly: true });
      expect(await again.readStream("s")).toHaveLength(1);
      await again.close();
    } finally {
      process.chdir(before);
    }
  },
);

describe("a store in a file", () => {
  it("is durable: WAL, and a full sync at every commit", async () => {
    const store = await openFile(newFile());
    expect(store.kind).toBe("sqlite");
    expect(pragma(store.database, "journal_mode")).toBe("wal");
    expect(pragma(store.database, "synchronous")).toBe(2);
    // Waiting for a lock is ours, not SQLite's, which would stop the process meanwhile.
    expect(pragma(store.database, "busy_timeout")).toBe(0);
  });

  it("is there again when it is opened again, settings and all", async () => {
    const path = newFile();
    const first = await openFile(path);
    const events = samples(3);
    const written = await first.append("order-1", "none", events, { claims: ["payment:1"] });
    const before = await readEverything(first);
    await first.close();

    const again = await openFile(path);
    expect(pragma(again.database, "synchronous")).toBe(2);
    expect(await readEverything(again)).toEqual(before);
    expect(await again.append("order-1", "none", events)).toEqual({ ...written, repeated: true });
    await expect(
      again.append("order-2", "none", samples(1), { claims: ["payment:1"] }),
    ).rejects.toMatchObject({
      code: "claimTaken",
    });
    expect(await again.append("order-1", 2n, samples(1), { claims: ["payment:1"] })).toMatchObject({
      revision: 3n,
    });
  });

  it("has written the appends in flight when close answers", async () => {
    const path = newFile();
    const store = await openFile(path);
    const appends = Array.from({ length: 1_500 }, (_, at) => store.append(`order-${at}`, "none", samples(1)));
    await store.close();
    expect((await settle(appends)).fulfilled).toHaveLength(1_500);
    expect(await readEverything(await openFile(path))).toHaveLength(1_500);
  });
});

describe("appends in flight", () => {
  it("share one commit, up to 1,024", async () => {
    const store = await openFile(newFile());
    const commits: number[] = [];
    store.setTransactionHook((appended) => commits.push(appended.length));
    await Promise.all(
      Array.from({ length: 100 }, (_, at) => store.append(`order-${at}`, "none", samples(2))),
    );
    expect(commits).toEqual([100]);
    await Promise.all(
      Array.from({ length: 1_500 }, (_, at) => store.append(`order-${at}`, "any", samples(1))),
    );
    expect(commits).toEqual([100, 1_024, 476]);
  });

  it("are answered singly: what is refused fails none of its neighbours", async () => {
    const store = await openFile(newFile());
    const commits: number[] = [];
    store.setTransactionHook((appended) => commits.push(appended.length));
    const repeated = samples(1);
    const results = await Promise.allSettled([
      store.append("order-1", "none", repeated, { claims: ["payment:1"] }),
      store.append("order-1", 5n, samples(1)),
      store.append("order-2", "none", samples(1), { claims: ["payment:1"] }),
      store.append("order-1", "none", repeated),
      store.append("order-3", "none", [sample({ id: "no" })]),
      store.append("order-1", 0n, samples(2)),
      store.append("order-1", 2n, samples(1)),
    ]);
    const said = results.map((result) =>
      result.status === "fulfilled" ? result.value.repeated : (result.reason as { code: string }).code,
    );
    expect(said).toEqual([false, "conflict", "claimTaken", true, "invalid", false, false]);
    expect(commits).toEqual([3]);
    expect((await readEverything(store)).map(({ revision }) => revision)).toEqual([0n, 1n, 2n, 3n]);
  });

  it("share the fate of their transaction, and all are told", async () => {
    const store = await openFile(newFile());
    await store.append("order-1", "none", samples(1));
    const cause = new Error("undone");
    store.setTransactionHook(() => {
      throw cause;
    });
    const { rejected } = await settle([
      store.append("order-1", 0n, samples(1)),
      store.append("order-1", 1n, samples(1)),
      store.append("order-2", "none", samples(1)),
    ]);
    expect(rejected).toEqual([cause, cause, cause]);
    store.setTransactionHook(() => undefined);
    expect(await store.append("order-1", 0n, samples(1))).toMatchObject({ revision: 1n });
    expect(await store.append("order-2", "none", samples(1))).toMatchObject({ revision: 0n });
  });

  it("that the hook makes are written after it, not lost", async () => {
    const store = await openFile(newFile());
    const made: Promise<unknown>[] = [];
    store.setTransactionHook((appended) => {
      for (const { stream } of appended) {
        if (!stream.startsWith("log")) made.push(store.append(`log-${stream}`, "none", samples(1)));
      }
    });
    await store.append("order-1", "none", samples(1));
    await Promise.all(made);
    expect((await readEverything(store)).map(({ stream }) => stream)).toEqual(["order-1", "log-order-1"]);
  });

  it("are tried again as a whole when the file turns out locked in mid-transaction", async () => {
    const store = await openFile(newFile());
    const attempts: InTransaction[][] = [];
    store.setTransactionHook((appended) => {
      attempts.push([...appended]);
      if (attempts.length < 3) throw Object.assign(new Error("database is locked"), { errcode: 5 });
    });
    const appended = await Promise.all([
      store.append("order-1", "none", samples(1)),
      store.append("order-1", 0n, samples(1)),
    ]);
    expect(appended.map(({ revision }) => revision)).toEqual([0n, 1n]);
    expect(attempts).toHaveLength(3);
    expect(attempts[2]).toEqual(attempts[0]);
    expect(await readEverything(store)).toHaveLength(2);
  });
});

describe("a write of the caller's own", () => {
  it("is one transaction: kept whole, or undone whole by what it throws", async () => {
    const store = await openFile(newFile());
    await store.write(() => store.database.exec("CREATE TABLE views (n INTEGER)"));
    const insert = store.database.prepare("INSERT INTO views VALUES (?)");
    expect(await store.write(() => insert.run(1).changes)).toBe(1);
    const cause = new Error("no");
    await expect(
      store.write(() => {
        insert.run(2);
        throw cause;
      }),
    ).rejects.toBe(cause);
    expect(store.database.prepare("SELECT n FROM views").all()).toMatchObject([{ n: 1 }]);
    await store.append("order-1", "none", samples(1));
  });

  it("says in our words what went wrong, and ends with the store", async () => {
    const path = newFile();
    const store = await openFile(path, { lockTimeoutMs: 5 });
    const other = openDatabase(path);
    other.exec("BEGIN IMMEDIATE");
    await expect(store.write(() => 1)).rejects.toSatisfy((error) => isStoreError(error, "unavailable"));
    other.close();
    const reader = await openFile(path, { readOnly: true });
    await expect(reader.write(() => 1)).rejects.toSatisfy((error) => isStoreError(error, "denied"));
    await store.write(() => store.database.exec("CREATE TABLE views (data BLOB)"));
    store.database.exec("PRAGMA max_page_count = 1");
    await expect(
      store.write(() => store.database.exec("INSERT INTO views VALUES (zeroblob(1000000))")),
    ).rejects.toSatisfy((error) => isStoreError(error, "full"));
    expect(store.database.prepare("SELECT count(*) AS n FROM views").get()).toMatchObject({ n: 0 });
    await store.close();
    await expect(store.write(() => 1)).rejects.toSatisfy((error) => isStoreError(error, "closed"));
  });

  it("that still waits for the lock when the store is closed is told so", async () => {
    const path = newFile();
    const store = await openFile(path);
    const other = openDatabase(path);
    other.exec("BEGIN IMMEDIATE");
    const write = store.write(() => 1).catch((error: unknown) => error);
    await store.close();
    expect(isStoreError(await write, "closed")).toBe(true);
    other.close();
  });
});

describe("two stores on one file", () => {
  it("see each other's events, streams, types and claims", async () => {
    const path = newFile();
    const [one, two] = [await openFile(path), await openFile(path)];
    for (let at = 0; at < 10; at += 1) {
      const [writer, reader] = at % 2 === 0 ? [one, two] : [two, one];
      const revision = at === 0 ? "none" : BigInt(at - 1);
      expect(reader.local.revision("order-1")).toBe(at === 0 ? undefined : BigInt(at - 1));
      const epoch = reader.local.epoch();
      const own = writer.local.epoch();
      await writer.append("order-1", revision, samples(1, { type: `Type${at}` }), {
        claims: [`payment:${at}`],
      });
      expect(reader.local.epoch()).not.toBe(epoch);
      expect(writer.local.epoch()).toBe(own);
      expect(reader.local.revision("order-1")).toBe(BigInt(at));
      expect(reader.local.readStream("order-1").map(({ type }) => type)).toEqual(
        Array.from({ length: at + 1 }, (_, n) => `Type${n}`),
      );
      await expect(reader.append("order-1", revision, samples(1))).rejects.toMatchObject({
        code: "conflict",
        actual: BigInt(at),
      });
      await expect(
        reader.append(`thief-${at}`, "none", samples(1), { claims: [`payment:${at}`] }),
      ).rejects.toMatchObject({ code: "claimTaken" });
    }
  });

  it("notice that an append decided on an event of their own was overtaken", async () => {
    const path = newFile();
    const [one, two] = [await openFile(path), await openFile(path)];
    one.setTransactionHook(() => {
      throw new Error("lost");
    });
    const lost = one.append("order-1", "none", samples(1));
    await settle([lost]);
    one.setTransactionHook(() => undefined);
    await two.append("order-1", "none", samples(1));
    await expect(one.append("order-1", 0n, samples(1), { follows: lost })).rejects.toMatchObject({
      code: "conflict",
      actual: 0n,
    });
  });

  it("notice that another wrote behind the append that was followed", async () => {
    const path = newFile();
    const [one, two] = [await openFile(path), await openFile(path)];
    const first = one.append("order-1", "none", samples(1));
    await first;
    await two.append("order-2", "none", samples(1));
    // What another writes elsewhere takes nothing away.
    const second = one.append("order-1", 0n, samples(1), { follows: first });
    expect(await second).toMatchObject({ revision: 1n, repeated: false });
    await two.append("order-1", 1n, samples(1));
    await expect(one.append("order-1", 2n, samples(1), { follows: second })).rejects.toMatchObject({
      code: "conflict",
      actual: 2n,
    });
  });

  it("race for every revision with one winner", async () => {
    const path = newFile();
    const stores = [await openFile(path), await openFile(path), await openFile(path)];
    for (let round = 0; round < 20; round += 1) {
      const expected = round === 0 ? "none" : BigInt(round - 1);
      const { fulfilled, rejected } = await settle(
        stores.flatMap((store) => [0, 1].map(() => store.append("order-1", expected, samples(1)))),
      );
      expect(fulfilled).toMatchObject([{ revision: BigInt(round) }]);
      expect(rejected.every((error) => isStoreError(error, "conflict"))).toBe(true);
    }
  });

  it("follow each other's events", async () => {
    const path = newFile();
    const [one, two] = [await openFile(path, { pollMs: 1 }), await openFile(path)];
    const writing = (async () => {
      for (let at = 0; at < 30; at += 1) {
        await two.append(`order-${at % 3}`, "any", samples(1));
        await turn();
      }
    })();
    let count = 0;
    const messages: Message[] = await messagesUntil(
      one.subscribe(),
      ({ kind }) => kind === "event" && (count += 1) === 30,
    );
    await writing;
    expect(eventsIn(messages)).toEqual(await readEverything(two));
    expect(messages.filter(isLive)).toHaveLength(1);
  });

  it("are told of their own events at once, however seldom they look for others'", async () => {
    const store = await openFile(newFile(), { pollMs: 2 ** 31 - 1 });
    const [event] = samples(1);
    const messages = await messagesUntil(store.subscribe(), (message) => {
      if (isLive(message) && event !== undefined)
        setImmediate(() => void store.append("order-1", "none", [event]));
      return message.kind === "event";
    });
    expect(eventsIn(messages)).toMatchObject([{ id: event?.id }]);
  });

  it("skip nothing that a stalled writer commits late", async () => {
    const path = newFile();
    const [writer, reader] = [await openFile(path), await openFile(path)];
    await writer.append("order-1", "none", samples(2));
    const start = await reader.readAll();

    const stalled = openDatabase(path);
    stalled.exec("BEGIN IMMEDIATE");
    const insert = stalled.prepare(
      "INSERT INTO events (stream_id, revision, type_id, id, meta, data) VALUES (1, ?, 1, ?, '{}', '{}')",
    );
    const late = samples(2);
    for (const [at, { id }] of late.entries()) insert.run(2 + at, id);
    const others = samples(2);
    const overtaking = writer.append("order-2", "none", others);
    await turn();
    const before = await reader.readAll({ after: start.checkpoint });
    expect(before.events).toEqual([]);
    expect(before.checkpoint).toBe(start.checkpoint);
    expect(await reader.head()).toBe(start.checkpoint);

    stalled.exec("COMMIT");
    stalled.close();
    await overtaking;
    const after = await readEverything(reader, { after: before.checkpoint });
    expect(ids(after)).toEqual([...ids(late), ...ids(others)]);
  });
});

describe("the file's write lock in other hands", () => {
  it("makes appends wait, while the process goes on", async () => {
    const path = newFile();
    const store = await openFile(path);
    await store.append("order-1", "none", samples(1));
    const other = openDatabase(path);
    other.exec("BEGIN IMMEDIATE");
    let settled = false;
    const early = store.append("order-1", 0n, samples(1)).finally(() => (settled = true));
    for (let turns = 0; turns < 50; turns += 1) await turn();
    const late = store.append("order-1", 1n, samples(1));
    // Reads are not in the way of a writer, nor he in theirs.
    expect(await store.readStream("order-1")).toHaveLength(1);
    expect(settled).toBe(false);
    // Only this very process can let go of the lock: had the wait stopped it, nothing ever would.
    other.exec("ROLLBACK");
    other.close();
    expect(await early).toMatchObject({ revision: 1n });
    expect(await late).toMatchObject({ revision: 2n });
  });

  it("lets all who asked while it was waited for share one commit", async () => {
    const path = newFile();
    const store = await openFile(path);
    const commits: number[] = [];
    store.setTransactionHook((appended) => commits.push(appended.length));
    const other = openDatabase(path);
    other.exec("BEGIN IMMEDIATE");
    const appends: Promise<unknown>[] = [];
    for (let at = 0; at < 5; at += 1) {
      appends.push(store.append(`order-${at}`, "none", samples(1)));
      await turn();
    }
    other.close();
    await Promise.all(appends);
    expect(commits).toEqual([5]);
  });

  it("is waited for so long and no longer, then the store goes on", async () => {
    const path = newFile();
    const store = await openFile(path, { lockTimeoutMs: 10 });
    const other = openDatabase(path);
    other.exec("BEGIN IMMEDIATE");
    const { rejected } = await settle([
      store.append("order-1", "none", samples(1)),
      store.append("order-2", "none", samples(1)),
    ]);
    expect(rejected).toHaveLength(2);
    for (const error of rejected) {
      expect(isStoreError(error, "unavailable")).toBe(true);
      expect((error as Error).message).toContain("locked by another process");
    }
    other.close();
    expect(await store.append("order-1", "none", samples(1))).toMatchObject({ revision: 0n });
    expect(await readEverything(store)).toHaveLength(1);
  });

  it("does not keep close from finishing what it took", async () => {
    const path = newFile();
    const store = await openFile(path);
    const other = openDatabase(path);
    other.exec("BEGIN IMMEDIATE");
    const append = store.append("order-1", "none", samples(1));
    await turn();
    const closing = store.close();
    await turn();
    other.close();
    await closing;
    expect(await append).toMatchObject({ revision: 0n });
    expect(await readEverything(await openFile(path))).toHaveLength(1);
  });

  it("does not keep a file from being opened by a reader, and is waited for by one who makes it", async () => {
    const path = newFile();
    await (await openFile(path)).append("order-1", "none", samples(1));
    const other = openDatabase(path);
    other.exec("BEGIN IMMEDIATE");
    const opened = await openFile(path, { lockTimeoutMs: 0 });
    expect(await readEverything(opened)).toHaveLength(1);
    other.close();

    const fresh = newFile();
    const first = openDatabase(fresh);
    first.exec("BEGIN IMMEDIATE");
    await expect(openSqliteStore(fresh, { lockTimeoutMs: 5 })).rejects.toSatisfy((error) =>
      isStoreError(error, "unavailable"),
    );
    const opening = openFile(fresh);
    await turn();
    first.close();
    await (await opening).append("order-1", "none", samples(1));
  });
});

describe("a file that is not right", () => {
  async function refusal(
    path: string,
    options?: Parameters<typeof openSqliteStore>[1],
  ): Promise<{ code: StoreErrorCode; message: string }> {
    try {
      await (await openSqliteStore(path, options)).close();
    } catch (error) {
      if (isStoreError(error)) return error;
      throw error;
    }
    throw new Error(`${path} was opened`);
  }

  it("from a newer version is refused, unchanged", async () => {
    const path = newFile();
    await (await openFile(path)).close();
    withConnection(path, (database) => database.exec("PRAGMA user_version = 2"));
    const before = readFileSync(path);
    for (const readOnly of [false, true]) {
      const error = await refusal(path, { readOnly });
      expect(error.code).toBe("newer");
      expect(error.message).toMatch(/newer version.*\b2\b.*\b1\b/);
    }
    expect(readFileSync(path)).toEqual(before);
  });

  it("of another program is refused, unchanged", async () => {
    const path = newFile();
    withConnection(path, (database) => database.exec("CREATE TABLE cats (name TEXT)"));
    const before = readFileSync(path);
    const error = await refusal(path);
    expect(error.code).toBe("notAStore");
    expect(error.message).toContain("another program");
    expect(readFileSync(path)).toEqual(before);
    withConnection(path, (database) => expect(pragma(database, "journal_mode")).toBe("delete"));
  });

  it("that is no database is refused, unchanged", async () => {
    const path = newFile();
    writeFileSync(path, "orderId,amount\n".repeat(500));
    const error = await refusal(path);
    expect(error.code).toBe("notAStore");
    expect(error.message).toContain(path);
    expect(readFileSync(path, "utf8")).toBe("orderId,amount\n".repeat(500));
  });

  it("that is a folder, or in none, is refused and says so", async () => {
    const folder = newFolder();
    expect(await refusal(folder)).toMatchObject({
      code: "notAStore",
      message: expect.stringContaining("is a folder") as string,
    });
    const error = await refusal(join(folder, "missing", "store.db"));
    expect(error.code).toBe("unavailable");
    expect(error.message).toContain(`no folder ${join(folder, "missing")}`);
    expect(existsSync(join(folder, "missing"))).toBe(false);
  });

  it("that is empty becomes a store, but not for reading only", async () => {
    const path = newFile();
    writeFileSync(path, "");
    expect(await refusal(path, { readOnly: true })).toMatchObject({ code: "notAStore" });
    await (await openFile(path)).append("order-1", "none", samples(1));
  });

  it("that is missing is not made by a reader", async () => {
    const path = newFile();
    expect(await refusal(path, { readOnly: true })).toMatchObject({ code: "unavailable" });
    expect(existsSync(path)).toBe(false);
  });

  /** A copy of a store's file, as a backup or another machine would have it: nothing beside it, nobody holding it. */
  async function fullFile(): Promise<string> {
    const path = newFile();
    const store = await openFile(path);
    await store.append("order-1", "none", samples(2_000));
    await store.close();
    const copy = newFile();
    copyFileSync(path, copy);
    return copy;
  }

  it("with damaged pages is reported as corrupt, wherever it is read", async () => {
    const path = await fullFile();
    const bytes = readFileSync(path);
    // All but the first page, which lists the tables.
    bytes.fill(0xa5, 4096);
    writeFileSync(path, bytes);
    const store = await openFile(path);
    for (const read of [
      () => store.readStream("order-1"),
      () => store.readAll(),
      () => store.append("order-1", "any", samples(1)),
      async () => store.local.revision("order-1"),
      async () => store.local.streams({ limit: 1 }),
    ]) {
      await expect(read()).rejects.toSatisfy((error) => isStoreError(error, "corrupt"));
    }
  });

  it("that was cut short is reported as corrupt", async () => {
    const path = await fullFile();
    truncateSync(path, Math.floor(statSync(path).size / 2 / 4096) * 4096);
    const read = async () => readEverything(await openFile(path));
    await expect(read()).rejects.toSatisfy((error) => isStoreError(error, "corrupt"));
  });

  it("whose events are of a type that is not listed is reported as corrupt", async () => {
    const path = await fullFile();
    withConnection(path, (database) => database.exec("DELETE FROM types"));
    await expect((await openFile(path)).readAll()).rejects.toSatisfy((error) =>
      isStoreError(error, "corrupt"),
    );
  });

  it("on a full disk takes nothing, says so, and goes on once there is room", async () => {
    const store = await openFile(newFile());
    await store.append("order-1", "none", samples(1));
    const pages = pragma(store.database, "page_count") as number;
    store.database.exec(`PRAGMA max_page_count = ${pages + 4}`);
    const large = sample({ data: JSON.stringify("x".repeat(100_000)) });
    const { rejected } = await settle([
      store.append("order-2", "none", samples(1, { type: "NewType" })),
      store.append("order-1", 0n, [sample(), large], { claims: ["payment:1"] }),
    ]);
    expect(rejected).toHaveLength(2);
    for (const error of rejected) expect(isStoreError(error, "full")).toBe(true);
    expect(await readEverything(store)).toHaveLength(1);
    expect(store.local.revision("order-1")).toBe(0n);
    expect(store.local.revision("order-2")).toBeUndefined();

    store.database.exec("PRAGMA max_page_count = 1000000");
    await store.append("order-3", "none", samples(1, { type: "OtherType" }), { claims: ["payment:1"] });
    expect(await store.append("order-1", 0n, [large])).toMatchObject({ revision: 1n });
    expect((await readEverything(store)).map(({ stream, type }) => [stream, type])).toEqual([
      ["order-1", "Noted"],
      ["order-3", "OtherType"],
      ["order-1", "Noted"],
    ]);
    expect(pragma(store.database, "integrity_check")).toBe("ok");
  });
});

describe("a file opened for reading only", () => {
  it("is read, and never written", async () => {
    const path = newFile();
    const writer = await openFile(path);
    const events = samples(2);
    await writer.append("order-1", "none", events);
    const reader = await openFile(path, { readOnly: true });
    expect(await readEverything(reader)).toEqual(await readEverything(writer));
    for (const append of [
      () => reader.append("order-1", 1n, samples(1)),
      () => reader.append("order-1", "none", events),
    ]) {
      await expect(append()).rejects.toSatisfy((error) => isStoreError(error, "denied"));
    }
    // A bad append is bad everywhere.
    await expect(reader.append("", "none", samples(1))).rejects.toSatisfy((error) => isStoreError(error));
    await writer.append("order-1", 1n, samples(1));
    expect(reader.local.revision("order-1")).toBe(2n);
    expect(eventsIn(await messagesUntil(reader.subscribe(), isLive))).toHaveLength(3);
  });

  it("is read after its writer is gone, and from a copy", async () => {
    const path = newFile();
    const writer = await openFile(path);
    await writer.append("order-1", "none", samples(2));
    await writer.close();
    const copy = join(newFolder(), "copy.db");
    copyFileSync(path, copy);
    for (const file of [path, copy]) {
      expect(await readEverything(await openFile(file, { readOnly: true }))).toHaveLength(2);
    }
  });

  it("is read while another process writes it", async () => {
    const path = newFile();
    const writer = startWriter(path, "writer", "own", 8);
    await writer.reached(0);
    const reader = await openFile(path, { readOnly: true, pollMs: 1 });
    let count = 0;
    const messages = await messagesUntil(
      reader.subscribe(),
      ({ kind }) => kind === "event" && (count += 1) === 500,
    );
    await writer.kill();
    expect(eventsIn(messages)).toEqual((await readEverything(reader)).slice(0, 500));
    for (const { stream, revision, position } of writer.acknowledged) {
      expect((await reader.readStream(stream, { from: BigInt(revision), limit: 1 }))[0]?.position).toBe(
        position,
      );
    }
  });
});

describe("several processes on one file", () => {
  it("make it together, race for one stream, and account for every event", async () => {
    const path = newFile();
    const names = ["a", "b", "c", "d"];
    const writers = names.map((name) => startWriter(path, name, "race", 40));
    expect(await Promise.all(writers.map(({ ended }) => ended))).toEqual([0, 0, 0, 0]);

    const store = await openFile(path);
    const all = await readEverything(store);
    expect(all.map(({ revision }) => Number(revision))).toEqual(all.map((_, at) => at));
    const acknowledged = writers.flatMap((writer) => writer.acknowledged);
    expect(acknowledged).toHaveLength(160);
    const stored = new Map(all.map((event) => [event.id, event]));
    expect(stored.size).toBe(all.length);
    let told = 0;
    for (const { events, revision, position } of acknowledged) {
      told += events.length;
      const first = BigInt(revision) - BigInt(events.length - 1);
      for (const [at, event] of events.entries()) {
        expect(stored.get(event.id)).toMatchObject({ ...event, revision: first + BigInt(at) });
      }
      expect(stored.get(events.at(-1)?.id ?? "")?.position).toBe(position);
    }
    expect(told).toBe(all.length);
  });
});
