// apifm's operations on orders that are there: each reads its form, asks the engine or the shop's ports, and answers in apifm's words.

import * as E from "fp-ts/lib/Either.js";

import type { Actor } from "../../domain/actor.ts";
import { statusesFor } from "../../domain/lifecycle.ts";
import { isId } from "../../domain/limits.ts";
import type { OrderTold } from "../../projections/detail.ts";
import type { OrderFilter } from "../../projections/orders.ts";
import {
  type AnyOperation,
  type Asked,
  type AskedBy,
  type Reply,
  type Shop,
  openOperation,
  operation,
} from "../dialect.ts";
import { isOwn, ownOrder, standing } from "../own.ts";
import type { Caller, Trace } from "../ports.ts";
import { detailForm, listForm, orderForm, read, redeemForm, reputationForm } from "./forms.ts";
import { type Fault, failed, loginExpired, noData, refuse, success } from "./messages.ts";
import { standingAt } from "./states.ts";
import { countsDocument, detailDocument, listDocument } from "./views.ts";

/** What became of a command: nothing to be told, or why not. */
export type Done = E.Either<Fault, unknown>;

export const told = (found: Done): Reply => (E.isLeft(found) ? refuse(found.left) : success());

/** What is there, or that nothing of the caller's is. */
const orNothing = E.fromNullable<Fault>({ code: "nothing" });

/** Gives a command to an order of the caller's; another's, or one that they have hidden, is answered as none. */
export async function give(
  { engine }: Pick<Shop, "engine">,
  asked: Pick<AskedBy, "caller" | "commandId">,
  command: { readonly type: string; readonly orderId: string } & Readonly<Record<string, unknown>>,
): Promise<Done> {
  const { caller, commandId } = asked;
  const { type, orderId } = command;
  // Hiding it again changes nothing, and is no fault.
  const there =
    type === "HideOrder"
      ? await isOwn(engine, caller, orderId)
      : (await standing(engine, asked, orderId)) !== undefined;
  return there ? engine.execute(command, { actor: caller, commandId }) : E.left({ code: "nothing" });
}

/** An operation that is one command, and needs no more than the order's id. */
function plain(path: string, type: "CancelOrder" | "ConfirmReceipt" | "HideOrder"): AnyOperation {
  return operation({
    methods: ["POST"],
    path,
    by: ["buyer"],
    read: (asked) => read(orderForm, asked),
    run: async ({ orderId }, shop, asked) => give(shop, asked, { type, orderId }),
    reply: told,
  });
}

const orderPay = operation({
  methods: ["POST"],
  path: "/order/pay",
  by: ["buyer"],
  read: (asked) => read(orderForm, asked),
  run: async ({ orderId }, { engine, ports: { wallet } }, asked): Promise<Done | undefined> => {
    const { caller, commandId } = asked;
    if ((await standing(engine, asked, orderId)) === undefined) return E.left({ code: "nothing" });
    const paid = await wallet?.pay({ orderId, buyerId: caller.id, commandId });
    if (paid === undefined || E.isLeft(paid)) return paid;
    if (!paid.right.replayed || paid.right.commandId === commandId) return paid;
    // Paid before, as whoever asks twice is told; but where the money has gone back with the order's end, only who paid.
    const { status } = await engine.state(orderId);
    return status === "closed"
      ? E.left({ code: "orderStatusNotEligible", command: "Pay", status, allowed: statusesFor("Pay") })
      : paid;
  },
  reply: (found) => (found === undefined ? failed("余额支付未开通") : told(found)),
});

// --- lists and counts ---

const orderList = operation({
  methods: ["GET", "POST"],
  path: "/order/list",
  by: ["buyer"],
  read: (asked) => read(listForm, asked),
  run: async (query, { engine, ports }, { caller }) => {
    const { status, statusBatch, goodReputation, hasRefund, orderNumber, shopId, page, pageSize } = query;
    const [one, many] = [status === undefined ? {} : standingAt([status]), statusBatch];
    // Asked for both ways, it must be so both ways.
    const standing =
      many === undefined ? one : standingAt(many.filter((number) => (status ?? number) === number));
    const filter: OrderFilter = {
      scope: { buyerId: caller.id },
      ...standing,
      rating: goodReputation,
      hasRefund,
      orderNo: orderNumber,
    };
    const zone = ports.timeZone;
    // All orders are of the one shop there is, and its number is 0.
    const elsewhere = shopId !== undefined && shopId !== "0";
    const total = elsewhere ? 0 : await engine.views.orderCount(filter);
    if (total <= (page - 1) * pageSize) return { details: [], total, zone };
    const { orders } = await engine.views.orders({
      ...filter,
      limit: pageSize,
      offset: (page - 1) * pageSize,
    });
    const details = await Promise.all(orders.map(({ orderId }) => engine.views.told(orderId)));
    return { details: details.filter((detail) => detail !== undefined), total, zone };
  },
  reply: ({ details, total, zone }, { pageSize }) =>
    details.length === 0 ? noData : success(listDocument(details, { total, pageSize, zone })),
});

const orderStatistics = operation({
  methods: ["GET", "POST"],
  path: "/order/statistics",
  by: ["buyer"],
  read: () => E.right(undefined),
  run: async (_query, { engine }, { caller }) => engine.views.counts({ buyerId: caller.id }),
  reply: (counts) => success(countsDocument(counts)),
});

// --- one order, and its write-off code ---

/** Staff who may not redeem are told so of every code, right or wrong: else they could find out which is which. */
function barredFrom(merchantId: string, { role, id }: Actor, engine: Shop["engine"]): Fault | undefined {
  const barred = role === "staff" && !engine.mayRedeem(merchantId, id);
  return barred ? { code: "staffNotListed", staffId: id } : undefined;
}

