// orderCreate: what is chosen is priced by the shop, then asked of the engine, for good or only to see what it would cost.

import * as E from "fp-ts/lib/Either.js";

import type { Receipt } from "../../commands/handle.ts";
import { exponentOf } from "../../domain/currencies.ts";
import type { Recipient } from "../../domain/events.ts";
import { type JsonPairs, present, under } from "../../domain/json.ts";
import { type Order, charged } from "../../domain/state.ts";
import type { OrderTold } from "../../projections/detail.ts";
import { type AskedBy, type Shop, operation } from "../dialect.ts";
import { ownOrder } from "../own.ts";
import type { Caller, Goods, Parcel, Ports } from "../ports.ts";
import { type CreateQuery, createForm, minorOf, read } from "./forms.ts";
import { type Fault, refuse, success } from "./messages.ts";
import { codeToShow } from "./operations.ts";
import { fulfilmentOf } from "./states.ts";
import { dataOf, orderInfo, previewDocument } from "./views.ts";

type Priced = readonly { readonly choice: CreateQuery["goodsJsonStr"][number]; readonly goods: Goods }[];

type Created =
  | { readonly preview: Order }
  | { readonly detail: OrderTold; readonly code: string | undefined };

type Found = E.Either<Fault, Created & { readonly zone: string }>;

async function price(query: CreateQuery, { catalog }: Ports): Promise<E.Either<Fault, Priced>> {
  const priced: Priced[number][] = [];
  for (const choice of query.goodsJsonStr) {
    const goods = await catalog.find({ goodsId: choice.goodsId, options: choice.propertyChildIds });
    if (goods === undefined) return E.left({ code: "goodsUnknown", goodsId: choice.goodsId });
    if (goods.currency !== (priced[0]?.goods ?? goods).currency) return E.left({ code: "currenciesDiffer" });
    priced.push({ choice, goods });
  }
  return E.right(priced);
}

function places(query: CreateQuery): Readonly<Record<string, string>> {
  const { provinceId, cityId, districtId, streetId, code } = query;
  return present({ provinceId, cityId, districtId, streetId, code });
}

function parcelOf(query: CreateQuery, priced: Priced): Parcel {
  const weights = priced.map(({ choice, goods }) =>
    goods.weight === undefined ? undefined : goods.weight * choice.number,
  );
  return {
    fulfilment: fulfilmentOf[query.peisongType] as Parcel["fulfilment"],
    currency: (priced[0] as Priced[number]).goods.currency,
    goods: priced.reduce((sum, { choice, goods }) => sum + goods.unitPrice * choice.number, 0),
    units: priced.reduce((sum, { choice }) => sum + choice.number, 0),
    ...(weights.includes(undefined)
      ? {}
      : { weight: (weights as number[]).reduce((sum, weight) => sum + weight, 0) }),
    to: places(query),
  };
}

function lineOf({ choice, goods }: Priced[number], index: number): object {
  const { goodsId, number, propertyChildIds, logisticsType, inviter_id: inviterId, days } = choice;
  const { title, unitPrice, sku, available, allowedTypes, picture } = goods;
  return {
    lineId: String(index + 1),
    goodsId,
    title,
    unitPrice,
    quantity: number,
    ...present({ sku, available, allowedTypes }),
    source: {
      ...goods.source,
      ...present({ picture, propertyChildIds, logisticsType, inviterId, days }),
    },
  };
}

function commandOf(
  query: CreateQuery,
  priced: Priced,
  { freight, tip }: { readonly freight: number; readonly tip: number },
  { orderId, merchantId }: { readonly orderId: string; readonly merchantId: string },
): object {
  const { currency, fulfilment } = parcelOf(query, priced);
  const charges = [
    { kind: "freight", amount: freight },
    { kind: "other", amount: tip },
  ].filter(({ amount }) => amount > 0);
  return {
    type: "CreateOrder",
    orderId,
    merchantId,
    currency,
    lines: priced.map(lineOf),
    ...(charges.length === 0 ? {} : { charges }),
    fulfilment,
    ...(query.isCanHx ? { redeemable: true } : {}),
    // A buyer's own terms, and so refused (ruling 10): in the engine's words, like all that it refuses.
    ...(query.expireMinutes === undefined ? {} : { terms: { payWindowMinutes: query.expireMinutes } }),
    ...ridingAlong(query),
  };
}

/** What no rule reads. */
function ridingAlong(query: CreateQuery) {
  const { linkMan, mobile, address, remark, idcard, extJsonStr, shopIdZt, shopNameZt } = query;
  return {
    personal: {
      ...present({ name: linkMan, phone: mobile, address, note: remark }),
      source: { ...places(query), ...present({ idcard, extJsonStr }) },
    },
    source: present({ shopIdZt, shopNameZt }),
  };
}

