// The dialects that a server speaks, by name: each below the prefix of its own name.

import { baidu } from "../dialects/baidu/index.ts";
import type { MakeDialect } from "../dialects/dialect.ts";

export const dialects: Readonly<Record<string, MakeDialect>> = { baidu };
