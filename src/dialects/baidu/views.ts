// An order as Baidu's order centre is told of it: the whole of it, its sub-orders alone, and what of it has changed since it was told.

import { affectedUnits } from "../../domain/caseDecide.ts";
import type { Case } from "../../domain/caseState.ts";
import type { Charge, ChargeKind, Line } from "../../domain/events.ts";
import { type JsonPairs, under } from "../../domain/json.ts";
import { allocate } from "../../domain/money.ts";
import { type Order, paymentOf } from "../../domain/state.ts";
import type { LogEntry, OrderDetail } from "../../projections/detail.ts";
import {
  type Item,
  type MainDocument,
  type OrderDocument,
  type Page,
  type SubsDocument,
  foreignProductSchema,
  foreignSchema,
  itemSchema,
  same,
} from "./documents.ts";
import { aggregateOf, cateOf, mainStatusOf, orderTypes, subStatusOf } from "./states.ts";

/** What the documents name besides the order. */
export interface BaiduShop {
  /** The mini-program's own key: `BizAPPID`. */
  readonly appKey: string;
  /** ISO 4217: orders in it are told of in its minor units, others not at all. The documents speak of fen. */
  readonly currency: string;
  /** The page of an order, and of a sub-order, with `{orderId}` and `{subOrderId}` in it; left out without it. */
  readonly orderPage?: string | undefined;
  readonly subOrderPage?: string | undefined;
}

/** A request of the order centre: its query's user, and its body. */
export interface Told {
  readonly open_id: string;
  /** The order centre's own number of the online payment, where there was one. */
  readonly scene_id?: string;
  readonly scene_type: 2;
  readonly Data: readonly OrderDocument[];
}

const second = (at: number): number => Math.floor(at / 1_000);

const chargeNames: Readonly<Record<ChargeKind, string>> = { freight: "运费", tariff: "税费", other: "其他" };

/** The kind of a charge of this name. */
export function chargeKindOf(name: string): ChargeKind {
  const known = (Object.keys(chargeNames) as ChargeKind[]).find((kind) => chargeNames[kind] === name);
  return known ?? "other";
}

type Parts = NonNullable<MainDocument["Payment"]["PaymentInfo"]>;

/** What was taken off an order's price, and what was added: `PreferentialInfo` and `PaymentInfo`. */
export function partsOf(discount: number, charges: readonly Charge[]): readonly [Parts, Parts] {
  return [
    discount === 0 ? [] : [{ Name: "优惠", Value: discount, Quantity: 1 }],
    charges.map(({ kind, amount }) => ({ Name: chargeNames[kind], Value: amount, Quantity: 1 })),
  ];
}

/** What rides along of a document in `source.baidu`. */
export function foreignOf(source: JsonPairs | undefined) {
  const read = foreignSchema.safeParse(under(source, "baidu") ?? {});
  return read.success ? read.data : {};
}

function foreignProduct({ source }: Line) {
  const read = foreignProductSchema.safeParse(under(source, "baidu") ?? {});
  return read.success ? read.data : {};
}

/** The goods' id as the documents have it. */
export function productIdOf(line: Line): string {
  return foreignProduct(line).ID ?? line.goodsId;
}

function created(log: readonly LogEntry[]) {
  return log[0]?.data as { readonly source?: JsonPairs } | undefined;
}

/** An order in full; undefined where its currency is not the shop's. */
export function toldOf(detail: OrderDetail, shop: BaiduShop): Told | undefined {
  const { order } = detail;
  const document = orderDocument(detail, shop);
  if (document === undefined) return undefined;
  const scene = sceneOf(order);
  return {
    open_id: order.buyerId,
    ...(scene === undefined ? {} : { scene_id: scene }),
    scene_type: 2,
    Data: [document],
  };
}

/** `scene_id`: by which number the order centre's cashier knows how an order was paid. */
export function sceneOf({ payments }: Order): string | undefined {
  return payments.find(({ channel, late }) => channel === "online" && !late)?.tradeNo;
}

export function orderDocument(detail: OrderDetail, shop: BaiduShop): OrderDocument | undefined {
  const { order, log } = detail;
  if (order.currency !== shop.currency) return undefined;
  const foreign = foreignOf(created(log)?.source);
  const own = log.filter((entry) => entry.case === undefined && !entry.event.startsWith("Stock"));
  const lastOwn = own.at(-1)?.at ?? order.createdAt;
  const items = itemsOf(detail, shop);
  return {
    CateID: cateOf(order),
    BizAPPID: foreign.BizAPPID ?? shop.appKey,
    Title: foreign.Title ?? (order.lines[0] as Line).title,
    ResourceID: order.orderId,
    Ctime: second(order.createdAt),
    Mtime: Math.max(second(lastOwn), foreign.Mtime ?? 0),
    Status: mainStatusOf(order),
    EXT: {
      MainOrder: mainOf(order, shop, foreign),
      ...(items.length === 0 ? {} : { SubsOrder: subsOf(items) }),
    },
  };
}

