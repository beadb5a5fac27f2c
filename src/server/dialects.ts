// The dialects that a server speaks, by name: each below the prefix of its own name.

import { apifm } from "../dialects/apifm/index.ts";
import type { MakeDialect } from "../dialects/dialect.ts";

export const dialects = { apifm } satisfies Readonly<Record<string, MakeDialect>>;
