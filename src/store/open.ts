// Opens the store that a URL names; the client of a server is loaded only where one is named.

import type { EsdbStore } from "./esdb.ts";
import { type MemoryStore, openMemoryStore } from "./memory.ts";
import { type SqliteStore, openSqliteStore } from "./sqlite.ts";

/** The file of a `sqlite:` URL; undefined where it is none, or names none. */
export function fileOf(url: string): string | undefined {
  return url.startsWith("sqlite:") && url.length > "sqlite:".length ? url.slice("sqlite:".length) : undefined;
}

/**
 * Opens `memory:`, `sqlite:FILE`, `esdb://HOST:PORT` or `esdb+discover://HOST:PORT`.
 * @throws TypeError on any other URL, naming the fault; StoreError as the store's own opening does.
 */
export async function openStoreAt(
  url: string,
  { readOnly }: { readonly readOnly?: boolean | undefined } = {},
): Promise<MemoryStore | SqliteStore | EsdbStore> {
  if (url === "memory:") return openMemoryStore();
  const path = fileOf(url);
  if (path !== undefined) return openSqliteStore(path, { readOnly });
  if (/^esdb(\+discover)?:\/\//.test(url)) {
    const { openEsdbStore } = await import("./esdb.ts");
    return openEsdbStore(url, { readOnly });
  }
  throw new TypeError(
    `store: ${JSON.stringify(url)} is none of memory:, sqlite:FILE, esdb://HOST:PORT and esdb+discover://HOST:PORT`,
  );
}
