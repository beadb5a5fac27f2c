// ShopXO's operations on after-sale: the buyer's page, list, application, parcel and withdrawal, and the merchant's answers.

import * as E from "fp-ts/lib/Either.js";

import type { CaseStatus } from "../../domain/caseLifecycle.ts";
import type { Destination } from "../../domain/caseEvents.ts";
import type { Case } from "../../domain/caseState.ts";
import type { Command } from "../../domain/commands.ts";
import type { OrderEventData } from "../../domain/events.ts";
import { idPattern, limits } from "../../domain/limits.ts";
import { parseAmount } from "../../domain/money.ts";
import type { Rejection } from "../../domain/refusals.ts";
import { type Order, paymentOf } from "../../domain/state.ts";
import type { Receipt } from "../../commands/handle.ts";
import type { CaseRow } from "../../projections/cases.ts";
import type { OrderTold } from "../../projections/detail.ts";
import { type AnyOperation, type AskedBy, type Reply, type Shop, operation } from "../dialect.ts";
import { isOwn, maySee, ownOrder } from "../own.ts";
import type { Caller, ReturnAddress } from "../ports.ts";
import { instantOf } from "../wallClock.ts";
import {
  type Narrowing,
  readApplication,
  readAudit,
  readCase,
  readDelivery,
  readList,
  readPage,
  readRefusal,
} from "./forms.ts";
import {
  type About,
  type Said,
  done,
  failed,
  inWords,
  noCase,
  noData,
  priceFormat,
  said,
  sorry,
  statusName,
  tooManyImages,
} from "./messages.ts";
import { caseStatusOf, caseTypeOf, destinationNumbers, destinationOf } from "./states.ts";
import { caseDocument, latestOf, pageDocument, paidByOf, returnAddressOf } from "./views.ts";

const post = { methods: ["POST"] as const };
const buyers = ["buyer"] as const;
const merchants = ["merchant"] as const;

function isId(text: string): boolean {
  return text.length <= limits.refundIdLength && idPattern.test(text);
}

// --- orderaftersale/aftersale ---

const page = operation({
  ...post,
  path: "/orderaftersale/aftersale",
  by: buyers,
  read: readPage,
  run: async ({ oid, did }, { engine, ports }, { caller }) => {
    const told = isId(oid) ? await ownOrder(engine, caller, oid) : undefined;
    const line = told?.order.lines.find(({ lineId }) => lineId === did);
    if (told === undefined || line === undefined) return undefined;
    const { merchantId } = told.order;
    const latest = latestOf(told.order, did);
    const address =
      (latest === undefined ? undefined : returnAddressOf(told, latest.caseId)) ??
      (await ports.addresses.returnTo(merchantId));
    return { told, line, reasons: engine.reasons(merchantId), address, timeZone: ports.timeZone };
  },
  reply: (found, _query, { now }) => {
    if (found === undefined) return sorry(noData);
    const { told, line, ...with_ } = found;
    return done("success", pageDocument(told, line, { ...with_, now }));
  },
});

// --- orderaftersale/index ---

const pageSize = 10;

const list = operation({
  ...post,
  path: "/orderaftersale/index",
  by: buyers,
  read: readList,
  run: async ({ page: number, narrowing }, shop, { caller }) => {
    const { engine, ports } = shop;
    const rows = await narrowed(narrowing, await allOf(caller, shop), shop);
    const shown = rows.slice((number - 1) * pageSize, number * pageSize);
    const told = new Map<string, OrderTold>();
    const orderIds = new Set(shown.map(({ orderId }) => orderId));
    // All at once: what is asked in one turn is read together.
    const asking = Array.from(orderIds, async (orderId) => {
      const detail = await ownOrder(engine, caller, orderId);
      if (detail !== undefined) told.set(orderId, detail);
    });
    await Promise.all(asking);
    return { total: rows.length, shown, told, timeZone: ports.timeZone };
  },
  reply: ({ total, shown, told, timeZone }, _query, { now }) => {
    const data = shown.flatMap(({ orderId, caseId }) => {
      const detail = told.get(orderId);
      const one = detail?.order.cases.find((known) => known.caseId === caseId);
      return detail === undefined || one === undefined ? [] : [caseDocument(detail, one, { now, timeZone })];
    });
    return done("success", { total, page_total: Math.ceil(total / pageSize), data });
  },
});

