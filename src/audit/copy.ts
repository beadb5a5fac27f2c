// Copies orders and wallets from one store to another, event by event and byte for byte, and proves afterwards that they are the same.

import { claimsOf, paymentClaim } from "../commands/claims.ts";
import { codec, orderPrefix, walletCodec, walletPrefix } from "../store/codec.ts";
import {
  ClaimTakenError,
  type EventStore,
  type RecordedEvent,
  StoreError,
  isAfter,
  isStoreError,
} from "../store/port.ts";

export interface CopyOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called now and then with the events considered so far. */
  readonly onProgress?: ((stage: "copying" | "verifying", events: number) => void) | undefined;
}

export interface CopyTotals {
  /** Events of the source's orders and wallets. */
  readonly events: number;
  readonly orders: number;
  readonly wallets: number;
  /** Those that were written now; the others stood there already. */
  readonly copied: number;
  /** Events that were read from both stores and are the same, byte for byte: all of them. */
  readonly verified: number;
}

/** Streams that are written side by side. */
const inFlight = 64;
const pageSize = 2_000;

/**
 * Copies every event that is not there yet, an append for each that there was, with its claims; then reads both stores and compares each
 * stream event by event. Broken off, it is simply begun again: what stands there is compared, and not written twice.
 * @throws StoreError `conflict` where a stream at the destination holds something else, naming the first event that differs.
 */
export async function copyEvents(
  from: EventStore,
  to: EventStore,
  { signal, onProgress }: CopyOptions = {},
): Promise<CopyTotals> {
  const head = await from.head();
  let events = 0;
  let copied = 0;
  const seen = new Set<string>();
  for await (const page of pagesOf(from, head, signal)) {
    // A wallet that gave money back because another order held the payment's id must find it held.
    for (const prefix of prefixes) {
      const streams = [...grouped(page)].filter(([stream]) => stream.startsWith(prefix));
      for (let at = 0; at < streams.length; at += inFlight) {
        signal?.throwIfAborted();
        const written = await Promise.all(
          streams.slice(at, at + inFlight).map(([stream, recorded]) => copyStream(to, stream, recorded)),
        );
        copied += written.reduce((sum, one) => sum + one, 0);
      }
    }
    for (const { stream } of page) seen.add(stream);
    events += page.length;
    onProgress?.("copying", events);
  }
  const verified = await verify(from, to, head, seen, { signal, onProgress });
  if (verified !== events)
    throw new StoreError("corrupt", `${verified} of ${events} events were found again`);
  const orders = [...seen].filter((stream) => stream.startsWith(orderPrefix)).length;
  return { events, orders, wallets: seen.size - orders, copied, verified };
}

/** Those of orders come first. */
const prefixes = [orderPrefix, walletPrefix];

function grouped(page: readonly RecordedEvent[]): Map<string, RecordedEvent[]> {
  const groups = new Map<string, RecordedEvent[]>();
  for (const event of page) {
    const group = groups.get(event.stream);
    if (group === undefined) groups.set(event.stream, [event]);
    else group.push(event);
  }
  return groups;
}

