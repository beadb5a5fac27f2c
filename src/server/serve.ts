// A whole shop's server around an engine: its files, its dialects, its upkeep, and its end.

import { randomUUID } from "node:crypto";

import { shopOf } from "../dialects/baidu/index.ts";
import { dialectNames, dialects } from "../dialects/byName.ts";
import type { FetchHandler } from "../dialects/dialect.ts";
import type { Log, Ports } from "../dialects/ports.ts";
import type { Engine } from "../engine.ts";
import { createApp } from "./app.ts";
import { emptyShop, fileShop } from "./catalog.ts";
import type { Bounds, DialectOptions, SenderSettings } from "./config.ts";
import { type Listening, listen } from "./listen.ts";
import { sending } from "./sending.ts";
import { fileAuthentication } from "./tokens.ts";
import { upkeep } from "./upkeep.ts";

/** What can be served: each dialect, and `api`, the engine's own. */
export const served: readonly string[] = [...dialectNames, "api"];

export interface ServeOptions extends Bounds {
  readonly engine: Engine;
  readonly host: string;
  readonly port: number;
  /** The file of token hashes. */
  readonly tokens: string;
  /** The shop's file; without it nothing is sold. */
  readonly catalog?: string | undefined;
  /** Names out of `served`; all without it. */
  readonly only?: readonly string[] | undefined;
  /** Milliseconds between two rounds of upkeep; 0: none, who runs the server sees to it. */
  readonly upkeepMs?: number | undefined;
  /** What the dialects are made with; each below the prefix of its own name without it. */
  readonly dialects?: DialectOptions | undefined;
  /** Has Baidu's order centre told of every change; by one server of a store, for each would tell all of it. */
  readonly sender?: SenderSettings | undefined;
  readonly version?: string | undefined;
  readonly log: Log;
  /** What is to stand instead of the ports' defaults. */
  readonly ports?: Partial<Ports> | undefined;
}

/**
 * Starts serving. What `stop` of it gives is done when every request under way has been answered; the engine stays open.
 * @throws TokenFileError, ShopFileError, or what reading the files or listening throws.
 */
export async function serve(options: ServeOptions): Promise<Listening> {
  const { engine, log, only = served, upkeepMs = 10_000, dialects: made = {} } = options;
  const clock = options.ports?.clock ?? Date.now;
  const following = (file: string) => ({
    now: clock,
    onFault: (error: unknown) => log({ level: "error", event: "fileFailed", file, error }),
  });
  const shop =
    options.catalog === undefined ? emptyShop() : await fileShop(options.catalog, following(options.catalog));
  const ports: Ports = {
    authentication: await fileAuthentication(options.tokens, following(options.tokens)),
    ...shop,
    wallet: engine.wallet,
    payments: undefined,
    clock,
    newSeed: randomUUID,
    log,
    ...options.ports,
  };
  const handlers: Record<string, FetchHandler> = {};
  for (const name of dialectNames.filter((one) => only.includes(one))) {
    const mount = { ...made[name], prefix: made[name]?.prefix ?? `/${name}` };
    handlers[mount.prefix] = dialects[name](engine, ports, mount);
  }
  const stopping = new AbortController();
  const handler = createApp({
    engine,
    ports,
    dialects: handlers,
    api: only.includes("api"),
    version: options.version,
    stopping: stopping.signal,
  });
  const listening = await listen({ ...options, handler });
  const keeping = upkeepMs === 0 ? undefined : upkeep(engine, { everyMs: upkeepMs, clock, log });
  const telling =
    options.sender === undefined
      ? undefined
      : sending({ ...options.sender, engine, shop: shopOf(ports, made.baidu), log });
  return {
    ...listening,
    stop: async () => {
      stopping.abort(new Error("the server stops"));
      await Promise.all([listening.stop(), keeping?.stop(), telling?.stop()]);
    },
  };
}
