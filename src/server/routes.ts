// The plain API's operations: one table, from which requests are routed and the OpenAPI document is written.

import * as E from "fp-ts/lib/Either.js";
import type { z } from "zod";

import type { Receipt } from "../commands/handle.ts";
import type { ExecuteOptions } from "../commands/parse.ts";
import type { Actor, Role } from "../domain/actor.ts";
import { isWalletRefusal } from "../domain/wallet.ts";
import type { OrderDetail, LogEntry } from "../projections/detail.ts";
import type { Engine } from "../engine.ts";
import type { Scope } from "../projections/statistics.ts";
import { hasHidden, isOwn, isService, ownOrder, scopeOf, standing } from "../dialects/own.ts";
import type { Caller, Ports } from "../dialects/ports.ts";
import { isStoreError } from "../store/port.ts";
import { eventDocument, feed } from "./feed.ts";
import { type Failure, failure, noSuchOrder, ofRejection, ofWalletRefusal } from "./refusals.ts";
import * as shapes from "./schemas.ts";

/** A request to the plain API whose caller is known and whose query and body have been read. */
export interface Asked {
  readonly caller: Caller;
  readonly params: Readonly<Record<string, string>>;
  readonly query: unknown;
  readonly body: unknown;
  readonly headers: Headers;
  /** Of the Idempotency-Key, or fresh: an id for the command that is given. */
  readonly commandId: () => string;
  /** Aborted when the client goes. */
  readonly gone: () => AbortSignal;
}

export interface House {
  readonly engine: Engine;
  readonly ports: Ports;
  readonly heartbeatMs: number;
  /** Aborted when the server stops. */
  readonly stopping: AbortSignal;
}

/** A document, a failure, or a stream of events. */
export type Answer =
  /** `replayed`: it is what was answered before, and nothing was done now. */
  | { readonly document: object; readonly replayed?: boolean }
  | Failure
  | { readonly stream: ReadableStream<Uint8Array> };

export interface Route {
  readonly method: "GET" | "POST";
  /** With parameters as `{orderId}`. */
  readonly path: string;
  readonly name: string;
  readonly summary: string;
  readonly by: readonly Role[];
  readonly query: z.ZodType;
  readonly body?: z.ZodType;
  /** The name of the schema of its answer; a stream of events without one. */
  readonly answers: string | undefined;
  readonly answer: (asked: Asked, house: House) => Promise<Answer>;
}

/** Roles that have lists and counts. */
const readers = ["buyer", "merchant", "admin", "system"] as const;

/** What a buyer may ask over a wire: not what states a price or a payment, which are the shop's to say. */
const buyersCommands: ReadonlySet<string> = new Set([
  "CancelOrder",
  "ConfirmReceipt",
  "Review",
  "HideOrder",
  "ApplyRefund",
  "CancelRefund",
  "ShipReturn",
  "CorrectReturnShipment",
  "ConfirmReplacement",
]);

const document = (of: object): Answer => ({ document: of });

function forbidden(why: string): Failure {
  return failure(403, "forbidden", why);
}

async function command({ caller, body, commandId }: Asked, { engine, ports }: House): Promise<Answer> {
  const given = body as z.infer<typeof shapes.envelopeSchema>;
  const actor: Actor = given.actor ?? caller;
  const trusted = caller.role === "system";
  if (!trusted && (actor.role !== caller.role || actor.id !== caller.id)) {
    return forbidden("actor: only a system caller may act for another");
  }
  if (!trusted && given.at !== undefined) return forbidden("at: only a system caller may say when");
  const { type, orderId } = given.command;
  if (caller.role === "buyer" && !buyersCommands.has(type)) {
    return forbidden(`command: a buyer cannot give ${type} here`);
  }
  // Ids of cases are one store's: with its order's id before it, no buyer learns of another's.
  const caseId = given.command["caseId"];
  const within = typeof caseId === "string" && caseId.startsWith(`${orderId}.`);
  if (caller.role === "buyer" && type === "ApplyRefund" && !within) {
    const issue = { field: "command.caseId", rule: "must begin with the order's id and a dot" };
    return ofRejection({ code: "invalidCommand", issues: [issue] });
  }
  const owned = caller.role === "buyer" || caller.role === "merchant";
  if (owned && type !== "CreateOrder" && !(await isOwn(engine, caller, orderId))) return noSuchOrder(orderId);
  const options = {
    actor,
    commandId: given.commandId ?? commandId(),
    ...(given.at === undefined ? {} : { at: given.at }),
    ...(given.expect === undefined ? {} : { expect: revisionOf(given.expect) }),
  };
  if (ports.wallet === undefined && (await intoWallet(given.command, options, engine))) return noWallet();
  const result = await engine.execute(given.command, options);
  return E.isLeft(result) ? ofRejection(result.left) : receiptAnswer(result.right, caller);
}

