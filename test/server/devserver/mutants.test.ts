// Deliberate faults of the built server, one at a time: each must be caught by the check of the contract that is there for it.
//
// A fault is a piece of the built text and what stands there instead. `npm run test:mutants` plays all; without AFTERSALE_MUTANTS every tenth.

import { randomUUID } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";

import { EventStoreDBClient } from "@eventstore/db-client";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";

import type { startDevServer } from "../../../src/server/devserver/server.ts";
import { type Check, contract } from "./contract.ts";

interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** How the name of the check begins that catches it. */
  readonly caughtBy: string;
}

const mutants: readonly Mutant[] = [
  // What is appended where.
  {
    name: "an append ahead of its stream is written",
    file: "rules",
    from: "revision > view.last",
    to: "false",
    caughtBy: "a revision that is behind, ahead",
  },
  {
    name: "an append behind its stream is written",
    file: "rules",
    from: "revision < view.last",
    to: "false",
    caughtBy: "a revision that is behind, ahead",
  },
  {
    name: "`no_stream` on a stream that exists is written",
    file: "rules",
    from: "revision < view.last",
    to: "revision !== -1 && revision < view.last",
    caughtBy: "`no_stream` on a stream that exists",
  },
  {
    name: "of a batch the first id alone is compared",
    file: "rules",
    from: "view.idAt(revision + 1 + index) !== id",
    to: "index === 0 && view.idAt(revision + 1) !== id",
    caughtBy: "a partly repeated batch",
  },
  {
    name: "a batch is compared without its order",
    file: "rules",
    from: "view.idAt(revision + 1 + index) !== id",
    to: "!ids.includes(view.idAt(revision + 1 + index))",
    caughtBy: "other ids, or the same in another order",
  },
  {
    name: "no repeat is known",
    file: "rules",
    from: "view.idAt(revision + 1 + index) !== id",
    to: "true",
    caughtBy: "a repeat answers as the first time",
  },
  {
    name: "a repeat is answered with the head of its stream",
    file: "rules",
    from: "last: revision + ids.length",
    to: "last: view.last",
    caughtBy: "a repeat answers as the first time",
  },
  {
    name: "a repeat is answered with the newest position",
    file: "log",
    from: "position: this.#positionOf(stream, decision.last)",
    to: "position: this.#last",
    caughtBy: "a repeat answers as the first time",
  },
  {
    name: "an id once written is a repeat for ever",
    file: "rules",
    from: 'return { kind: "append", revives: view.softDeleted };\n}\n/** Without',
    to: 'return view.remembered(ids[0]) === undefined ? { kind: "append", revives: view.softDeleted } : { kind: "repeat", last: view.remembered(ids[0]) };\n}\n/** Without',
    caughtBy: "the same id may stand again",
  },
  {
    name: "`any` has no memory",
    file: "rules",
    from: "where[0] === undefined",
    to: "true",
    caughtBy: "with `any` a repeat is known",
  },
  {
    name: "a part that `any` remembers is a repeat",
    file: "rules",
    from: "where.includes(undefined) || last === undefined",
    to: "false",
    caughtBy: "with `any` a repeat is known",
  },
  {
    name: "`any` remembers ids of other streams",
    file: "log",
    from: "known?.stream === stream",
    to: "known !== undefined",
    caughtBy: "with `any` a repeat is known",
  },
  {
    name: "ids in capitals are other ids",
    file: "convert",
    from: 'string?.toLowerCase() ?? ""',
    to: 'string ?? ""',
    caughtBy: "an id in capitals",
  },
  {
    name: "`stream_exists` takes a missing stream",
    file: "rules",
    from: "view.last < 0 && !view.hasMetadata",
    to: "false",
    caughtBy: "`stream_exists` wants a stream",
  },
  {
    name: "`stream_exists` does not take metadata for a stream",
    file: "rules",
    from: "view.last < 0 && !view.hasMetadata",
    to: "view.last < 0",
    caughtBy: "`stream_exists` wants a stream",
  },
  {
    name: "BatchAppend has no limit",
    file: "write",
    from: "batch.size > node.maxAppendBytes",
    to: "false",
    caughtBy: "an append over the limit is refused as a whole, and the next one goes on (BatchAppend)",
  },
  {
    name: "Append has no limit",
    file: "write",
    from: "if (size > node.maxAppendBytes)",
    to: "if (false)",
    caughtBy: "an append over the limit is refused as a whole, and the next one goes on (Append)",
  },
  {
    name: "a deadline is not looked at",
    file: "write",
    from: "leftMs > 0",
    to: "true",
    caughtBy: "an append whose deadline has passed",
  },
  {
    name: "every event is JSON",
    file: "convert",
    from: 'isJson: contentType === "application/json"',
    to: "isJson: true",
    caughtBy: "an event comes back as it was given",
  },
  {
    name: "a batch is written without its first event",
    file: "log",
    from: "for (const event of events)",
    to: "for (const event of events.length > 5 ? events.slice(1) : events)",
    caughtBy: "a batch stands together",
  },
  // Deletions.
  {
    name: "a tombstone does not end its stream",
    file: "rules",
    from: "if (view.tombstoned)",
    to: "if (false)",
    caughtBy: "a tombstone ends a stream",
  },
  {
    name: "a deleted stream is still read",
    file: "rules",
    from: "truncateBefore === softDeleted",
    to: "false",
    caughtBy: "a deleted stream is not found",
  },
  {
    name: "`stream_exists` takes a deleted stream",
    file: "rules",
    from: "if (view.softDeleted)",
    to: "if (false)",
    caughtBy: "a deleted stream is taken up",
  },
  {
    name: "`no_stream` does not take a deleted stream up",
    file: "rules",
    from: "revision === -1 && view.softDeleted",
    to: "false",
    caughtBy: "a deleted stream is taken up",
  },
  {
    name: "a stream that goes on stays hidden",
    file: "log",
    from: "if (revives)",
    to: "if (false)",
    caughtBy: "a deleted stream is not found",
  },
  {
    name: "new metadata show what was deleted",
    file: "log",
    from: "if (hidden)",
    to: "if (false)",
    caughtBy: "deleting replaces the metadata",
  },
  {
    name: "a stream that never was can be deleted",
    file: "log",
    from: "view.last < 0 && !view.hasMetadata",
    to: "false",
    caughtBy: "a deletion wants its revision",
  },
  {
    name: "a refused deletion says that the missing stream is at -1",
    file: "convert",
    from: 'actual < 0 ? "" : String(actual)',
    to: "String(actual)",
    caughtBy: "a deletion wants its revision",
  },
  // Metadata.
  {
    name: "$maxCount shows one too many",
    file: "rules",
    from: "last - maxCount + 1",
    to: "last - maxCount",
    caughtBy: "$maxCount and $tb",
  },
  {
    name: "$tb hides one too many",
    file: "rules",
    from: "truncateBefore ?? 0,",
    to: "(truncateBefore ?? -1) + 1,",
    caughtBy: "$maxCount and $tb",
  },
  {
    name: "metadata once read are never read again",
    file: "log",
    from: "this.#metadata.delete(stream.slice(2))",
    to: "undefined",
    caughtBy: "$maxCount and $tb",
  },
  {
    name: "a metadata stream shows all its events",
    file: "log",
    from: "maxCount: 1 }",
    to: "maxCount: 9 }",
    caughtBy: "metadata comes back",
  },
  // Reading.
  {
    name: "a stream's page is lost between two",
    file: "log",
    from: "last + (backwards ? -1 : 1)",
    to: "last + (backwards ? -2 : 2)",
    caughtBy: "a long stream comes whole",
  },
  {
    name: "the limit is that of the page",
    file: "read",
    from: "Math.min(left, pageSize)",
    to: "pageSize",
    caughtBy: "from, backwards and limit",
  },
  {
    name: "everything forwards is exclusive",
    file: "read",
    from: "this.#backwards ? at : at - 1",
    to: "at",
    caughtBy: "everything from a position",
  },
  {
    name: "everything backwards is inclusive",
    file: "log",
    from: "position < ? ORDER",
    to: "position <= ? ORDER",
    caughtBy: "everything from a position",
  },
  {
    name: "positions have no holes",
    file: "log",
    from: "this.#last + recordBytes + stream.length + type.length + data.length + metadata.length",
    to: "this.#last + 1",
    caughtBy: "everything is read in the order",
  },
  {
    name: "links are not followed",
    file: "read",
    from: "this.#options.resolveLinks === true",
    to: "false",
    caughtBy: "a link is followed",
  },
  {
    name: "a missing stream reads as empty",
    file: "read",
    from: "streamNotFound: { stream: identifierOf(stream) }",
    to: "",
    caughtBy: "a stream that does not exist",
  },
  // Subscriptions.
  {
    name: "a subscription to a stream is inclusive",
    file: "read",
    from: "Number(revision) + 1",
    to: "Number(revision)",
    caughtBy: "a subscription from a revision",
  },
  {
    name: "a subscription to everything is inclusive",
    file: "read",
    from: "(end === undefined ? 0 : log.last) : Number(position.commit ?? 0n)",
    to: "(end === undefined ? 0 : log.last) : Number(position.commit ?? 0n) - 1",
    caughtBy: "a subscription to everything begins behind",
  },
  {
    name: "having caught up is said again and again",
    file: "read",
    from: "live = true",
    to: "live = false",
    caughtBy: "a subscription to a stream catches up",
  },
  {
    name: "what is committed is told to nobody",
    file: "log",
    from: "if (this.#last !== before)",
    to: "if (false)",
    caughtBy: "a subscription to a stream catches up",
  },
  {
    name: "no checkpoint on having caught up",
    file: "read",
    from: "checkpoint !== after",
    to: "false",
    caughtBy: "a filtered subscription hands out",
  },
  {
    name: "only what matches is considered",
    file: "read",
    from: "considered += 1;",
    to: "considered += (this.#filter?.matches(event) ?? true) ? 1 : 0;",
    caughtBy: "a filtered subscription hands out",
  },
  {
    name: "a checkpoint for every event",
    file: "filter",
    from: "Math.max(1, checkpointInterval) * (max ?? defaultWindow)",
    to: "1",
    caughtBy: "a filtered subscription hands out",
  },
  {
    name: "the search window is not looked at",
    file: "filter",
    from: "max ?? defaultWindow",
    to: "defaultWindow",
    caughtBy: "a search window",
  },
  {
    name: "a prefix is found anywhere",
    file: "filter",
    from: ".startsWith(prefix)",
    to: ".includes(prefix)",
    caughtBy: "filters by prefix",
  },
  {
    name: "every filter is on the type",
    file: "filter",
    from: "streamName === undefined ?",
    to: "true ?",
    caughtBy: "filters by prefix",
  },
  {
    name: "a tombstone leaves the metadata",
    file: "log",
    from: "(isMetastream(stream) && isOf(",
    to: "(false && isOf(",
    caughtBy: "a tombstone ends a stream's metadata",
  },
  {
    name: "events need no type",
    file: "convert",
    from: 'eventId === noId || type === ""',
    to: "eventId === noId",
    caughtBy: "an event without a type",
  },
  {
    name: "links lead to what is hidden",
    file: "log",
    from: "this.readStream(stream, revision, false, 1)",
    to: '{ kind: "page", events: [this.#event(this.#statements.forwards.get(this.#head(stream).id, revision, revision, 1))] }',
    caughtBy: "a link to what is hidden",
  },
];

