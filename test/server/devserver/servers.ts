// Servers and clients of a test, gone after it.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { EventStoreDBClient } from "@eventstore/db-client";
import { afterEach } from "vitest";

import {
  type DevServer,
  type DevServerOptions,
  startDevServer,
} from "../../../src/server/devserver/server.ts";

const undone: (() => unknown)[] = [];

/** Call once in a file of tests. */
export function tidyServers(): void {
  afterEach(async () => {
    for (const undo of undone.splice(0).toReversed()) await undo();
  });
}

export async function start(options?: DevServerOptions): Promise<DevServer> {
  const server = await startDevServer(options);
  undone.push(() => server.close());
  return server;
}

export function connect(url: string): EventStoreDBClient {
  const client = EventStoreDBClient.connectionString(url);
  undone.push(() => client.dispose());
  return client;
}

export async function startWithClient(
  options?: DevServerOptions,
): Promise<{ readonly server: DevServer; readonly client: EventStoreDBClient }> {
  const server = await start(options);
  return { server, client: connect(server.url) };
}

/** A path in a folder of its own, with this text in it, if any. */
export function newPath(name: string, text?: string): string {
  const folder = mkdtempSync(join(tmpdir(), "aftersale-devserver-"));
  undone.push(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, name);
  if (text !== undefined) writeFileSync(path, text);
  return path;
}