/** A buyer's cases, newest first: one buyer's are few. */
async function allOf({ id }: Caller, { engine }: Shop): Promise<readonly CaseRow[]> {
  const rows: CaseRow[] = [];
  let cursor: string | undefined;
  do {
    const found = await engine.views.refundHistory({ scope: { buyerId: id }, limit: 1_000, cursor });
    rows.push(...found.cases);
    cursor = found.next;
  } while (cursor !== undefined);
  return rows;
}

async function narrowed(
  { keywords, type, status, refundment, express_number, time_start, time_end }: Narrowing,
  rows: readonly CaseRow[],
  { engine, ports }: Shop,
): Promise<readonly CaseRow[]> {
  const second = (at: number): number => Math.floor(at / 1_000);
  const bound = (text: string | undefined): number | undefined => {
    const at = text === undefined ? undefined : instantOf(text, ports.timeZone);
    return at === undefined ? undefined : second(at);
  };
  const [from, to] = [bound(time_start), bound(time_end)];
  const kept: CaseRow[] = [];
  for (const row of rows) {
    if (type !== undefined && String(caseTypeOf[row.type]) !== type) continue;
    if (status?.has(String(caseStatusOf(row))) === false) continue;
    if (from !== undefined && second(row.appliedAt) <= from) continue;
    if (to !== undefined && second(row.appliedAt) >= to) continue;
    const byOrder = keywords === undefined || keywords === row.orderNo;
    if (!byOrder || refundment !== undefined || express_number !== undefined) {
      const order = await engine.state(row.orderId);
      if (order.status === "none") continue;
      const one = order.cases.find(({ caseId }) => caseId === row.caseId);
      const parcel = one?.returnShipment?.trackingNumber;
      const way = destinationOf(one ?? { type: row.type, attempts: [] });
      if (!byOrder && parcel !== keywords) continue;
      if (express_number !== undefined && parcel !== express_number) continue;
      if (refundment !== undefined && String(destinationNumbers[way]) !== refundment) continue;
    }
    kept.push(row);
  }
  return kept;
}

// --- orderaftersale/create ---

const mostImages = 3;

const create = operation({
  ...post,
  path: "/orderaftersale/create",
  by: buyers,
  read: readApplication,
  run: async (query, { engine }, { caller, commandId, newId }) => {
    const { order_id: orderId, order_detail_id: lineId, type: caseType } = query;
    const { price, reason, msg, number, images } = query;
    const order = await orderTo(engine, caller, orderId, commandId);
    if (order === undefined || !isId(lineId)) return noData;
    const amount = parseAmount(price, order.currency);
    if (amount === undefined) return priceFormat;
    const caseId = newId("case");
    const tooMany = images.count > mostImages;
    const personal = {
      ...(msg === "" ? {} : { note: msg }),
      ...(images.texts.length === 0 || tooMany ? {} : { evidence: images.texts }),
    };
    const command: Command<"ApplyRefund"> = {
      type: "ApplyRefund",
      orderId,
      caseId,
      lineId,
      caseType,
      quantity: caseType === "refundOnly" ? 0 : number,
      amount,
      ...(reason === "" ? {} : { reason }),
      ...(Object.keys(personal).length === 0 ? {} : { personal }),
    };
    const options = { actor: caller, commandId };
    // How many images there are is looked at last, after all that the domain says.
    const answer: E.Either<Rejection, unknown> = tooMany
      ? await engine.preview(command, options)
      : await engine.execute(command, options);
    if (E.isRight(answer)) return tooMany ? tooManyImages(mostImages) : { caseId };
    const now = await engine.state(orderId);
    return { refusal: answer.left, about: { order: now.status === "none" ? order : now, lineId } };
  },
  reply: (found) => {
    if ("caseId" in found) return done("申请成功", found.caseId);
    return sorry("refusal" in found ? inWords(found.refusal, found.about) : found);
  },
});

/** An order that its buyer may apply to: theirs, and not hidden by them, but where this very command came before that. */
async function orderTo(
  engine: Shop["engine"],
  caller: Caller,
  orderId: string,
  commandId: string,
): Promise<Order | undefined> {
  if (!isId(orderId) || !(await isOwn(engine, caller, orderId))) return undefined;
  const order = await engine.state(orderId);
  if (order.status === "none") return undefined;
  if (order.hiddenByBuyerAt === undefined) return order;
  const history = await engine.history(orderId);
  return history.some(({ meta }) => meta.commandId === commandId) ? order : undefined;
}

// --- what is done to a case ---

/** A case as a command meets it. */
interface Met {
  readonly told: OrderTold;
  readonly one: Case;
  /** Its status now; for a command that was given before, the one it met then, so that it is the same command again. */
  readonly status: CaseStatus;
  /** Given before. */
  readonly again: boolean;
}

