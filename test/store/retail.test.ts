// The Online Retail sample through an engine on a server: its README's figures, and every command sent twice.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

import { expect, inject, it } from "vitest";

import type { ExecuteOptions } from "../../src/commands/parse.ts";
import { accepted, open, stores, tidyEngines } from "../engines.ts";

tidyEngines();

const root = fileURLToPath(new URL("../..", import.meta.url));

interface Line {
  readonly commandId: string;
  readonly at: number;
  readonly actor: ExecuteOptions["actor"];
  readonly command: { readonly orderId: string };
}

it.each(stores)("the Online Retail sample on %s", async (_kind, fresh) => {
  expect(inject("buildFailure")).toBe("");
  const ran = spawnSync(
    process.execPath,
    ["examples/dist/online-retail/commands.js", "examples/online-retail/sample"],
    { cwd: root, encoding: "utf8" },
  );
  const lines = ran.stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
  expect(lines).toHaveLength(212);
  const store = fresh();
  const engine = await open({ store });
  const orders = new Map<string, Line[]>();
  for (const line of lines) {
    const { orderId } = line.command;
    orders.set(orderId, [...(orders.get(orderId) ?? []), line]);
  }
  const play = async (replayed: boolean): Promise<void> => {
    await Promise.all(
      [...orders.values()].map(async (order) => {
        for (const { command, ...options } of order) {
          expect(accepted(await engine.execute(command, options)).replayed).toBe(replayed);
        }
      }),
    );
  };
  await play(false);
  const { all } = await engine.views.statistics();
  expect(all).toMatchObject({ orders: 36, lines: 348, units: 6_104, paid: { GBP: 1_416_789 } });
  expect(all).toMatchObject({ refunded: { GBP: 62_510 }, cases: { refunded: 17 }, unitsReturned: 187 });
  await play(true);
  expect((await engine.views.statistics()).all).toEqual(all);
  expect(await engine.replay()).toMatchObject({ orders: 36, events: 300 });
  for (const { different } of await engine.check()) expect(different).toBe(0);
});
