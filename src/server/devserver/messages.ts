// The messages of the EventStoreDB protocol that this server speaks, with their field numbers.

import { type MessageOf, bool, bytes, int64, many, message, one, text, texts, uint, uint64 } from "./wire.ts";

export const Empty = message({});

export const Uuid = message({
  structured: one(1, message({ mostSignificant: one(1, int64), leastSignificant: one(2, int64) })),
  string: one(2, text),
});
export type Uuid = MessageOf<typeof Uuid>;

const StreamIdentifier = message({ name: one(3, bytes) });
export type StreamIdentifier = MessageOf<typeof StreamIdentifier>;

const Position = message({ commit: one(1, uint64), prepare: one(2, uint64) });
/** As positions are written: they never leave the safe integers here. */
const OwnPosition = message({ commit: one(1, uint), prepare: one(2, uint) });

const ProposedMessage = message({
  id: one(1, Uuid),
  metadata: texts(2),
  customMetadata: one(3, bytes),
  data: one(4, bytes),
});
export type ProposedMessage = MessageOf<typeof ProposedMessage>;

/** The stream and the expected revision, in the same fields of four requests. */
const target = {
  stream: one(1, StreamIdentifier),
  revision: one(2, uint64),
  noStream: one(3, Empty),
  any: one(4, Empty),
  streamExists: one(5, Empty),
};
const Target = message(target);
export type Target = MessageOf<typeof Target>;

export const AppendReq = message({ options: one(1, Target), message: one(2, ProposedMessage) });

export const AppendResp = message({
  success: one(
    1,
    message({
      revision: one(1, uint),
      noStream: one(2, Empty),
      position: one(3, OwnPosition),
      noPosition: one(4, Empty),
    }),
  ),
  wrongExpectedVersion: one(
    2,
    message({
      currentRevision: one(6, uint64),
      currentNoStream: one(7, Empty),
      expectedRevision: one(8, uint64),
      expectedAny: one(9, Empty),
      expectedStreamExists: one(10, Empty),
      expectedNoStream: one(11, Empty),
    }),
  ),
});

const Timestamp = message({ seconds: one(1, int64), nanos: one(2, uint) });

export const BatchAppendReq = message({
  correlationId: one(1, Uuid),
  options: one(
    2,
    message({
      ...target,
      /** An instant; what newer clients send instead is a duration. */
      deadline: one(6, Timestamp),
      timeout: one(7, Timestamp),
    }),
  ),
  messages: many(3, ProposedMessage),
  isFinal: one(4, bool),
});
export type BatchAppendReq = MessageOf<typeof BatchAppendReq>;

export const BatchAppendResp = message({
  correlationId: one(1, Uuid),
  error: one(
    2,
    message({
      code: one(1, uint),
      message: one(2, text),
      details: one(3, message({ typeUrl: one(1, text), value: one(2, bytes) })),
    }),
  ),
  success: one(
    3,
    message({
      revision: one(1, uint),
      noStream: one(2, Empty),
      position: one(3, OwnPosition),
      noPosition: one(4, Empty),
    }),
  ),
  stream: one(4, StreamIdentifier),
  expectedRevision: one(5, uint64),
  expectedNoStream: one(6, Empty),
  expectedAny: one(7, Empty),
  expectedStreamExists: one(8, Empty),
});

/** What a batch's error carries in its details. */
export const WrongExpectedVersion = message({
  currentRevision: one(1, uint64),
  currentNoStream: one(2, Empty),
  expectedRevision: one(3, uint64),
  expectedAny: one(4, Empty),
  expectedStreamExists: one(5, Empty),
  expectedNoStream: one(6, Empty),
});
export const StreamDeleted = message({ stream: one(1, StreamIdentifier) });
export const MaximumAppendSizeExceeded = message({ bytes: one(1, uint) });
export const BadRequest = message({ message: one(1, text) });

export const DeleteReq = message({ options: one(1, Target) });
export const DeleteResp = message({ position: one(1, OwnPosition), noPosition: one(2, Empty) });

const Expression = message({ regex: one(1, text), prefixes: many(2, text) });

const Filter = message({
  streamName: one(1, Expression),
  eventType: one(2, Expression),
  max: one(3, uint),
  count: one(4, Empty),
  checkpointInterval: one(5, uint),
});
export type Filter = MessageOf<typeof Filter>;

const ReadOptions = message({
  stream: one(
    1,
    message({
      stream: one(1, StreamIdentifier),
      revision: one(2, uint64),
      start: one(3, Empty),
      end: one(4, Empty),
    }),
  ),
  all: one(2, message({ position: one(1, Position), start: one(2, Empty), end: one(3, Empty) })),
  /** 0: forwards; 1: backwards. */
  direction: one(3, uint),
  resolveLinks: one(4, bool),
  count: one(5, uint64),
  subscription: one(6, Empty),
  filter: one(7, Filter),
  noFilter: one(8, Empty),
  uuid: one(9, message({ structured: one(1, Empty), string: one(2, Empty) })),
});
export const ReadReq = message({ options: one(1, ReadOptions) });
export type ReadOptions = MessageOf<typeof ReadOptions>;

const RecordedEvent = message({
  id: one(1, Uuid),
  stream: one(2, StreamIdentifier),
  revision: one(3, uint64),
  prepare: one(4, uint),
  commit: one(5, uint),
  metadata: texts(6),
  customMetadata: one(7, bytes),
  data: one(8, bytes),
});
export type RecordedEvent = MessageOf<typeof RecordedEvent>;

export const ReadResp = message({
  event: one(
    1,
    message({
      event: one(1, RecordedEvent),
      link: one(2, RecordedEvent),
      commit: one(3, uint),
      noPosition: one(4, Empty),
    }),
  ),
  confirmation: one(2, message({ subscriptionId: one(1, text) })),
  checkpoint: one(3, OwnPosition),
  streamNotFound: one(4, message({ stream: one(1, StreamIdentifier) })),
  caughtUp: one(8, Empty),
});
export type ReadResp = MessageOf<typeof ReadResp>;

export const ClusterInfo = message({
  members: many(
    1,
    message({
      instanceId: one(1, Uuid),
      timeStamp: one(2, int64),
      state: one(3, uint),
      isAlive: one(4, bool),
      endPoint: one(5, message({ address: one(1, text), port: one(2, uint) })),
    }),
  ),
});

export const SupportedMethods = message({
  methods: many(1, message({ method: one(1, text), service: one(2, text), features: many(3, text) })),
  version: one(2, text),
});
