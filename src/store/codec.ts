// How an order's events become stored texts and come back: serialised once, upcast on reading, the unknown refused by name.

import type { Actor } from "../domain/actor.ts";
import { type OrderEvent, type OrderEventType, orderEventTypes } from "../domain/events.ts";
import { type WalletEvent, type WalletEventType, walletEventTypes } from "../domain/wallet.ts";
import { type RecordedEvent, StoreError } from "./port.ts";

/** What stands beside an event's data. Field order is the canonical one. */
export interface EventMeta {
  /** The version of the event's shape. */
  readonly v: number;
  /** When it happened: milliseconds UTC. */
  readonly at: number;
  readonly actor: Actor;
  readonly commandId: string;
  /** SHA-256 of the command's id and its canonical text with its actor, hex. */
  readonly commandHash: string;
}

/** What every kind of event is made of. */
interface Fact {
  readonly type: string;
  readonly at: number;
  readonly data: object;
}

/** A stored event, read: the fact in its present shape, and where and by whom it was recorded. */
export interface Envelope<F extends Fact = OrderEvent> {
  readonly event: F;
  readonly meta: EventMeta;
  readonly stream: string;
  readonly revision: bigint;
  readonly position: string;
  readonly id: string;
}

type Data = Readonly<Record<string, unknown>>;

/** Lifts data one version up. It gets what was stored and must not change it. */
export type Upcast = (data: Data) => Data;

/**
 * The shapes each event has had: `version` is the present one, and `upcasts` leads from each earlier version to the next, by the
 * version it starts from. The history is the type: at version 3 both steps must stand there, or it does not compile.
 */
export type EventHistory =
  | { readonly version: 1 }
  | { readonly version: 2; readonly upcasts: Readonly<Record<1, Upcast>> }
  | { readonly version: 3; readonly upcasts: Readonly<Record<1 | 2, Upcast>> }
  | { readonly version: 4; readonly upcasts: Readonly<Record<1 | 2 | 3, Upcast>> };

export type EventHistories<T extends string = OrderEventType> = Readonly<Record<T, EventHistory>>;

const first: EventHistory = { version: 1 };

/** Every event is in its first shape so far. */
export const histories: EventHistories = Object.fromEntries(
  orderEventTypes.map((type) => [type, first]),
) as EventHistories;

export interface Codec<F extends Fact = OrderEvent> {
  /** The version in which an event of this type is written. */
  versionOf(type: F["type"]): number;
  /** @throws StoreError `corrupt` on what cannot be read, naming stream, revision and reason; `newer` on a later version of an event. */
  decode(recorded: RecordedEvent): Envelope<F>;
  /** The fact alone. Throws as `decode` does. */
  factOf(recorded: RecordedEvent): F;
  /**
   * The fact alone, from a scan that gave only the beginning of the metadata, and no data where none is needed (it is then an empty
   * object). Throws as `decode` does.
   */
  decodeFact(recorded: RecordedEvent): F;
}

/**
 * Makes the codec of these histories.
 * @throws Error where a step is missing between the first version and the present one.
 */
export function createCodec<F extends Fact = OrderEvent>(of: EventHistories<F["type"]>): Codec<F> {
  const steps = new Map<string, { readonly version: number; readonly upcasts: readonly Upcast[] }>();
  for (const [type, history] of Object.entries<EventHistory>(of)) {
    const upcasts: Upcast[] = [];
    for (let version = 1; version < history.version; version += 1) {
      const upcast = (history as { upcasts?: Record<number, Upcast> }).upcasts?.[version];
      if (upcast === undefined) {
        throw new Error(
          `${type} is at version ${history.version}, and nothing leads on from version ${version}`,
        );
      }
      upcasts.push(upcast);
    }
    steps.set(type, { version: history.version, upcasts });
  }
  const lifted = (recorded: RecordedEvent, written: number, at: number, scanned: boolean): F => {
    const { type, stream, revision } = recorded;
    const history = steps.get(type);
    if (history === undefined) throw unreadable(recorded, `no such event type ${JSON.stringify(type)}`);
    const { version, upcasts } = history;
    if (written > version) {
      throw new StoreError(
        "newer",
        `${stream}@${revision}: ${type} version ${written} was written by a newer version (this one reads up to ${version})`,
      );
    }
    // A scan that did not need the data left it out: there is nothing to lift.
    if (scanned && recorded.data === "") return { type, at, data: {} } as unknown as F;
    let data = readObject(recorded, "data");
    for (let v = written; v < version; v += 1) data = (upcasts[v - 1] as Upcast)(data);
    return { type, at, data } as unknown as F;
  };
  return {
    versionOf: (type) => steps.get(type)?.version as number,
    decode: (recorded) => {
      const { stream, revision, position, id } = recorded;
      const meta = readMeta(recorded);
      return { event: lifted(recorded, meta.v, meta.at, false), meta, stream, revision, position, id };
    },
    factOf: (recorded) => {
      const usual = isEncodedMeta(recorded.meta) ? usualInstant(recorded.meta) : undefined;
      if (usual !== undefined) return lifted(recorded, 1, usual, false);
      const { v, at } = readMeta(recorded);
      return lifted(recorded, v, at, false);
    },
    decodeFact: (recorded) => {
      if (recorded.meta === "") return lifted(recorded, 1, 0, true);
      const usual = usualInstant(recorded.meta);
      if (usual !== undefined) return lifted(recorded, 1, usual, true);
      const start = metaStart.exec(recorded.meta);
      if (start === null) throw unreadable(recorded, "its metadata does not begin with `v` and `at`");
      return lifted(recorded, Number(start[1]), Number(start[2]), true);
    },
  };
}

