// The engine as the bench sees it: the one file to change when the engine's door changes.

import { openEngine } from "../src/engine.ts";
import type { Asked } from "./workload.ts";

export { viewNames } from "../src/engine.ts";

export interface Subject {
  /** @throws Error if the command is refused or a repeat: a bench whose commands do nothing measures nothing. */
  execute(asked: Asked): Promise<void>;
  /** Waits until the views that are kept just after the appends hold all that was answered. */
  settle(): Promise<void>;
  /** Waits until every view holds all that is stored. */
  caughtUp(): Promise<void>;
  statistics(): Promise<unknown>;
  /** A page of the merchant's cases, and of what waits for the merchant. */
  refundHistory(): Promise<unknown>;
  queue(): Promise<unknown>;
  rebuildStatistics(): Promise<void>;
  /** How many events were folded. */
  replay(workers: number): Promise<number>;
  close(): Promise<void>;
}

/** On a SQLite file, or on a server where its URL is given. */
export async function openSubject(
  place: string,
  options: { readonly views?: readonly string[]; readonly viewsFile?: string } = {},
): Promise<Subject> {
  const engine = await openEngine({
    store: place.startsWith("esdb:") ? place : `sqlite:${place}`,
    ...options,
  });
  let position: string | undefined;
  return {
    async execute({ command, actor, commandId, at }) {
      const answer = await engine.execute(command, { actor, commandId, at });
      if (answer._tag === "Left") throw new Error(`${commandId} was refused: ${JSON.stringify(answer.left)}`);
      // Each of these commands appends: one that left the position where it was, or was known, did nothing.
      if (answer.right.replayed || answer.right.position === position)
        throw new Error(`${commandId} did nothing`);
      position = answer.right.position;
    },
    async settle() {
      if (position !== undefined) await engine.caughtUp({ position });
    },
    async caughtUp() {
      await engine.caughtUp();
      for (const { view, current } of await engine.views.status()) {
        if (!current) throw new Error(`${view} is behind`);
      }
    },
    statistics: () => engine.views.statistics(),
    refundHistory: () => engine.views.refundHistory({ scope: { merchantId: "main" } }),
    queue: () => engine.views.queue({ merchantId: "main", waitsFor: ["merchant"] }),
    async rebuildStatistics() {
      await engine.rebuild("statistics");
    },
    replay: async (workers) => (await engine.replay({ workers })).events,
    close: () => engine.close(),
  };
}
