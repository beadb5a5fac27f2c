// Takes Baidu's documents into the engine as commands, and says of each what could not be carried.

import * as E from "fp-ts/lib/Either.js";

import type { Case } from "../../domain/caseState.ts";
import type { Command } from "../../domain/commands.ts";
import { type Rejection, describeRejection } from "../../domain/refusals.ts";
import type { Charge } from "../../domain/events.ts";
import { isObject, present } from "../../domain/json.ts";
import { idPattern, isId, limits } from "../../domain/limits.ts";
import type { Order } from "../../domain/state.ts";
import { refundablePolicies } from "../../domain/terms.ts";
import type { Engine } from "../../engine.ts";
import type { OrderDetail } from "../../projections/detail.ts";
import {
  type Goal,
  type Loss,
  type PaidHow,
  type Step,
  Course,
  bring,
  caseCalled,
  importer,
} from "./course.ts";
import {
  type Item,
  type MainDocument,
  type OrderDocument,
  type StatusDocument,
  type SubsDocument,
  type UpdateDocument,
  faultOf,
  orderSchema,
  same,
  subsSchema,
  unknownFields,
} from "./documents.ts";
import { idFrom } from "./ids.ts";
import { type SubStatus, aggregateOf, cateOf, orderTypes, subStatusOf } from "./states.ts";
import {
  type BaiduShop,
  caseHasFollowed,
  chargeKindOf,
  goodsOf,
  itemsOf as itemsHere,
  orderDocument,
  partsOf,
  productIdOf,
  productsOf,
  subOrderIdOf,
} from "./views.ts";

/** Where documents are taken in. */
export interface Intake {
  readonly engine: Engine;
  readonly shop: BaiduShop;
  /** In whose name orders are made. */
  readonly merchantId: string;
  /** Milliseconds UTC now: nothing of a document is taken to have happened later. */
  readonly now: number;
  /** Do nothing unless all that the document says of status and sub-orders can be so here. */
  readonly wholly?: boolean | undefined;
  /** `scene_id`: by which number the order centre's cashier knows the payment. */
  readonly sceneId?: string | undefined;
  /** The id of the last command that is given: a document whose last command is in the order's log has been taken in. */
  readonly lastId?: string | undefined;
}

export interface ImportReport {
  /** `ResourceID`; undefined of what is no document. */
  readonly orderId: string | undefined;
  readonly outcome: "created" | "changed" | "unchanged" | "refused";
  /** Whether status and sub-orders are here now as the document says. */
  readonly whole: boolean;
  readonly losses: readonly Loss[];
  /** Others moved the order again and again meanwhile: the same is to be asked once more. */
  readonly conflict?: true;
}

/**
 * Takes in one element of `Data`: an order in full, or sub-orders of one that is here.
 * @param openId the user whose order it is; not needed for sub-orders.
 */
export async function importDocument(
  intake: Intake,
  openId: string | undefined,
  given: unknown,
): Promise<ImportReport> {
  const main = (given as { readonly EXT?: { readonly MainOrder?: unknown } } | null)?.EXT?.MainOrder;
  const read = (main === undefined ? subsSchema : orderSchema).safeParse(given);
  if (!read.success) return refusal(undefined, "", faultOf(read.error));
  const extra = unknownFields(given, read.data).map((path) => ({ path, what: "no field that is known" }));
  const document = read.data;
  const report =
    main === undefined
      ? await appendSubs(intake, document as SubsDocument)
      : await addOrder(intake, openId, document as OrderDocument);
  return { ...report, losses: [...extra, ...report.losses] };
}

function refusal(orderId: string | undefined, path: string, what: string): ImportReport {
  return { orderId, outcome: "refused", whole: false, losses: [{ path, what }] };
}

type Items = Goal["items"];

/** Each sub-order once: the first of a name counts. */
function itemsOf(items: readonly Item[]): Items {
  const ids = items.map(({ SubOrderID }) => SubOrderID);
  return items
    .map((item, at) => ({ item, path: `EXT.SubsOrder.Items[${at}]` }))
    .filter(({ item }, at) => ids.indexOf(item.SubOrderID) === at);
}

