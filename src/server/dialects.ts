// The dialects that a server speaks, by name: each below the prefix of its own name.

import { apifm } from "../dialects/apifm/index.ts";
import { appintf } from "../dialects/appintf/index.ts";
import { baidu } from "../dialects/baidu/index.ts";
import type { MakeDialect } from "../dialects/dialect.ts";
import { shopxo } from "../dialects/shopxo/index.ts";

export const dialects = { apifm, shopxo, baidu, appintf } satisfies Readonly<Record<string, MakeDialect>>;