/** What became of a command to a case. */
type Outcome =
  | { readonly receipt: Receipt }
  | { readonly refusal: Rejection; readonly about: About & { readonly one: Case } }
  | { readonly said: Said };

async function meet({ engine }: Shop, { caller, commandId }: AskedBy, id: string): Promise<Met | undefined> {
  const owner = isId(id) ? await engine.views.caseOwner(id) : undefined;
  if (owner === undefined || !maySee(caller, owner)) return undefined;
  const told = await engine.views.told(owner.orderId);
  const one = told?.order.cases.find(({ caseId }) => caseId === id);
  if (told === undefined || one === undefined) return undefined;
  const before = told.log.filter((entry) => entry.commandId === commandId);
  const first = before.find((entry) => entry.case?.caseId === id)?.case;
  const again = before.length > 0;
  const hidden = caller.role === "buyer" ? told.order.hiddenByBuyerAt : one.hiddenAt;
  if (hidden !== undefined && !again) return undefined;
  return { told, one, status: first === undefined ? one.status : (first.from as CaseStatus), again };
}

/** After so many decisions on an order that others change meanwhile, it has failed. */
const mostAttempts = 3;

/** Gives a command to a case as it stands: where it has changed meanwhile, it is looked at again. */
async function giveTo(
  id: string,
  shop: Shop,
  asked: AskedBy,
  choose: (met: Met) => Promise<Command | Said>,
): Promise<Outcome> {
  const { engine } = shop;
  const { caller, commandId } = asked;
  for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
    const met = await meet(shop, asked, id);
    if (met === undefined) return { said: noCase };
    const { told, one } = met;
    const chosenOne = await choose(met);
    if ("msg" in chosenOne) return { said: chosenOne };
    const answer = await engine.execute(chosenOne, { actor: caller, commandId, expect: told.revision });
    if (E.isRight(answer)) return { receipt: answer.right };
    if (answer.left.code === "versionConflict") continue;
    const { order } = told;
    return {
      refusal: answer.left,
      about: { order, one, lineId: one.lineId, paidBy: paidByOf(told, one) },
    };
  }
  return { said: failed };
}

function outcomeReply(outcome: Outcome, success: (receipt: Receipt) => Reply): Reply {
  if ("receipt" in outcome) return success(outcome.receipt);
  return sorry("said" in outcome ? outcome.said : inWords(outcome.refusal, outcome.about));
}

/** An operation that gives one command to the case of its `id`. */
function caseOperation<Q extends { readonly id: string }>({
  path,
  by,
  read,
  choose,
  reply,
}: {
  readonly path: string;
  readonly by: typeof buyers | typeof merchants;
  readonly read: (asked: AskedBy) => E.Either<Reply, Q>;
  readonly choose: (met: Met, query: Q, shop: Shop, asked: AskedBy) => Promise<Command | Said>;
  readonly reply: (outcome: Outcome) => Reply;
}): AnyOperation {
  return operation<Q, Outcome>({
    ...post,
    path,
    by,
    read,
    run: (query, shop, asked) => giveTo(query.id, shop, asked, (met) => choose(met, query, shop, asked)),
    reply,
  });
}

const of = ({ told, one }: Met): { readonly orderId: string; readonly caseId: string } => ({
  orderId: told.order.orderId,
  caseId: one.caseId,
});

const delivery = caseOperation({
  path: "/orderaftersale/delivery",
  by: buyers,
  read: readDelivery,
  choose: async (met, { express_name, express_number }) => ({
    type: "ShipReturn",
    ...of(met),
    carrier: express_name,
    trackingNumber: express_number,
  }),
  reply: (outcome) => {
    if ("refusal" in outcome && outcome.refusal.code === "caseStatusNotEligible") {
      const { one } = outcome.about;
      return sorry(
        one.type === "refundOnly"
          ? said("该售后订单为仅退款，不能操作退货操作")
          : said(`该售后订单状态不可操作[${statusName(one)}]`, -10),
      );
    }
    return outcomeReply(outcome, () => done("操作成功"));
  },
});

const cancel = caseOperation({
  path: "/orderaftersale/cancel",
  by: buyers,
  read: readCase,
  choose: async (met) => ({ type: "CancelRefund", ...of(met) }),
  reply: (outcome) => outcomeReply(outcome, () => done("取消成功")),
});

