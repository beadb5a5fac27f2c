// The store port in thirty lines, for the property that every store does what these lines do.

import {
  type AppendOptions,
  ClaimTakenError,
  ConflictError,
  type Expected,
  type NewEvent,
  type StreamRead,
} from "../../src/store/port.ts";

export interface ModelEvent extends NewEvent {
  readonly stream: string;
  readonly revision: bigint;
}

export class Model {
  readonly all: ModelEvent[] = [];
  readonly #claims = new Map<string, string>();
  /** By stream, which append made its last event. */
  readonly #last = new Map<string, object | undefined>();

  holderOf(claim: string): string | undefined {
    return this.#claims.get(claim);
  }

  /** Index in `all` of the append's last event, or the error that it must get. `by` and `follows` stand for appends. */
  append(
    stream: string,
    expected: Expected,
    events: readonly NewEvent[],
    { claims, follows }: Pick<AppendOptions, "claims"> & { readonly follows?: object | undefined },
    by?: object,
  ) {
    const known = this.all.filter((event) => event.stream === stream);
    const actual = known.at(-1)?.revision;
    const exact = typeof expected === "bigint" ? expected : undefined;
    const fits =
      expected === "any" || (expected === "exists") === (actual !== undefined && exact === undefined);
    if (exact === undefined ? !fits : actual !== exact) {
      const first = expected === "none" ? 0 : Number(exact) + 1;
      const there = known.slice(first, first + events.length);
      const same = there.length === events.length && there.every(({ id }, at) => id === events[at]?.id);
      const last = there.at(-1);
      if (expected === "exists" || !same || last === undefined) {
        return new ConflictError(stream, expected, actual);
      }
      return { revision: last.revision, index: this.all.indexOf(last), repeated: true };
    }
    if (follows !== undefined && this.#last.get(stream) !== follows) {
      return new ConflictError(stream, expected, actual);
    }
    const taken = claims?.find((claim) => (this.#claims.get(claim) ?? stream) !== stream);
    if (taken !== undefined) return new ClaimTakenError(taken);
    for (const claim of claims ?? []) this.#claims.set(claim, stream);
    this.#last.set(stream, by);
    events.forEach((event, at) => this.all.push({ ...event, stream, revision: BigInt(known.length + at) }));
    return {
      revision: BigInt(known.length + events.length - 1),
      index: this.all.length - 1,
      repeated: false,
    };
  }

  readStream(stream: string, { from, to, backwards, limit }: StreamRead): ModelEvent[] {
    const known = this.all.filter((event) => event.stream === stream);
    const [low, high] = backwards === true ? [to, from] : [from, to];
    const wanted = known.filter(({ revision }) => revision >= (low ?? 0n) && revision <= (high ?? revision));
    return (backwards === true ? wanted.reverse() : wanted).slice(0, limit);
  }
}
