// The engine against its peers: the same four commands, one at a time and 64 in flight, each as fast as its own door allows.

import type { Context } from "./context.ts";
import { installPeers, startPeer } from "./peers/peer.ts";
import { alternate } from "./rounds.ts";
import type { Row } from "./rows.ts";
import { openSubject } from "./subject.ts";
import { Rounds } from "./writing.ts";

export async function against(
  context: Context,
  peer: "evtstore" | "emmett",
  inFlight: 1 | 64,
): Promise<readonly Row[]> {
  const title = peer === "evtstore" ? "evtstore + SQLite" : "emmett-sqlite";
  const row = {
    name: `${peer}-${inFlight}`,
    measure: `against ${title}, ${inFlight === 1 ? "one at a time" : "64 in flight"}`,
    floor: { atLeast: inFlight === 1 ? 1.5 : 12 },
    aim: { atLeast: inFlight === 1 ? 3 : 30 },
  } as const;
  if (!context.peers) return [{ ...row, notMeasured: "--no-peers" }];
  installPeers(context.bench, (text) => context.say(text));
  let running: Awaited<ReturnType<typeof startPeer>>;
  try {
    running = await startPeer(peer, context.file(`${row.name}.db`));
  } catch (error) {
    return [{ ...row, notMeasured: error instanceof Error ? error.message : String(error) }];
  }
  const subject = await openSubject(context.file(`${row.name}-engine.db`));
  const work = new Rounds(subject);
  const orders = (inFlight === 1 ? 1 : 4) * (context.quick ? 64 : 128);
  let first = 0;
  try {
    const compared = await alternate(
      context.rounds,
      async () => {
        const rate = await running.round({ first, orders, inFlight });
        first += orders;
        return rate;
      },
      () => work.newOrders(inFlight === 1 ? orders : orders * 4, inFlight),
    );
    return [
      {
        ...row,
        value: compared.value,
        unit: "commands/s",
        yardstick: { name: peer, value: compared.yardstick },
        ratio: compared.ratio,
        spread: compared.spread,
        note: `the peer keeps no views; ${running.about}`,
      },
    ];
  } catch (error) {
    return [{ ...row, notMeasured: error instanceof Error ? error.message : String(error) }];
  } finally {
    await running.close();
    await subject.close();
  }
}
