// The development server, in memory and on a file, under the contract of the unmodified client.

import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { EventStoreDBClient } from "@eventstore/db-client";
import { afterAll, beforeAll, describe, test } from "vitest";

import { type DevServer, startDevServer } from "../../../src/server/devserver/server.ts";
import { contract } from "./contract.ts";

describe.each(["in memory", "on a file"])("%s", (where) => {
  const folder = mkdtempSync(join(tmpdir(), "aftersale-devserver-"));
  let server: DevServer;
  let client: EventStoreDBClient;

  beforeAll(async () => {
    server = await startDevServer(where === "on a file" ? { data: join(folder, "log.db") } : {});
    client = EventStoreDBClient.connectionString(server.url);
  });

  afterAll(async () => {
    await client.dispose();
    await server.close();
    rmSync(folder, { recursive: true });
  });

  for (const { name, run } of contract) test(`${name}`, () => run({ client, stream: `s-${randomUUID()}` }));
});