/** Whether a command would have money paid into a wallet. What the engine refuses is said by it, and what was done before stays done. */
async function intoWallet(
  command: z.infer<typeof shapes.envelopeSchema>["command"],
  options: ExecuteOptions,
  engine: Engine,
): Promise<boolean> {
  // An attempt without a destination goes where the one before was to go.
  if (command["destination"] === undefined && command.type !== "IssueRefund") return false;
  const preview = await engine.preview(command, options);
  return (
    E.isRight(preview) &&
    preview.right.events.some(({ type, data }) => type === "RefundIssued" && data.destination === "wallet")
  );
}

function revisionOf(expect: string | number | bigint): "none" | bigint {
  return expect === "none" ? expect : BigInt(expect);
}

/** The same document for a repeat, word for word. Positions count what everybody does: they are for the shop's own services. */
function receiptAnswer(
  { orderId, commandId, revision, position, events, replayed }: Receipt,
  caller: Caller,
): Answer {
  const receipt = { orderId, commandId, revision: String(revision), events };
  return { document: isService(caller) ? { ...receipt, position } : receipt, replayed };
}

function logFor(log: readonly LogEntry[], caller: Caller): readonly object[] {
  return log.map(({ position, revision, ...entry }) => ({
    revision: String(revision),
    ...(isService(caller) ? { position } : {}),
    ...entry,
  }));
}

function orderDocument({ revision, log, ...detail }: OrderDetail, caller: Caller): object {
  return { ...detail, revision: String(revision), log: logFor(log, caller) };
}

/** Whose lists and counts are asked for: a buyer's and a merchant's are their own; undefined where they name another's. */
function whose(
  caller: Caller,
  asked: { readonly buyerId?: string | undefined; readonly merchantId?: string | undefined },
) {
  const { buyerId, merchantId } = asked;
  const own = scopeOf(caller);
  if (own === undefined) return undefined;
  if (own === "all") {
    return buyerId !== undefined ? { buyerId } : merchantId !== undefined ? { merchantId } : own;
  }
  const [name, id] = Object.entries(own)[0] as [string, string];
  const named = buyerId ?? merchantId;
  return named === undefined || (asked as Record<string, unknown>)[name] === id ? own : undefined;
}

const notTheirs = (): Failure => forbidden("buyerId, merchantId: not this caller's own");

async function statistics({ caller, query }: Asked, { engine }: House): Promise<Answer> {
  const scope = whose(caller, query as z.infer<typeof shapes.statisticsQuery>);
  if (scope === undefined) return notTheirs();
  const own = scope === "all" ? {} : await countsOf(engine, scope);
  return document(isService(caller) ? { all: await engine.views.counts("all"), ...own } : own);
}

async function countsOf(engine: Engine, scope: Exclude<Scope, "all">): Promise<object> {
  const counts = await engine.views.counts(scope);
  return "buyerId" in scope ? { buyer: counts } : { merchant: counts };
}

/** A page that a bad cursor makes impossible is the asker's fault. */
async function page(read: () => Promise<object>): Promise<Answer> {
  try {
    return document(await read());
  } catch (error) {
    if (error instanceof RangeError) return failure(400, "invalidQuery", error.message);
    throw error;
  }
}

async function orders({ caller, query }: Asked, { engine }: House): Promise<Answer> {
  const { buyerId, merchantId, status, ...filter } = query as z.infer<typeof shapes.ordersQuery>;
  const scope = whose(caller, { buyerId, merchantId });
  if (scope === undefined) return notTheirs();
  return page(() => engine.views.orders({ ...filter, statuses: status, scope }));
}

async function refunds({ caller, query }: Asked, { engine }: House): Promise<Answer> {
  const { buyerId, merchantId, status, type, ...filter } = query as z.infer<typeof shapes.refundsQuery>;
  const scope = whose(caller, { buyerId, merchantId });
  if (scope === undefined) return notTheirs();
  return page(() => engine.views.refundHistory({ ...filter, statuses: status, types: type, scope }));
}

