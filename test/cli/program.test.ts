// The program as a whole: help, usage, exit codes, global options, and how any failure ends.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { describe, expect, test } from "vitest";

import { CliError, exitOf, exits, messageOf } from "../../src/cli/exits.ts";
import { reporterNames } from "../../src/scenarios/reporters.ts";
import { openDatabase } from "../../src/store/database.ts";
import { type StoreErrorCode, StoreError } from "../../src/store/port.ts";
import { aftersale, closing, collector, create, executed, folder, ndjson, pay } from "./aftersale.ts";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

describe("help and usage", () => {
  test("--version and --help go to stdout and exit 0", async () => {
    expect(await aftersale(["--version"])).toEqual({ exit: 0, stdout: `${version}\n`, stderr: "" });
    const help = await aftersale(["--help"]);
    expect(help.exit).toBe(0);
    expect(help.stderr).toBe("");
    const commands = [...help.stdout.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name);
    expect(commands).toEqual([
      "exec",
      "run",
      "show",
      "history",
      "stats",
      "orders",
      "refunds",
      "refund",
      "queue",
      "replay",
      "rebuild",
      "due",
      "wallet",
      "serve",
      "token",
      "export",
      "import",
      "diagram",
      "schema",
      "devserver",
      "copy",
      "doctor",
      "completion",
    ]);
  });

  test("every exit code is listed in --help", async () => {
    const { stdout } = await aftersale(["--help"]);
    const listed = [...stdout.matchAll(/^ +(\d+) {2}\S/gm)].map(([, code]) => Number(code));
    expect(listed).toEqual(Object.values(exits));
    expect(listed).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 130]);
  });

  test("a command's help shows its own and the global options", async () => {
    const { exit, stdout } = await aftersale(["stats", "--help"]);
    expect(exit).toBe(0);
    expect(stdout).toContain("--buyer <id>");
    expect(stdout).toContain("--store <url>");
  });

  test.each([
    [["stat"], "unknown command 'stat' (Did you mean stats?)"],
    [["stats", "--merchan", "x"], "unknown option '--merchan' (Did you mean --merchant?)"],
    [["show"], "missing required argument 'orderId'"],
    [["show", "a", "b"], "too many arguments for 'show'"],
    [["orders", "--limit", "0"], "must be a whole number from 1 to 1000."],
    [["orders", "--rating", "great"], "Allowed choices are good, neutral, bad."],
    [["orders", "--buyer", "a", "--merchant", "b"], "cannot be used with option '--merchant <id>'"],
    [["stats", "--as-of", "yesterday"], '"yesterday" is no instant'],
    [["stats", "--as-of", "2026-02-31"], '"2026-02-31" is no instant'],
    [["stats", "--as-of", "rev:1"], "a revision is one order's"],
    [["show", "a", "--as-of", "rev:-1"], "a revision is written rev:3"],
    [["show", "a", "--as-of", "pos:x"], "a position is written pos:1234"],
    [["exec", "{}", "--as", "seller:1"], "an actor is written role:id"],
    [["exec", "{}", "--as", "buyer:"], "an actor is written role:id"],
    [["replay", "--check", "--as-of", "2026-01-01"], "cannot be used with option"],
    [["show", "a", "--at", "2026-01-01"], "--at goes with --explain"],
    [["refunds", "--order", "a", "--merchant", "main"], "cannot be used with option '--merchant <id>'"],
    [["refunds", "--buyer", "a", "--merchant", "b"], "cannot be used with option '--merchant <id>'"],
    [["refunds", "--as-of", "rev:1"], "a revision is one order's; name it with --order"],
    [["refunds", "--type", "refundonly"], 'there is no "refundonly" (did you mean refundOnly?)'],
    [["refunds", "--status", "open"], '--status: there is no "open"'],
    [["queue", "--for", "system"], '--for: there is no "system"; there are merchant, buyer, provider.'],
    [["queue", "--as-of", "rev:1"], "a revision is one order's"],
    [["refund", "show", "a"], "name the case with --case, or its line with --line"],
    [["refund", "show", "a", "--case", "c", "--line", "1"], "cannot be used with option '--line <id>'"],
    [["refund", "list"], "unknown command 'list'"],
    [["completion", "tcsh"], "Allowed choices are bash, zsh, fish."],
  ])("%j is wrong usage", async (args, words) => {
    const ran = await aftersale(args);
    expect(ran.exit).toBe(2);
    expect(ran.stdout).toBe("");
    expect(ran.stderr).toContain(words);
    expect(ran.stderr).toMatch(/^aftersale: [^\n]*\n$/);
  });

  test("no command at all is wrong usage, answered with the help", async () => {
    const ran = await aftersale([]);
    expect(ran.exit).toBe(2);
    expect(ran.stdout).toBe("");
    expect(ran.stderr).toContain("Usage: aftersale");
  });
});