const built = fileURLToPath(new URL("../../../dist/server/devserver/", import.meta.url));
const store = pathToFileURL(join(built, "../../store/")).href;

/** A copy of the built server with one fault, or none, in a folder of its own. */
function mutated(folder: string, mutant: Mutant | undefined): string {
  cpSync(built, folder, { recursive: true });
  for (const name of readdirSync(folder).filter((file) => file.endsWith(".js"))) {
    const path = join(folder, name);
    let text = readFileSync(path, "utf8").replaceAll("../../store/", store);
    if (mutant !== undefined && name === `${mutant.file}.js`) {
      if (!text.includes(mutant.from))
        throw new Error(`${mutant.name}: there is no ${mutant.from} in ${name}`);
      text = text.replaceAll(mutant.from, mutant.to);
    }
    writeFileSync(path, text);
  }
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  return pathToFileURL(join(folder, "server.js")).href;
}

const tooLong = Symbol("too long");

/** What a check comes to on a server: undefined where it passes. */
async function outcome(url: string, check: Check, patienceMs: number): Promise<unknown> {
  const { startDevServer: start } = (await import(/* @vite-ignore */ url)) as {
    startDevServer: typeof startDevServer;
  };
  const server = await start();
  const client = EventStoreDBClient.connectionString(server.url);
  try {
    return await Promise.race([
      check.run({ client, stream: `s-${randomUUID()}` }).then(
        () => undefined,
        (error: unknown) => error ?? new Error("rejected with nothing"),
      ),
      delay(patienceMs, tooLong, { ref: false }),
    ]);
  } finally {
    await client.dispose();
    await server.close();
  }
}

