// The wiki's operations: what each reads of a request, what it asks the engine, and what it answers.

import * as E from "fp-ts/lib/Either.js";

import type { Case } from "../../domain/caseState.ts";
import type { Command } from "../../domain/commands.ts";
import { refundableOf } from "../../domain/refundable.ts";
import type { Rejection } from "../../domain/refusals.ts";
import type { Order } from "../../domain/state.ts";
import type { Engine } from "../../engine.ts";
import type { LogEntry } from "../../projections/detail.ts";
import type { CaseDetail } from "../../projections/refund.ts";
import { type AnyOperation, type AskedBy, type Method, type Reply, operation } from "../dialect.ts";
import { idOf } from "../numbers.ts";
import { standing } from "../own.ts";
import {
  type Application,
  type CaseNamed,
  type OrderNamed,
  type Page,
  readApplication,
  readCase,
  readList,
  readOrder,
  readPage,
} from "./forms.ts";
import { type Act, type Code, codeOf, firstOf, says } from "./messages.ts";
import { listTypes } from "./states.ts";
import { messagePage, orderItem, orderPage, pastDateOf, refundDetail, refundItem } from "./views.ts";

/** Says whether a request was signed as the shop's clients sign theirs, which the wiki leaves open. */
export interface Signatures {
  verify(request: Pick<AskedBy, "method" | "path" | "headers" | "fields">): Promise<boolean>;
}

/** What the operations are made with. */
export interface Settings {
  /** Undefined: nothing is signed, and -4 is never said. */
  readonly signatures: Signatures | undefined;
  /** What each causeType is called. */
  readonly causeTypes: Readonly<Record<number, string>>;
  /** In which processingDate is told (IANA). */
  readonly timeZone: string;
}

/** Two accepted applications of a user for an order are at least so many milliseconds apart. */
const submitWindow = 3_000;

/** After so many decisions on an order that others change meanwhile, the conflict is what is told. */
const mostAttempts = 3;

const by = ["buyer"] as const;

/** Read-only operations take either method: the wiki lists -3 under them too, and means nothing by it. */
const either: readonly Method[] = ["GET", "POST"];

// --- asking the engine ---

function rangeOf({ pageNo, pageSize }: Page): { readonly limit: number; readonly offset: number } {
  return { limit: pageSize, offset: (pageNo - 1) * pageSize };
}

/** Of an order its latest case; or the one that is named, of that order where one is named too. */
async function caseNamed(
  engine: Engine,
  asked: AskedBy,
  { orderId, refundId }: CaseNamed,
): Promise<{ readonly orderId: string; readonly caseId: string } | undefined> {
  const of = refundId === undefined ? undefined : await engine.views.caseOwner(refundId);
  const found = await standing(engine, asked, orderId ?? of?.orderId);
  if (found === undefined) return undefined;
  const { order } = found.detail;
  const caseId = refundId ?? found.repeated?.case?.caseId ?? order.cases.at(-1)?.caseId;
  const known = order.cases.find((one) => one.caseId === caseId);
  return known && { orderId: order.orderId, caseId: known.caseId };
}

/** The orders of rows in a list, as they stand now. */
async function ordersOf(engine: Engine, rows: readonly { readonly orderId: string }[]): Promise<Order[]> {
  const states = await Promise.all(rows.map(({ orderId }) => engine.state(orderId)));
  return states.filter((state) => state.status !== "none");
}

/** What came of a command: nothing more to say, a code of the wiki's own, or the domain's refusal. */
type Outcome = E.Either<Code | Rejection, unknown>;

function answerTo(act: Act, outcome: Outcome, data: object = {}): Reply {
  if (E.isRight(outcome)) return says(1, data);
  return says(typeof outcome.left === "number" ? outcome.left : codeOf(act, outcome.left));
}

// --- applications ---

interface Submitted extends OrderNamed {
  /** Its first fault is said only behind 41. */
  readonly form: E.Either<Code, Application>;
}

/** Whether an application for the order was accepted so lately that no other is looked at. */
function isTooSoon({ cases }: Order, now: number): boolean {
  return cases.some((one) => one.origin === "application" && now - one.appliedAt < submitWindow);
}

