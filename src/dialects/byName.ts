// The dialects by name: a server speaks each below the prefix of its own name, and a scenario asks in one of them.

import { apifm } from "./apifm/index.ts";
import { appintf } from "./appintf/index.ts";
import { baidu } from "./baidu/index.ts";
import type { MakeDialect } from "./dialect.ts";
import { shopxo } from "./shopxo/index.ts";

export const dialects = { apifm, shopxo, baidu, appintf } satisfies Readonly<Record<string, MakeDialect>>;

export type DialectName = keyof typeof dialects;

export const dialectNames = Object.keys(dialects) as readonly DialectName[];
