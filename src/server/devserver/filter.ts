// Which events a filtered read or subscription lets through, and how many it considers between two checkpoints.

import { RpcError, status } from "./grpc.ts";
import type { LoggedEvent } from "./log.ts";
import type { Filter } from "./messages.ts";

export interface EventFilter {
  matches(event: LoggedEvent): boolean;
  /** After how many considered events a checkpoint is due. */
  readonly checkpointEvery: number;
}

/** What one unit of a checkpoint interval counts where the client names no search window. */
const defaultWindow = 32;

/** @throws RpcError INVALID_ARGUMENT for a filter on nothing, or with a pattern that is none. */
export function filterOf({ streamName, eventType, max, checkpointInterval = 1 }: Filter): EventFilter {
  const { regex, prefixes = [] } = streamName ?? eventType ?? {};
  const subject =
    streamName === undefined ? (event: LoggedEvent) => event.type : (event: LoggedEvent) => event.stream;
  if ((streamName ?? eventType) === undefined || (regex === undefined && prefixes.length === 0)) {
    throw new RpcError(status.invalidArgument, "a filter without an expression");
  }
  const checkpointEvery = Math.max(1, checkpointInterval) * (max ?? defaultWindow);
  if (prefixes.length > 0) {
    const begins = (event: LoggedEvent): boolean =>
      prefixes.some((prefix) => subject(event).startsWith(prefix));
    return { matches: begins, checkpointEvery };
  }
  let pattern: RegExp;
  try {
    pattern = new RegExp(regex ?? "");
  } catch (error) {
    throw new RpcError(status.invalidArgument, (error as Error).message);
  }
  return { matches: (event) => pattern.test(subject(event)), checkpointEvery };
}
