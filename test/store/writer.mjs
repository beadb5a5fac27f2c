// A process that appends to a store in a file, many at a time, and prints one line for every append that was acknowledged.
//
// Arguments: FILE NAME MODE COUNT. Mode `race`: COUNT appends to one stream that all writers share, each decided on what was
// read; mode `own`: batches to streams of its own, COUNT in flight, until it is killed.

// It is plain JavaScript, because Node 20 runs no other: without types, so without what the linter knows from them.

import { randomUUID } from "node:crypto";

import { openSqliteStore } from "../../dist/store/sqlite.js";

const [file, name, mode, countText] = process.argv.slice(2);
const count = Number(countText);
const store = await openSqliteStore(file);

function batch(size, stream) {
  return Array.from({ length: size }, (_, at) => ({
    id: randomUUID(),
    type: `Written${at % 3}`,
    data: JSON.stringify({ stream, at, size, filler: "售".repeat((at * 97) % 400) }),
    meta: JSON.stringify({ by: name }),
  }));
}

function acknowledge(stream, events, { revision, position }) {
  process.stdout.write(`${JSON.stringify({ stream, events, revision: String(revision), position })}\n`);
}

async function race() {
  for (let written = 0; written < count;) {
    const expected = store.local.revision("shared") ?? "none";
    const events = batch(1 + (written % 3), "shared");
    // Another process gets its turn between the look and the append.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      acknowledge("shared", events, await store.append("shared", expected, events));
      written += 1;
    } catch (error) {
      if (error.code !== "conflict") throw error;
    }
  }
}

async function own(lane) {
  for (let round = 0; ; round += 1) {
    const stream = `${name}-${lane}-${round % 5}`;
    const events = batch(1 + (round % 4), stream);
    const expected = store.local.revision(stream) ?? "none";
    const claims = round % 4 === 0 ? [`claim:${name}:${lane}:${round}`] : [];
    acknowledge(stream, events, await store.append(stream, expected, events, { claims }));
  }
}

process.stdout.write("open\n");
if (mode === "race") await race();
else await Promise.all(Array.from({ length: count }, (_, lane) => own(lane)));
await store.close();
