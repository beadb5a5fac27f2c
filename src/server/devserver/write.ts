// The methods that write: Append, BatchAppend, Delete and Tombstone.

import { type User, checkAccess } from "./access.ts";
import {
  expectedOf,
  identifierOf,
  idOf,
  proposedEvent,
  sizeOf,
  streamDeleted,
  streamOf,
  tooLarge,
  wrongVersion,
} from "./convert.ts";
import { type Call, type Receiver, RpcError, framed, status } from "./grpc.ts";
import type { ProposedEvent, Write, Written } from "./log.ts";
import {
  AppendReq,
  AppendResp,
  BadRequest,
  BatchAppendReq,
  BatchAppendResp,
  DeleteReq,
  DeleteResp,
  Empty,
  MaximumAppendSizeExceeded,
  StreamDeleted,
  type Target,
  type Uuid,
  WrongExpectedVersion,
} from "./messages.ts";
import { type NodeContext, callerOf, checkLeader, faultAt, suffer } from "./node.ts";
import type { Expected } from "./rules.ts";
import { type Message, type MessageOf, decode, encode } from "./wire.ts";

const empty = {};

/** Writes, with the faults before and after it; undefined where a fault took the call's place. */
async function written(node: NodeContext, call: Call, write: Write): Promise<Written | undefined> {
  const before = faultAt(node, { at: "append", stream: write.stream, expected: write.expected });
  if (before !== undefined && !(await suffer(node, call, before))) return undefined;
  const result = await node.log.write(write);
  const after = faultAt(node, { at: "answer", stream: write.stream });
  if (after !== undefined && !(await suffer(node, call, after))) return undefined;
  return result;
}

/** Ends the call with whatever went wrong in work that nobody waits for. */
function answer(call: Call, work: Promise<void>): void {
  work.catch((error: unknown) => {
    call.fail(error instanceof RpcError ? error : new RpcError(status.unknown, String(error)));
  });
}

export function append(node: NodeContext, call: Call): Receiver {
  const user = callerOf(node, call);
  checkLeader(node, call);
  const events: ProposedEvent[] = [];
  let target: Target | undefined;
  let size = 0;
  return {
    message(bytes) {
      const { options, message } = decode(AppendReq, bytes);
      if (options !== undefined) {
        target = options;
        checkAccess(user, "write", streamOf(options.stream), (stream) => node.log.rulesOf(stream));
      }
      if (message === undefined) return;
      const event = proposedEvent(message);
      size += sizeOf(event);
      if (size > node.maxAppendBytes) throw tooLarge(node.maxAppendBytes);
      events.push(event);
    },
    end() {
      if (target === undefined) throw new RpcError(status.invalidArgument, "an append without options");
      answer(call, answerAppend(node, call, target, events));
    },
  };
}

async function answerAppend(
  node: NodeContext,
  call: Call,
  target: Target,
  events: readonly ProposedEvent[],
): Promise<void> {
  const stream = streamOf(target.stream);
  const result = await written(node, call, { kind: "append", stream, expected: expectedOf(target), events });
  if (result === undefined) return;
  if (result.kind === "deleted") throw streamDeleted(stream);
  call.send(
    framed(
      AppendResp,
      result.kind === "written"
        ? { success: success(result) }
        : {
            wrongExpectedVersion: {
              ...(result.actual < 0
                ? { currentNoStream: empty }
                : { currentRevision: BigInt(result.actual) }),
              expectedRevision: target.revision,
              expectedAny: target.any,
              expectedStreamExists: target.streamExists,
              expectedNoStream: target.noStream,
            },
          },
    ),
  );
  call.finish();
}

function success({ revision, position }: Written & { readonly kind: "written" }) {
  return {
    ...(revision < 0 ? { noStream: empty } : { revision }),
    ...(position === undefined
      ? { noPosition: empty }
      : { position: { commit: position, prepare: position } }),
  };
}

interface Batch {
  readonly correlationId: Uuid;
  readonly stream: string;
  readonly target: Target;
  readonly expected: Expected;
  readonly events: ProposedEvent[];
  size: number;
}

type BatchAnswer = MessageOf<typeof BatchAppendResp>;
type BatchError = NonNullable<BatchAnswer["error"]>;

