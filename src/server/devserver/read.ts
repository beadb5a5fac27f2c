// The method that reads: a stream or everything, once or as a subscription that goes on.

import { randomUUID } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";

import { allStreams, checkAccess } from "./access.ts";
import { identifierOf, recordedEvent, streamDeleted, streamOf } from "./convert.ts";
import { type EventFilter, filterOf } from "./filter.ts";
import { type Call, type Receiver, RpcError, framed, status } from "./grpc.ts";
import type { LoggedEvent } from "./log.ts";
import { type ReadOptions, ReadReq, ReadResp } from "./messages.ts";
import { type NodeContext, callerOf, checkLeader, faultAt, suffer } from "./node.ts";
import { decode } from "./wire.ts";

const empty = {};

/** How many events are read, and sent, at a time. */
const pageSize = 100;

export function read(node: NodeContext, call: Call): Receiver {
  const user = callerOf(node, call);
  checkLeader(node, call);
  let options: ReadOptions | undefined;
  return {
    message(bytes) {
      ({ options } = decode(ReadReq, bytes));
    },
    end() {
      if (options === undefined || (options.stream ?? options.all) === undefined) {
        throw new RpcError(status.invalidArgument, "a read of nothing");
      }
      const name = options.stream === undefined ? allStreams : streamOf(options.stream.stream);
      checkAccess(user, "read", name, (stream) => node.log.rulesOf(stream));
      const reading = new Reading(node, call, options);
      const work = options.subscription === undefined ? reading.once() : reading.subscribe();
      work.catch((error: unknown) => {
        call.fail(error instanceof RpcError ? error : new RpcError(status.unknown, String(error)));
      });
    },
  };
}

/** One call of Read. */
class Reading {
  readonly #node: NodeContext;
  readonly #call: Call;
  readonly #options: ReadOptions;
  readonly #filter: EventFilter | undefined;
  readonly #backwards: boolean;

  constructor(node: NodeContext, call: Call, options: ReadOptions) {
    this.#node = node;
    this.#call = call;
    this.#options = options;
    this.#filter = options.filter === undefined ? undefined : filterOf(options.filter);
    this.#backwards = options.direction === 1;
  }

