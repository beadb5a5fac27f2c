// What was ever stored stays readable: every version of every event, frozen as it was written, and what is written today unchanged.
//
// AFTERSALE_FREEZE=yes writes the files of present versions that are not there yet. A file that is there is never rewritten: an event
// whose stored form has to change gets a new version and an upcast.

import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { beforeAll, describe, expect, it } from "vitest";

import { isCaseEvent } from "../../src/domain/caseEvents.ts";
import { type OrderEventType, orderEventTypes } from "../../src/domain/events.ts";
import { evolve, initialState } from "../../src/domain/state.ts";
import { codec } from "../../src/store/codec.ts";
import type { RecordedEvent } from "../../src/store/port.ts";
import { cases, recordedLives } from "./lives.ts";

/** A stored event as a file holds it: its texts are kept as texts, byte for byte. */
type Frozen = Pick<RecordedEvent, "stream" | "type" | "id" | "data" | "meta"> & { readonly revision: string };

function fileOf(type: OrderEventType, version: number): string {
  return fileURLToPath(new URL(`v${version}/${type}.json`, import.meta.url));
}

function frozen(type: OrderEventType, version: number): RecordedEvent {
  const { revision, ...rest } = JSON.parse(readFileSync(fileOf(type, version), "utf8")) as Frozen;
  return { ...rest, revision: BigInt(revision), position: "1" };
}

let lives: readonly RecordedEvent[] = [];

/** The first event of a type that the lives record today; of a case's facts the first of the order that tells most about them. */
function today(type: OrderEventType): RecordedEvent {
  const all = lives.filter((event) => event.type === type);
  const found = all.find(({ stream }) => isCaseEvent({ type }) && stream === `order-${cases}`) ?? all[0];
  if (found === undefined) throw new Error(`no life records a ${type}`);
  return found;
}

beforeAll(async () => {
  lives = await recordedLives();
  if (process.env["AFTERSALE_FREEZE"] !== "yes") return;
  for (const type of orderEventTypes) {
    const { stream, revision, id, data, meta } = today(type);
    const path = fileOf(type, codec.versionOf(type));
    if (existsSync(path)) continue;
    mkdirSync(fileURLToPath(new URL(`v${codec.versionOf(type)}/`, import.meta.url)), { recursive: true });
    const file: Frozen = { stream, revision: String(revision), id, type, data, meta };
    writeFileSync(path, `${JSON.stringify(file, undefined, 2)}\n`);
  }
});

const versions = orderEventTypes.flatMap((type) =>
  Array.from({ length: codec.versionOf(type) }, (_, at) => [type, at + 1] as const),
);

describe.each(versions)("%s, version %i", (type, version) => {
  it("is read as the fact that the same command records today", () => {
    const { event, meta } = codec.decode(frozen(type, version));
    const now = codec.decode(today(type));
    expect(event).toStrictEqual(now.event);
    expect(meta).toStrictEqual({ ...now.meta, v: version });
    expect(codec.decodeFact(frozen(type, version))).toStrictEqual(event);
  });

  it("folds, behind a frozen creation and before one", () => {
    const created = codec.decode(frozen("OrderCreated", 1)).event;
    const { event } = codec.decode(frozen(type, version));
    const order = evolve(evolve(initialState, created), event);
    expect(order.status).not.toBe("none");
    expect(evolve(initialState, event).status).toBe(type === "OrderCreated" ? "pendingConfirmation" : "none");
  });
});

describe.each(orderEventTypes.map((type) => [type] as const))("%s", (type) => {
  it("is written today byte for byte as it was frozen", () => {
    const { stream, revision, id, data, meta } = today(type);
    const was = frozen(type, codec.versionOf(type));
    expect({ stream, revision, id, data, meta }).toStrictEqual({
      stream: was.stream,
      revision: was.revision,
      id: was.id,
      data: was.data,
      meta: was.meta,
    });
  });
});

it("there is a file for every version of every event, and no other", () => {
  const folder = fileURLToPath(new URL(".", import.meta.url));
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".json"))
    .map((name) => name.replaceAll("\\", "/"));
  expect(files.toSorted()).toEqual(versions.map(([type, version]) => `v${version}/${type}.json`).toSorted());
});