/** Many appends in one call, each in one or several messages; the answers come as they are committed. */
export function batchAppend(node: NodeContext, call: Call): Receiver {
  const user = callerOf(node, call);
  const batches = new Map<string, Batch>();
  let unanswered = 0;
  let ended = false;
  const refuse = (correlationId: Uuid, stream: string, error: BatchError): void => {
    call.send(framed(BatchAppendResp, { correlationId, stream: identifierOf(stream), error }));
  };
  const commit = async (batch: Batch): Promise<void> => {
    const { stream, expected, events, target, correlationId } = batch;
    const result = await written(node, call, { kind: "append", stream, expected, events });
    if (result === undefined) return;
    call.send(
      framed(BatchAppendResp, {
        correlationId,
        stream: identifierOf(stream),
        ...(result.kind === "written"
          ? { success: success(result) }
          : {
              error: result.kind === "deleted" ? deletedError(stream) : versionError(target, result.actual),
            }),
        expectedRevision: target.revision,
        expectedNoStream: target.noStream,
        expectedAny: target.any,
        expectedStreamExists: target.streamExists,
      }),
    );
    unanswered -= 1;
    if (ended && unanswered === 0) call.finish();
  };
  return {
    message(bytes) {
      checkLeader(node, call);
      const request = decode(BatchAppendReq, bytes);
      const { correlationId = {}, options, messages = [] } = request;
      const key = idOf(correlationId);
      if (options !== undefined) {
        const stream = Buffer.from(options.stream?.name ?? []).toString("utf8");
        const refusal = refusalOf(node, user, request);
        if (refusal !== undefined) {
          refuse(correlationId, stream, refusal);
          return;
        }
        const expected = expectedOf(options);
        batches.set(key, { correlationId, stream, target: options, expected, events: [], size: 0 });
      }
      const batch = batches.get(key);
      // What belongs to an append that was refused has its answer already.
      if (batch === undefined) return;
      try {
        for (const message of messages) {
          const event = proposedEvent(message);
          batch.size += sizeOf(event);
          batch.events.push(event);
        }
      } catch (error) {
        batches.delete(key);
        refuse(correlationId, batch.stream, badRequest((error as Error).message));
        return;
      }
      if (batch.size > node.maxAppendBytes) {
        batches.delete(key);
        refuse(correlationId, batch.stream, sizeError(node.maxAppendBytes));
        return;
      }
      if (request.isFinal !== true) return;
      batches.delete(key);
      unanswered += 1;
      answer(call, commit(batch));
    },
    end() {
      ended = true;
      if (unanswered === 0) call.finish();
    },
  };
}

/** Why an append is refused by its options alone. */
function refusalOf(
  { log }: NodeContext,
  user: User,
  { options = {} }: BatchAppendReq,
): BatchError | undefined {
  const { deadline, timeout } = options;
  try {
    checkAccess(user, "write", streamOf(options.stream), (stream) => log.rulesOf(stream));
    expectedOf(options);
  } catch (error) {
    const denied = (error as RpcError).code === status.permissionDenied;
    return denied
      ? batchError(status.permissionDenied, "Access Denied", "AccessDenied", Empty, {})
      : badRequest((error as Error).message);
  }
  const leftMs =
    deadline === undefined
      ? timeout === undefined
        ? Number.POSITIVE_INFINITY
        : milliseconds(timeout)
      : milliseconds(deadline) - Date.now();
  return leftMs > 0 ? undefined : batchError(4, "Timeout", "Timeout", Empty, {});
}

function milliseconds({
  seconds = 0n,
  nanos = 0,
}: {
  seconds?: bigint | undefined;
  nanos?: number | undefined;
}) {
  return Number(seconds) * 1_000 + nanos / 1e6;
}

function batchError<T>(
  code: number,
  message: string,
  type: string,
  kind: Message<T>,
  details: T,
): BatchError {
  return {
    code,
    message,
    details: { typeUrl: `type.googleapis.com/event_store.client.${type}`, value: encode(kind, details) },
  };
}

const badRequest = (message: string): BatchError =>
  batchError(status.invalidArgument, message, "BadRequest", BadRequest, { message });

const deletedError = (stream: string): BatchError =>
  batchError(
    status.failedPrecondition,
    `Event stream '${stream}' is deleted.`,
    "StreamDeleted",
    StreamDeleted,
    {
      stream: identifierOf(stream),
    },
  );

const sizeError = (bytes: number): BatchError =>
  batchError(
    status.invalidArgument,
    `Maximum Append Size of ${bytes} Exceeded.`,
    "MaximumAppendSizeExceeded",
    MaximumAppendSizeExceeded,
    { bytes },
  );

function versionError(target: Target, actual: number): BatchError {
  return batchError(
    status.failedPrecondition,
    "Wrong expected version",
    "WrongExpectedVersion",
    WrongExpectedVersion,
    {
      ...(actual < 0 ? { currentNoStream: empty } : { currentRevision: BigInt(actual) }),
      expectedRevision: target.revision,
      expectedAny: target.any,
      expectedStreamExists: target.streamExists,
      expectedNoStream: target.noStream,
    },
  );
}

/** Delete hides a stream until something is appended to it; Tombstone ends it for ever. */
export function deletion(kind: "delete" | "tombstone"): (node: NodeContext, call: Call) => Receiver {
  return (node, call) => {
    const user = callerOf(node, call);
    checkLeader(node, call);
    let target: Target | undefined;
    return {
      message(bytes) {
        target = decode(DeleteReq, bytes).options;
      },
      end() {
        if (target === undefined) throw new RpcError(status.invalidArgument, "a deletion without options");
        const stream = streamOf(target.stream);
        checkAccess(user, "delete", stream, (name) => node.log.rulesOf(name));
        answer(call, answerDeletion(node, call, { kind, stream, expected: expectedOf(target) }));
      },
    };
  };
}

async function answerDeletion(
  node: NodeContext,
  call: Call,
  write: Write & { readonly kind: "delete" | "tombstone" },
): Promise<void> {
  const result = await written(node, call, write);
  if (result === undefined) return;
  const { stream, expected } = write;
  if (result.kind === "deleted") throw streamDeleted(stream);
  if (result.kind === "wrongVersion") {
    throw wrongVersion(write.kind === "delete" ? "Delete" : "Tombstone", stream, expected, result.actual);
  }
  const { position = 0 } = result;
  call.send(framed(DeleteResp, { position: { commit: position, prepare: position } }));
  call.finish();
}