  /** Reads to the end, or as many as were asked for. */
  async once(): Promise<void> {
    const { stream, count } = this.#options;
    const wanted = count === undefined ? Number.MAX_SAFE_INTEGER : Number(count);
    await (stream === undefined ? this.#readAll(wanted) : this.#readStream(streamOf(stream.stream), wanted));
    this.#call.finish();
  }

  async #readStream(stream: string, wanted: number): Promise<void> {
    const { log } = this.#node;
    let from = this.#firstRevision(stream);
    let left = wanted;
    while (!this.#call.over) {
      const page = log.readStream(stream, from, this.#backwards, Math.min(left, pageSize));
      if (page.kind === "deleted") throw streamDeleted(stream);
      if (page.kind === "missing") {
        this.#call.send(framed(ReadResp, { streamNotFound: { stream: identifierOf(stream) } }));
        return;
      }
      if (!(await this.#send(page.events.map((event) => this.#response(event, false))))) return;
      left -= page.events.length;
      from = page.next;
      if (page.end || left <= 0) return;
    }
  }

  /** Reading a stream is inclusive. */
  #firstRevision(stream: string): number {
    const { revision, end } = this.#options.stream ?? {};
    const last = this.#node.log.lastOf(stream);
    if (end !== undefined) return this.#backwards ? last : last + 1;
    // From the start backwards there is the first event alone.
    if (revision === undefined) return 0;
    return Number(revision > BigInt(last) + 1n ? BigInt(last) + 1n : revision);
  }

  async #readAll(wanted: number): Promise<void> {
    const { log } = this.#node;
    const { position, end } = this.#options.all ?? {};
    const at =
      position === undefined ? (end === undefined ? 0 : log.last + 1) : Number(position.commit ?? 0n);
    // Forwards a position is inclusive; backwards it is the end of what is read.
    let from = this.#backwards ? at : at - 1;
    let left = wanted;
    while (left > 0 && !this.#call.over) {
      const events = log.readAll(from, this.#backwards, pageSize);
      const matching = events.filter((event) => this.#filter?.matches(event) ?? true).slice(0, left);
      if (!(await this.#send(matching.map((event) => this.#response(event, true))))) return;
      left -= matching.length;
      if (events.length < pageSize) return;
      from = (events.at(-1) as LoggedEvent).position;
      await nextTurn();
    }
  }

  /** Sends what stands behind the given revision or position (exclusive), says so once it is all sent, and goes on. */
  async subscribe(): Promise<void> {
    const { stream } = this.#options;
    const subscriptionId = randomUUID();
    // A tombstone is told before anything else.
    const name = stream === undefined ? undefined : streamOf(stream.stream);
    if (name !== undefined && this.#node.log.readStream(name, 0, false, 1).kind === "deleted") {
      throw streamDeleted(name);
    }
    this.#call.send(framed(ReadResp, { confirmation: { subscriptionId } }));
    await (name === undefined ? this.#followAll() : this.#followStream(name));
  }

  async #followStream(stream: string): Promise<void> {
    const { log } = this.#node;
    const { revision, end } = this.#options.stream ?? {};
    let from =
      revision === undefined ? (end === undefined ? 0 : log.lastOf(stream) + 1) : Number(revision) + 1;
    let live = false;
    while (!this.#call.over) {
      const page = log.readStream(stream, from, false, pageSize);
      if (page.kind === "deleted") throw streamDeleted(stream);
      const seen = log.last;
      const responses = page.kind === "page" ? page.events.map((event) => this.#response(event, false)) : [];
      if (page.kind === "page") from = page.next;
      const end = page.kind === "missing" || page.end;
      if (end && !live) {
        live = true;
        responses.push({ caughtUp: empty });
      }
      if (!(await this.#send(responses))) return;
      await (end ? this.#committedAfter(seen) : nextTurn());
    }
  }

  async #followAll(): Promise<void> {
    const { log } = this.#node;
    const { position, end } = this.#options.all ?? {};
    let after = position === undefined ? (end === undefined ? 0 : log.last) : Number(position.commit ?? 0n);
    let live = false;
    let considered = 0;
    let checkpoint = -1;
    while (!this.#call.over) {
      const seen = log.last;
      const events = log.readAll(after, false, pageSize);
      const responses: ReadResp[] = [];
      const checkpointAt = (position: number): void => {
        checkpoint = position;
        responses.push({ checkpoint: { commit: position, prepare: position } });
      };
      for (const event of events) {
        after = event.position;
        considered += 1;
        if (this.#filter?.matches(event) ?? true) responses.push(this.#response(event, true));
        if (this.#filter !== undefined && considered % this.#filter.checkpointEvery === 0)
          checkpointAt(after);
      }
      const end = events.length < pageSize;
      if (end && !live) {
        live = true;
        // Where nothing matches, this is how the client knows how far it was read.
        if (this.#filter !== undefined && checkpoint !== after) checkpointAt(after);
        responses.push({ caughtUp: empty });
      }
      if (!(await this.#send(responses))) return;
      await (end ? this.#committedAfter(seen) : nextTurn());
    }
  }

  /** Until something is committed behind a position of the log, or the call is over. */
  async #committedAfter(position: number): Promise<void> {
    const { log } = this.#node;
    if (log.last > position) return;
    let done = (): void => undefined;
    const woken = new Promise<void>((resolve) => {
      done = resolve;
    });
    const unwatch = log.watch(done);
    const forget = this.#call.whenOver(done);
    await woken;
    unwatch();
    forget();
  }

  /** Sends responses, at the client's pace; false where a fault ended the call. */
  async #send(responses: readonly ReadResp[]): Promise<boolean> {
    if (this.#node.faults !== undefined) return this.#sendOneByOne(responses);
    if (responses.length > 0 && !this.#call.send(framed(ReadResp, ...responses))) await this.#call.drained();
    return true;
  }

  async #sendOneByOne(responses: readonly ReadResp[]): Promise<boolean> {
    for (const response of responses) {
      const { stream, revision = 0n } = response.event?.event ?? {};
      if (stream !== undefined) {
        const fault = faultAt(this.#node, {
          at: "event",
          stream: streamOf(stream),
          revision: Number(revision),
        });
        if (fault !== undefined && !(await suffer(this.#node, this.#call, fault))) return false;
      }
      if (!this.#call.send(framed(ReadResp, response))) await this.#call.drained();
    }
    return true;
  }

  #response(event: LoggedEvent, ofAll: boolean): ReadResp {
    const structured = this.#options.uuid?.structured !== undefined;
    const commit = ofAll ? { commit: event.position } : { noPosition: empty };
    const target = this.#options.resolveLinks === true && event.type === "$>" ? targetOf(event) : undefined;
    if (target === undefined) return { event: { event: recordedEvent(event, structured), ...commit } };
    const found = this.#node.log.eventAt(target.stream, target.revision);
    return {
      event: {
        ...(found === undefined ? {} : { event: recordedEvent(found, structured) }),
        link: recordedEvent(event, structured),
        ...commit,
      },
    };
  }
}

/** Where a link (`revision@stream`) leads; undefined for what only looks like one. */
function targetOf({ data }: LoggedEvent): { readonly stream: string; readonly revision: number } | undefined {
  const [, revision, stream] = /^(\d+)@(.+)$/s.exec(Buffer.from(data).toString("utf8")) ?? [];
  return stream === undefined ? undefined : { stream, revision: Number(revision) };
}
