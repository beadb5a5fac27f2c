// Real orders, piped from the example into the binary: the figures of each folder's own README, twice over.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { beforeAll, describe, expect, inject, test } from "vitest";

import { folder } from "./aftersale.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const sample = fileURLToPath(new URL("../../examples/online-retail/sample", import.meta.url));
const december =
  process.env["ONLINE_RETAIL"] ??
  fileURLToPath(new URL("../../../shared/data/online-retail", import.meta.url));

beforeAll(() => {
  expect(inject("buildFailure")).toBe("");
});

const env = { ...process.env, AFTERSALE_STORE: "", NO_COLOR: "1", npm_config_loglevel: "error" };

function bash(script: string, ...args: string[]) {
  const ran = spawnSync("bash", ["-c", `set -o pipefail; ${script}`, "bash", ...args], {
    cwd: root,
    encoding: "utf8",
    env,
    maxBuffer: 1e9,
  });
  return { exit: ran.status, stdout: ran.stdout, stderr: ran.stderr };
}

const pipe = (from: string, store: string) =>
  bash(
    'npm run -s example:online-retail -- "$1" | node dist/cli/main.js exec --stdin --no-results --store "$2"',
    from,
    store,
  );

const aftersale = (...args: string[]) => bash('node dist/cli/main.js "$@"', ...args);

interface Figures {
  readonly orders: number;
  readonly lines: number;
  readonly units: number;
  readonly paid: number;
  readonly cases: number;
  readonly unitsReturned: number;
  readonly refunded: number;
  readonly closed: number;
}

function comesTo(from: string, figures: Figures): void {
  const { orders, lines, units, paid, cases, unitsReturned, refunded, closed } = figures;
  const commands = (orders + cases) * 4;
  // A return has a command's event each, and its stock, its refund and its settlement beside the last.
  const events = orders * 5 + cases * 7 + closed;
  using here = folder();
  const store = `sqlite:${here.file("orders.db")}`;
  const all = {
    count_id_no_pay: 0,
    count_id_no_transfer: 0,
    count_id_no_confirm: 0,
    count_id_no_reputation: orders - closed,
    count_id_success: 0,
    count_id_close: closed,
    orders,
    lines,
    units,
    paid: { GBP: paid },
    refunded: { GBP: refunded },
    cases: { refunded: cases },
    casesOpen: 0,
    unitsReturned,
    closedByRefund: closed,
  };

  const first = pipe(from, store);
  expect(first).toMatchObject({ exit: 0, stdout: "" });
  expect(first.stderr).toContain(`${commands} accepted, 0 replayed, 0 refused, 0 unreadable\n`);
  const stats = aftersale("stats", "--json", "--store", store);
  expect(stats).toMatchObject({ exit: 0, stderr: "" });
  expect(JSON.parse(stats.stdout)).toEqual({ v: 1, all });

  const again = pipe(from, store);
  expect(again).toMatchObject({ exit: 0, stdout: "" });
  expect(again.stderr).toContain(`0 accepted, ${commands} replayed, 0 refused, 0 unreadable\n`);
  expect(aftersale("stats", "--json", "--store", store)).toEqual(stats);

  const checked = aftersale("replay", "--check", "--json", "--store", store);
  expect(checked).toMatchObject({ exit: 0, stderr: "" });
  expect(JSON.parse(checked.stdout)).toMatchObject({
    replay: { orders, events, statuses: { completed: orders - closed, closed }, paid: { GBP: paid } },
    checks: ["statistics", "orders", "search", "cases"].map((view) => ({ view, different: 0 })),
  });
}

describe("Online Retail", () => {
  test("the sample comes to the figures of its README", () => {
    comesTo(sample, {
      orders: 36,
      lines: 348,
      units: 6_104,
      paid: 1_416_789,
      cases: 17,
      unitsReturned: 187,
      refunded: 62_510,
      closed: 1,
    });
  });

  const there = existsSync(december);
  if (!there)
    console.warn(
      `skipped: December 2010 of Online Retail is not at ${december}; ONLINE_RETAIL=FOLDER names it`,
    );

  test.skipIf(!there)("December 2010 comes to the figures of its README", { timeout: 300_000 }, () => {
    comesTo(december, {
      orders: 1_550,
      lines: 41_310,
      units: 358_743,
      paid: 77_786_564,
      cases: 302,
      unitsReturned: 3_240,
      refunded: 813_070,
      closed: 5,
    });
  });

  test("statistics of one buyer stand beside all", () => {
    using here = folder();
    const store = `sqlite:${here.file("orders.db")}`;
    expect(pipe(sample, store).exit).toBe(0);
    const { all, buyer } = JSON.parse(
      aftersale("stats", "--json", "--buyer", "17850", "--store", store).stdout,
    ) as Record<string, Record<string, unknown>>;
    expect(Object.keys(buyer ?? {})).toEqual(Object.keys(all ?? {}));
    expect(buyer).toMatchObject({ orders: 1, lines: 7, units: 40, paid: { GBP: 13_912 } });
  });

  describe("npm run sample", () => {
    const { scripts } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as {
      readonly scripts: Readonly<Record<string, string>>;
    };

    /** The script without its build, in npm's own shell, which knows no pipefail. */
    function runSample(from: string) {
      using here = folder();
      const script = (scripts["sample"] as string)
        .replace("npm run -s build && ", "")
        .replace("examples/online-retail/sample", from)
        .replaceAll(/(?:\.\/)?(sample\.(?:db|ndjson))/g, (_path, file: string) => here.file(file));
      const { status, stdout } = spawnSync("sh", ["-c", script], { cwd: root, encoding: "utf8", env });
      return { exit: status, stdout };
    }

    test("prints what came of it", () => {
      expect(runSample(sample)).toEqual({
        exit: 0,
        stdout: expect.stringMatching(/^orders +36$/m) as string,
      });
    });

    test("fails where the commands cannot be made", () => {
      expect(runSample("nowhere")).toEqual({ exit: 3, stdout: "" });
    });
  });
});