/** The order behind a write-off code, for its buyer, and for staff who may redeem it. */
async function orderByCode(
  code: string,
  { engine, ports }: Shop,
  { caller }: AskedBy,
): Promise<E.Either<Fault, OrderTold>> {
  const orderId = await engine.orderByCode(code);
  if (orderId !== undefined && caller.role !== "staff")
    return orNothing(await ownOrder(engine, caller, orderId));
  const told = orderId === undefined ? undefined : await engine.views.told(orderId);
  const barred = barredFrom(told?.order.merchantId ?? ports.merchantId, caller, engine);
  return barred === undefined ? orNothing(told) : E.left(barred);
}

/** The code is the buyer's to show, from payment until the goods are theirs. */
export async function codeToShow(
  { engine }: Pick<Shop, "engine">,
  { role }: Caller,
  { order }: OrderTold,
): Promise<string | undefined> {
  const shown = role === "buyer" && (order.status === "paid" || order.status === "shipped");
  return shown ? engine.redemptionCode(order.orderId) : undefined;
}

/** Where the order's first parcel was, between being sent and received; a carrier that does not answer keeps nothing else back. */
async function tracesOf({ ports }: Shop, { order }: OrderTold): Promise<readonly Trace[]> {
  const { shippedAt, receivedAt, shipments } = order;
  const { carrier, trackingNumber } = shipments[0] ?? {};
  let told: readonly Trace[] = [];
  if (carrier !== undefined && trackingNumber !== undefined) {
    try {
      told = (await ports.tracking?.traces({ carrier, trackingNumber })) ?? [];
    } catch (error) {
      ports.log({ level: "warn", event: "trackingFailed", orderId: order.orderId, error });
    }
  }
  return [
    ...(shippedAt === undefined ? [] : [{ at: shippedAt, text: "卖家已发货" }]),
    ...told,
    ...(receivedAt === undefined ? [] : [{ at: receivedAt, text: "已确认收货" }]),
  ];
}

const orderDetail = operation({
  methods: ["GET", "POST"],
  path: "/order/detail",
  by: ["buyer", "staff"],
  read: (asked) => read(detailForm, asked),
  run: async ({ id, hxNumber }, shop, asked) => {
    const { caller } = asked;
    const found =
      hxNumber === undefined
        ? orNothing(await ownOrder(shop.engine, caller, id as string))
        : await orderByCode(hxNumber, shop, asked);
    if (E.isLeft(found)) return found;
    const code = await codeToShow(shop, caller, found.right);
    const traces = await tracesOf(shop, found.right);
    return E.right({ detail: found.right, code, traces, zone: shop.ports.timeZone });
  },
  reply: (found) => (E.isLeft(found) ? refuse(found.left) : success(detailDocument(found.right))),
});

/** Writing off without a token, as the old client does, is for who was named to stand for it (ruling 15). */
function orderHX(anonymous: string | undefined): AnyOperation {
  const redeemer = ({ caller, fields }: Asked): Actor | undefined => {
    if (caller !== undefined) return caller;
    const sent = fields["token"] !== undefined && fields["token"] !== "";
    return anonymous === undefined || sent ? undefined : { role: "staff", id: anonymous };
  };
  return openOperation({
    methods: ["POST"],
    path: "/order/hx",
    read: (asked) => {
      const actor = redeemer(asked);
      if (actor === undefined) return E.left(loginExpired);
      if (actor.role !== "staff") return E.left(notRedeeming);
      return E.map((query: { readonly hxNumber: string; readonly extJsonStr?: string | undefined }) => ({
        ...query,
        actor,
      }))(read(redeemForm, asked));
    },
    run: async ({ hxNumber, extJsonStr, actor }, { engine, ports }, { commandId }): Promise<Done> => {
      const orderId = await engine.orderByCode(hxNumber);
      if (orderId === undefined) {
        return E.left(
          barredFrom(ports.merchantId, actor, engine) ?? { code: "redemptionCodeWrong", field: "code" },
        );
      }
      const source = extJsonStr === undefined ? {} : { source: { extJsonStr } };
      return engine.execute({ type: "Redeem", orderId, code: hxNumber, ...source }, { actor, commandId });
    },
    reply: told,
  });
}

const notRedeeming = failed("暂无核销权限");

const orderReputation = operation({
  methods: ["POST"],
  path: "/order/reputation",
  by: ["buyer"],
  read: (asked) => read(reputationForm, asked),
  run: async ({ postJsonString: { orderId, reputations } }, shop, asked): Promise<Done> => {
    if (!reputations.every(({ id }) => isId(id))) return E.left({ code: "nothing" });
    return give(shop, asked, {
      type: "Review",
      orderId,
      items: reputations.map(({ id, reputation, remark, pics }) => ({
        lineId: id,
        rating: reputation,
        ...(remark === undefined ? {} : { text: remark }),
        ...(pics === undefined || pics === null || pics.length === 0 ? {} : { pictures: pics }),
      })),
    });
  },
  reply: told,
});

/** `anonymousRedeem`: the id of the staff whom a write-off without a token is put down to; none is taken without it. */
export function orderOperations(anonymousRedeem: string | undefined): readonly AnyOperation[] {
  return [
    orderList,
    orderDetail,
    plain("/order/close", "CancelOrder"),
    plain("/order/delete", "HideOrder"),
    orderPay,
    plain("/order/delivery", "ConfirmReceipt"),
    orderHX(anonymousRedeem),
    orderStatistics,
    orderReputation,
  ];
}