/** `statuses` are those of all sub-orders that the order then has. */
function faultsOfSubs(
  subs: { readonly Status?: number | undefined; readonly Items: readonly Item[] },
  statuses: readonly SubStatus[],
): Loss[] {
  const losses: Loss[] = [];
  const all = aggregateOf(statuses);
  if (subs.Status !== undefined && subs.Status !== 0 && all !== undefined && subs.Status !== all) {
    losses.push({ path: "EXT.SubsOrder.Status", what: `is ${subs.Status}, and its items come to ${all}` });
  }
  const ids = subs.Items.map(({ SubOrderID }) => SubOrderID);
  subs.Items.forEach(({ SubOrderID, Payment }, at) => {
    const path = `EXT.SubsOrder.Items[${at}]`;
    if (ids.indexOf(SubOrderID) !== at) losses.push({ path, what: "stands twice: the first counts" });
    if (Payment !== undefined) losses.push({ path: `${path}.Payment`, what: "rides along, unread" });
  });
  return losses;
}

/** An order in full: made where there is none, else brought to where the document says it is. */
export async function addOrder(
  intake: Intake,
  openId: string | undefined,
  document: OrderDocument,
): Promise<ImportReport> {
  const { ResourceID, EXT } = document;
  if (openId === undefined) return refusal(ResourceID, "open_id", "no order without its user");
  const items = itemsOf(EXT.SubsOrder?.Items ?? []);
  const subs = EXT.SubsOrder ?? { Items: [] };
  const statuses = subs.Items.map(({ SubStatus }) => SubStatus);
  const said = faultsOfSubs(subs, statuses);
  return taken(intake, ResourceID, async (detail) => {
    const goal = goalOf(document, items, intake.sceneId);
    if (detail !== undefined) {
      const differs = differencesOf(detail, openId, document);
      const course = bring(detail.order, [], goal, intake.now);
      for (const { path, what } of [...differs, ...missingFrom(items, detail)]) course.fail(path, what);
      course.losses.unshift(
        ...said,
        ...staying(intake.shop, detail, document),
        ...itemsStaying(intake.shop, detail, course.order, items),
      );
      return course;
    }
    const { command, losses } = creation(intake, openId, document);
    const usual = await created(intake, command, document, goal);
    if (!(usual instanceof Course)) return usual;
    const course = usual.failures === 0 ? usual : await otherPolicy(intake, command, document, goal, usual);
    course.losses.unshift(...said, ...losses);
    return course;
  });
}

type Creation = ReturnType<typeof creation>["command"];

/** The course of an order that is to be made. */
async function created(
  { engine, now }: Intake,
  command: Creation,
  { Ctime }: OrderDocument,
  goal: Goal,
): Promise<Course | Rejection> {
  const at = Math.min(Ctime * 1_000, now);
  const preview = await engine.preview(command, { actor: importer, commandId: "baidu", at });
  if (E.isLeft(preview)) return preview.left;
  const begun = [{ command: command as unknown as Command, actor: importer, at }];
  return bring(preview.right.state, begun, goal, now);
}

/**
 * The document does not say how much of a line could be refunded there: where this shop's own policy leaves no room for what became of it,
 * another may.
 */
async function otherPolicy(
  intake: Intake,
  command: Creation,
  document: OrderDocument,
  goal: Goal,
  usual: Course,
): Promise<Course> {
  for (const refundable of refundablePolicies) {
    if (refundable === usual.order.terms.refundable) continue;
    const under = { ...command, terms: { ...command.terms, refundable } };
    const course = await created(intake, under, document, goal);
    if (!(course instanceof Course) || course.failures > 0) continue;
    course.lose(
      "",
      `taken in under the policy ${refundable}: the shop's own leaves no room for what is said`,
    );
    return course;
  }
  return usual;
}

