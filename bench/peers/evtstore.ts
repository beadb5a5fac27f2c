// evtstore through knex and a SQLite driver, with WAL and full sync.

import type { OrderEvent } from "../../src/domain/events.ts";
import { type OrderState, evolve, initialState } from "../../src/domain/state.ts";
import type { Asked } from "../workload.ts";
import { type Peer, factsOf, installed } from "./orders.ts";

interface Knex {
  table(name: string): unknown;
  raw(sql: string): Promise<readonly Record<string, unknown>[]>;
  destroy(): Promise<void>;
}

interface Aggregate {
  readonly state: OrderState;
}

interface Evtstore {
  createAggregate(options: {
    stream: string;
    create: () => Aggregate;
    fold: (event: OrderEvent, before: Aggregate) => Aggregate;
  }): unknown;
  createDomainV2(options: object, aggregates: object): { domain: { order: unknown } };
  createCommands(
    domain: unknown,
    handlers: Record<
      string,
      (command: { asked: Asked }, aggregate: Aggregate) => Promise<readonly OrderEvent[]>
    >,
  ): Record<string, (id: string, body: { asked: Asked }) => Promise<unknown>>;
}

interface KnexProvider {
  createProvider(options: object): unknown;
  migrate(options: object): Promise<void>;
}

/** better-sqlite3 is the faster of the two drivers; sqlite3 stands in where it will not build. */
const drivers = ["better-sqlite3", "sqlite3"] as const;

export async function openEvtstore(file: string): Promise<Peer> {
  const { createAggregate, createCommands, createDomainV2 } = await installed<Evtstore>("evtstore");
  const { createProvider, migrate } = await installed<KnexProvider>("evtstore/provider/knex.js");
  const { client, driver } = await connect(file);
  await migrate({ client, events: "events", bookmarks: "bookmarks" });
  const provider = createProvider({
    limit: 1_000,
    events: () => client.table("events"),
    bookmarks: () => client.table("bookmarks"),
  });
  const order = createAggregate({
    stream: "orders",
    create: () => ({ state: initialState }),
    fold: (event, { state }) => ({ state: evolve(state, event) }),
  });
  const { domain } = createDomainV2({ provider, useCache: true }, { order });
  const handle = async ({ asked }: { asked: Asked }, { state }: Aggregate) => factsOf(asked, state);
  const commands = createCommands(domain.order, {
    CreateOrder: handle,
    Pay: handle,
    Ship: handle,
    ConfirmReceipt: handle,
  });
  return {
    about: `knex with ${driver}`,
    execute: (asked) => {
      const run = commands[asked.command.type];
      if (run === undefined) throw new Error(`no handler of ${asked.command.type}`);
      return run(asked.command.orderId, { asked });
    },
    close: () => client.destroy(),
  };
}

async function connect(file: string): Promise<{ client: Knex; driver: string }> {
  const { default: knex } = await installed<{ default: (options: object) => Knex }>("knex");
  let failed: unknown;
  for (const driver of drivers) {
    const client = knex({ client: driver, connection: { filename: file }, useNullAsDefault: true });
    try {
      // One connection, knex's default for SQLite; so a pragma set once stays.
      await client.raw("PRAGMA journal_mode = WAL");
      await client.raw("PRAGMA synchronous = FULL");
      const [synchronous] = await client.raw("PRAGMA synchronous");
      const [journal] = await client.raw("PRAGMA journal_mode");
      if (synchronous?.["synchronous"] !== 2 || journal?.["journal_mode"] !== "wal") {
        throw new Error("WAL and synchronous=FULL did not take");
      }
      return { client, driver };
    } catch (error) {
      failed ??= error;
      await client.destroy();
    }
  }
  throw failed;
}