/** The instant of metadata that begins as nearly all does, with version 1 and an instant of 13 digits: read without a search. */
function usualInstant(meta: string): number | undefined {
  if (!meta.startsWith('{"v":1,"at":') || meta[25] !== ",") return undefined;
  const at = Number(meta.slice(12, 25));
  return Number.isInteger(at) && at >= 1_000_000_000_000 ? at : undefined;
}

const metaStart = /^\{"v":([1-9]\d*),"at":(\d+),/;

/** The codec of this version of the package. */
export const codec = createCodec(histories);

/** The codec of the wallets' events, all in their first shape so far. */
export const walletCodec = createCodec<WalletEvent>(
  Object.fromEntries(walletEventTypes.map((type) => [type, first])) as EventHistories<WalletEventType>,
);

/**
 * Metadata as it is stored: canonical, the same text for all events of one command that are of one version. Written by hand because ids,
 * roles and hashes hold nothing that JSON would escape.
 */
export function encodeMeta({ v, at, actor, commandId, commandHash }: EventMeta): string {
  return `{"v":${v},"at":${at},"actor":{"role":"${actor.role}","id":"${actor.id}"},"commandId":"${commandId}","commandHash":"${commandHash}"}`;
}

const ours =
  /^\{"v":[1-9]\d{0,3},"at":[1-9]\d{0,14},"actor":\{"role":"[a-z]+","id":"[ !#-[\]-~]*"\},"commandId":"[ !#-[\]-~]*","commandHash":"[0-9a-f]*"\}$/;

/** Whether a text is metadata as it is written here: then `JSON.stringify` of what it says is the same text. */
export function isEncodedMeta(text: string): boolean {
  return ours.test(text);
}

function readObject(recorded: RecordedEvent, part: "data" | "meta"): Data {
  let value: unknown;
  try {
    value = JSON.parse(recorded[part]);
  } catch (error) {
    throw unreadable(recorded, `its ${part} is no JSON`, error);
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw unreadable(recorded, `its ${part} is no JSON object`);
  }
  return value as Data;
}

function readMeta(recorded: RecordedEvent): EventMeta {
  const meta = readObject(recorded, "meta") as Partial<EventMeta>;
  const { v, at, actor, commandId, commandHash } = meta;
  if (!Number.isInteger(v) || (v as number) < 1)
    throw unreadable(recorded, "its metadata gives no version `v`");
  if (!Number.isFinite(at)) throw unreadable(recorded, "its metadata gives no instant `at`");
  if (typeof actor?.role !== "string" || typeof actor.id !== "string") {
    throw unreadable(recorded, "its metadata gives no actor");
  }
  if (typeof commandId !== "string" || typeof commandHash !== "string") {
    throw unreadable(recorded, "its metadata gives no command id and hash");
  }
  return meta as EventMeta;
}

function unreadable({ stream, revision, type }: RecordedEvent, reason: string, cause?: unknown): StoreError {
  return new StoreError("corrupt", `${stream}@${revision} (${type}): ${reason}`, { cause });
}

/** The stream of an order. */
export function streamOf(orderId: string): string {
  return `order-${orderId}`;
}

/** With which every order's stream begins. */
export const orderPrefix = "order-";

/** The stream of a buyer's wallet. */
export function walletStreamOf(buyerId: string): string {
  return walletPrefix + buyerId;
}

/** With which every wallet's stream begins. */
export const walletPrefix = "wallet-";
