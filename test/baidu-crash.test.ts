// A sender killed at any request: whoever goes on after it loses nothing, and tells little twice.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

import { expect, inject, it } from "vitest";

import { orderDocument } from "../src/dialects/baidu/views.ts";
import { minute, t0, buyer } from "./domain/orders.ts";
import { Centre, sorted } from "./dialects/baidu/sending.ts";
import { accepted, by, live, newCase, open, tidyEngines } from "./engines.ts";
import { newFile } from "./store/files.ts";

tidyEngines();

const child = fileURLToPath(new URL("baidu-child.mjs", import.meta.url));

it("whatever was being told when it was killed is told again", { timeout: 120_000 }, async () => {
  expect(inject("buildFailure")).toBe("");
  const file = newFile();
  const engine = await open({ store: `sqlite:${file}` });
  for (const [at, steps] of [2, 4, 1, 5].entries()) await live(engine, `o-${at}`, steps);
  accepted(await engine.execute(newCase("o-0"), by(buyer, { at: t0 + 9 * minute })));
  await using centre = new Centre();
  const url = await centre.listen();
  const run = (killAt: number): Promise<{ signal: string | null; stdout: string; stderr: string }> =>
    new Promise((resolve) => {
      const sender = spawn(process.execPath, [child, file, url, `${file}.sent`]);
      let stdout = "";
      let stderr = "";
      sender.stdout.on("data", (text: Buffer) => (stdout += text.toString()));
      sender.stderr.on("data", (text: Buffer) => (stderr += text.toString()));
      const before = centre.asked.length;
      centre.onAsked = (count) => {
        if (count - before === killAt) sender.kill("SIGKILL");
      };
      sender.on("exit", (_code, signal) => resolve({ signal, stdout, stderr }));
    });
  const ends: (string | null)[] = [];
  for (const killAt of [1, 2, 3, 2, 1]) ends.push((await run(killAt)).signal);
  expect(ends).toContain("SIGKILL");
  const last = await run(Number.POSITIVE_INFINITY);
  expect(last).toMatchObject({ signal: null, stdout: "ended\n" });
  const { orders } = await engine.views.orders();
  const documents = await Promise.all(
    orders.map(async ({ orderId }) =>
      orderDocument((await engine.views.order(orderId))!, { appKey: "key", currency: "CNY" })!,
    ),
  );
  expect(sorted(centre.held.values())).toEqual(sorted(documents));
  // What was told and saved is not told a third time.
  const asked = centre.asked.length;
  await run(Number.POSITIVE_INFINITY);
  expect(centre.asked).toHaveLength(asked);
});
