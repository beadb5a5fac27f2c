// The store over EventStoreDB through the unmodified client, on the development server.

import { afterAll } from "vitest";

import { openEsdbStore } from "../../src/store/esdb.ts";
import { type DevServer, startDevServer } from "../../src/server/devserver/server.ts";
import { storeContract } from "./contract.ts";

const servers: DevServer[] = [];
afterAll(async () => {
  for (const server of servers.splice(0)) await server.close();
});

storeContract("esdb, on the development server", {
  open: async () => {
    const server = await startDevServer();
    servers.push(server);
    return openEsdbStore(server.url);
  },
  inProcess: false,
  runs: 20,
});
