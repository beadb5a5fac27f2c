// Any EventStoreDB as an empty one: a client that sees, of a server shared by many tests, only the streams of its own scope.

import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";

import { afterAll } from "vitest";

import { type DevServer, startDevServer } from "../../src/server/devserver/server.ts";
import {
  type EsdbClient,
  type EsdbPosition,
  type EsdbRead,
  type EsdbResolvedEvent,
  type EsdbStore,
  type EsdbStoreOptions,
  type EsdbSubscription,
  connectWithClient,
  openEsdbStore,
} from "../../src/store/esdb.ts";

/** The server that the tests run on where one is named; else a development server of the file of tests. */
export const testUrl = process.env["AFTERSALE_TEST_STORE"];

let server: Promise<DevServer> | undefined;
let client: Promise<EsdbClient> | undefined;

async function url(): Promise<string> {
  if (testUrl !== undefined) return testUrl;
  server ??= startDevServer();
  return (await server).url;
}

/** Call once in a file of tests that opens stores here. */
export function tidyServer(): void {
  afterAll(async () => {
    await (await client)?.dispose();
    await (await server)?.close();
    client = undefined;
    server = undefined;
  });
}

interface Scope {
  readonly prefix: string;
  readonly base: EsdbPosition | "start";
}

const scopes = new Map<string, Promise<Scope>>();

/** Opens a store on what stands under this name: empty where it is opened for the first time. */
export async function openScoped(name: string, options: EsdbStoreOptions = {}): Promise<EsdbStore> {
  client ??= url().then((at) => connectWithClient(at));
  const real = await client;
  let scope = scopes.get(name);
  if (scope === undefined) {
    scope = newScope(real);
    scopes.set(name, scope);
  }
  const own = scoped(real, await scope);
  return openEsdbStore(await url(), { connect: () => own, ...options });
}

async function newScope(real: EsdbClient): Promise<Scope> {
  const last = (
    await pageOf(
      real.readAll({ direction: "backwards", fromPosition: "end", maxCount: 1, requiresLeader: true }),
    )
  ).at(0);
  const base =
    last?.commitPosition === undefined
      ? "start"
      : { commit: last.commitPosition, prepare: last.commitPosition };
  return { prefix: `t${randomBytes(6).toString("hex")}-`, base };
}

async function pageOf(read: EsdbRead): Promise<EsdbResolvedEvent[]> {
  const page: EsdbResolvedEvent[] = [];
  for await (const resolved of read as unknown as AsyncIterable<EsdbResolvedEvent>) page.push(resolved);
  return page;
}

function scoped(real: EsdbClient, { prefix, base }: Scope): EsdbClient {
  const inside = (resolved: EsdbResolvedEvent): EsdbResolvedEvent | undefined => {
    const { event } = resolved;
    if (event === undefined || !event.streamId.startsWith(prefix)) return undefined;
    return { ...resolved, event: { ...event, streamId: event.streamId.slice(prefix.length) } };
  };
  const readFrom = (events: AsyncIterable<EsdbResolvedEvent>): EsdbRead =>
    Object.assign(Readable.from(events, { objectMode: true }), {
      cancel: async () => undefined,
    }) as unknown as EsdbRead;

  async function* stream(...args: Parameters<EsdbClient["readStream"]>) {
    const read = real.readStream(prefix + args[0], args[1]);
    for (const resolved of await pageOf(read)) {
      const own = inside(resolved);
      if (own !== undefined) yield own;
    }
  }

  /** Pages of the whole log, until there are enough of ours or none are left. */
  async function* all({
    direction,
    fromPosition,
    maxCount,
    requiresLeader,
  }: Parameters<EsdbClient["readAll"]>[0]) {
    let given = 0;
    let from = direction === "forwards" && fromPosition === "start" ? base : fromPosition;
    let last = -1n;
    for (;;) {
      const page = await pageOf(
        real.readAll({ direction, fromPosition: from, maxCount: 500, requiresLeader }),
      );
      for (const resolved of page) {
        const commit = resolved.commitPosition ?? 0n;
        if (commit === last) continue;
        if (direction === "backwards" && base !== "start" && commit <= base.commit) return;
        last = commit;
        const own = inside(resolved);
        if (own === undefined) continue;
        yield own;
        given += 1;
        if (given >= maxCount) return;
      }
      if (page.length < 500) return;
      from = { commit: last, prepare: last };
    }
  }

  return {
    appendToStream: (name, events, options) => real.appendToStream(prefix + name, events, options),
    readStream: (...args) => readFrom(stream(...args)),
    readAll: (options) => readFrom(all(options)),
    subscribeToAll: ({ fromPosition, filter }) => {
      const { checkpointReached, checkpointInterval, filterOn } = filter;
      const which =
        "prefixes" in filter
          ? { prefixes: filter.prefixes.map((one) => prefix + one) }
          : { regex: `^${prefix}${filter.regex.replace(/^\^/, "")}` };
      const subscription = real.subscribeToAll({
        fromPosition: fromPosition === "start" ? base : fromPosition,
        filter: { filterOn, checkpointInterval, checkpointReached, ...which },
      });
      const on = subscription.on.bind(subscription) as (
        event: string,
        listener: (value: never) => void,
      ) => unknown;
      return {
        on: (event: string, listener: (value: unknown) => void) =>
          on(
            event,
            event !== "data"
              ? listener
              : (resolved: EsdbResolvedEvent) => listener(inside(resolved) ?? resolved),
          ),
        pause: () => subscription.pause(),
        resume: () => subscription.resume(),
        get readableLength() {
          return subscription.readableLength;
        },
        unsubscribe: () => subscription.unsubscribe(),
      } as unknown as EsdbSubscription;
    },
    // The one client of all tests is thrown away when they are over.
    dispose: async () => undefined,
  };
}
