// The command line on a server: every command as on a file, and what it says of a server that is not there or holds what is not ours.

import { existsSync } from "node:fs";

import { afterEach, describe, expect, test } from "vitest";

import { type DevServer, startDevServer } from "../../src/server/devserver/server.ts";
import { openEsdbStore } from "../../src/store/esdb.ts";
import { uuid } from "../store/samples.ts";
import {
  aftersale,
  cancel,
  create,
  day,
  executed,
  folder,
  minute,
  noon,
  parsed,
  pay,
  receive,
  ship,
} from "./aftersale.ts";

const servers: DevServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function serve(): Promise<string> {
  const server = await startDevServer();
  servers.push(server);
  return server.url;
}

const lines = [
  create("a"),
  pay("a"),
  create("b"),
  create("c", noon + day),
  ship("a"),
  receive("a"),
  cancel("b"),
  pay("b", noon + 2 * minute),
];

describe("a server", () => {
  test("is written to and asked as a file is, with the same answers", async () => {
    using here = folder();
    const [server, file] = [await serve(), `sqlite:${here.file("a.db")}`];
    const views = ["--views", here.file("views.db")];
    const results: unknown[] = [];
    for (const store of [server, file]) {
      const { exit, results: lineResults } = await executed(store, lines, views);
      results.push([
        exit,
        lineResults.map(({ ok, error, receipt }) => [ok, error?.code, receipt?.["events"]]),
      ]);
    }
    expect(results[0]).toEqual(results[1]);
    const again = await executed(server, lines, views);
    expect(again.results.filter(({ receipt }) => receipt?.["replayed"] === true)).toHaveLength(lines.length);

    for (const args of [
      ["orders", "--json"],
      ["orders", "--json", "--text", "龙井", "--status", "completed"],
      ["orders", "--json", "--as-of", "2026-01-05T12:01:00Z"],
      ["stats", "--json", "--as-of", "2026-01-05T12:01:00Z"],
      ["due", "--dry-run", "--json", "--at", String(noon + 2 * day)],
      ["replay", "--json", "--check"],
      ["rebuild", "statistics", "--json"],
      ["due", "--at", String(noon + 2 * day)],
      ["orders", "--json"],
      ["replay", "--check"],
    ]) {
      const [over, on] = [
        await aftersale([...args, "--store", server, ...views]),
        await aftersale([...args, "--store", file]),
      ];
      expect({ args, ...over }).toEqual({ args, ...on });
      expect(over.exit).toBe(0);
    }
    const show = async (store: string) => {
      const { stdout } = await aftersale(["show", "a", "--json", "--store", store, ...views]);
      return stdout.replaceAll(/"position":"\d+"/g, '"position":""');
    };
    expect(await show(server)).toBe(await show(file));
    const stats = await aftersale(["stats", "--json", "--store", server, ...views]);
    const { lag, ...counted } = JSON.parse(stats.stdout) as Record<string, unknown>;
    expect(counted).toEqual(JSON.parse((await aftersale(["stats", "--json", "--store", file])).stdout));
    expect(lag).toMatchObject({ behind: 0, setAside: 0, server: server.replace(/\?.*/, "") });
    expect((await aftersale(["stats", "--store", server, ...views])).stderr).toMatch(
      /^esdb:\/\/127\.0\.0\.1:\d+: 0 events behind, at position \d+\n$/,
    );
  });

  test("is copied to and from", async () => {
    using here = folder();
    const [server, file, back] = [
      await serve(),
      `sqlite:${here.file("a.db")}`,
      `sqlite:${here.file("b.db")}`,
    ];
    await executed(file, lines);
    const there = await aftersale(["copy", "--from", file, "--to", server, "--json"]);
    expect(there).toMatchObject({ exit: 0, stderr: "" });
    const totals = parsed<{ copy: Record<string, number> }>(there.stdout)[0]?.copy;
    expect(totals).toMatchObject({ orders: 3, copied: totals?.["events"], verified: totals?.["events"] });
    const twice = await aftersale(["copy", "--from", file, "--to", server]);
    expect(twice.stdout).toMatch(/^written now +0$/m);
    expect((await aftersale(["copy", "--from", server, "--to", back])).exit).toBe(0);
    for (const store of [server, back]) {
      const { stdout } = await aftersale([
        "orders",
        "--json",
        "--store",
        store,
        "--views",
        here.file("v.db"),
      ]);
      expect(stdout).toBe((await aftersale(["orders", "--json", "--store", file])).stdout);
    }
    await executed(back, [ship("c")]);
    await executed(back, [{ ...cancel("c", noon + 2 * day), commandId: "other" }]);
    await executed(server, [pay("c", noon + day + minute)], ["--views", here.file("v.db")]);
    const differing = await aftersale(["copy", "--from", back, "--to", server]);
    expect(differing.exit).toBe(6);
    expect(differing.stderr).toMatch(/order-c@1 is another event at the destination/);
    for (const [flags, words] of [
      [["--from", file, "--to", file], /the same store/],
      [["--from", "file:x", "--to", file], /^aftersale: --from: "file:x" is none of/],
    ] as const) {
      const refused = await aftersale(["copy", ...flags]);
      expect(refused.exit).toBe(2);
      expect(refused.stderr).toMatch(words);
    }
  });

  test("keeps its views where --views or AFTERSALE_VIEWS says", async () => {
    using here = folder();
    const server = await serve();
    await executed(server, lines.slice(0, 2), ["--views", here.file("one.db")]);
    await aftersale(["stats", "--store", server], { env: { AFTERSALE_VIEWS: here.file("two.db") } });
    expect([existsSync(here.file("one.db")), existsSync(here.file("two.db"))]).toEqual([true, true]);
  });

  test("with events that are none of ours is named by doctor, with 7", async () => {
    using here = folder();
    const server = await serve();
    const views = ["--views", here.file("views.db")];
    await executed(server, lines.slice(0, 3), views);
    const whole = await aftersale(["doctor", "--store", server, ...views]);
    expect(whole.exit).toBe(0);
    expect(whole.stdout).toMatch(/^views behind +0 events, at position \d+$/m);
    expect(whole.stdout).toMatch(/^connection +well$/m);
    const store = await openEsdbStore(server);
    await store.append("order-a", "exists", [{ id: uuid(600_001), type: "Foreign", data: "{}", meta: "{}" }]);
    await store.close();
    const { exit, stdout, stderr } = await aftersale(["doctor", "--store", server, ...views]);
    expect(exit).toBe(7);
    expect(stdout).toMatch(/^set aside +order-a@3 \(Foreign\): /m);
    expect(stderr).toMatch(/1 events of order streams are none of ours/);
    const json = await aftersale(["doctor", "--json", "--store", server, ...views]);
    expect(JSON.parse(json.stdout)).toMatchObject({ setAside: [{ stream: "order-a", type: "Foreign" }] });
    const { stderr: said, exit: ended } = await aftersale(["show", "a", "--store", server, ...views]);
    expect(ended).toBe(10);
    expect(said).toMatch(/order-a@3 \(Foreign\)/);
    expect((await aftersale(["show", "b", "--store", server, ...views])).exit).toBe(0);
  });

  test("that is not there is 10, in time, and its password is shown to nobody", async () => {
    using here = folder();
    const store = "esdb://admin:secret@127.0.0.1:1?tls=false";
    const each = [["stats"], ["doctor"], ["show", "a"], ["exec", JSON.stringify(create("a"))]];
    // All at once: each waits for a server that does not come.
    await Promise.all(
      each.map(async (args, at) => {
        const views = ["--views", here.file(`views-${at}.db`)];
        const { exit, stdout, stderr } = await aftersale([...args, "--store", store, ...views]);
        expect({ args, exit }).toEqual({ args, exit: 10 });
        expect(stderr).toContain("127.0.0.1:1");
        expect(stdout + stderr).not.toContain("secret");
      }),
    );
  });

  test.each([
    ["esdb://", /^aftersale: --store: esdb:\/\/ names no host/],
    ["esdb://x:2113?tsl=false", /^aftersale: --store: esdb:\/\/x:2113: no setting "tsl"/],
    ["kurrentdb://x:2113", /^aftersale: --store: "kurrentdb:\/\/x:2113" is none of/],
  ])("named wrongly is wrong usage: %s", async (store, words) => {
    const { exit, stderr } = await aftersale(["stats", "--store", store]);
    expect(exit).toBe(2);
    expect(stderr).toMatch(words);
  });
});
