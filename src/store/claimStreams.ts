// Claims over a log without transactions: a stream of its own for each, in which whoever takes it says for which append.

import { hash, randomUUID } from "node:crypto";

import { ClaimTakenError, type Expected, type RecordedEvent, isStoreError } from "./port.ts";

/** With which the names of claims' streams begin; no other stream's may. */
export const claimPrefix = "aftersale-claim-";

/** An event of a claim's stream, with the server's time of it, in milliseconds UTC. */
export interface ClaimEvent extends RecordedEvent {
  readonly createdAt: number;
}

/** An event of a claim's stream, to be written; it has no metadata. */
export interface NewClaimEvent {
  readonly id: string;
  readonly type: "ClaimTaken" | "ClaimReleased";
  readonly data: object;
}

/** What claims need of the log. */
export interface ClaimLog {
  /** Writes at an exact revision; throws `conflict` as a store does. */
  append(stream: string, expected: Expected, events: readonly NewClaimEvent[]): Promise<void>;
  read(stream: string): Promise<readonly ClaimEvent[]>;
  /** Whether an event with this id stands in a stream. */
  holds(stream: string, id: string): Promise<boolean>;
  now(): number;
}

/** One append's hold on a claim: the append is known by its first event's id, the attempt to make it by an id of its own. */
interface Hold {
  readonly stream: string;
  readonly event: string;
  readonly attempt: string;
  readonly createdAt: number;
}

/** A claim taken by an attempt, which lets go of it where its append is known not to be made. */
export interface Taken {
  readonly claim: string;
  readonly attempt: string;
  /** Another attempt of the same stream holds it already. */
  readonly again: boolean;
}

const mostTurns = 16;

export class ClaimStreams {
  readonly #log: ClaimLog;
  readonly #graceMs: number;

  constructor(log: ClaimLog, graceMs: number) {
    this.#log = log;
    this.#graceMs = graceMs;
  }

  /**
   * Takes all of these claims for one append to a stream, or none.
   * @throws ClaimTakenError where another stream holds one of them.
   */
  async take(claims: readonly string[], stream: string, event: string): Promise<readonly Taken[]> {
    const attempt = randomUUID();
    const taken: Taken[] = [];
    try {
      for (const claim of new Set(claims)) {
        taken.push({ claim, attempt, again: await this.#takeOne(claim, { stream, event, attempt }) });
      }
      return taken;
    } catch (error) {
      await this.release(taken);
      throw error;
    }
  }

  /** The first of these claims that another stream holds, unless it was taken for an append that was never made. */
  async taken(claims: readonly string[], stream: string): Promise<string | undefined> {
    for (const claim of claims) {
      const others = holdsIn(await this.#log.read(streamOfClaim(claim))).filter(
        (one) => one.stream !== stream,
      );
      if (others.length > 0 && !(await this.#areAbandoned(others))) return claim;
    }
    return undefined;
  }

  /** Lets go of claims; what cannot be let go of now is found out by who wants it later. */
  async release(taken: readonly Taken[]): Promise<void> {
    for (const { claim, attempt } of taken) {
      try {
        await this.#releaseOne(streamOfClaim(claim), [attempt]);
      } catch {
        // Held by an append that was never made: free again once its grace is over.
      }
    }
  }

  /** @returns whether the stream held it already. */
  async #takeOne(claim: string, hold: Omit<Hold, "createdAt">): Promise<boolean> {
    let again = false;
    const stream = streamOfClaim(claim);
    const made: NewClaimEvent = { id: randomUUID(), type: "ClaimTaken", data: { claim, ...hold } };
    let expected: Expected | undefined = "none";
    for (let turn = 0; turn < mostTurns; turn += 1) {
      if (expected !== undefined) {
        try {
          await this.#log.append(stream, expected, [made]);
          return again;
        } catch (error) {
          if (!isStoreError(error, "conflict")) throw error;
        }
      }
      const events = await this.#log.read(stream);
      const holds = holdsIn(events);
      const others = holds.filter((one) => one.stream !== hold.stream);
      const own = holds.filter((one) => one.stream === hold.stream && one.attempt !== hold.attempt);
      again = own.length > 0;
      if (holds.some(({ attempt }) => attempt === hold.attempt)) return again;
      expected = events.at(-1)?.revision ?? "none";
      if (others.length === 0) continue;
      if (!(await this.#areAbandoned(others))) throw new ClaimTakenError(claim, others[0]?.stream);
      await this.#releaseOne(
        stream,
        others.map(({ attempt }) => attempt),
      );
      // Somebody else may have taken it in between: look again before taking it.
      expected = undefined;
    }
    throw new ClaimTakenError(claim);
  }

  async #releaseOne(stream: string, attempts: readonly string[]): Promise<void> {
    for (let turn = 0; turn < mostTurns; turn += 1) {
      const events = await this.#log.read(stream);
      const open = holdsIn(events).filter(({ attempt }) => attempts.includes(attempt));
      const last = events.at(-1);
      if (last === undefined || open.length === 0) return;
      try {
        const released = open.map(({ attempt }): NewClaimEvent => ({
          id: randomUUID(),
          type: "ClaimReleased",
          data: { attempt },
        }));
        await this.#log.append(stream, last.revision, released);
        return;
      } catch (error) {
        if (!isStoreError(error, "conflict")) throw error;
      }
    }
  }

  /**
   * Whether none of these holds can ever have its append: all are older than any append that is still under way can be, and the events
   * that they were taken for do not stand in their streams.
   */
  async #areAbandoned(holds: readonly Hold[]): Promise<boolean> {
    const before = this.#log.now() - this.#graceMs;
    if (holds.some(({ createdAt }) => createdAt > before)) return false;
    for (const { stream, event } of holds) if (await this.#log.holds(stream, event)) return false;
    return true;
  }
}

/** Claims may be long and hold any character; their streams' names do not. */
export function streamOfClaim(claim: string): string {
  return claimPrefix + hash("sha256", claim);
}

function holdsIn(events: readonly ClaimEvent[]): readonly Hold[] {
  const holds = new Map<string, Hold>();
  for (const { type, data, createdAt } of events) {
    const said = JSON.parse(data) as Omit<Hold, "createdAt">;
    if (type === "ClaimTaken") holds.set(said.attempt, { ...said, createdAt });
    else holds.delete(said.attempt);
  }
  return [...holds.values()];
}
