import { it } from "vitest";
import { openEsdbStore } from "../../src/store/esdb.ts";
import { startDevServer } from "../../src/server/devserver/server.ts";
import { samples, settle, readEverything } from "./samples.ts";
it("x", async () => {
  const server = await startDevServer();
  const store = await openEsdbStore(server.url);
  await store.append("order-1", "none", samples(2));
  for (let k = 0; k < 5; k++) {
    const e = await readEverything(store);
    console.log(
      e.length,
      JSON.stringify(e[0], (_, v) => (typeof v === "bigint" ? String(v) : v)),
    );
  }
}, 40000);