/** Sub-orders of an order that is here; each that is new is imported, and each that is known moved on. */
export async function appendSubs(intake: Intake, document: SubsDocument): Promise<ImportReport> {
  const { CateID, ResourceID, EXT } = document;
  const items = itemsOf(EXT.SubsOrder.Items);
  return taken(intake, ResourceID, async (detail) => {
    if (detail === undefined) return { code: "orderNotFound", orderId: ResourceID };
    const course = bring(detail.order, [], { ...still, changedAt: 0, items }, intake.now);
    for (const { path, what } of cateDiffers(detail, CateID)) course.fail(path, what);
    course.losses.unshift(
      ...faultsOfSubs(
        EXT.SubsOrder,
        course.order.cases.map(({ status }) => subStatusOf(status)),
      ),
      ...itemsStaying(intake.shop, detail, course.order, items),
    );
    return course;
  });
}

const still = { status: undefined, paid: undefined, tradeNo: undefined, parcels: [] } as const;

/** The order moved on to a status; at which instants and how it was paid, the document says where it is more than a status. */
export function moveOrder(intake: Intake, document: StatusDocument | UpdateDocument): Promise<ImportReport> {
  const { CateID, ResourceID, Status } = document;
  const { Mtime, main } =
    "EXT" in document
      ? { Mtime: document.Mtime, main: document.EXT.MainOrder }
      : { Mtime: undefined, main: undefined };
  return taken(intake, ResourceID, async (detail) => {
    if (detail === undefined) return { code: "orderNotFound", orderId: ResourceID };
    const changedAt = Mtime === undefined ? intake.now : Mtime * 1_000;
    const parcels = main === undefined ? [] : parcelsOf(main);
    const said = main === undefined ? undefined : paidOf(main, changedAt);
    const paid = detail.order.paidAt !== undefined ? true : said;
    const goal: Goal = { status: Status, paid, tradeNo: intake.sceneId, changedAt, items: [], parcels };
    const course = bring(detail.order, [], goal, intake.now);
    for (const { path, what } of [
      ...cateDiffers(detail, CateID),
      ...(main === undefined ? [] : goodsDiffer(detail, main)),
    ]) {
      course.fail(path, what);
    }
    if ("EXT" in document) course.losses.unshift(...staying(intake.shop, detail, document));
    return course;
  });
}

/** How often a document is tried on an order that others move meanwhile. */
const mostTries = 5;

async function taken(
  { engine, shop, wholly = false, lastId }: Intake,
  orderId: string,
  planned: (detail: OrderDetail | undefined) => Promise<Course | Rejection>,
): Promise<ImportReport> {
  for (let attempt = 1; ; attempt += 1) {
    const detail = idPattern.test(orderId) ? await engine.views.order(orderId) : undefined;
    if (lastId !== undefined && detail?.log.some(({ commandId }) => commandId === lastId) === true) {
      return { orderId, outcome: "unchanged", whole: true, losses: [] };
    }
    if (detail !== undefined && detail.order.currency !== shop.currency) {
      const what = `the order is in ${detail.order.currency}, and documents are in ${shop.currency}`;
      return refusal(orderId, "", what);
    }
    const course = await planned(detail);
    if (!(course instanceof Course)) return refusal(orderId, "", describeRejection(course));
    const { steps, losses, failures } = course;
    if (wholly && failures > 0) return { orderId, outcome: "refused", whole: false, losses };
    const failed = await given(engine, steps, detail?.revision, lastId);
    if (failed === undefined) {
      const outcome = steps.length === 0 ? "unchanged" : detail === undefined ? "created" : "changed";
      return { orderId, outcome, whole: failures === 0, losses };
    }
    const moved = failed.code === "versionConflict" || failed.code === "orderExists";
    if (moved && attempt < mostTries) continue;
    const last: Loss = { path: "", what: describeRejection(failed) };
    const refused = { orderId, outcome: "refused", whole: false, losses: [...losses, last] } as const;
    return moved ? { ...refused, conflict: true } : refused;
  }
}

async function given(
  engine: Engine,
  steps: readonly Step[],
  from: bigint | undefined,
  lastId: string | undefined,
): Promise<Rejection | undefined> {
  let expect: bigint | "none" = from ?? "none";
  for (const [step, { command, actor, at }] of steps.entries()) {
    const named = step === steps.length - 1 ? lastId : undefined;
    const commandId = named ?? idFrom([String(expect), command]);
    const done = await engine.execute(asAsked(command), { actor, commandId, at, expect });
    if (E.isLeft(done)) return done.left;
    expect = done.right.revision;
  }
  return undefined;
}

