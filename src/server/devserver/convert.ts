// Between the protocol's messages and the log's values: ids, expectations, events, and the words of every refusal.

import { RpcError, status } from "./grpc.ts";
import { type LoggedEvent, type ProposedEvent, tombstoneRevision } from "./log.ts";
import type { ProposedMessage, RecordedEvent, StreamIdentifier, Target, Uuid } from "./messages.ts";
import type { Expected } from "./rules.ts";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * An id as text, in lower case.
 * @throws RpcError INVALID_ARGUMENT
 */
export function idOf(id: Uuid | undefined): string {
  const { structured, string } = id ?? {};
  if (structured !== undefined) {
    const { mostSignificant = 0n, leastSignificant = 0n } = structured;
    const hex = (BigInt.asUintN(64, mostSignificant) * 2n ** 64n + BigInt.asUintN(64, leastSignificant))
      .toString(16)
      .padStart(32, "0");
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  }
  const text = string?.toLowerCase() ?? "";
  if (!uuid.test(text)) throw new RpcError(status.invalidArgument, `${JSON.stringify(string)} is no UUID`);
  return text;
}

function structuredId(id: string): Uuid {
  const hex = id.replaceAll("-", "");
  const half = (digits: string): bigint => BigInt.asIntN(64, BigInt(`0x${digits}`));
  return { structured: { mostSignificant: half(hex.slice(0, 16)), leastSignificant: half(hex.slice(16)) } };
}

/** @throws RpcError INVALID_ARGUMENT */
export function streamOf(stream: StreamIdentifier | undefined): string {
  const name = Buffer.from(stream?.name ?? []).toString("utf8");
  if (name === "" || name === "$$") {
    throw new RpcError(status.invalidArgument, "a call without a stream's name");
  }
  return storable(name);
}

/** SQLite ends a text at NUL. */
function storable(text: string): string {
  if (!text.includes("\0")) return text;
  throw new RpcError(status.invalidArgument, `${JSON.stringify(text)} holds a NUL character`);
}

export const identifierOf = (stream: string): StreamIdentifier => ({ name: Buffer.from(stream) });

/** @throws RpcError INVALID_ARGUMENT */
export function expectedOf({ revision, noStream, any, streamExists }: Target): Expected {
  if (noStream !== undefined) return "none";
  if (any !== undefined) return "any";
  if (streamExists !== undefined) return "exists";
  if (revision === undefined)
    throw new RpcError(status.invalidArgument, "a call without an expected revision");
  // No stream is as long as a number that loses its end here.
  return Number(revision);
}

const noId = "00000000-0000-0000-0000-000000000000";

/** What is asked of an event beside its data; the server's refusal names both. */
const requiredMetadata = ["type", "content-type"] as const;

/** @throws RpcError INVALID_ARGUMENT */
export function proposedEvent(message: ProposedMessage): ProposedEvent {
  const { id, metadata = {}, customMetadata = nothing, data = nothing } = message;
  const [type, contentType] = requiredMetadata.map((name) => {
    const value = metadata[name];
    if (value !== undefined) return value;
    throw new RpcError(status.invalidArgument, `Required Metadata Property '${name}' is missing`, {
      exception: "missing-required-metadata-property",
      "required-metadata-properties": requiredMetadata.join(","),
    });
  }) as [string, string];
  const eventId = idOf(id);
  if (eventId === noId || type === "") {
    throw new RpcError(status.invalidArgument, `an event without ${type === "" ? "a type" : "an id"}`);
  }
  return {
    id: eventId,
    type: storable(type),
    isJson: contentType === "application/json",
    data,
    metadata: customMetadata,
  };
}

const nothing = new Uint8Array();

/** What an event counts towards the greatest size of an append. */
export function sizeOf({ type, data, metadata }: ProposedEvent): number {
  return type.length * 2 + data.length + metadata.length;
}

/** The greatest int64, where a tombstone stands. */
const wireTombstone = 2n ** 63n - 1n;

export function recordedEvent(event: LoggedEvent, structured: boolean): RecordedEvent {
  return {
    id: structured ? structuredId(event.id) : { string: event.id },
    stream: identifierOf(event.stream),
    revision: event.revision === tombstoneRevision ? wireTombstone : BigInt(event.revision),
    prepare: event.position,
    commit: event.position,
    metadata: {
      type: event.type,
      // In units of 100 nanoseconds.
      created: `${event.created}0000`,
      "content-type": event.isJson ? "application/json" : "application/octet-stream",
    },
    customMetadata: event.metadata,
    data: event.data,
  };
}

export function streamDeleted(stream: string): RpcError {
  return new RpcError(status.failedPrecondition, `Event stream '${stream}' is deleted.`, {
    exception: "stream-deleted",
    "stream-name": stream,
  });
}

/** As numbers, where they stand in the metadata of a refusal. */
const expectations = { none: -1, any: -2, exists: -4 } as const;

export function wrongVersion(
  operation: string,
  stream: string,
  expected: Expected,
  actual: number,
): RpcError {
  const wanted = typeof expected === "number" ? expected : expectations[expected];
  return new RpcError(
    status.failedPrecondition,
    `${operation} failed due to WrongExpectedVersion. Stream: ${stream}, Expected version: ${wanted}, Actual version: ${actual}`,
    {
      exception: "wrong-expected-version",
      "stream-name": stream,
      "expected-version": String(wanted),
      // Nothing for a stream that is not there.
      "actual-version": actual < 0 ? "" : String(actual),
    },
  );
}

export function tooLarge(maxAppendBytes: number): RpcError {
  return new RpcError(status.invalidArgument, `Maximum Append Size of ${maxAppendBytes} Exceeded.`, {
    exception: "maximum-append-size-exceeded",
    "maximum-append-size": String(maxAppendBytes),
  });
}

export function notLeader(host: string, port: number): RpcError {
  return new RpcError(status.notFound, "Leader info available", {
    exception: "not-leader",
    "leader-endpoint-host": host,
    "leader-endpoint-port": String(port),
  });
}
