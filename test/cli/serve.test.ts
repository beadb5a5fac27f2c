// `serve`, `token` and `wallet`: a shop stood up from the command line, and a process stopped while it is busy.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { afterEach, describe, expect, inject, it, vi } from "vitest";

import { buyer, merchant } from "../domain/orders.ts";
import { accepted, by, newOrder, open, tidyEngines } from "../engines.ts";
import { aftersale, folder } from "./aftersale.ts";

tidyEngines();

const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

const binary = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** The built binary, serving: its process, where it listens, and what it logs. */
async function served(...args: readonly string[]) {
  const failure = inject("buildFailure");
  if (failure !== "") throw new Error(failure);
  const child = spawn(process.execPath, [binary, "serve", "--port", "0", "--json", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const exit = once(child, "exit").then(([code]) => code as number | null);
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([once(lines, "line"), exit.then(() => [""])])) as [string];
  if (line === "") throw new Error(`it did not start: ${log}`);
  return { child, exit, url: (JSON.parse(line) as { url: string }).url, log: () => log };
}

async function token(tokens: string, role: string, id: string): Promise<string> {
  const { exit, stdout } = await aftersale(["token", "add", role, id, "--tokens", tokens, "--quiet"]);
  expect(exit).toBe(0);
  return stdout.trim();
}

describe("token", () => {
  it("makes a token that is printed once, lists it by its key, and revokes it", async () => {
    using dir = folder();
    const file = dir.file("tokens");
    const made = await token(file, "buyer", "buyer-1");
    expect(made).toMatch(/^as_[\w-]{43}$/);
    const listed = await aftersale(["token", "list", "--tokens", file]);
    expect(listed.stdout).toMatch(/^key +role +id +made +revoked\n[0-9a-f]{12} +buyer +buyer-1 +\S+\n$/);
    expect(listed.stdout).not.toContain(made);
    const { tokens } = JSON.parse(
      (await aftersale(["token", "list", "--json", "--tokens", file])).stdout,
    ) as {
      tokens: { key: string }[];
    };
    const key = tokens[0]?.key as string;
    expect((await aftersale(["token", "revoke", key], { env: { AFTERSALE_TOKENS: file } })).exit).toBe(0);
    expect((await aftersale(["token", "revoke", key, "--tokens", file])).exit).toBe(5);
  });

  it("refuses a role and an id that are none, and a file that is none", async () => {
    using dir = folder();
    const file = dir.file("tokens");
    expect((await aftersale(["token", "add", "king", "x", "--tokens", file])).exit).toBe(2);
    expect((await aftersale(["token", "add", "buyer", "a/b", "--tokens", file])).exit).toBe(2);
    expect((await aftersale(["token", "list", "--tokens", file])).exit).toBe(3);
    writeFileSync(file, "nonsense\n");
    const { exit, stderr } = await aftersale(["token", "list", "--tokens", file]);
    expect(exit).toBe(3);
    expect(stderr).toContain(`${file}:1:1: `);
  });
});

describe("wallet", () => {
  it("is topped up once for each id, and shows every movement", async () => {
    using dir = folder();
    const store = `sqlite:${dir.file("a.db")}`;
    const topUp = [
      "wallet",
      "top-up",
      "buyer-1",
      "100.50",
      "--id",
      "in-1",
      "--note",
      "cash",
      "--store",
      store,
    ];
    const first = await aftersale(topUp);
    expect(first).toMatchObject({ exit: 0, stdout: "100.50  CNY\n", stderr: "in-1 was paid in\n" });
    expect((await aftersale(topUp)).stderr).toBe("in-1 had been paid in before\n");
    const shown = await aftersale(["wallet", "show", "buyer-1", "--store", store]);
    expect(shown.stdout).toMatch(
      /^100\.50 {2}CNY\n\nMovements\n.*\n\S+ +WalletToppedUp +100\.50 +CNY +in-1 +staff cli\n$/,
    );
    const json = await aftersale(["wallet", "show", "buyer-1", "--json", "--store", store]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      v: 1,
      buyerId: "buyer-1",
      balances: { CNY: 10_050 },
      held: [],
      movements: [{ type: "WalletToppedUp", data: { note: "cash" } }],
    });
    const other = await aftersale([...topUp.slice(0, 3), "1.00", ...topUp.slice(4)]);
    expect(other.exit).toBe(5);
    for (const amount of ["1.005", "-1", "0x1", "1e3"])
      expect((await aftersale(["wallet", "top-up", "b", amount, "--store", store])).exit).toBe(2);
    expect((await aftersale(["wallet", "top-up", "b", "0", "--store", store])).exit).toBe(5);
    expect(
      (await aftersale(["wallet", "top-up", "b", "1", "--currency", "XXX", "--store", store])).exit,
    ).toBe(2);
    expect((await aftersale(["wallet", "show", "nobody", "--store", store])).stderr).toContain(
      "nothing was ever paid in",
    );
  });
});

