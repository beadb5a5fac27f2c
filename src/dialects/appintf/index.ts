// The interface of the overseas shopping app (S3): its envelope, its cookie, and its operations below `/appIntf`.

import type { Engine } from "../../engine.ts";
import { type Dialect, type FetchHandler, type Mount, type Reply, serveDialect } from "../dialect.ts";
import type { Ports } from "../ports.ts";
import { type Code, says } from "./messages.ts";
import { type Signatures, operations, pagePath } from "./operations.ts";
import { messagePage } from "./views.ts";

export type { Signatures } from "./operations.ts";

export interface AppintfMount extends Mount {
  /** Checks signatures on the operations that list -4; without it none is asked for. */
  readonly signatures?: Signatures | undefined;
  /** What each causeType is called, in causeTypeDesc and as the case's reason; without it the document's one, 1 商品损坏. */
  readonly causeTypes?: Readonly<Record<number, string>> | undefined;
}

/** Makes the dialect's handler. */
export function appintf(
  engine: Engine,
  ports: Ports,
  { signatures, causeTypes = { 1: "商品损坏" }, ...mount }: AppintfMount = {},
): FetchHandler {
  const dialect: Dialect = {
    name: "appintf",
    operations: operations({ signatures, causeTypes, timeZone: ports.timeZone }),
    // A browser sends the cookie from other sites' pages too, and says so: whoever asks from there is not logged in.
    tokenOf: ({ headers }) =>
      headers.get("sec-fetch-site") === "cross-site" ? undefined : cookieOf(headers, "common_session_id"),
    noSuchOperation: () => ({ status: 404, ...says(-1) }),
    wrongMethod: saying(-3),
    unreadable: (_why, path) => saying(-1)(path),
    notLoggedIn: saying(-2),
    // Who is no user of the app is not logged in to it.
    forbidden: saying(-2),
    defect: () => says(-1),
  };
  return serveDialect(dialect, { engine, ports }, mount);
}

/** A code, said as a page where a page is asked for. */
function saying(code: Code) {
  return (path: string): Reply => (path === pagePath ? messagePage(code) : says(code));
}

/** A cookie's value; undefined where it is not sent, or empty. */
function cookieOf(headers: Headers, name: string): string | undefined {
  for (const pair of (headers.get("cookie") ?? "").split(";")) {
    const split = pair.indexOf("=");
    if (split === -1 || pair.slice(0, split).trim() !== name) continue;
    const value = pair
      .slice(split + 1)
      .trim()
      .replace(/^"(.*)"$/, "$1");
    return value === "" ? undefined : value;
  }
  return undefined;
}