async function queue({ caller, query }: Asked, { engine }: House): Promise<Answer> {
  const { merchantId, ...filter } = query as z.infer<typeof shapes.queueQuery>;
  if (caller.role === "merchant" && merchantId !== undefined && merchantId !== caller.id) return notTheirs();
  const of = caller.role === "merchant" ? caller.id : merchantId;
  return page(() => engine.views.queue({ ...filter, merchantId: of }));
}

const param = ({ params }: Asked, name: string): string => params[name] as string;

async function order(asked: Asked, { engine }: House): Promise<Answer> {
  const orderId = param(asked, "orderId");
  if (!(await isOwn(engine, asked.caller, orderId))) return noSuchOrder(orderId);
  const detail = await engine.views.order(orderId);
  return detail === undefined || hasHidden(asked.caller, detail.order)
    ? noSuchOrder(orderId)
    : document(orderDocument(detail, asked.caller));
}

async function history(asked: Asked, { engine }: House): Promise<Answer> {
  const orderId = param(asked, "orderId");
  if ((await ownOrder(engine, asked.caller, orderId)) === undefined) return noSuchOrder(orderId);
  const events = await engine.history(orderId);
  return document({ events: events.map(eventDocument) });
}

async function code(asked: Asked, { engine }: House): Promise<Answer> {
  const orderId = param(asked, "orderId");
  if ((await ownOrder(engine, asked.caller, orderId)) === undefined) return noSuchOrder(orderId);
  const written = await engine.redemptionCode(orderId);
  return written === undefined
    ? ofRejection({ code: "noRedemptionCode", orderId })
    : document({ code: written });
}

async function orderRefunds(asked: Asked, { engine }: House): Promise<Answer> {
  const orderId = param(asked, "orderId");
  if ((await ownOrder(engine, asked.caller, orderId)) === undefined) return noSuchOrder(orderId);
  const found = await engine.views.refundHistory({ orderId });
  if (found === undefined) return noSuchOrder(orderId);
  const cases = found.cases.map(({ log, ...one }) => ({ ...one, log: logFor(log, asked.caller) }));
  return document({ ...found, revision: String(found.revision), cases });
}

async function refund(asked: Asked, { engine }: House): Promise<Answer> {
  const orderId = param(asked, "orderId");
  const caseId = param(asked, "caseId");
  if ((await ownOrder(engine, asked.caller, orderId)) === undefined) return noSuchOrder(orderId);
  const found = await engine.views.refund({ orderId, caseId });
  if (found?.refund === undefined) return ofRejection({ code: "caseNotFound", caseId });
  const { log, ...one } = found.refund;
  return document({
    ...found,
    revision: String(found.revision),
    refund: { ...one, log: logFor(log, asked.caller) },
  });
}

async function events(
  { query, headers, gone }: Asked,
  { engine, heartbeatMs, stopping }: House,
): Promise<Answer> {
  const { after: asked } = query as z.infer<typeof shapes.eventsQuery>;
  const last = headers.get("last-event-id");
  const after = last === null || last === "" ? asked : last;
  try {
    return { stream: await feed(engine, { after, ends: [gone(), stopping], heartbeatMs }) };
  } catch (error) {
    if (isStoreError(error, "invalid")) return failure(400, "invalidQuery", `after: ${error.message}`);
    throw error;
  }
}

const noWallet = (): Failure => failure(422, "noWallet", "nobody has a wallet with this shop");

async function pay(asked: Asked, { engine, ports }: House): Promise<Answer> {
  const { caller } = asked;
  const orderId = param(asked, "orderId");
  const commandId = asked.commandId();
  if ((await standing(engine, { caller, commandId }, orderId)) === undefined) return noSuchOrder(orderId);
  if (ports.wallet === undefined) return noWallet();
  const paid = await ports.wallet.pay({ orderId, buyerId: caller.id, commandId });
  if (E.isRight(paid)) return receiptAnswer(paid.right, caller);
  return isWalletRefusal(paid.left) ? ofWalletRefusal(paid.left) : ofRejection(paid.left);
}

async function wallet({ caller, query }: Asked, { engine, ports }: House): Promise<Answer> {
  if (ports.wallet === undefined) return noWallet();
  const { buyerId = caller.role === "buyer" ? caller.id : undefined } = query as z.infer<
    typeof shapes.walletQuery
  >;
  if (buyerId === undefined) return failure(400, "invalidQuery", "buyerId: must be named");
  if (caller.role === "buyer" && buyerId !== caller.id) return notTheirs();
  if (ports.wallet === engine.wallet) return document({ buyerId, ...(await engine.wallet.show(buyerId)) });
  const balances = { [ports.currency]: await ports.wallet.balance(buyerId, ports.currency) };
  return document({ buyerId, balances, held: [] });
}