function tipOf({ trips = "0" }: CreateQuery, currency: string): number | undefined {
  return minorOf(trips, exponentOf(currency) ?? 2);
}

async function run(query: CreateQuery, shop: Shop, asked: AskedBy): Promise<Found> {
  const found = await make(query, shop, asked);
  if (E.isRight(found) || query.calculate) return found;
  const before = await sameBefore(query, shop, asked);
  return before === undefined ? found : E.right({ ...before, zone: shop.ports.timeZone });
}

async function make(query: CreateQuery, { engine, ports }: Shop, asked: AskedBy): Promise<Found> {
  const { caller, commandId } = asked;
  const { merchantId, timeZone: zone } = ports;
  const priced = await price(query, ports);
  if (E.isLeft(priced)) return priced;
  const parcel = parcelOf(query, priced.right);
  const freight = await ports.freight.costOf(parcel);
  if (freight === undefined) return E.left({ code: "notDelivered" });
  const tip = tipOf(query, parcel.currency);
  if (tip === undefined) return E.left({ code: "tipFormat" });
  const orderId = asked.newId("order");
  const command = commandOf(query, priced.right, { freight, tip }, { orderId, merchantId });
  const options = { actor: caller, commandId };
  if (query.calculate) {
    const preview = await engine.preview(command, options);
    return E.map(({ state }: { readonly state: unknown }) => ({ preview: state as Order, zone }))(preview);
  }
  const answer = await engine.execute(command, options);
  if (E.isLeft(answer)) return answer;
  return E.right({ ...(await made({ engine, ports }, caller, answer.right)), zone });
}

async function made(
  shop: Shop,
  caller: Caller,
  { orderId, revision }: Pick<Receipt, "orderId" | "revision">,
): Promise<Created> {
  const detail = (await shop.engine.views.told(orderId, { at: { revision } })) as OrderTold;
  return { detail, code: await codeToShow(shop, caller, detail) };
}

/**
 * The order that this key has made before, where the same was asked for: prices and freight may have changed since, or the goods be gone,
 * but the answer to a key stays. Undefined where the key stands for nothing yet, or for something else.
 */
async function sameBefore(
  query: CreateQuery,
  shop: Shop,
  { caller, commandId, newId }: AskedBy,
): Promise<Created | undefined> {
  const detail = await ownOrder(shop.engine, caller, newId("order"), 0n);
  if (detail === undefined) return undefined;
  const told = await shop.engine.views.told(detail.order.orderId);
  const { lines, fulfilment, currency } = detail.order;
  const tip = tipOf(query, currency);
  const revision = told?.log.findLast((entry) => entry.commandId === commandId)?.revision;
  const same =
    revision !== undefined &&
    tip !== undefined &&
    wishOf(query, tip) === wishBefore(detail) &&
    fulfilment === fulfilmentOf[query.peisongType] &&
    lines.length === query.goodsJsonStr.length &&
    query.goodsJsonStr.every(({ goodsId, number, propertyChildIds }, index) => {
      const line = lines[index];
      const options = under(line?.source, "propertyChildIds");
      return line?.goodsId === goodsId && line.quantity === number && options === propertyChildIds;
    });
  return same ? made(shop, caller, { orderId: detail.order.orderId, revision }) : undefined;
}

/** What was asked for beside the goods, as a text to be compared. */
function wishOf(query: CreateQuery, tip: number): string {
  const { personal, source } = ridingAlong(query);
  return wishText(
    personal,
    Object.entries(personal.source),
    Object.entries(source),
    query.isCanHx === true,
    tip,
  );
}

/** The same of an order that was made. */
function wishBefore(told: OrderTold): string {
  const { order } = told;
  const { personal = {}, source = [] } = dataOf(told, "OrderCreated") ?? {};
  const redeemable = order.redemption !== undefined;
  return wishText(personal, personal.source ?? [], source, redeemable, charged(order, "other"));
}

function wishText(
  { name, phone, address, note }: Omit<Recipient, "source">,
  personal: JsonPairs,
  source: JsonPairs,
  redeemable: boolean,
  tip: number,
): string {
  const sorted = (pairs: JsonPairs) => pairs.toSorted(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify([name, phone, address, note, sorted(personal), sorted(source), redeemable, tip]);
}

export const orderCreate = operation<CreateQuery, Found>({
  methods: ["POST"],
  path: "/order/create",
  by: ["buyer"],
  read: (asked) => read(createForm, asked),
  run,
  reply: (found) => {
    if (E.isLeft(found)) return refuse(found.left);
    const created = found.right;
    return success(
      "preview" in created
        ? previewDocument(created.preview)
        : orderInfo(created.detail, created.zone, created.code),
    );
  },
});
