// Where a command's time goes: each view left out in turn, and the processor's samples by room and package.

import type { Profiler } from "node:inspector";
import { Session } from "node:inspector/promises";

import type { Context } from "./context.ts";
import { type Compared, alternate } from "./rounds.ts";
import type { Row } from "./rows.ts";
import { openSubject, viewNames } from "./subject.ts";
import { Rounds } from "./writing.ts";

export async function views(context: Context): Promise<readonly Row[]> {
  const orders = context.quick ? 512 : 2_048;
  const all = await openSubject(context.file("views-all.db"));
  const kept = new Rounds(all);
  const rows: Row[] = [];
  try {
    const choices = [
      ...viewNames.map((off) => ({ off: `without ${off}`, views: viewNames.filter((name) => name !== off) })),
      { off: "without any view", views: [] },
    ];
    for (const { off, views: names } of choices) {
      const subject = await openSubject(context.file(`views-${rows.length}.db`), { views: names });
      const work = new Rounds(subject);
      let compared: Compared;
      try {
        compared = await alternate(
          context.rounds,
          () => kept.newOrders(orders, 64),
          () => work.newOrders(orders, 64),
        );
      } finally {
        await subject.close();
      }
      rows.push({
        name: "views",
        measure: `64 in flight, ${off}`,
        value: compared.value,
        unit: "commands/s",
        yardstick: { name: "with all", value: compared.yardstick },
        ratio: compared.ratio,
        spread: compared.spread,
      });
    }
  } finally {
    await all.close();
  }
  return rows;
}

export async function budget(context: Context): Promise<readonly Row[]> {
  return [...(await spent(context, 64)), ...(await spent(context, 1_024))];
}

async function spent(context: Context, clients: number): Promise<readonly Row[]> {
  const orders = context.quick ? 2_048 : 8_192;
  const subject = await openSubject(context.file(`budget-${clients}.db`));
  const work = new Rounds(subject);
  const session = new Session();
  try {
    await work.newOrders(orders, clients);
    session.connect();
    await session.post("Profiler.enable");
    await session.post("Profiler.setSamplingInterval", { interval: 250 });
    await session.post("Profiler.start");
    await work.newOrders(orders, clients);
    const { profile } = await session.post("Profiler.stop");
    const shares = sharesOf(profile);
    return [...shares]
      .toSorted(([, a], [, b]) => b - a)
      .filter(([, share]) => share >= 0.01)
      .map(([where, share]) => ({
        name: "budget",
        measure: `${clients.toLocaleString("en-GB")} in flight, spent in ${where}`,
        value: share * 100,
        unit: "%",
      }));
  } finally {
    session.disconnect();
    await subject.close();
  }
}

/** Self time by room (in the rooms that run SQL, by function) or package; what has no source of its own counts for whoever called it, the driver's calls apart. */
function sharesOf({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): ReadonlyMap<string, number> {
  const parents = new Map<number, number>();
  for (const { id, children = [] } of nodes) for (const child of children) parents.set(child, id);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const placeOf = (id: number): string => {
    const node = byId.get(id);
    if (node === undefined) return "other";
    const { functionName, url } = node.callFrame;
    const named = nativePlaces.get(functionName);
    if (url === "" && named !== undefined) return named;
    const place = sourcePlace(url, functionName);
    // A function without a name is told by the one that called it.
    if (place !== undefined && functionName !== "") return place;
    const parent = parents.get(id);
    return parent === undefined ? "other" : placeOf(parent);
  };
  const shares = new Map<string, number>();
  let total = 0;
  samples.forEach((id, index) => {
    const delta = Math.max(0, timeDeltas[index] ?? 0);
    const place = placeOf(id);
    if (place === "idle" || place === "the bench") return;
    shares.set(place, (shares.get(place) ?? 0) + delta);
    total += delta;
  });
  return new Map([...shares].map(([place, spent]) => [place, spent / total]));
}

const nativePlaces: ReadonlyMap<string, string> = new Map([
  ["(garbage collector)", "garbage collection"],
  ["(idle)", "idle"],
  ["(program)", "Node itself"],
  ["run", "SQLite, inserts and updates"],
  ["get", "SQLite, reading"],
  ["all", "SQLite, reading"],
  ["iterate", "SQLite, reading"],
  ["exec", "SQLite, begin and commit (with its sync)"],
]);

function sourcePlace(url: string, functionName: string): string | undefined {
  const packaged = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
  if (packaged !== undefined)
    return packaged === "@photostructure/sqlite" ? "the SQLite driver's own code" : packaged;
  const room = /\/src\/(?:([^/]+)\/)?([^/]+)\.js$/.exec(url);
  // Some drivers' calls have no frame of their own: where SQL is run, the function says more than the room.
  if (room?.[1] === "store" || room?.[1] === "projections")
    return `src/${room[1]}/${room[2] ?? ""} ${functionName}`;
  if (room !== null) return room[1] === undefined ? `src/${room[2] ?? ""}` : `src/${room[1]}`;
  if (/\/bench\/[^/]+\.js$/.test(url)) return "the bench";
  if (url.startsWith("node:")) return "Node itself";
  return undefined;
}
