// ShopXO's after-sale interface: what its clients and its merchants' back office ask, answered as ShopXO answers.

import { type Dialect, type MakeDialect, serveDialect } from "../dialect.ts";
import { textOf } from "./forms.ts";
import { failed, said, sorry } from "./messages.ts";
import { operations } from "./operations.ts";

const noAccess = sorry(said("非法访问", -1000));

const dialect: Dialect = {
  name: "shopxo",
  operations,
  pathOf,
  tokenOf: ({ fields }) => textOf(fields, "token"),
  noSuchOperation: () => noAccess,
  wrongMethod: () => noAccess,
  unreadable: () => sorry(said("请求参数有误")),
  notLoggedIn: () => sorry(said("登录失效，请重新登录", -400)),
  forbidden: () => sorry(said("无权限")),
  defect: () => sorry(failed),
};

/**
 * The operation's path however it is written: `/orderaftersale/aftersale`, with its module before it (`/api`, and `/admin` for the
 * merchant's), or as `s` of the module's script: `/api.php?s=orderaftersale/aftersale`.
 */
export function pathOf(path: string, query: string): string {
  const [script = "", module] = /^\/(api|admin)\.php/.exec(path) ?? [];
  const below =
    script === "" ? path : path.slice(script.length) || `/${new URLSearchParams(query).get("s") ?? ""}`;
  const plain = below.replace(/^\/+/, "").replace(/\.html$/, "");
  const rooted = module === "admin" && !plain.startsWith("admin/") ? `admin/${plain}` : plain;
  return `/${rooted.replace(/^api\//, "")}`;
}

/** Answers ShopXO's clients out of an engine. */
export const shopxo: MakeDialect = (engine, ports, mount) => serveDialect(dialect, { engine, ports }, mount);
