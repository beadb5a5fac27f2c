// A process that appends to a server and prints a line for every append that was acknowledged, until it can no more.
//
// Arguments: URL LANES. It is plain JavaScript, because Node 20 runs no other.

import { EventStoreDBClient, jsonEvent } from "@eventstore/db-client";

const [url, lanes] = process.argv.slice(2);
const client = EventStoreDBClient.connectionString(url);

async function lane(number) {
  for (let expected = "no_stream", round = 0; ; round += 1) {
    const stream = `lane-${process.pid}-${number}`;
    const events = [0, 1].map((index) => jsonEvent({ type: "appended", data: { round, index } }));
    const { nextExpectedRevision } = await client.appendToStream(stream, events, {
      expectedRevision: expected,
    });
    expected = nextExpectedRevision;
    process.stdout.write(
      `${JSON.stringify({ stream, ids: events.map(({ id }) => id), revision: String(expected) })}\n`,
    );
  }
}

// The server's end is this process's end: the client's late errors are of no interest.
process.on("uncaughtException", () => process.exit(0));
await Promise.all(Array.from({ length: Number(lanes) }, (_, number) => lane(number)));
