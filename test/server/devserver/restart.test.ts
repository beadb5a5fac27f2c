// What a restart keeps: everything that was acknowledged, on a file, also when the process is killed; and nothing but the log in memory.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createConnection, createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { afterEach, describe, expect, inject, test } from "vitest";

import { openDatabase } from "../../../src/store/database.ts";
import { openSqliteStore } from "../../../src/store/sqlite.ts";
import { aftersale } from "../../cli/aftersale.ts";
import { collect, event, events, failure } from "./contract.ts";
import { connect, newPath, start, startWithClient, tidyServers } from "./servers.ts";

tidyServers();

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/** A life of every kind: appends, metadata, a deletion, one taken up again, a tombstone. */
async function live(client: ReturnType<typeof connect>): Promise<void> {
  await client.appendToStream("plain", events(3));
  await client.setStreamMetadata("kept", { maxCount: 2 });
  await client.appendToStream("kept", events(5));
  await client.appendToStream("deleted", events(2));
  await client.deleteStream("deleted");
  await client.appendToStream("again", events(2));
  await client.deleteStream("again");
  await client.appendToStream("again", events(2));
  await client.appendToStream("gone", events(1));
  await client.tombstoneStream("gone");
}

async function everything(client: ReturnType<typeof connect>): Promise<unknown> {
  const streams: Record<string, unknown> = {};
  for (const name of ["plain", "kept", "deleted", "again", "gone"]) {
    streams[name] = await collect(client.readStream(name)).catch((error: { type: string }) => error.type);
  }
  return { streams, all: await collect(client.readAll()) };
}

describe("a restart", () => {
  test.each(["on a file", "in memory"])(
    "keeps the whole log %s: events, ids, positions, metadata, deletions, tombstones",
    async (where) => {
      const { client, server } = await startWithClient(
        where === "on a file" ? { data: newPath("log.db") } : {},
      );
      await live(client);
      const before = await everything(client);
      await server.restart();
      const again = connect(server.url);
      expect(await everything(again)).toEqual(before);
      const { position } = await again.appendToStream("plain", event(), { expectedRevision: 2n });
      const all = await collect(again.readAll());
      expect(all.at(-1)?.event?.position).toEqual(position);
      expect((await again.appendToStream("deleted", event())).nextExpectedRevision).toBe(2n);
    },
  );

  test.each(["on a file", "in memory"])(
    "forgets what only memory knew (%s): a repeat with `any` is written again, one at a revision is not",
    async (where) => {
      const { client, server } = await startWithClient(
        where === "on a file" ? { data: newPath("log.db") } : {},
      );
      const same = event();
      await client.appendToStream("a", same);
      await client.appendToStream("a", same);
      await server.restart();
      const again = connect(server.url);
      expect(
        (await again.appendToStream("a", same, { expectedRevision: "no_stream" })).nextExpectedRevision,
      ).toBe(0n);
      expect((await again.appendToStream("a", same)).nextExpectedRevision).toBe(1n);
      expect(await collect(again.readStream("a"))).toHaveLength(2);
    },
  );
});

describe("a file", () => {
  test("is one server's alone, and free when it is closed", async () => {
    const data = newPath("log.db");
    const server = await start({ data });
    await expect(start({ data })).rejects.toMatchObject({ code: "unavailable" });
    await server.close();
    await start({ data });
  });

  test("of something else is refused, and left as it is", async () => {
    const text = newPath("text.db", "this is no database, and a long enough one to be sure of it");
    await expect(start({ data: text })).rejects.toMatchObject({ code: "notAStore" });
    const orders = newPath("orders.db");
    await (await openSqliteStore(orders)).close();
    await expect(start({ data: orders })).rejects.toMatchObject({ code: "notAStore" });
    const other = newPath("other.db");
    const database = openDatabase(other);
    database.exec("CREATE TABLE a (b)");
    database.close();
    await expect(start({ data: other })).rejects.toMatchObject({ code: "notAStore" });
    await expect(start({ data: newPath("nowhere/log.db") })).rejects.toMatchObject({ code: "unavailable" });
  });
});

test("$maxAge hides what has grown too old, from reads and subscriptions", async () => {
  let now = Date.UTC(2026, 0, 1);
  const { client } = await startWithClient({ now: () => now });
  await client.setStreamMetadata("a", { maxAge: 60 });
  await client.appendToStream("a", events(2));
  now += 50_000;
  await client.appendToStream("a", events(2));
  expect(await collect(client.readStream("a"))).toHaveLength(4);
  now += 20_000;
  expect((await collect(client.readStream("a"))).map(({ event: one }) => one?.revision)).toEqual([2n, 3n]);
  expect((await collect(client.readStream("a")))[0]?.event?.created).toEqual(new Date(now - 20_000));
  now += 60_000;
  expect(await collect(client.readStream("a"))).toEqual([]);
  expect((await client.appendToStream("a", event(), { expectedRevision: 3n })).nextExpectedRevision).toBe(4n);
  expect(await collect(client.readStream("a"))).toHaveLength(1);
});