/** An application that came to its end as the buyer wanted: there is no other beside it, though it had not all there was. */
function wasApproved({ status }: Case): boolean {
  return status === "refunded" || status === "exchanged";
}

async function submit(
  engine: Engine,
  query: Submitted,
  asked: AskedBy,
  settings: Settings,
): Promise<Outcome> {
  for (let attempt = 1; ; attempt += 1) {
    const found = await standing(engine, asked, query.orderId);
    const repeated = found?.repeated;
    if (found !== undefined && repeated === undefined && isTooSoon(found.detail.order, asked.now)) {
      return E.left(41);
    }
    if (E.isLeft(query.form)) return query.form;
    if (found === undefined) return E.left(17);
    const { order, revision } = found.detail;
    const [line, ...others] = order.lines;
    // One application is for the whole order, which the wiki's have one line of.
    if (line === undefined || others.length > 0) return E.left(53);
    const given = { repeated, caseId: asked.newId("case"), settings };
    const command = application(order, line.lineId, query.form.right, given);
    const options = { actor: asked.caller, commandId: asked.commandId };
    if (repeated === undefined && order.cases.some(wasApproved)) {
      const refused = await engine.preview(command, options);
      return E.left(firstOf(E.isLeft(refused) ? [54, codeOf("submit", refused.left)] : [54]));
    }
    // The window was looked at as the order stood here.
    const expect = repeated === undefined ? revision : undefined;
    const outcome = await engine.execute(command, { ...options, expect });
    const moved = E.isLeft(outcome) && outcome.left.code === "versionConflict";
    if (!moved || attempt === mostAttempts) return outcome;
  }
}

function application(
  order: Order,
  lineId: string,
  { causeType, cause, proofs }: Application,
  {
    repeated,
    caseId,
    settings,
  }: { readonly repeated: LogEntry | undefined; readonly caseId: string; readonly settings: Settings },
): Command<"ApplyRefund"> {
  const before = repeated?.data as { readonly amount?: number } | undefined;
  return {
    type: "ApplyRefund",
    orderId: order.orderId,
    caseId,
    lineId,
    caseType: "refundOnly",
    // All that is left; and something, so that where nothing is left the domain says why.
    amount: before?.amount ?? Math.max(1, refundableOf(order, lineId).amount),
    causeType,
    reason: settings.causeTypes[causeType],
    personal: { note: cause, evidence: proofs },
  };
}

// --- the table ---