/** As a command comes from outside: open maps are objects there. */
function asAsked(command: Command): unknown {
  return command.type === "ImportRefund" ? { ...command, raw: Object.fromEntries(command.raw) } : command;
}

function goalOf({ Status, Mtime, EXT }: OrderDocument, items: Items, tradeNo: string | undefined): Goal {
  const changedAt = Mtime * 1_000;
  return {
    status: Status,
    paid: paidOf(EXT.MainOrder, changedAt),
    tradeNo,
    changedAt,
    items,
    parcels: parcelsOf(EXT.MainOrder),
  };
}

/** Whether and how it was paid: when, where that is not known, at its last change. */
function paidOf({ Payment }: MainDocument, changedAt: number): PaidHow | false {
  const { Time = 0, Method, IsPayment } = Payment;
  if (!IsPayment) return false;
  return { at: Time === 0 ? changedAt : Time * 1_000, channel: Method === 2 ? "offline" : "online" };
}

function parcelsOf({ Express }: MainDocument): Goal["parcels"] {
  return (Express ?? [])
    .filter(({ Type }) => Type === 1)
    .map(({ ID, Name }) => ({
      carrier: shortened(Name === "" ? "-" : Name, limits.waybillLength),
      trackingNumber: shortened(ID, limits.waybillLength),
    }));
}

/** At most so many code points of a text. */
function shortened(text: string, most: number): string {
  return text.length <= most ? text : [...text].slice(0, most).join("");
}

/** What an order can never change, and differs. */
function differencesOf(detail: OrderDetail, openId: string, { CateID, EXT }: OrderDocument): readonly Loss[] {
  return [
    ...(detail.order.buyerId === openId ? [] : [{ path: "open_id", what: "the order is another user's" }]),
    ...cateDiffers(detail, CateID),
    ...goodsDiffer(detail, EXT.MainOrder),
  ];
}

function cateDiffers({ order }: OrderDetail, CateID: number): readonly Loss[] {
  return CateID === cateOf(order)
    ? []
    : [{ path: "CateID", what: "an order cannot become one of other goods" }];
}

/** Sub-orders that are here, and of which a document in full knows nothing. */
function missingFrom(items: Items, { order }: OrderDetail): readonly Loss[] {
  const named = new Set(items.map(({ item }) => caseCalled(order, item.SubOrderID)));
  return order.cases
    .filter((one) => !named.has(one))
    .map((one) => ({ path: "EXT.SubsOrder.Items", what: `${subOrderIdOf(one)} is here, and is not undone` }));
}

/** Fields that may change, or are told of elsewhere where they cannot. */
const moving: ReadonlySet<string> = new Set([
  "CateID",
  "Status",
  "Mtime",
  "EXT.SubsOrder",
  "EXT.MainOrder.Payment.Time",
  "EXT.MainOrder.Payment.Amount",
  "EXT.MainOrder.Payment.IsPayment",
  "EXT.MainOrder.Appraise.Status",
]);

/** What a document says otherwise of an order that is here, and what no status hangs on. */
function staying(
  shop: BaiduShop,
  detail: OrderDetail,
  document: OrderDocument | UpdateDocument,
): readonly Loss[] {
  const { order } = detail;
  const here = orderDocument(detail, shop) as OrderDocument;
  const main = document.EXT.MainOrder;
  const parcels = parcelsOf(main);
  const sent = order.shipments.map(({ carrier, trackingNumber }) => ({ carrier, trackingNumber }));
  const otherParcels = parcels.length > 0 && sent.length > 0 && !same(parcels, sent);
  // What pays it now says how.
  const Method = order.paidAt === undefined ? main.Payment.Method : here.EXT.MainOrder.Payment.Method;
  const kept = {
    ...here,
    EXT: {
      MainOrder: {
        ...here.EXT.MainOrder,
        Payment: { ...here.EXT.MainOrder.Payment, Method },
        Express: otherParcels ? undefined : main.Express,
      },
    },
  };
  return otherwise(document, kept).map(stays);
}

