// Baidu's order centre: its receiving side as a dialect; what it is told, what is taken from its documents, and what is sent to it.

import type { Engine } from "../../engine.ts";
import { type Dialect, type FetchHandler, type Mount, serveDialect } from "../dialect.ts";
import type { Ports } from "../ports.ts";
import { malformed, platform } from "./messages.ts";
import { operationsOf } from "./operations.ts";
import type { BaiduShop } from "./views.ts";

/** Where it is mounted, and for which mini-program. */
export interface BaiduMount extends Mount {
  /** `BizAPPID`; the merchant's id without it. */
  readonly appKey?: string | undefined;
  readonly orderPage?: string | undefined;
  readonly subOrderPage?: string | undefined;
}

/** The mini-program of a mount. */
export function shopOf(
  { merchantId, currency }: Pick<Ports, "merchantId" | "currency">,
  { appKey = merchantId, orderPage, subOrderPage }: BaiduMount = {},
): BaiduShop {
  return { appKey, currency, orderPage, subOrderPage };
}

/** Answers below `/rest/2.0/smartapp/ordercenter/app/`, as the order centre does. */
export function baidu(engine: Engine, ports: Ports, mount?: BaiduMount): FetchHandler {
  const dialect: Dialect = {
    name: "baidu",
    operations: operationsOf({ ...shopOf(ports, mount), merchantId: ports.merchantId }),
    tokenOf: ({ fields }) => {
      const token = fields["access_token"];
      return typeof token === "string" && token !== "" ? token : undefined;
    },
    noSuchOperation: platform.noSuchMethod,
    wrongMethod: platform.noSuchMethod,
    unreadable: (why) => (why === "badKey" ? platform.invalid(why) : malformed(`the body: ${why}`)),
    notLoggedIn: platform.badToken,
    forbidden: platform.noPermission,
    defect: platform.unknown,
  };
  return serveDialect(dialect, { engine, ports }, mount);
}
