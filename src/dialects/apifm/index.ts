// The apifm dialect (S0): what the mini-programs of api.it120.cc speak, forms in and `{code, msg, data}` out.

import type { Engine } from "../../engine.ts";
import { type AnyOperation, type Dialect, type FetchHandler, type Mount, serveDialect } from "../dialect.ts";
import type { Ports } from "../ports.ts";
import { type Fields, parseJson } from "../request.ts";
import { orderCreate } from "./create.ts";
import { failed, loginExpired } from "./messages.ts";
import { orderOperations } from "./operations.ts";
import { refundOperations } from "./refunds.ts";

export interface ApifmOptions extends Mount {
  /**
   * The id of the staff whom a write-off without a token (`orderHX`) is put down to: whoever knows a code may then write it off. Without
   * it such a request is told to log in.
   */
  readonly anonymousRedeem?: string | undefined;
}

/** A token stands among the fields; that of a review within its JSON. */
function tokenOf({ fields }: { readonly fields: Fields }): string | undefined {
  const inner =
    typeof fields["postJsonString"] === "string" ? parseJson(fields["postJsonString"]) : undefined;
  const beside = fields["token"] ?? "";
  const token = beside === "" ? (inner as { readonly token?: unknown } | null | undefined)?.token : beside;
  return typeof token === "string" && token !== "" ? token : undefined;
}

export const operationsOf = (anonymousRedeem?: string): readonly AnyOperation[] => [
  orderCreate,
  ...orderOperations(anonymousRedeem),
  ...refundOperations,
];

/** Without the sub-domain, whichever it is. */
export function pathOf(path: string): string {
  return /^\/[^/]+(\/.*)$/.exec(path)?.[1] ?? path;
}

/**
 * Makes the dialect's handler. The client is given the handler's place as its base, and any sub-domain: `init2("https://shop/apifm", "x")`
 * asks for `/apifm/x/order/create`.
 */
export function apifm(engine: Engine, ports: Ports, options: ApifmOptions = {}): FetchHandler {
  const dialect: Dialect = {
    name: "apifm",
    operations: operationsOf(options.anonymousRedeem),
    pathOf,
    tokenOf,
    noSuchOperation: () => ({ ...failed("接口不存在"), status: 404 }),
    wrongMethod: () => failed("请求方式有误"),
    unreadable: (why) => failed(why === "tooLarge" ? "请求内容过大" : "参数错误"),
    notLoggedIn: () => loginExpired,
    forbidden: () => failed("没有操作权限"),
    defect: (id) => failed("操作失败", { id }),
  };
  return serveDialect(dialect, { engine, ports }, options);
}
