// The binary as a process: through a symlink, in pipes, interrupted, on several cores, and on a store it may not write to.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { beforeAll, describe, expect, inject, test } from "vitest";

import { openEngine } from "../../src/engine.ts";
import { type Result, create, executed, folder, ndjson, parsed, pay } from "./aftersale.ts";

const binary = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

beforeAll(() => {
  expect(inject("buildFailure")).toBe("");
});

const env = { ...process.env, AFTERSALE_STORE: "", NO_COLOR: "1" };

const run = (args: readonly string[], input?: string) =>
  spawnSync(process.execPath, [binary, ...args], {
    encoding: "utf8",
    env,
    input: input ?? "",
    maxBuffer: 1e8,
  });

const bash = (script: string, ...args: string[]) =>
  spawnSync(
    "bash",
    [
      "-c",
      `set -o pipefail; aftersale() { "${process.execPath}" "${binary}" "$@"; }; ${script}`,
      "bash",
      ...args,
    ],
    {
      encoding: "utf8",
      env,
      maxBuffer: 1e8,
    },
  );

describe("the binary", () => {
  test("is run by its first line, also through a symlink", () => {
    using here = folder();
    chmodSync(binary, 0o755);
    mkdirSync(here.file("bin"));
    symlinkSync(binary, here.file("bin/aftersale"));
    const ran = spawnSync(here.file("bin/aftersale"), ["--version"], { encoding: "utf8", env });
    expect([ran.status, ran.stderr]).toEqual([0, ""]);
    expect(ran.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test("exits as the program says", () => {
    using here = folder();
    const store = `sqlite:${here.file("a.db")}`;
    expect(run(["exec", "--stdin", "--store", store], ndjson([create("a")])).status).toBe(0);
    expect(run(["statz"]).status).toBe(2);
    expect(run(["exec", JSON.stringify({ ...pay("a"), expect: 9 }), "--store", store]).status).toBe(6);
  });

  test("replays on two workers as on one", async () => {
    using here = folder();
    const store = `sqlite:${here.file("a.db")}`;
    await executed(
      store,
      Array.from({ length: 50 }, (_, n) => create(`o${n}`)),
    );
    const one = run(["replay", "--json", "--store", store]);
    const two = run(["replay", "--json", "--workers", "2", "--store", store]);
    expect([one.status, two.status]).toEqual([0, 0]);
    expect(two.stdout).toBe(one.stdout);
    expect(one.stdout).toContain('"orders":50');
  });
});

describe("in pipes", () => {
  test("`| head -1` ends every command quietly", async () => {
    using here = folder();
    const store = `sqlite:${here.file("a.db")}`;
    const lines = ndjson(Array.from({ length: 1_000 }, (_, n) => create(`o${n}`)));
    const ran = spawnSync(
      "bash",
      ["-c", `"${process.execPath}" "${binary}" exec --stdin --events --store "$1" | head -1`, "bash", store],
      {
        encoding: "utf8",
        env,
        input: lines,
      },
    );
    expect(parsed<Result>(ran.stdout)).toMatchObject([{ line: 1, ok: true }]);
    expect(ran.stderr).toBe("1000 accepted, 0 replayed, 0 refused, 0 unreadable\n");
    for (const command of ["orders --limit 1000", "schema", "--help"]) {
      const head = bash(`aftersale ${command} --store "$1" | head -1`, store);
      expect([head.status, head.stderr.replace(/^more: .*\n/, "")]).toEqual([0, ""]);
      expect(head.stdout.split("\n")).toHaveLength(2);
    }
  });

  test("stdout that is closed from the start is no crash", () => {
    const ran = bash(`aftersale schema >&-; echo "exit $?"`);
    expect(ran.stdout).toMatch(/^exit [01]\n$/);
    expect(ran.stderr).not.toContain("    at ");
  });
});

describe.skipIf(process.platform === "win32")("a signal", () => {
  test.each(["SIGINT", "SIGTERM"] as const)(
    "%s: what is under way is finished, the rest is not begun, exit 130",
    async (signal) => {
      using here = folder();
      const store = `sqlite:${here.file("a.db")}`;
      const child = spawn(process.execPath, [binary, "exec", "--stdin", "--store", store], { env });
      let stdout = "";
      let stderr = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
      child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
      // An endless writer, which has no say in when it ends.
      let n = 0;
      const feed = () => {
        while (child.stdin.writable && child.stdin.write(`${JSON.stringify(create(`o${(n += 1)}`))}\n`));
      };
      child.stdin.on("drain", feed).on("error", () => undefined);
      feed();
      while (!stdout.includes("\n")) await once(child.stdout, "data");
      child.kill(signal);
      const [code] = (await once(child, "close")) as [number | null];
      expect(code).toBe(130);
      const results = parsed<Result>(stdout);
      expect(results.every(({ ok }) => ok)).toBe(true);
      expect(stderr).toMatch(
        /^(\d+) accepted, 0 replayed, 0 refused, 0 unreadable\naftersale: interrupted: \d+ of the \d+ lines read were answered, position \d+; /,
      );
      // Every receipt that was given is in the store, and nothing that had none.
      const replayed = JSON.parse(run(["replay", "--json", "--store", store]).stdout) as {
        replay: { orders: number };
      };
      expect(replayed.replay.orders).toBe(results.length);
      expect(stderr).toContain(`position ${results.length};`);
    },
  );

  test("waiting for input, it ends at once", async () => {
    const child = spawn(process.execPath, [binary, "exec", "--stdin", "--store", "memory:"], { env });
    child.stdin.write(`${JSON.stringify(create("a"))}\n`);
    await once(child.stdout, "data");
    child.kill("SIGINT");
    const [code] = (await once(child, "close")) as [number | null];
    expect(code).toBe(130);
  });
});

/** As root a file's mode forbids nothing: then the binary is run as nobody, if that user can reach it at all. */
const asRoot = process.getuid?.() === 0;
const other = asRoot ? { uid: 65_534, gid: 65_534 } : {};
const reachable = spawnSync(process.execPath, [binary, "--version"], { env, ...other }).status === 0;

describe.skipIf(process.platform === "win32" || !reachable)("a store that may only be read", () => {
  const readOnly = (args: readonly string[]) =>
    spawnSync(process.execPath, [binary, ...args], { encoding: "utf8", env, ...other });

  test("answers what it can, from the events where its views are behind, and refuses to be changed with 10", async () => {
    using here = folder();
    const path = here.file("a.db");
    const store = `sqlite:${path}`;
    // Kept open, so that the files beside the database are there to be read.
    await using engine = await openEngine({ store, views: ["orders"] });
    const { command, ...options } = create("a") as { command: object; commandId: string; at: number };
    await engine.execute(command, options as never);
    chmodSync(join(path, ".."), 0o755);
    for (const file of [path, `${path}-wal`, `${path}-shm`]) chmodSync(file, 0o444);
    const stats = readOnly(["stats", "--json", "--store", store]);
    expect(stats.stderr).toMatch(
      /^the views are behind and cannot be brought on \(.*\): answered from the events\n$/,
    );
    expect([stats.status, stats.stdout.includes('"orders":1')]).toEqual([0, true]);
    expect(readOnly(["show", "a", "--store", store]).status).toBe(0);
    const refused = readOnly(["exec", JSON.stringify(pay("a")), "--store", store]);
    expect([refused.status, refused.stdout]).toEqual([10, ""]);
    expect(refused.stderr).toMatch(/^aftersale: [^\n]*\n$/);
  });
});
