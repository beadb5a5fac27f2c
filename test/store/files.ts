// Folders for stores in files, removed after each test.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach } from "vitest";

import type { EventStore } from "../../src/store/port.ts";
import { type SqliteStore, type SqliteStoreOptions, openSqliteStore } from "../../src/store/sqlite.ts";

const folders: string[] = [];
const stores: EventStore[] = [];

/** Call once in a file of tests: closes and removes, after each, what the functions here made. */
export function tidyFiles(): void {
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });
}

export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "aftersale-store-"));
  folders.push(folder);
  return folder;
}

/** A path in a new folder of its own: nothing is there yet. */
export function newFile(): string {
  return join(newFolder(), "store.db");
}

export async function openFile(path: string, options?: SqliteStoreOptions): Promise<SqliteStore> {
  const store = await openSqliteStore(path, options);
  stores.push(store);
  return store;
}
