// Orders' events as they were last read: an order asked for again is read on from there, not anew.

import { deepFreeze } from "../domain/freeze.ts";
import { type Envelope, codec, streamOf } from "../store/codec.ts";
import type { EventStore } from "../store/port.ts";

export class OrderStreams {
  readonly #store: Pick<EventStore, "readStream" | "local">;
  readonly #most: number;
  /** By order, the one that was asked for last at the end. */
  readonly #kept = new Map<string, readonly Envelope[]>();

  /** @param most how many orders' events stay in memory. */
  constructor(store: Pick<EventStore, "readStream" | "local">, most: number) {
    this.#store = store;
    this.#most = most;
  }

  /**
   * All events of an order that the store holds now, oldest first; frozen, because the next one who asks is given the same. What is kept
   * never answers alone: the store is asked for what stands behind it.
   */
  async read(orderId: string): Promise<readonly Envelope[]> {
    const stream = streamOf(orderId);
    const known = this.#kept.get(orderId) ?? [];
    const last = known.at(-1)?.revision;
    // Where it is at hand, the stream's end is asked for alone: that costs a third.
    const isAll = last !== undefined && this.#store.local?.revision(stream) === last;
    const from = last === undefined ? undefined : last + 1n;
    const added = isAll ? [] : await this.#store.readStream(stream, { from });
    const envelopes = added.length === 0 ? known : [...known, ...added.map(codec.decode).map(deepFreeze)];
    this.#keep(orderId, envelopes);
    return envelopes;
  }

  #keep(orderId: string, envelopes: readonly Envelope[]): void {
    this.#kept.delete(orderId);
    if (envelopes.length === 0 || this.#most === 0) return;
    if (this.#kept.size >= this.#most) this.#kept.delete(this.#kept.keys().next().value as string);
    this.#kept.set(orderId, envelopes);
  }
}