describe("the store", () => {
  const readers = [
    ["show a"],
    ["history a"],
    ["stats"],
    ["orders"],
    ["show a --explain"],
    ["refunds"],
    ["refunds --order a"],
    ["refund show a --line 1"],
    ["queue"],
    ["replay"],
    ["replay --check"],
    ["rebuild"],
    ["due"],
    ["due --dry-run"],
    ["doctor"],
    [`exec {"type":"HideOrder","orderId":"a"} --as buyer:a --preview`],
  ];
  test.each(readers)("%s of a store that is not there says so, and makes none", async (args) => {
    using here = folder();
    const store = here.file("none.db");
    const ran = await aftersale([...args.split(" "), "--store", `sqlite:${store}`]);
    expect(ran.exit).toBe(10);
    expect(ran.stderr).toBe(
      `aftersale: there is no store at ${store} (name one with --store or AFTERSALE_STORE; \`exec\` makes one)\n`,
    );
    expect(existsSync(store)).toBe(false);
  });

  test("comes from --store, else AFTERSALE_STORE", async () => {
    using here = folder();
    const [one, two] = [`sqlite:${here.file("one.db")}`, `sqlite:${here.file("two.db")}`];
    await executed(one, [create("a")]);
    await executed(two, [create("a"), create("b")]);
    const orders = async (args: readonly string[], env: Record<string, string>) =>
      (
        JSON.parse((await aftersale(["stats", "--json", ...args], { env })).stdout) as {
          all: { orders: number };
        }
      ).all.orders;
    expect(await orders([], { AFTERSALE_STORE: two })).toBe(2);
    expect(await orders(["--store", one], { AFTERSALE_STORE: two })).toBe(1);
  });

  test.each(["postgres://x", "sqlite:", "", "memory"])("%j is no store", async (url) => {
    const ran = await aftersale(["exec", "--stdin", "--store", url]);
    expect(ran).toEqual({
      exit: 2,
      stdout: "",
      stderr: `aftersale: --store: ${JSON.stringify(url)} is none of memory:, sqlite:FILE, esdb://HOST:PORT and esdb+discover://HOST:PORT\n`,
    });
  });

  test("memory: lives as long as the command", async () => {
    expect((await executed("memory:", [create("a")])).exit).toBe(0);
    expect((await aftersale(["stats", "--json", "--store", "memory:"])).stdout).toContain('"orders":0');
    expect((await aftersale(["doctor", "--json", "--store", "memory:"])).stdout).toContain('"file":null');
    expect((await aftersale(["replay", "--check", "--store", "memory:"])).exit).toBe(9);
  });

  test("what is no store of ours ends with 10 and its reason", async () => {
    using here = folder();
    writeFileSync(here.file("text.db"), "not a database, but long enough to be looked at ".repeat(200));
    mkdirSync(here.file("folder.db"));
    openDatabase(here.file("other.db")).exec("CREATE TABLE theirs (x)");
    await executed(`sqlite:${here.file("newer.db")}`, [create("a")]);
    openDatabase(here.file("newer.db")).exec("PRAGMA user_version = 99");
    writeFileSync(here.file("empty.db"), "");
    const end = async (file: string, ...args: string[]) => {
      const { exit, stderr } = await aftersale([...args, "--store", `sqlite:${here.file(file)}`]);
      expect(stderr).toMatch(/^aftersale: [^\n]*\n$/);
      return [exit, stderr] as const;
    };
    expect(await end("text.db", "stats")).toEqual([10, expect.stringContaining("file is not a database")]);
    expect(await end("folder.db", "stats")).toEqual([10, expect.stringContaining("it is a folder")]);
    expect(await end("other.db", "stats")).toEqual([10, expect.stringContaining("of another program")]);
    expect(await end("newer.db", "stats")).toEqual([
      10,
      expect.stringContaining("written by a newer version"),
    ]);
    expect(await end("empty.db", "stats")).toEqual([
      10,
      expect.stringContaining("is empty, and opened for reading only"),
    ]);
    expect(await end("no/such/folder.db", "exec", "--stdin")).toEqual([
      10,
      expect.stringContaining("there is no folder"),
    ]);
  });

  test("an event that cannot be read ends with 10, and names where it stands", async () => {
    using here = folder();
    const store = `sqlite:${here.file("a.db")}`;
    await executed(store, [create("a")]);
    openDatabase(here.file("a.db")).exec("UPDATE events SET data = '{' WHERE position = 1");
    const ran = await aftersale(["show", "a", "--store", store]);
    expect([ran.exit, ran.stdout]).toEqual([10, ""]);
    expect(ran.stderr).toMatch(/^aftersale: order-a@0 \(OrderCreated\): its data is no JSON[^\n]*\n$/);
  });
});

