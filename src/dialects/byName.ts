// The dialects by name: a server speaks each below the prefix of its own name, and a scenario asks in one of them.

import { apifm, operationsOf as apifmOperations, pathOf as apifmPath } from "./apifm/index.ts";
import { appintf } from "./appintf/index.ts";
import { operations as appintfOperations } from "./appintf/operations.ts";
import { baidu } from "./baidu/index.ts";
import { operationsOf as baiduOperations } from "./baidu/operations.ts";
import type { AnyOperation, Dialect, MakeDialect } from "./dialect.ts";
import { targetOf } from "./request.ts";
import { pathOf as shopxoPath, shopxo } from "./shopxo/index.ts";
import { operations as shopxoOperations } from "./shopxo/operations.ts";

export const dialects = { apifm, shopxo, baidu, appintf } satisfies Readonly<Record<string, MakeDialect>>;

export type DialectName = keyof typeof dialects;

export const dialectNames = Object.keys(dialects) as readonly DialectName[];

type Table = Pick<Dialect, "operations" | "pathOf">;

/** What they are made with here has no say in their paths. */
const tables: Readonly<Record<DialectName, () => Table>> = {
  apifm: () => ({ operations: apifmOperations(), pathOf: apifmPath }),
  shopxo: () => ({ operations: shopxoOperations, pathOf: shopxoPath }),
  baidu: () => ({ operations: baiduOperations({ appKey: "", currency: "", merchantId: "" }) }),
  appintf: () => ({
    operations: appintfOperations({ signatures: undefined, causeTypes: {}, timeZone: "UTC" }),
  }),
};

/** Which operations a dialect without a prefix has, and at which path of them a URL is. */
export function placeIn(
  name: DialectName,
  url: string,
): { readonly path: string; readonly operations: readonly Pick<AnyOperation, "methods" | "path">[] } {
  const { operations, pathOf } = tables[name]();
  const { path, query } = targetOf(url);
  return { path: pathOf?.(path, query) ?? path, operations };
}