function mainOf(order: Order, shop: BaiduShop, foreign: ReturnType<typeof foreignOf>): MainDocument {
  const { charges, discount, total, paidAt } = order;
  const [preferential, extra] = partsOf(discount, charges);
  const detailPage = foreign.OrderDetail ?? pageOf(shop.orderPage, order.orderId);
  return {
    Products: order.lines.map((line) => {
      const { Name, Desc, Price, ImgList, DetailPage, SkuAttr } = foreignProduct(line);
      return {
        ID: productIdOf(line),
        Name: Name ?? line.title,
        ...(Desc === undefined ? {} : { Desc }),
        Quantity: line.quantity,
        Price: Price ?? line.unitPrice,
        PayPrice: line.unitPrice,
        ...(ImgList === undefined ? {} : { ImgList }),
        ...(DetailPage === undefined ? {} : { DetailPage }),
        ...(SkuAttr === undefined ? {} : { SkuAttr }),
      };
    }),
    Payment: {
      Time: paidAt === undefined ? 0 : second(paidAt),
      Method: paymentOf(order)?.channel === "offline" ? 2 : (foreign.Method ?? 1),
      Amount: total,
      IsPayment: paidAt !== undefined,
      PreferentialInfo: foreign.PreferentialInfo === undefined ? preferential : foreign.PreferentialInfo,
      PaymentInfo: foreign.PaymentInfo === undefined ? extra : foreign.PaymentInfo,
    },
    Appraise: { ...(foreign.Appraise ?? { Name: "", SwanSchema: "" }), Status: appraiseOf(order, foreign) },
    ...(detailPage === undefined ? {} : { OrderDetail: detailPage }),
  };
}

/** 2: waits to be reviewed; 0: cannot be, or was. An order that was reviewed before it came here is not asked for again. */
function appraiseOf(order: Order, { Appraised }: { readonly Appraised?: boolean | undefined }): number {
  return mainStatusOf(order) === 200 && order.reviewedAt === undefined && Appraised !== true ? 2 : 0;
}

function pageOf(template: string | undefined, orderId: string, subOrderId = ""): Page | undefined {
  if (template === undefined) return undefined;
  const SwanSchema = template
    .replaceAll("{orderId}", encodeURIComponent(orderId))
    .replaceAll("{subOrderId}", encodeURIComponent(subOrderId));
  return { Status: 2, Name: "", SwanSchema };
}

/** `SubsOrder` of sub-orders, with what they come to together. */
export function subsOf(items: readonly Item[]): { Status: Item["SubStatus"]; Items: Item[] } {
  return {
    Status: aggregateOf(items.map(({ SubStatus }) => SubStatus)) as Item["SubStatus"],
    Items: [...items],
  };
}

/** A case as it came from the order centre's documents; undefined where it began here, or came from elsewhere. */
function importedItem({ imported }: Case): Item | undefined {
  if (imported?.source !== "baidu") return undefined;
  const read = itemSchema.safeParse(Object.fromEntries(imported.raw));
  return read.success ? read.data : undefined;
}

/** What a case is called there: by the id it came with, or its own. */
export function subOrderIdOf(one: Case): string {
  return importedItem(one)?.SubOrderID ?? one.caseId;
}

/** The order's sub-orders, oldest first. */
export function itemsOf({ order, log }: OrderDetail, shop: BaiduShop): readonly Item[] {
  const items = order.cases.map((one) => {
    const own = log.filter((entry) => entry.case?.caseId === one.caseId);
    return itemOf(order, one, own, shop);
  });
  return items.toSorted(
    (a, b) => a.CTime - b.CTime || (a.SubOrderID < b.SubOrderID ? -1 : a.SubOrderID > b.SubOrderID ? 1 : 0),
  );
}

function itemOf(order: Order, one: Case, log: readonly LogEntry[], shop: BaiduShop): Item {
  const came = importedItem(one);
  const follows = hasFollowed(log);
  if (came !== undefined && !follows) return came;
  const SubOrderID = came?.SubOrderID ?? one.caseId;
  const OrderType = orderTypes[one.type];
  const page = came?.OrderDetail ?? pageOf(shop.subOrderPage, order.orderId, SubOrderID);
  const { Refund, Aftermarket } = goodsOf(order, one, follows);
  return {
    SubOrderID,
    SubStatus: subStatusOf(one.status),
    CTime: came?.CTime ?? second(one.appliedAt),
    // That a merchant put it out of sight changes nothing that a document tells, and may come long after the order's end.
    MTime: second(
      Math.max(one.appliedAt, ...log.filter(({ event }) => event !== "RefundHidden").map(({ at }) => at)),
    ),
    ...(page === undefined ? {} : { OrderDetail: page }),
    ...(came?.Payment === undefined ? {} : { Payment: came.Payment }),
    ...(Refund === undefined ? {} : { Refund }),
    ...(Aftermarket === undefined ? {} : { Aftermarket }),
    OrderType,
  };
}