async function* pagesOf(
  from: EventStore,
  head: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly RecordedEvent[], void, void> {
  if (head === undefined) return;
  for (let after: string | undefined; ;) {
    signal?.throwIfAborted();
    const page = await from.readAll({ after, limit: pageSize, prefixes });
    // What is appended meanwhile is left out, at either end.
    const events = page.events.filter(({ position }) => !isAfter(position, head));
    if (events.length > 0) yield events;
    if (page.end || events.length < page.events.length) return;
    after = page.checkpoint;
  }
}

/** Appends the events of a page to one stream, those of one command together. */
async function copyStream(
  to: EventStore,
  stream: string,
  recorded: readonly RecordedEvent[],
): Promise<number> {
  let copied = 0;
  for (const batch of batchesOf(recorded)) {
    try {
      if (!(await appended(to, stream, batch))) copied += batch.length;
    } catch (error) {
      if (!isStoreError(error, "conflict")) throw error;
      const rest = await restOf(to, stream, batch, error);
      if (rest.length > 0) await appended(to, stream, rest);
      copied += rest.length;
    }
  }
  return copied;
}

/** Appends events of one command with the claims that they had; gives whether they stood there already. */
async function appended(to: EventStore, stream: string, batch: readonly RecordedEvent[]): Promise<boolean> {
  const revision = before(batch[0] as RecordedEvent);
  const claims = batch.flatMap(claimsIn);
  try {
    return (await to.append(stream, revision, batch, { claims })).repeated;
  } catch (error) {
    // Only a release can have been made without its claim, which another order held.
    if (!(error instanceof ClaimTakenError) || !stream.startsWith(walletPrefix)) throw error;
    return (await to.append(stream, revision, batch)).repeated;
  }
}

/** What cannot be read is copied too: it makes no claims. */
function claimsIn(recorded: RecordedEvent): readonly string[] {
  try {
    if (!recorded.stream.startsWith(walletPrefix)) return claimsOf([codec.decode(recorded).event]);
    const { event } = walletCodec.decode(recorded);
    return event.type === "WalletReleased" ? [paymentClaim(event.data.payId)] : [];
  } catch (error) {
    if (isStoreError(error, "corrupt")) return [];
    throw error;
  }
}

/** Runs of events of one command: they were appended together. A page may cut one in two; then it is appended in two parts. */
function batchesOf(recorded: readonly RecordedEvent[]): readonly (readonly RecordedEvent[])[] {
  const batches: RecordedEvent[][] = [];
  for (const event of recorded) {
    const last = batches.at(-1);
    const before = last?.at(-1);
    if (last !== undefined && before?.meta === event.meta && before.revision + 1n === event.revision)
      last.push(event);
    else batches.push([event]);
  }
  return batches;
}

function before({ revision }: RecordedEvent): bigint | "none" {
  return revision === 0n ? "none" : revision - 1n;
}

/** What of a batch is not at the destination yet; what is there must be the same. */
async function restOf(
  to: EventStore,
  stream: string,
  batch: readonly RecordedEvent[],
  cause: unknown,
): Promise<readonly RecordedEvent[]> {
  const from = (batch[0] as RecordedEvent).revision;
  const there = await to.readStream(stream, { from, limit: batch.length });
  for (const [at, other] of there.entries()) {
    const event = batch[at] as RecordedEvent;
    if (!isSame(event, other)) {
      throw new StoreError("conflict", `${stream}@${event.revision} is another event at the destination`, {
        cause,
      });
    }
  }
  // Not one of them is there, and yet it is a conflict: what comes before them is missing.
  if (there.length === 0) throw cause;
  return batch.slice(there.length);
}

function isSame(a: RecordedEvent, b: RecordedEvent): boolean {
  return (
    a.stream === b.stream &&
    a.revision === b.revision &&
    a.id.toLowerCase() === b.id.toLowerCase() &&
    a.type === b.type &&
    a.data === b.data &&
    a.meta === b.meta
  );
}

/** Compares both stores stream by stream, in the order in which the source's streams come; gives how many events are the same. */
async function verify(
  from: EventStore,
  to: EventStore,
  head: string | undefined,
  streams: ReadonlySet<string>,
  { signal, onProgress }: CopyOptions,
): Promise<number> {
  let same = 0;
  // The order of streams among each other may differ: what was read of one store waits for its counterpart.
  const waiting = new Map<string, RecordedEvent>();
  const keyOf = ({ stream, revision }: RecordedEvent): string => `${revision}@${stream}`;
  const meet = (event: RecordedEvent): void => {
    const key = keyOf(event);
    const other = waiting.get(key);
    if (other === undefined) {
      waiting.set(key, event);
      return;
    }
    waiting.delete(key);
    if (!isSame(event, other)) {
      throw new StoreError("conflict", `${event.stream}@${event.revision} differs between the two stores`);
    }
    same += 1;
  };
  const left = pagesOf(from, head, signal);
  const right = pagesOf(to, await to.head(), signal);
  for (;;) {
    const [ours, theirs] = await Promise.all([left.next(), right.next()]);
    for (const event of ours.value ?? []) meet(event);
    // Streams that are the destination's own are its own business.
    for (const event of theirs.value ?? []) if (streams.has(event.stream)) meet(event);
    onProgress?.("verifying", same);
    if (ours.done === true && theirs.done === true) break;
  }
  const missing = waiting.values().next().value;
  if (missing !== undefined) {
    throw new StoreError(
      "conflict",
      `${missing.stream}@${missing.revision} stands in one of the stores only, and ${waiting.size - 1} others`,
    );
  }
  return same;
}