describe("serve", () => {
  it("needs a file of tokens, and says how one is made", async () => {
    using dir = folder();
    const store = `sqlite:${dir.file("a.db")}`;
    const none = await aftersale(["serve", "--tokens", dir.file("none"), "--store", store]);
    expect(none.exit).toBe(3);
    expect(none.stderr).toContain("aftersale token add");
    await token(dir.file("tokens"), "admin", "root");
    const args = ["serve", "--tokens", dir.file("tokens"), "--store", store];
    expect((await aftersale([...args, "--only", "apis"])).stderr).toContain("did you mean api?");
    writeFileSync(dir.file("shop.json"), "{");
    expect((await aftersale([...args, "--catalog", dir.file("shop.json")])).exit).toBe(3);
    expect((await aftersale([...args, "--catalog", dir.file("none.json")])).exit).toBe(3);
    expect((await aftersale([...args, "--config", dir.file("none.json")])).exit).toBe(3);
    writeFileSync(dir.file("serve.json"), '{"apifm":{"anonymousRedeme":"till"}}');
    const misspelt = await aftersale([...args, "--config", dir.file("serve.json")]);
    expect(misspelt).toMatchObject({ exit: 3, stdout: "" });
    expect(misspelt.stderr).toContain("anonymousRedeme");
    const config = [...args, "--config", dir.file("serve.json")];
    const telling = (baseUrl: string): void => {
      const sender = { baseUrl, checkpoint: "told" };
      writeFileSync(dir.file("serve.json"), JSON.stringify({ baidu: { sender } }));
    };
    telling("https://203.0.113.9");
    expect((await aftersale(config)).stderr).toContain("has no token");
    telling("http://203.0.113.9");
    const plain = await aftersale(config, { env: { AFTERSALE_BAIDU_TOKEN: "a-secret" } });
    expect(plain).toMatchObject({ exit: 3, stdout: "" });
    expect(plain.stderr).toContain("must be an https address");
    expect(plain.stderr).not.toContain("a-secret");
    expect((await aftersale([...args, "--host", "203.0.113.9"])).exit).toBe(2);
  });

  it("pays nothing into a wallet where the shop has none", async () => {
    using dir = folder();
    const store = `sqlite:${dir.file("a.db")}`;
    const tokens = dir.file("tokens");
    await token(tokens, "system", "service");
    {
      await using engine = await open({ store });
      for (const [command, actor] of [
        [newOrder("o-1"), buyer],
        [{ type: "Pay", orderId: "o-1", payId: "p", amount: 5_800, channel: "online" }, buyer],
        [{ type: "CancelOrder", orderId: "o-1", caseId: "c", destination: "wallet" }, merchant],
      ] as const)
        accepted(await engine.execute(command, by(actor)));
    }
    writeFileSync(dir.file("serve.json"), '{"wallet":false}');
    const config = ["--config", dir.file("serve.json"), "--upkeep", "1"];
    const { child, exit, log } = await served("--tokens", tokens, "--store", store, ...config);
    await vi.waitUntil(() => log().includes('"event":"refund"'), { timeout: 30_000 });
    child.kill("SIGTERM");
    expect(await exit).toBe(0);
    expect(log()).toContain('"outcome":"noPort"');
  });

  it("finishes what was begun when it is told to stop, and loses nothing that it answered", async () => {
    using dir = folder();
    const file = dir.file("a.db");
    const tokens = dir.file("tokens");
    const service = await token(tokens, "system", "service");
    const { child, exit, url, log } = await served("--tokens", tokens, "--store", `sqlite:${file}`);
    const answered = new Map<string, string>();
    let sent = 0;
    let stopping = false;
    const lane = async (number: number): Promise<void> => {
      for (let round = 0; ; round += 1) {
        const orderId = `o-${number}-${round}`;
        sent += 1;
        try {
          const response = await fetch(`${url}/commands`, {
            method: "POST",
            headers: { authorization: `Bearer ${service}`, "content-type": "application/json" },
            body: JSON.stringify({
              commandId: "make",
              actor: { role: "buyer", id: "buyer-1" },
              command: newOrder(orderId),
            }),
          });
          const body = (await response.json()) as { orderId: string; position: string };
          expect(response.status).toBe(200);
          answered.set(body.orderId, body.position);
        } catch (error) {
          // Refused at the door, because it is closing: never in the middle of an answer.
          if (!stopping) throw error;
          expect(String((error as { cause?: { code?: string } }).cause?.code)).toMatch(
            /ECONNREFUSED|ECONNRESET|UND_ERR_SOCKET/,
          );
          return;
        }
        if (answered.size >= 300 && !stopping) {
          stopping = true;
          child.kill("SIGTERM");
        }
      }
    };
    await Promise.all(Array.from({ length: 16 }, (_, number) => lane(number)));
    expect(await exit).toBe(0);
    expect(log()).not.toContain('"level":"error"');
    expect(log()).not.toContain(service);
    const engine = await open({ store: `sqlite:${file}` });
    for (const [orderId, position] of answered) {
      const events = await engine.history(orderId);
      expect(events.at(-1)?.position).toBe(position);
    }
    const { orders } = (await engine.views.statistics()).all;
    expect(orders).toBeGreaterThanOrEqual(answered.size);
    expect(orders).toBeLessThanOrEqual(sent);
    for (const { view, different } of await engine.check())
      expect({ view, different }).toEqual({ view, different: 0 });
  }, 60_000);
});