/** Whether anything has followed what a case came with: all of that stands in one append. */
function hasFollowed(log: readonly LogEntry[]): boolean {
  return log.some(({ commandId }) => commandId !== log[0]?.commandId);
}

/** Whether anything has followed what this case of an order came with. */
export function caseHasFollowed({ log }: OrderDetail, { caseId }: Case): boolean {
  return hasFollowed(log.filter((entry) => entry.case?.caseId === caseId));
}

/** Unequal sums are taken in, and not told of anew. */
function addsUp({ Refund }: Item): boolean {
  return Refund?.Product.reduce((all, { Amount }) => all + Amount, 0) === Refund?.Amount;
}

/** What a case is about: as it came while it still is, else as it is here. */
export function goodsOf(order: Order, one: Case, follows: boolean): Pick<Item, "Refund" | "Aftermarket"> {
  const came = importedItem(one);
  if (came !== undefined && !follows) return came;
  const isAsItCame = came?.OrderType === orderTypes[one.type] && (came.Refund?.Amount ?? 0) === one.amount;
  if (isAsItCame && addsUp(came)) return came;
  const Product = productsOf(order, one);
  return {
    Refund: { Amount: one.amount, Product },
    ...(one.type === "refundOnly" ? {} : { Aftermarket: { Product } }),
  };
}

/**
 * The goods of a case, their amounts adding up to the case's; of a cancellation, all that no other case has sent back, or had when the
 * cancellation ended: what comes later changes nothing of what is over.
 */
export function productsOf(order: Order, one: Case): { ID: string; Quantity: number; Amount: number }[] {
  if (one.lineId !== undefined) {
    const line = order.lines.find(({ lineId }) => lineId === one.lineId) as Line;
    return [{ ID: productIdOf(line), Quantity: Math.max(1, affectedUnits(order, one)), Amount: one.amount }];
  }
  const left = order.lines.map((line) => {
    const others = order.cases.filter(
      ({ caseId, lineId, endedAt = 0 }) =>
        caseId !== one.caseId && lineId === line.lineId && endedAt <= (one.endedAt ?? Infinity),
    );
    return { line, units: line.quantity - others.reduce((units, other) => units + other.settledQuantity, 0) };
  });
  // Money that came late is about no goods in particular.
  const concerned =
    one.origin === "cancellation" && left.some(({ units }) => units > 0)
      ? left.filter(({ units }) => units > 0)
      : order.lines.map((line) => ({ line, units: line.quantity }));
  const amounts = allocate(
    one.amount,
    concerned.map(({ line, units }) => line.unitPrice * units),
  );
  return concerned.map(({ line, units }, at) => ({
    ID: productIdOf(line),
    Quantity: units,
    Amount: amounts[at] as number,
  }));
}

/** A request that tells of a change: below which path, and its body. */
export interface Post {
  readonly operation: "add/main/info" | "update/main/info" | "append/sub/info" | "update/sub/info";
  readonly body: { readonly Data: readonly (OrderDocument | SubsDocument)[] };
}

/** What has to be told of an order that was told of as `before` (undefined: never) and is `after`; nothing where nothing changed. */
export function postsOf(before: OrderDocument | undefined, after: OrderDocument): readonly Post[] {
  if (before === undefined) return [{ operation: "add/main/info", body: { Data: [after] } }];
  const { CateID, BizAPPID, ResourceID, EXT } = after;
  const posts: Post[] = [];
  const { SubsOrder: subsBefore, ...mainBefore } = before.EXT;
  const { SubsOrder: subsAfter, ...mainAfter } = EXT;
  if (!same({ ...before, EXT: mainBefore }, { ...after, EXT: mainAfter })) {
    posts.push({ operation: "update/main/info", body: { Data: [{ ...after, EXT: mainAfter }] } });
  }
  // Each post says what all come to once it is taken: what waits for the next post is not in it yet.
  const held = new Map((subsBefore?.Items ?? []).map((item) => [item.SubOrderID, item]));
  const tell = (operation: Post["operation"], changed: Item[]): void => {
    if (changed.length === 0) return;
    for (const item of changed) held.set(item.SubOrderID, item);
    const { Status } = subsOf([...held.values()]);
    const SubsOrder = { Status, Items: changed };
    posts.push({ operation, body: { Data: [{ CateID, BizAPPID, ResourceID, EXT: { SubsOrder } }] } });
  };
  const items = subsAfter?.Items ?? [];
  tell(
    "append/sub/info",
    items.filter(({ SubOrderID }) => !held.has(SubOrderID)),
  );
  tell(
    "update/sub/info",
    items.filter((item) => !same(held.get(item.SubOrderID), item)),
  );
  return posts;
}
