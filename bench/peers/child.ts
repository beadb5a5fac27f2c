// One peer in a process of its own: it opens, says so or says why not, and then drives what it is told to.

import { type Execute, drive, lives } from "../workload.ts";
import type { Peer } from "./orders.ts";

export interface Ask {
  readonly first: number;
  readonly orders: number;
  readonly inFlight: number;
}

export type Answer =
  | { readonly kind: "open"; readonly about: string }
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "driven"; readonly commandsPerSecond: number };

const [name, file] = process.argv.slice(2) as [string, string];

async function open(): Promise<Peer> {
  if (name === "evtstore") return (await import("./evtstore.ts")).openEvtstore(file);
  return (await import("./emmett.ts")).openEmmett(file);
}

function answer(message: Answer): void {
  process.send?.(message);
}

function failed(error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  answer({ kind: "failed", reason: reason.split("\n")[0] ?? reason });
}

async function driven(execute: Execute, { first, orders, inFlight }: Ask): Promise<void> {
  const done = await drive(lives(first, orders), inFlight, execute);
  answer({ kind: "driven", commandsPerSecond: done.commands / done.seconds });
}

try {
  const peer = await open();
  process.on("message", (ask: Ask) => {
    driven(peer.execute, ask).catch(failed);
  });
  process.on("disconnect", () => {
    void peer.close();
  });
  answer({ kind: "open", about: peer.about });
} catch (error) {
  failed(error);
  process.disconnect?.();
}