describe("run", () => {
  const examples = fileURLToPath(new URL("../../examples/scenarios", import.meta.url));

  test("runs scenario files, by any reporter", async () => {
    const file = join(examples, "happy-path.yaml");
    expect((await aftersale(["run", file])).exit).toBe(0);
    expect((await aftersale(["run", file, "--reporter", "tap"])).stdout).toMatch(/^TAP version 1[34]/);
    const json = await aftersale(["run", file, "--json", "--on", "sqlite:"]);
    expect(JSON.parse(json.stdout)).toMatchObject({ v: 1 });
    const { stdout } = await aftersale(["run", "--help"]);
    for (const name of reporterNames) expect(stdout).toContain(`"${name}"`);
  });

  test.each([
    ["--store", "sqlite:./orders.db", "each scenario runs on a fresh store; --on says of which kind"],
    ["--terms", "terms.json", "a scenario states its own `terms`"],
    ["--redeem-key-file", "key", "a scenario states its own `redeemKey`"],
  ])("refuses %s, which would mean nothing", async (option, value, why) => {
    const file = join(examples, "happy-path.yaml");
    expect(await aftersale(["run", file, option, value])).toEqual({
      exit: 2,
      stdout: "",
      stderr: `aftersale: run: ${option} has no meaning here: ${why}\n`,
    });
  });

  test("exits 9 where nothing was checked, 3 where a file is unreadable", async () => {
    using here = folder();
    writeFileSync(here.file("none.yaml"), "");
    expect((await aftersale(["run", here.file("none.yaml")])).exit).toBe(9);
    writeFileSync(here.file("bad.yaml"), "stepz: []\n");
    expect((await aftersale(["run", here.file("bad.yaml")])).exit).toBe(3);
    expect((await aftersale(["run", here.file("missing.yaml")])).exit).toBe(3);
  });
});

describe("terms and keys", () => {
  test("--terms is read and used; its faults are unreadable input with their place", async () => {
    using here = folder();
    const store = `sqlite:${here.file("a.db")}`;
    const file = here.file("terms.json");
    const exec = (args: readonly string[]) =>
      aftersale(["exec", "--stdin", "--store", store, "--terms", file, ...args], {
        stdin: ndjson([create("a")]),
      });

    writeFileSync(file, '{"main":{"booking":true}}');
    expect((await exec([])).exit).toBe(0);
    expect((await aftersale(["show", "a", "--store", store])).stdout).toContain("pendingConfirmation");

    writeFileSync(file, '{"main":\n  {"booking":yes}}');
    expect(await exec([])).toMatchObject({
      exit: 3,
      stderr: `aftersale: ${file}:2:14: not JSON: yes is no value of JSON\n`,
    });
    writeFileSync(file, '{"main":{"bookin":true}}');
    const unknown = await exec([]);
    expect([unknown.exit, unknown.stderr]).toEqual([
      3,
      expect.stringContaining("main.bookin: unknown key (did you mean booking?)"),
    ]);
    writeFileSync(file, Buffer.from([0x7b, 0xff, 0x7d]));
    expect(await exec([])).toMatchObject({ exit: 3, stderr: `aftersale: ${file}: not UTF-8\n` });
    expect(
      await aftersale(["exec", "--stdin", "--store", store, "--terms", here.file("none.json")]),
    ).toMatchObject({
      exit: 3,
      stderr: expect.stringContaining("none.json: cannot be read: ENOENT"),
    });
  });

  test("a redeem key, from a file or the environment, makes codes that `show` tells", async () => {
    using here = folder();
    const store = `sqlite:${here.file("a.db")}`;
    writeFileSync(here.file("key"), "secret\n");
    const order = create("a", undefined, { fulfilment: "pickup", redeemable: true });
    const refused = await executed(store, [order]);
    expect(refused.results[0]?.error?.code).toBe("redeemKeyMissing");
    expect((await executed(store, [order], ["--redeem-key-file", here.file("key")])).exit).toBe(0);
    const fromFile = await aftersale([
      "show",
      "a",
      "--json",
      "--store",
      store,
      "--redeem-key-file",
      here.file("key"),
    ]);
    const fromEnvironment = await aftersale(["show", "a", "--json", "--store", store], {
      env: { AFTERSALE_REDEEM_KEY: "secret" },
    });
    expect(fromFile.stdout).toBe(fromEnvironment.stdout);
    const { redemptionCode } = JSON.parse(fromFile.stdout) as { redemptionCode: string };
    expect(redemptionCode).toMatch(/^[A-Z2-7]{12}$/);
    const words = await aftersale(["show", "a", "--store", store], {
      env: { AFTERSALE_REDEEM_KEY: "secret" },
    });
    expect(words.stdout).toContain(`write-off code  ${redemptionCode}`);
    expect((await aftersale(["show", "a", "--store", store])).stdout).not.toContain("write-off code");
    writeFileSync(here.file("key"), "\n");
    expect(
      (await aftersale(["show", "a", "--store", store, "--redeem-key-file", here.file("key")])).exit,
    ).toBe(3);
  });
});

