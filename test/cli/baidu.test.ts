// `export baidu` and `import baidu`: out of one store, into another, and out again the same; and what is said of what is lost.

import { writeFileSync } from "node:fs";

import { expect, it } from "vitest";

import { openEngine } from "../../src/engine.ts";
import { buyer, day, minute, t0 } from "../domain/orders.ts";
import { accepted, by, live, newCase } from "../engines.ts";
import { aftersale, folder } from "./aftersale.ts";

async function shopIn(path: string): Promise<string> {
  await using engine = await openEngine({ store: `sqlite:${path}` });
  await live(engine, "o-1", 2);
  await live(engine, "o-2", 4, t0 + minute);
  const position = (await engine.head())!;
  accepted(await engine.execute(newCase("o-1"), by(buyer, { at: t0 + day })));
  return position;
}

const linesOf = (text: string): { open_id: string; Data: { ResourceID: string }[] }[] =>
  text
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as never);

const idsOf = (text: string): string[] => linesOf(text).map(({ Data }) => Data[0]!.ResourceID);

it("what is exported, imported and exported again is the same", async () => {
  using here = folder();
  const from = ["--store", `sqlite:${here.file("a.db")}`];
  const to = ["--store", `sqlite:${here.file("b.db")}`];
  const position = await shopIn(here.file("a.db"));
  const all = await aftersale([...from, "export", "baidu", "--app-key", "key"]);
  expect(all).toMatchObject({ exit: 0 });
  expect(idsOf(all.stdout)).toEqual(["o-2", "o-1"]);
  expect(linesOf(all.stdout)[1]).toMatchObject({
    open_id: "buyer-1",
    scene_type: 2,
    Data: [{ BizAPPID: "key", Status: 5, EXT: { SubsOrder: { Status: 400 } } }],
  });
  expect(all.stderr).toContain("2 orders; go on with --since pos:");

  const imported = await aftersale([...to, "import", "baidu", "-", "--app-key", "key"], {
    stdin: all.stdout,
  });
  expect(imported.stderr).toContain("2 made, 0 moved on, 0 as they were, 0 refused; 1 with losses");
  expect(imported).toMatchObject({
    exit: 0,
    stdout: "-:1: o-2: created\n  EXT.MainOrder: no waybill: brought by the shop itself\n-:2: o-1: created\n",
  });
  expect((await aftersale([...to, "export", "baidu", "--app-key", "key"])).stdout).toBe(all.stdout);

  // From a file, and once more: as they were.
  const file = here.file("documents.json");
  writeFileSync(file, JSON.stringify(linesOf(all.stdout), null, 2));
  const again = await aftersale([...to, "--json", "import", "baidu", file, "--app-key", "key"]);
  expect(again.exit).toBe(0);
  expect(
    again.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toMatchObject([
    { v: 1, place: `${file}[0]`, orderId: "o-2", outcome: "unchanged", whole: true },
    { v: 1, place: `${file}[1]`, orderId: "o-1", outcome: "unchanged", whole: true },
  ]);

  // A mark at its beginning is no matter, whether it holds one document or a line each.
  for (const text of [JSON.stringify(linesOf(all.stdout)), all.stdout]) {
    writeFileSync(file, `\ufeff${text}`);
    const marked = await aftersale([...to, "import", "baidu", file, "--app-key", "key"]);
    expect(marked).toMatchObject({ exit: 0 });
    expect(marked.stderr).toContain("0 made, 0 moved on, 2 as they were");
  }

  // With the cashier's number of a payment.
  const traced = { ...linesOf(all.stdout)[1]!, scene_id: "7" };
  const third = ["--store", `sqlite:${here.file("c.db")}`];
  await aftersale([...third, "import", "baidu", "-", "--app-key", "key"], { stdin: JSON.stringify(traced) });
  const told = linesOf((await aftersale([...third, "export", "baidu", "--app-key", "key"])).stdout);
  expect(told).toEqual([traced]);

  const since = async (when: string) =>
    idsOf((await aftersale([...from, "export", "baidu", "--since", when])).stdout);
  expect(await since(`pos:${position}`)).toEqual(["o-1"]);
  expect(await since(new Date(t0 + day).toISOString())).toEqual(["o-1"]);
  expect(await since(new Date(t0 + day + 1).toISOString())).toEqual([]);
  expect(idsOf((await aftersale([...from, "export", "baidu", "o-2"])).stdout)).toEqual(["o-2"]);
});

it.each([
  [["export", "baidu", "none"], 5, "there is no order none"],
  [["export", "baidu", "o-1", "--since", "pos:1"], 2, "--since is for all orders"],
  [["export", "baidu", "--since", "rev:1"], 2, "a revision is one order's"],
  [["export", "baidu", "--since", "pos:99999999999999999"], 2, "is no position of this store"],
  [["export", "baidu", "--currency", "XXX"], 2, "currency"],
  [["import", "baidu", "-"], 3, "-:1:2"],
])("%j ends with %i", async (args, exit, why) => {
  using here = folder();
  await shopIn(here.file("a.db"));
  const ran = await aftersale(["--store", `sqlite:${here.file("a.db")}`, ...args], { stdin: "{no" });
  expect(ran).toMatchObject({ exit, stdout: "" });
  expect(ran.stderr).toContain(why);
});

it("orders in another currency are left out, and counted", async () => {
  using here = folder();
  await shopIn(here.file("a.db"));
  const ran = await aftersale([
    "--store",
    `sqlite:${here.file("a.db")}`,
    "export",
    "baidu",
    "--currency",
    "GBP",
  ]);
  expect(ran).toMatchObject({ exit: 0, stdout: "" });
  expect(ran.stderr).toContain("0 orders, 2 left out: not in GBP");
});

it("what is refused is said, and the rest goes on", async () => {
  using here = folder();
  const stdin = [
    JSON.stringify({ open_id: "u-1", Data: [{ CateID: 3 }] }),
    JSON.stringify({ Data: "no" }),
    JSON.stringify({ open_id: "u-1", Data: [] }),
  ].join("\n");
  const ran = await aftersale(["--store", `sqlite:${here.file("b.db")}`, "import", "baidu", "-"], { stdin });
  expect(ran.exit).toBe(5);
  expect(ran.stdout).toMatch(/^-:1: -: refused, not all of it\n {2}.*\n-:2: -: refused/);
  expect(ran.stderr).toContain("2 refused");
});
