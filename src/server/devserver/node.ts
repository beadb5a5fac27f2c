// What a method's code needs of the node it runs on: the log, who calls, and the faults that are played.

import { type User, userOf } from "./access.ts";
import { notLeader } from "./convert.ts";
import type { Fault, Faults, Moment } from "./faults.ts";
import { type Call, RpcError, status } from "./grpc.ts";
import type { Log } from "./log.ts";

/** A moment as a method tells it: the node adds itself. */
type Told<M> = M extends Moment ? Omit<M, "node"> : never;

export interface NodeContext {
  readonly index: number;
  readonly log: Log;
  readonly maxAppendBytes: number;
  readonly credentials: Readonly<Record<string, string>> | undefined;
  readonly faults: Faults | undefined;
  leader(): { readonly host: string; readonly port: number; readonly isThis: boolean };
  /** Dies under all its calls, and is there again. */
  die(): void;
}

export function callerOf({ credentials }: NodeContext, call: Call): User {
  return userOf(call.headers.authorization, credentials);
}

/** @throws RpcError where the client asks for the leader, and this node is not it. */
export function checkLeader(node: NodeContext, call: Call): void {
  if (call.headers["requires-leader"] !== "true") return;
  const { host, port, isThis } = node.leader();
  if (!isThis) throw notLeader(host, port);
}

/** The fault to be played now, if any. */
export function faultAt(node: NodeContext, moment: Told<Moment>): Fault | undefined {
  return node.faults?.({ ...moment, node: node.index } as Moment);
}

/** Plays a fault on a call. @returns whether the call goes on. */
export async function suffer(node: NodeContext, call: Call, fault: Fault): Promise<boolean> {
  switch (fault) {
    case "silence":
      return false;
    case "reset":
      call.reset();
      return false;
    case "unavailable":
      call.fail(new RpcError(status.unavailable, "Server Is Not Ready"));
      return false;
    case "notLeader": {
      const { host, port } = node.leader();
      call.fail(notLeader(host, port));
      return false;
    }
    case "restart":
      node.die();
      return false;
    default: {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, fault.delayMs);
        call.whenOver(() => {
          clearTimeout(timer);
          resolve();
        });
      });
      return !call.over;
    }
  }
}