describe("ends", () => {
  test.each<[StoreErrorCode, number]>([
    ["conflict", 6],
    ["claimTaken", 6],
    ["invalid", 2],
    ["tooLarge", 5],
    ["gone", 10],
    ["denied", 10],
    ["full", 10],
    ["corrupt", 10],
    ["notAStore", 10],
    ["newer", 10],
    ["unavailable", 10],
    ["closed", 1],
  ])("a store's %s exits %i, also as a cause", (code, exit) => {
    const error = new StoreError(code, "why");
    expect(exitOf(error)).toBe(exit);
    expect(exitOf(new Error("what", { cause: error }))).toBe(exit);
  });

  test("whatever else is thrown is a bug, told in one line, with its stack only on demand", async () => {
    expect(exitOf(new Error("x"))).toBe(1);
    expect(exitOf("x")).toBe(1);
    expect(exitOf(new CliError(exits.expectationFailed, "x"))).toBe(4);
    const broken = collector();
    Object.defineProperty(broken, "isTTY", {
      get: () => {
        throw new Error("first\nsecond", { cause: new Error("third") });
      },
    });
    const run = (env: Record<string, string>) =>
      aftersale(["stats", "--store", "memory:"], { env, stdout: broken });
    expect(await run({})).toEqual({
      exit: 1,
      stdout: "",
      stderr: "aftersale: first second: third (a bug: AFTERSALE_DEBUG=1 shows where)\n",
    });
    expect((await run({ AFTERSALE_DEBUG: "1" })).stderr).toMatch(
      /^aftersale: first second: third\nError: first\nsecond\n +at /,
    );
    expect(messageOf(new Error("first\n  second", { cause: new Error("third") }))).toBe(
      "first second: third",
    );
    expect(messageOf(new Error("all: third", { cause: new Error("third") }))).toBe("all: third");
    expect(messageOf("text")).toBe("text");
  });

  test("a reader that goes (`| head -1`) is no error", async () => {
    using here = folder();
    const store = `sqlite:${here.file("a.db")}`;
    await executed(
      store,
      Array.from({ length: 50 }, (_, n) => create(`o${n}`)),
    );
    for (const args of [["orders"], ["history", "o1", "--diff"], ["schema"], ["--help"]]) {
      expect(await aftersale([...args, "--store", store], { stdout: closing() })).toEqual({
        exit: 0,
        stdout: "",
        stderr: expect.not.stringContaining("EPIPE"),
      });
    }
  });

  test("another failure of stdout is told", async () => {
    const full = closing();
    full._write = (_chunk, _encoding, done) =>
      done(Object.assign(new Error("no space left on device"), { code: "ENOSPC" }));
    expect(await aftersale(["schema"], { stdout: full })).toMatchObject({
      exit: 10,
      stderr: "aftersale: cannot write the output: no space left on device\n",
    });
  });

  test("an interrupt exits 130, and says so in one line", async () => {
    using here = folder();
    const store = `sqlite:${here.file("a.db")}`;
    await executed(store, [create("a"), pay("a")]);
    const signal = AbortSignal.abort(new Error("interrupted by SIGINT"));
    expect(await aftersale(["replay", "--store", store], { signal })).toEqual({
      exit: 130,
      stdout: "",
      stderr: "aftersale: interrupted\n",
    });
  });

  test("--quiet says nothing but errors on stderr", async () => {
    using here = folder();
    const store = `sqlite:${here.file("a.db")}`;
    const loud = await executed(store, [create("a")]);
    expect(loud.stderr).toBe("1 accepted, 0 replayed, 0 refused, 0 unreadable\n");
    expect((await executed(store, [create("b")], ["--quiet"])).stderr).toBe("");
    expect((await aftersale(["show", "c", "--quiet", "--store", store])).stderr).toBe(
      "aftersale: orderId: there is no order c\n",
    );
  });
});
