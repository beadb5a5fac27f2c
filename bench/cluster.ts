// Over a server: commands against the bare client making the same appends, and views catching up against its bare subscription.

import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { type AllStreamJSONRecordedEvent, EventStoreDBClient, streamNameFilter } from "@eventstore/db-client";

import type { Context } from "./context.ts";
import { alternate, seconds } from "./rounds.ts";
import { type Row, figure } from "./rows.ts";
import { openSubject } from "./subject.ts";
import { Rounds } from "./writing.ts";

/** A development server in a process of its own, with its log in memory. */
class Served {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  static async start(): Promise<Served> {
    const script = fileURLToPath(new URL("./esdb-server.js", import.meta.url));
    const child = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
    const [url] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    return new Served(child, url);
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }
}

/** One append as the client is given it, ready but for the names that are its round's own. */
interface Made {
  readonly stream: string;
  readonly expected: bigint;
  readonly events: readonly {
    readonly type: string;
    readonly data: unknown;
    readonly metadata: Uint8Array;
  }[];
}

/** The appends that stand on the server, those of one order in a list: its own and those of the claims taken for it. */
async function appendsOf(client: EventStoreDBClient): Promise<readonly (readonly Made[])[]> {
  const orders = new Map<string, Made[]>();
  let last: { readonly made: Made; readonly metadata: string } | undefined;
  for await (const { event } of client.readAll({ maxCount: Number.MAX_SAFE_INTEGER })) {
    if (event === undefined || event.type.startsWith("$")) continue;
    const { streamId: stream, type, data, metadata = {}, revision } = event as AllStreamJSONRecordedEvent;
    const { $id: _, ...signed } = metadata as Readonly<Record<string, unknown>>;
    const text = JSON.stringify(signed);
    const one = {
      type,
      data,
      // Of any other kind of bytes the client makes JSON.
      metadata: new TextEncoder().encode(JSON.stringify(metadata)),
    };
    // Events of one command in one stream were one append.
    if (last?.made.stream === stream && last.metadata === text) {
      (last.made.events as (typeof one)[]).push(one);
      continue;
    }
    const made: Made = { stream, expected: revision - 1n, events: [one] };
    last = { made, metadata: text };
    const order = (data as { readonly stream?: string }).stream ?? stream;
    orders.set(order, [...(orders.get(order) ?? []), made]);
  }
  return [...orders.values()];
}

/** The bare client, making the appends of so many orders again, each time on streams of other names. */
class Bare {
  readonly #client: EventStoreDBClient;
  readonly #orders: readonly (readonly Made[])[];
  #rounds = 0;

  constructor(client: EventStoreDBClient, orders: readonly (readonly Made[])[]) {
    this.#client = client;
    this.#orders = orders;
  }

  /** Appends a second. */
  async round(inFlight: number): Promise<number> {
    this.#rounds += 1;
    const queue = this.#orders.map((appends) =>
      appends.map(({ stream, expected, events }) => ({
        stream: `${stream}-${this.#rounds}`,
        expectedRevision: expected < 0n ? ("no_stream" as const) : expected,
        events: events.map((event) => ({
          id: randomUUID(),
          contentType: "application/json" as const,
          ...(structuredClone(event) as {
            type: string;
            data: Record<string, unknown>;
            metadata: Uint8Array;
          }),
        })),
      })),
    );
    let taken = 0;
    let made = 0;
    const lane = async (): Promise<void> => {
      for (let appends = queue[taken++]; appends !== undefined; appends = queue[taken++]) {
        for (const { stream, expectedRevision, events } of appends) {
          await this.#client.appendToStream(stream, events, {
            expectedRevision,
            requiresLeader: true,
            deadline: 10_000,
          });
          made += 1;
        }
      }
    };
    const passed = await seconds(() => Promise.all(Array.from({ length: inFlight }, lane)));
    return made / passed;
  }
}

export async function esdb(context: Context): Promise<readonly Row[]> {
  return [...(await commands(context, 1)), ...(await commands(context, 64)), await catchUp(context)];
}

async function commands(context: Context, inFlight: 1 | 64): Promise<readonly Row[]> {
  const orders = (inFlight === 1 ? 50 : 250) * (context.quick ? 1 : 2);
  const served = await Served.start();
  const client = EventStoreDBClient.connectionString(served.url);
  const subject = await openSubject(served.url);
  try {
    const work = new Rounds(subject);
    await work.newOrders(orders, inFlight, "unasked");
    const appends = await appendsOf(client);
    const eachCommand = appends.flat().length / (orders * 4);
    const bare = new Bare(client, appends);
    const compared = await alternate(
      context.rounds,
      async () => (await bare.round(inFlight)) / eachCommand,
      () => work.newOrders(orders, inFlight, "unasked"),
    );
    return [
      {
        name: "esdb",
        measure: `over a server, ${inFlight === 1 ? "one at a time" : "64 in flight"}`,
        value: compared.value,
        unit: "commands/s",
        yardstick: { name: "the client's same appends", value: compared.yardstick },
        ratio: compared.ratio,
        spread: compared.spread,
        floor: { atLeast: 0.7 },
        note: `${figure(eachCommand)} appends a command, of which the yardstick makes the same: the orders' own and those of their claims`,
      },
    ];
  } finally {
    await subject.close();
    await client.dispose();
    await served.stop();
  }
}

async function catchUp(context: Context): Promise<Row> {
  const orders = context.quick ? 1_000 : 5_000;
  const served = await Served.start();
  const client = EventStoreDBClient.connectionString(served.url);
  try {
    const writer = await openSubject(served.url);
    await new Rounds(writer).newOrders(orders, 64, "unasked");
    await writer.close();
    let events = 0;
    for (const appends of await appendsOf(client))
      for (const { stream, events: own } of appends) if (stream.startsWith("order-")) events += own.length;
    let files = 0;
    const compared = await alternate(
      context.quick ? context.rounds : 7,
      async () => {
        const passed = await seconds(async () => {
          let seen = 0;
          const subscription = client.subscribeToAll({ filter: streamNameFilter({ prefixes: ["order-"] }) });
          for await (const { event } of subscription) {
            if (event !== undefined) seen += 1;
            if (seen === events) break;
          }
          await subscription.unsubscribe();
        });
        return events / passed;
      },
      async () => {
        files += 1;
        const reader = await openSubject(served.url, { viewsFile: context.file(`remote-${files}.db`) });
        const passed = await seconds(() => reader.caughtUp());
        await reader.close();
        return events / passed;
      },
    );
    return {
      name: "esdb",
      measure: "over a server, all views from nothing",
      value: compared.value,
      unit: "events/s",
      yardstick: { name: "the client's subscription", value: compared.yardstick },
      ratio: compared.ratio,
      spread: compared.spread,
      floor: { atLeast: 0.6 },
      note: `${events.toLocaleString("en-GB")} events; with the copy of the log that the views are made from, on disk`,
    };
  } finally {
    await client.dispose();
    await served.stop();
  }
}
