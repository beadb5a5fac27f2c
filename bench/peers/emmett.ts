// emmett-sqlite with WAL and full sync, on one connection kept open, its commands one after another.
//
// Its documented store opens and closes a connection for every read and every append, and shares it between commands in flight, which
// then fail ("Database handle is closed"). Its own exported reads and appends over one kept connection are several times as fast, but
// commands in flight would join each other's transaction and be answered before its commit; so they queue.

import type { OrderEvent } from "../../src/domain/events.ts";
import { type OrderState, evolve, initialState } from "../../src/domain/state.ts";
import { type Peer, factsOf, installed } from "./orders.ts";

interface Connection {
  command(sql: string): Promise<unknown>;
  querySingle(sql: string): Promise<Record<string, unknown> | null>;
  close(): void;
}

interface StreamRead {
  readonly currentStreamVersion: bigint;
  readonly events: readonly OrderEvent[];
  readonly streamExists: boolean;
}

interface EmmettSqlite {
  sqliteConnection(options: { fileName: string }): Connection;
  createEventStoreSchema(connection: Connection): Promise<void>;
  readStream(connection: Connection, stream: string, options: unknown): Promise<StreamRead>;
  appendToStream(
    connection: Connection,
    stream: string,
    type: string,
    events: readonly unknown[],
    options: unknown,
  ): Promise<{ success: boolean; nextStreamPosition: bigint; lastGlobalPosition: bigint }>;
}

interface Emmett {
  CommandHandler(options: {
    evolve: (state: OrderState, event: Stored) => OrderState;
    initialState: () => OrderState;
  }): (store: unknown, id: string, handle: (state: OrderState) => readonly unknown[]) => Promise<unknown>;
}

/** An event's data as emmett keeps it: the instant goes into the data. */
interface Stored {
  readonly type: string;
  readonly data: { readonly at: number; readonly data: unknown };
}

export async function openEmmett(file: string): Promise<Peer> {
  const { CommandHandler } = await installed<Emmett>("@event-driven-io/emmett");
  const sqlite = await installed<EmmettSqlite>("@event-driven-io/emmett-sqlite");
  const connection = sqlite.sqliteConnection({ fileName: file });
  await connection.command("PRAGMA synchronous = FULL");
  const synchronous = await connection.querySingle("PRAGMA synchronous");
  const journal = await connection.querySingle("PRAGMA journal_mode");
  if (synchronous?.["synchronous"] !== 2 || journal?.["journal_mode"] !== "wal") {
    throw new Error("WAL and synchronous=FULL did not take");
  }
  await sqlite.createEventStoreSchema(connection);
  const store = {
    async aggregateStream(
      stream: string,
      options: {
        evolve: (state: OrderState, event: unknown) => OrderState;
        initialState: () => OrderState;
        read: unknown;
      },
    ) {
      const { events, ...read } = await sqlite.readStream(connection, stream, options.read);
      return { ...read, state: events.reduce(options.evolve, options.initialState()) };
    },
    async appendToStream(stream: string, events: readonly unknown[], options: unknown) {
      const appended = await sqlite.appendToStream(connection, stream, "order", events, options);
      if (!appended.success) throw new Error(`${stream}: conflict`);
      return {
        nextExpectedStreamVersion: appended.nextStreamPosition,
        lastEventGlobalPosition: appended.lastGlobalPosition,
        createdNewStream: false,
      };
    },
  };
  const handle = CommandHandler({
    evolve: (state, { type, data }) => evolve(state, { type, at: data.at, data: data.data } as OrderEvent),
    initialState: () => initialState,
  });
  let last: Promise<unknown> = Promise.resolve();
  return {
    about: "one kept connection",
    execute: (asked) => {
      const mine = last.then(() =>
        handle(store, `order-${asked.command.orderId}`, (state) =>
          factsOf(asked, state).map(({ type, at, data }) => ({ type, data: { at, data } })),
        ),
      );
      last = mine.catch(() => undefined);
      return mine;
    },
    async close() {
      await last.catch(() => undefined);
      connection.close();
    },
  };
}