const checksOf = (mutant: Mutant): readonly Check[] =>
  contract.filter(({ name }) => name.startsWith(mutant.caughtBy));

describe("deliberate faults", () => {
  const folder = mkdtempSync(join(tmpdir(), "aftersale-mutants-"));
  let number = 0;
  const newFolder = (): string => join(folder, String((number += 1)));

  beforeAll(() => {
    expect(inject("buildFailure")).toBe("");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("there are at least 25, named once, each with a check of its own", () => {
    expect(mutants.length).toBeGreaterThanOrEqual(25);
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
    expect(mutants.filter((mutant) => checksOf(mutant).length === 0)).toEqual([]);
  });

  test("each changes the built text", () => {
    for (const mutant of mutants) mutated(newFolder(), mutant);
  });

  const all = process.env["AFTERSALE_MUTANTS"] === "all";
  const played = mutants.filter((_, index) => all || index % 10 === 0);

  test(`without a fault the ${played.length} checks pass`, async () => {
    const url = mutated(newFolder(), undefined);
    for (const check of new Set(played.flatMap(checksOf)))
      expect(await outcome(url, check, 30_000)).toBeUndefined();
  });

  for (const mutant of played) {
    test(`caught: ${mutant.name}`, async () => {
      const url = mutated(newFolder(), mutant);
      const outcomes: unknown[] = [];
      for (const check of checksOf(mutant)) {
        outcomes.push(await outcome(url, check, 10_000));
        if (outcomes.at(-1) !== undefined) break;
      }
      expect(outcomes.at(-1)).toBeDefined();
    });
  }
});