const stays = (path: string): Loss => ({ path, what: "stays as it was" });

/** What is said otherwise of sub-orders that were here, and are `after` as they are now. */
function itemsStaying(shop: BaiduShop, detail: OrderDetail, after: Order, items: Items): readonly Loss[] {
  const held = itemsHere(detail, shop);
  return items.flatMap(({ item, path }) => {
    const one = caseCalled(detail.order, item.SubOrderID);
    const known = one && held.find(({ SubOrderID }) => SubOrderID === subOrderIdOf(one));
    if (one === undefined || known === undefined) return [];
    const fields = (["CTime", "OrderDetail", "Payment"] as const).filter(
      (field) => item[field] !== undefined && !same(item[field], known[field]),
    );
    const moved = after.cases.find(({ caseId }) => caseId === one.caseId) as Case;
    return [
      ...fields,
      ...goodsStaying(item, after, moved, moved !== one || caseHasFollowed(detail, one)),
    ].map((field) => stays(`${path}.${field}`));
  });
}

function goodsStaying(item: Item, order: Order, one: Case, follows: boolean): readonly string[] {
  const here = goodsOf(order, one, follows);
  const estimates = one.type === "refundOnly" ? productsOf(order, one) : [];
  const sum = item.Refund?.Amount;
  // A case of another sum is told of as such.
  const otherSum = sum !== undefined && sum !== here.Refund?.Amount;
  const fields = (["Refund", "Aftermarket"] as const).filter((field) => {
    const said = item[field]?.Product;
    const products = here[field]?.Product;
    return (
      said !== undefined &&
      (said.length !== products?.length ||
        said.some(({ ID, Quantity, Amount }, at) => {
          const known = products[at];
          // Of a refund alone it is an estimate, which moves with the order.
          const quantities = [known?.Quantity, estimates.find((one) => one.ID === ID)?.Quantity];
          return ID !== known?.ID || !quantities.includes(Quantity) || (!otherSum && Amount !== known.Amount);
        }))
    );
  });
  const given = otherSum && item.OrderType === orderTypes.exchange ? ["Refund.Amount"] : [];
  return [...given, ...fields.map((field) => `${field}.Product`)];
}

/** The paths at which two documents differ, as far as the first says anything. */
function otherwise(given: unknown, here: unknown, path = ""): readonly string[] {
  if (moving.has(path) || same(given, here)) return [];
  if (!isObject(given) || !isObject(here)) return [path];
  return Object.entries(given).flatMap(([key, value]) =>
    otherwise(value, here[key], path === "" ? key : `${path}.${key}`),
  );
}

function goodsDiffer({ order }: OrderDetail, { Products, Payment }: MainDocument): readonly Loss[] {
  const goods = order.lines.map((line) => [productIdOf(line), line.quantity, line.unitPrice]);
  const theirs = Products.map(({ ID, Quantity, PayPrice }) => [ID, Quantity, PayPrice]);
  return [
    ...(same(goods, theirs)
      ? []
      : [{ path: "EXT.MainOrder.Products", what: "an order's goods cannot change" }]),
    ...(Payment.Amount === order.total
      ? []
      : [{ path: "EXT.MainOrder.Payment.Amount", what: `is ${order.total} here, and cannot change` }]),
  ];
}

// --- CreateOrder ---