const binary = fileURLToPath(new URL("../../../dist/cli/main.js", import.meta.url));
const writer = fileURLToPath(new URL("writer.mjs", import.meta.url));

async function startBinary(
  ...args: string[]
): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  expect(inject("buildFailure")).toBe("");
  const child = spawn(process.execPath, [binary, "devserver", "--quiet", "--port", "0", ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  const [line] = (await once(createInterface({ input: child.stdout as NodeJS.ReadableStream }), "line")) as [
    string,
  ];
  return { child, url: line };
}

describe("the command", () => {
  test("prints where it serves, and Ctrl-C ends it cleanly with what was written", async () => {
    const data = newPath("log.db");
    const interrupt = new AbortController();
    let url = "";
    let told = (): void => undefined;
    const printed = new Promise<void>((resolve) => {
      told = resolve;
    });
    const running = aftersale(["devserver", "--data", data, "--port", "0"], {
      signal: interrupt.signal,
      onStdout: (text) => {
        url += text;
        told();
      },
    });
    await printed;
    expect(url).toMatch(/^esdb:\/\/127\.0\.0\.1:\d+\?tls=false\n$/);
    await connect(url.trim()).appendToStream("a", event());
    interrupt.abort(new Error("interrupted by SIGINT"));
    const ran = await running;
    expect([ran.exit, ran.stderr]).toEqual([
      130,
      "a development server: it speaks a subset of the EventStoreDB 20+ gRPC protocol, to this machine only; Ctrl-C ends it\n",
    ]);
    const { client } = await startWithClient({ data });
    expect(await collect(client.readStream("a"))).toHaveLength(1);
  });

  test("--json prints one document; a port that is taken, or a wrong file, ends it with 10", async () => {
    const over = AbortSignal.abort();
    const ran = await aftersale(["devserver", "--port", "0", "--json", "--quiet"], { signal: over });
    const document = JSON.parse(ran.stdout) as { port: number };
    expect(document).toEqual({
      v: 1,
      url: `esdb://127.0.0.1:${document.port}?tls=false`,
      port: document.port,
      data: null,
    });
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as { port: number };
    const refused = await aftersale(["devserver", "--port", String(port)]);
    taken.close();
    expect([refused.exit, refused.stdout]).toEqual([10, ""]);
    expect(refused.stderr).toContain(`aftersale: port ${port} is taken`);
    const wrong = await aftersale([
      "devserver",
      "--port",
      "0",
      "--data",
      newPath("a.db", "no database at all, but long enough for one"),
    ]);
    expect([wrong.exit, wrong.stdout]).toEqual([10, ""]);
    expect((await aftersale(["devserver", "--port", "65536"])).exit).toBe(2);
  });

  test("listens to this machine alone", async () => {
    const { url, child } = await startBinary();
    const port = Number(/^esdb:\/\/127\.0\.0\.1:(\d+)/.exec(url)?.[1]);
    const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
    for (const { address } of own.filter(({ internal, family }) => !internal && family === "IPv4")) {
      const [error] = (await once(
        createConnection({ host: address, port }).on("error", () => undefined),
        "error",
      )) as [{ code: string }];
      expect(error.code).toBe("ECONNREFUSED");
    }
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([130, null]);
  });

  test.each(Array.from({ length: 3 }, (_, round) => round))(
    "kill -9 loses nothing that was acknowledged (round %i)",
    async (round) => {
      const data = newPath("log.db");
      const acknowledged: { stream: string; ids: string[]; revision: string }[] = [];
      for (let life = 0; life < 2; life += 1) {
        const { child, url } = await startBinary("--data", data);
        const writing = spawn(process.execPath, [writer, url, "16"], {
          stdio: ["ignore", "pipe", "inherit"],
        });
        children.push(writing);
        const lines = createInterface({ input: writing.stdout });
        const enough = acknowledged.length + 40 + round * 30;
        lines.on("line", (line) => {
          acknowledged.push(JSON.parse(line) as (typeof acknowledged)[number]);
          if (acknowledged.length === enough) child.kill("SIGKILL");
        });
        await Promise.all([once(child, "exit"), once(lines, "close"), once(writing, "exit")]);
        expect(acknowledged.length).toBeGreaterThanOrEqual(enough);
      }
      const { client } = await startWithClient({ data });
      const streams = new Map<string, string[]>();
      for (const name of new Set(acknowledged.map(({ stream }) => stream))) {
        const read = await collect(client.readStream(name));
        streams.set(
          name,
          read.map(({ event: one }) => one?.id as string),
        );
        expect(read.map(({ event: one }) => Number(one?.revision))).toEqual(read.map((_, index) => index));
        // Both events of an append, or none.
        expect(read.length % 2).toBe(0);
      }
      for (const { stream, ids, revision } of acknowledged) {
        expect(streams.get(stream)?.slice(Number(revision) - 1, Number(revision) + 1)).toEqual(ids);
      }
      expect(
        await failure(
          client.appendToStream(acknowledged[0]?.stream as string, event(), {
            expectedRevision: "no_stream",
          }),
        ),
      ).toMatchObject({
        type: "wrong-expected-version",
      });
    },
  );
});