const confirm = caseOperation({
  path: "/admin/orderaftersale/confirm",
  by: merchants,
  read: readCase,
  choose: async (met, _query, { ports }, { commandId }) => {
    const { told, one, status, again } = met;
    // A refund alone is approved by its audit, which says where the money goes: ShopXO confirms nothing but what is to be sent back.
    if (caseStatusOf({ ...one, status }) !== 0) return said(`状态不可操作[${statusName(one)}]`);
    const { merchantId } = told.order;
    const approved = told.log.find(
      (entry) => entry.commandId === commandId && entry.event === "RefundApproved",
    );
    const returnAddress = again
      ? (approved?.data as OrderEventData["RefundApproved"] | undefined)?.personal?.returnAddress
      : withoutBlanks(await ports.addresses.returnTo(merchantId));
    return {
      type: "ApproveRefund",
      ...of(met),
      ...(returnAddress === undefined ? {} : { personal: { returnAddress } }),
    };
  },
  reply: (outcome) => outcomeReply(outcome, () => done("确认成功")),
});

function withoutBlanks(address: ReturnAddress | undefined): Partial<ReturnAddress> | undefined {
  const parts = Object.entries(address ?? {}).filter(([, part]) => part !== "");
  return parts.length === 0 ? undefined : (Object.fromEntries(parts) as Partial<ReturnAddress>);
}

const audit = caseOperation({
  path: "/admin/orderaftersale/audit",
  by: merchants,
  read: readAudit,
  choose: async (met, query, { engine, ports }, { caller, commandId }) => {
    const { refundment: asked, is_under_line_use_manual: byHand } = query;
    const { told, one, status, again } = met;
    const payment = paymentOf(told.order, one);
    const destination = wayOf(asked, payment?.channel, byHand);
    const command = paying(met, status, destination);
    const missing =
      asked === "manual" || again
        ? undefined
        : payment === undefined || payment.channel === "none"
          ? said("支付日志不存在，请使用手动处理方式")
          : destination === "original" && payment.channel === "online" && ports.payments === undefined
            ? said(`支付插件没退款功能[${paidByOf(told, one) ?? ""}]`)
            : destination === "wallet" && ports.wallet === undefined
              ? said("请先安装钱包插件[ Wallet ]")
              : undefined;
    if (missing === undefined) return command;
    // The shop's own shortcomings come last, after all that the domain says.
    const preview = await engine.preview(command, { actor: caller, commandId, expect: told.revision });
    return E.isLeft(preview) && !isUntraced(preview.left) ? command : missing;
  },
  reply: (outcome) =>
    outcomeReply(outcome, ({ events }) =>
      // Money that goes back another way than by hand is on its way, and not there yet.
      done(events.some(({ type }) => type === "RefundSettled") ? "退款成功" : "操作成功"),
    ),
});

/** The number of the trade is asked for last of all. */
function isUntraced(rejection: Rejection): boolean {
  return rejection.code === "destinationRefused" && rejection.because === "noTradeNo";
}

/** What was paid from the wallet goes back there; of what was paid offline the merchant may say that it goes back by hand. */
function wayOf(asked: Destination, channel: string | undefined, byHand: boolean): Destination {
  if (asked !== "original") return asked;
  if (channel === "wallet") return "wallet";
  return channel === "offline" && byHand ? "manual" : "original";
}

/** ShopXO's audit is whatever lets the money go from where the case stands. */
function paying(met: Met, status: CaseStatus, destination: Destination): Command {
  const { one } = met;
  if (status === "requested") return { type: "ApproveRefund", ...of(met), destination };
  if (status === "returnInTransit") {
    const dispositions = [{ kind: "restock" as const, quantity: one.quantity }];
    return { type: "ReceiveReturn", ...of(met), dispositions, destination };
  }
  return { type: "IssueRefund", ...of(met), destination };
}

const refuse = caseOperation({
  path: "/admin/orderaftersale/refuse",
  by: merchants,
  read: readRefusal,
  choose: async (met, { refuse_reason }) => ({ type: "RejectRefund", ...of(met), reason: refuse_reason }),
  reply: (outcome) => outcomeReply(outcome, () => done("拒绝成功")),
});

const remove = caseOperation({
  path: "/admin/orderaftersale/delete",
  by: merchants,
  read: readCase,
  choose: async (met) => ({ type: "HideRefund", ...of(met) }),
  reply: (outcome) => outcomeReply(outcome, () => done("删除成功")),
});

export const operations: readonly AnyOperation[] = [
  page,
  list,
  create,
  delivery,
  cancel,
  confirm,
  audit,
  refuse,
  remove,
];
