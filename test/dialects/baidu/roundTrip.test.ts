// What is exported, imported into an empty store and exported again is the same document, byte for byte, whatever the order went through.
//
// AFTERSALE_RUNS sets how many lives are lived (150).

import fc from "fast-check";
import { expect, it } from "vitest";

import type { Loss } from "../../../src/dialects/baidu/course.ts";
import { importDocument } from "../../../src/dialects/baidu/imports.ts";
import { type Told, toldOf } from "../../../src/dialects/baidu/views.ts";
import { openEngine } from "../../../src/engine.ts";
import { type Life, life } from "../../domain/caseLife.ts";
import { later, live, redeemKey, shop } from "./lives.ts";

const numRuns = Number(process.env["AFTERSALE_RUNS"] ?? 150);

/** Of money that came late and is on its way back, the order remembers when it came, and the report says so. */
function asCarried(told: Told, losses: readonly Loss[]): Told {
  const copy = structuredClone(told);
  // What was open when its order ended, and ended later, has to come in first: the order ends no earlier, and the report says so.
  if (losses.some(({ path }) => path === "Mtime")) {
    const [document] = copy.Data;
    const last = Math.max(...(document!.EXT.SubsOrder?.Items ?? []).map(({ MTime }) => MTime));
    expect(last).toBeGreaterThan(document!.Mtime);
    document!.Mtime = last;
  }
  for (const { path } of losses) {
    const place = /^EXT\.SubsOrder\.Items\[(\d+)\]\.MTime$/.exec(path)?.[1];
    const item = copy.Data[0]!.EXT.SubsOrder?.Items[Number(place)];
    if (place !== undefined && item !== undefined) {
      expect(item).toMatchObject({ SubStatus: 401, OrderType: 1 });
      item.MTime = item.CTime;
    }
  }
  return copy;
}

async function trip(of: Life): Promise<string[]> {
  await using here = await openEngine({ store: "memory:", redeemKey, clock: () => later });
  await using there = await openEngine({ store: "memory:", redeemKey, clock: () => later });
  await live(here, "o-1", of);
  const told = toldOf((await here.views.order("o-1"))!, shop)!;
  const intake = { engine: there, shop, merchantId: "main", now: later, sceneId: told.scene_id };
  const given = JSON.parse(JSON.stringify(told.Data[0])) as unknown;
  const report = await importDocument(intake, told.open_id, given);
  const detail = await there.views.order("o-1");
  expect(report).toMatchObject({ outcome: "created", whole: true });
  const again = toldOf(detail!, shop)!;
  expect(JSON.stringify(again, null, 1)).toBe(JSON.stringify(asCarried(told, report.losses), null, 1));
  // Once more it is no news.
  const repeated = await importDocument(intake, told.open_id, given);
  expect(repeated).toMatchObject({ outcome: "unchanged", whole: true });
  expect(repeated.losses.filter(({ what }) => what === "stays as it was")).toEqual([]);
  return told.Data.flatMap(({ Status, EXT }) => [
    `main ${Status}`,
    ...(EXT.SubsOrder?.Items ?? []).map(({ SubStatus, OrderType }) => `${OrderType}/${SubStatus}`),
  ]);
}

it("every life makes the round", { timeout: 0 }, async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(life, async (of) => {
      for (const one of await trip(of)) seen.add(one);
    }),
    { numRuns, endOnFailure: process.env["SHRINK"] === undefined },
  );
  console.log([...seen].toSorted().join(", "));
});
