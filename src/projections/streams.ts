// Orders' events as they were last read: an order asked for again is read on from there, not anew.

import { deepFreeze } from "../domain/freeze.ts";
import { type Envelope, codec, streamOf } from "../store/codec.ts";
import type { EventStore, RecordedEvent } from "../store/port.ts";
import type { SharedReads } from "../store/sharedReads.ts";

export class OrderStreams {
  readonly #store: Pick<EventStore, "readStream" | "local">;
  readonly #reads: SharedReads;
  readonly #most: number;
  /** By order, the one that was asked for last at the end. */
  readonly #kept = new Map<string, readonly Envelope[]>();

  /** @param most how many orders' events stay in memory. */
  constructor(store: Pick<EventStore, "readStream" | "local">, reads: SharedReads, most: number) {
    this.#store = store;
    this.#reads = reads;
    this.#most = most;
  }

  /**
   * All events of an order that the store holds now, oldest first; frozen, because the next one who asks is given the same. What is kept
   * never answers alone: the store is asked for what stands behind it.
   */
  async read(orderId: string): Promise<readonly Envelope[]> {
    const known = this.#kept.get(orderId) ?? [];
    const added = await this.#behind(streamOf(orderId), known.at(-1)?.revision);
    const envelopes = added.length === 0 ? known : [...known, ...added.map(codec.decode).map(deepFreeze)];
    this.#keep(orderId, envelopes);
    return envelopes;
  }

  /** What stands behind a revision. */
  #behind(stream: string, last: bigint | undefined): Promise<readonly RecordedEvent[]> {
    const { local } = this.#store;
    const from = last === undefined ? undefined : last + 1n;
    if (local === undefined) return this.#store.readStream(stream, { from });
    return this.#reads.read(() =>
      // The stream's end is asked for alone first: that costs a third.
      last !== undefined && local.revision(stream) === last ? [] : local.readStream(stream, { from }),
    );
  }

  #keep(orderId: string, envelopes: readonly Envelope[]): void {
    this.#kept.delete(orderId);
    if (envelopes.length === 0 || this.#most === 0) return;
    if (this.#kept.size >= this.#most) this.#kept.delete(this.#kept.keys().next().value as string);
    this.#kept.set(orderId, envelopes);
  }
}