export function operations(settings: Settings): readonly AnyOperation[] {
  const refundList = operation<Page, object[]>({
    methods: ["GET"],
    path: "/appIntf/refund/refundList.jsp",
    by,
    read: readPage,
    run: async (page, { engine }, { caller }) => {
      const { cases } = await engine.views.refundHistory({
        scope: { buyerId: caller.id },
        ...rangeOf(page),
      });
      const orders = new Map((await ordersOf(engine, cases)).map((order) => [order.orderId, order]));
      return cases.flatMap(({ orderId, caseId }) => {
        const order = orders.get(orderId);
        const one = order?.cases.find((known) => known.caseId === caseId);
        return order === undefined || one === undefined ? [] : [refundItem(order, one)];
      });
    },
    reply: (data) => says(1, { data }),
  });

  const submitRefund = operation<Submitted, Outcome>({
    methods: ["POST"],
    path: "/appIntf/refund/submitRefund.jsp",
    by,
    read: (asked) =>
      E.map((order: OrderNamed) => ({ ...order, form: readApplication(asked) }))(readOrder(asked)),
    run: (query, { engine }, asked) => submit(engine, query, asked, settings),
    reply: (outcome) => answerTo("submit", outcome),
  });

  const getRefund = operation<
    CaseNamed,
    { readonly orderId: string; readonly refund: CaseDetail } | undefined
  >({
    methods: either,
    path: "/appIntf/refund/getRefund.jsp",
    by,
    read: readCase,
    run: async (query, { engine }, asked) => {
      const named = await caseNamed(engine, asked, query);
      const refund = named && (await engine.views.refund(named))?.refund;
      return refund && { orderId: named.orderId, refund };
    },
    reply: (found) =>
      found === undefined
        ? says(17)
        : says(1, { data: refundDetail(found.orderId, found.refund, settings.timeZone) }),
  });

  const cancelAt = (path: string): AnyOperation =>
    operation<CaseNamed, Outcome>({
      methods: ["POST"],
      path,
      by,
      read: readCase,
      run: async (query, { engine }, asked) => {
        const named = await caseNamed(engine, asked, query);
        if (named === undefined) return E.left(17);
        return engine.execute(
          { type: "CancelRefund", ...named },
          { actor: asked.caller, commandId: asked.commandId },
        );
      },
      reply: (outcome) => answerTo("cancel", outcome),
    });

  const confirmReceive = operation<OrderNamed, Outcome>({
    methods: ["POST"],
    path: "/appIntf/order/confirmReceive.jsp",
    by,
    read: readOrder,
    run: async ({ orderId }, { engine }, asked) => {
      const found = await standing(engine, asked, orderId);
      if (found === undefined) return E.left(17);
      return engine.execute(
        { type: "ConfirmReceipt", orderId: found.detail.order.orderId },
        { actor: asked.caller, commandId: asked.commandId },
      );
    },
    reply: (outcome, { orderId = "" }) => answerTo("receive", outcome, { data: { orderId: idOf(orderId) } }),
  });

  const orderList = operation<
    Page & { readonly type: number },
    { readonly total: number; readonly orders: readonly Order[] }
  >({
    methods: either,
    path: "/appIntf/order/orderList.jsp",
    by,
    read: readList,
    run: async ({ type, ...page }, { engine }, { caller }) => {
      const filter = { ...listTypes[type], scope: { buyerId: caller.id } };
      const total = await engine.views.orderCount(filter);
      const { orders } = await engine.views.orders({ ...filter, ...rangeOf(page) });
      return { total, orders: await ordersOf(engine, orders) };
    },
    reply: ({ total, orders }, { pageNo, pageSize }, { now }) =>
      says(1, {
        pageNo,
        pageSize,
        total,
        pageTotal: Math.ceil(total / pageSize),
        serviceDate: now,
        data: orders.map(orderItem),
      }),
  });

  /** One of the three that show an order. */
  const showing = (path: string, show: (order: Order, now: number) => Reply, none: Reply): AnyOperation =>
    operation<OrderNamed, Order | undefined>({
      methods: either,
      path,
      by,
      read: readOrder,
      run: async ({ orderId }, { engine }, asked) => (await standing(engine, asked, orderId))?.detail.order,
      reply: (order, _query, { now }) => (order === undefined ? none : show(order, now)),
    });

  const payDate = (order: Order, serviceDate: number): Reply =>
    says(1, { data: { pastDate: pastDateOf(order), serviceDate, orderId: idOf(order.orderId) } });

  const orderInfo = (order: Order, serviceDate: number): Reply =>
    says(1, { serviceDate, data: orderItem(order) });

  return [
    ...[
      refundList,
      submitRefund,
      getRefund,
      cancelAt("/appIntf/refund/refundList.jsp"),
      cancelAt("/appIntf/refund/cancelRefund.jsp"),
      confirmReceive,
    ].map((one) => signed(one, settings)),
    orderList,
    showing("/appIntf/order/payDate.jsp", payDate, says(17)),
    showing(pagePath, orderPage, messagePage(17)),
    showing("/appIntf/order/orderInfo.jsp", orderInfo, says(17)),
  ];
}

/** The operation that answers with a page. */
export const pagePath = "/appIntf/order/orderDetail.jsp";

/** The same operation, its requests' signatures looked at before anything that they say. */
function signed(one: AnyOperation, { signatures }: Settings): AnyOperation {
  if (signatures === undefined) return one;
  return {
    ...one,
    answer: async (asked, shop) => {
      const { method, path, headers, fields } = asked;
      return (await signatures.verify({ method, path, headers, fields }))
        ? one.answer(asked, shop)
        : says(-4);
    },
  };
}