function creation({ shop, merchantId }: Intake, openId: string, document: OrderDocument) {
  const { CateID, BizAPPID, Title, ResourceID, Ctime, Mtime, Status, EXT } = document;
  const { Products, Payment, Appraise, OrderDetail, Express } = EXT.MainOrder;
  const losses: Loss[] = [];
  const lines = Products.map((product, at) => {
    const { ID, Name, Quantity, PayPrice, Price, ...more } = product;
    const goodsId = isId(ID) ? ID : `p${at + 1}`;
    const title = shortened(Name === "" ? ID : Name, limits.titleLength);
    const source = present({
      ...more,
      ID: goodsId === ID ? undefined : ID,
      Name: title === Name ? undefined : Name,
      Price: Price === PayPrice ? undefined : Price,
    });
    return {
      lineId: `L${at + 1}`,
      goodsId,
      title,
      unitPrice: PayPrice,
      quantity: Quantity,
      ...(Object.keys(source).length === 0 ? {} : { source: { baidu: source } }),
    };
  });
  const charges: Charge[] = (Payment.PaymentInfo ?? []).map(({ Name, Value, Quantity }) => ({
    kind: chargeKindOf(Name),
    amount: Value * Quantity,
  }));
  const goods = lines.reduce((all, { unitPrice, quantity }) => all + unitPrice * quantity, 0);
  const gross = charges.reduce((all, { amount }) => all + amount, goods);
  const said = (Payment.PreferentialInfo ?? []).reduce(
    (all, { Value, Quantity }) => all + Value * Quantity,
    0,
  );
  const { Amount } = Payment;
  // Whatever the parts come to: the amount is what was paid.
  if (gross - said !== Amount) {
    losses.push({
      path: "EXT.MainOrder.Payment.Amount",
      what: `is ${Amount}, and its parts come to ${gross - said}: ${Amount} counts`,
    });
    if (Amount > gross) charges.push({ kind: "other", amount: Amount - gross });
  }
  const discount = Math.max(0, gross - Amount);
  const usual = same(partsOf(discount, charges), [Payment.PreferentialInfo, Payment.PaymentInfo]);
  const paidAt = Payment.IsPayment ? (Payment.Time ?? 0) : undefined;
  // What costs nothing is paid at once, unless it waits to be confirmed.
  const booking = Status === 2 || (Amount === 0 && (paidAt === undefined || paidAt > Ctime));
  const page = Appraise === undefined ? undefined : present({ ...Appraise, Status: undefined });
  const usualPage = same(page, { Name: "", SwanSchema: "" });
  const foreign = present({
    BizAPPID: BizAPPID === shop.appKey ? undefined : BizAPPID,
    Title: Title === lines[0]?.title ? undefined : Title,
    Mtime,
    Appraised: Status === 200 && Appraise !== undefined && Appraise.Status !== 2 ? true : undefined,
    Method: Payment.Method === 2 && !Payment.IsPayment ? 2 : undefined,
    Appraise: usualPage ? undefined : page,
    OrderDetail,
    PreferentialInfo: usual ? undefined : Payment.PreferentialInfo,
    PaymentInfo: usual ? undefined : Payment.PaymentInfo,
  });
  const waybill = (Express ?? []).some(({ Type }) => Type === 1);
  // One that was hidden or closed unpaid was never sent.
  const sent = CateID === 1 && (Status === 100 || Status === 300 ? Payment.IsPayment : Status >= 6);
  if (sent && !waybill)
    losses.push({ path: "EXT.MainOrder", what: "no waybill: brought by the shop itself" });
  (Express ?? []).forEach(({ Code, Type }, at) => {
    const path = `EXT.MainOrder.Express[${at}]`;
    if (Type !== 1) losses.push({ path, what: "a parcel to the shop, of no case that is named" });
    else if (Code !== undefined)
      losses.push({ path: `${path}.Code`, what: "only names of carriers are kept" });
  });
  if (foreign.Appraised === true) {
    losses.push({ path: "EXT.MainOrder.Appraise", what: "whatever was said in a review" });
  }
  if (Status === 300) losses.push({ path: "Status", what: "300 does not say what the order was" });
  if (paidAt === 0) losses.push({ path: "EXT.MainOrder.Payment.Time", what: "is not known: taken as Mtime" });
  const command = {
    type: "CreateOrder",
    orderId: ResourceID,
    merchantId,
    buyerId: openId,
    currency: shop.currency,
    lines,
    charges,
    discount,
    fulfilment: CateID === 2 ? "virtual" : sent && !waybill ? "local" : "express",
    // Nothing befalls it by itself: when it could first be paid, and was sent, is not in the document.
    terms: { booking, payWindowMinutes: 0, autoConfirmDays: 0, virtualAutoShip: false },
    source: { baidu: foreign },
  };
  return { command, losses };
}