async function topUp({ caller, body }: Asked, { engine, ports }: House): Promise<Answer> {
  if (ports.wallet === undefined) return noWallet();
  if (ports.wallet !== engine.wallet) {
    return failure(422, "walletElsewhere", "the shop's wallets are kept, and topped up, elsewhere");
  }
  const given = body as z.infer<typeof shapes.topUpSchema>;
  const done = await engine.wallet.topUp({ ...given, actor: caller });
  if (E.isRight(done)) return { document: given, replayed: done.right.replayed };
  return done.left.code === "invalidCommand" ? ofRejection(done.left) : ofWalletRefusal(done.left);
}

const ofOrder = { by: readers, query: shapes.nothing } as const;

export const routes: readonly Route[] = [
  {
    method: "POST",
    path: "/commands",
    name: "execute",
    summary: "Execute one command; answered when its events are durable.",
    by: ["buyer", "merchant", "staff", "provider", "system"],
    query: shapes.nothing,
    body: shapes.envelopeSchema,
    answers: "Receipt",
    answer: command,
  },
  {
    method: "GET",
    path: "/statistics",
    name: "statistics",
    summary: "Counts of orders: the caller's own, and of all for services and admins.",
    by: readers,
    query: shapes.statisticsQuery,
    answers: "Statistics",
    answer: statistics,
  },
  {
    method: "GET",
    path: "/orders",
    name: "orders",
    summary: "A page of orders, newest first.",
    by: readers,
    query: shapes.ordersQuery,
    answers: "OrderPage",
    answer: orders,
  },
  {
    method: "GET",
    path: "/orders/{orderId}",
    name: "order",
    summary: "One order in full, with its log.",
    ...ofOrder,
    answers: "Order",
    answer: order,
  },
  {
    method: "GET",
    path: "/orders/{orderId}/history",
    name: "history",
    summary: "An order's events, oldest first.",
    ...ofOrder,
    answers: "History",
    answer: history,
  },
  {
    method: "GET",
    path: "/orders/{orderId}/code",
    name: "redemptionCode",
    summary: "The buyer's write-off code of an order.",
    by: ["buyer", "system"],
    query: shapes.nothing,
    answers: "Code",
    answer: code,
  },
  {
    method: "POST",
    path: "/orders/{orderId}/pay",
    name: "payByWallet",
    summary: "Pay an order in full out of the buyer's wallet; asked again, it is the same payment.",
    by: ["buyer"],
    query: shapes.nothing,
    answers: "Receipt",
    answer: pay,
  },
  {
    method: "GET",
    path: "/refunds",
    name: "refunds",
    summary: "A page of after-sale cases, newest first.",
    by: readers,
    query: shapes.refundsQuery,
    answers: "CasePage",
    answer: refunds,
  },
  {
    method: "GET",
    path: "/refunds/{orderId}",
    name: "orderRefunds",
    summary: "Every case of an order, newest first, each with its log.",
    ...ofOrder,
    answers: "RefundHistory",
    answer: orderRefunds,
  },
  {
    method: "GET",
    path: "/refunds/{orderId}/{caseId}",
    name: "refund",
    summary: "One case: its steps, what may be done next and by whom, and its log.",
    ...ofOrder,
    answers: "Refund",
    answer: refund,
  },
  {
    method: "GET",
    path: "/queue",
    name: "queue",
    summary: "A page of what waits for whom, the longest waiting first.",
    by: ["merchant", "admin", "system"],
    query: shapes.queueQuery,
    answers: "CasePage",
    answer: queue,
  },
  {
    method: "GET",
    path: "/events",
    name: "events",
    summary: "Every order's events as server-sent events, from `after` or Last-Event-ID on, then live.",
    by: ["admin", "system"],
    query: shapes.eventsQuery,
    answers: undefined,
    answer: events,
  },
  {
    method: "GET",
    path: "/wallet",
    name: "wallet",
    summary: "What a buyer's wallet holds; one kept elsewhere: what may be spent of the shop's currency.",
    by: ["buyer", "admin", "system"],
    query: shapes.walletQuery,
    answers: "Wallet",
    answer: wallet,
  },
  {
    method: "POST",
    path: "/wallet/top-ups",
    name: "topUp",
    summary:
      "Pay money into a buyer's wallet that the engine keeps, once for each topUpId; answered with what was paid in.",
    by: ["system"],
    query: shapes.nothing,
    body: shapes.topUpSchema,
    answers: "TopUp",
    answer: topUp,
  },
];
