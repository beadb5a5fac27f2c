// What a scenario's people ask in a source system's own words: the shop around the engine, and requests to its dialects.

import { type DialectName, dialects } from "../dialects/byName.ts";
import { type ShopData, indexed, portsOf } from "../dialects/catalog.ts";
import type { LogLine, Ports } from "../dialects/ports.ts";
import { type Role, roles } from "../domain/actor.ts";
import type { Json } from "../domain/json.ts";
import type { Engine } from "../engine.ts";
import type { PaymentProvider } from "../commands/refundPorts.ts";
import type { AskStep } from "./scenario.ts";

/** What stands around the engine while a request is answered. */
interface Around {
  readonly engine: Engine;
  readonly shop: ShopData;
  readonly payments: PaymentProvider;
  readonly clock: () => number;
}

/**
 * The document that a request is answered with; the text of a page. A token is its bearer, `buyer:b1`, and stands where the dialect looks
 * for it; the step's key is the request's, so that what it makes has the same ids in every run.
 * @throws what broke in the dialect.
 */
export async function replyTo(step: AskStep, { engine, shop, payments, clock }: Around): Promise<Json> {
  const faults: LogLine[] = [];
  const ports: Ports = {
    ...portsOf(async () => indexed(shop), shop),
    authentication: {
      authenticate: async (token) => {
        const [role = "", id = ""] = token.split(/:(.*)/s);
        return roles.includes(role as Role) ? { role: role as Role, id } : undefined;
      },
    },
    wallet: engine.wallet,
    payments,
    clock,
    newSeed: () => step.key,
    log: (line) => faults.push(line),
  };
  const response = await dialects[step.dialect](engine, ports)(requestOf(step));
  const [fault] = faults;
  if (fault !== undefined) throw fault["error"];
  const text = await response.text();
  return response.headers.get("content-type")?.startsWith("application/json") === true
    ? (JSON.parse(text) as Json)
    : text;
}

/** apifm has a sub-domain before its paths, which means nothing here. */
const before: Readonly<Record<DialectName, string>> = { apifm: "/shop", shopxo: "", baidu: "", appintf: "" };

const tokenFields: Readonly<Partial<Record<DialectName, string>>> = {
  apifm: "token",
  shopxo: "token",
  baidu: "access_token",
};

/** The request that a step makes, as its dialect without a prefix gets it. */
export function requestOf({ dialect, method, path, fields, actor, key }: AskStep): Request {
  const url = new URL(before[dialect] + path, "http://scenario.invalid");
  const headers: Record<string, string> = { "idempotency-key": key };
  const token = actor === undefined ? undefined : `${actor.role}:${actor.id}`;
  const tokenField = tokenFields[dialect];
  if (token !== undefined && tokenField === undefined) headers["cookie"] = `common_session_id=${token}`;
  const all = token === undefined || tokenField === undefined ? fields : { [tokenField]: token, ...fields };
  if (method === "GET") {
    for (const [name, text] of formOf(all)) url.searchParams.append(name, text);
    return new Request(url, { headers });
  }
  if (dialect === "baidu") {
    headers["content-type"] = "application/json";
    return new Request(url, { method, headers, body: JSON.stringify(all) });
  }
  return new Request(url, { method, headers, body: new URLSearchParams(formOf(all)) });
}

/** A form holds texts: lists and mappings are JSON within it. */
function formOf(fields: AskStep["fields"]): [name: string, text: string][] {
  return Object.entries(fields).map(([name, value]) => [
    name,
    value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value),
  ]);
}
