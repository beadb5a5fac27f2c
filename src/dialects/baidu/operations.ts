// The order centre's own side: what add, append and update do to the orders here, each answered by rows.

import * as E from "fp-ts/lib/Either.js";
import { z } from "zod";

import { idPattern, isId, limits } from "../../domain/limits.ts";
import { type AnyOperation, type AskedBy, type Reply, type Shop, operation } from "../dialect.ts";
import { caseCalled } from "./course.ts";
import {
  type Item,
  type OrderDocument,
  type StatusDocument,
  type SubStatusDocument,
  type SubsDocument,
  type UpdateDocument,
  faultOf,
  orderSchema,
  statusSchema,
  subStatusSchema,
  subsSchema,
  updateSchema,
} from "./documents.ts";
import { idFrom } from "./ids.ts";
import { type ImportReport, type Intake, addOrder, appendSubs, moveOrder } from "./imports.ts";
import { failed, malformed, platform, rowOf, rows } from "./messages.ts";
import { type BaiduShop, itemsOf, subOrderIdOf } from "./views.ts";

/** What a mounted dialect is for: one mini-program, whose merchant is the ports' own. */
export interface Centre extends BaiduShop {
  readonly merchantId: string;
}

interface Query<D> {
  readonly openId: string;
  readonly sceneId: string | undefined;
  readonly elements: readonly D[];
}

/** How an element of `Data` is taken in; undefined: it cannot be here. */
type Take<D> = (intake: Intake, element: D, openId: string) => Promise<ImportReport | undefined>;

interface Element {
  readonly CateID: number;
  readonly BizAPPID: string;
  readonly ResourceID: string;
}

/** Whether an element was taken in, or others were in its way. */
type Done = boolean | "conflict";

/** The most elements that one request may have. */
const mostElements = 100;

function taking<D extends Element>(
  centre: Centre,
  path: string,
  schema: z.ZodType<D>,
  most: number,
  take: Take<D>,
): AnyOperation {
  const data = z.object({ Data: z.array(schema).min(1).max(most) });
  return operation<Query<D>, readonly Done[]>({
    methods: ["POST"],
    path: `/rest/2.0/smartapp/ordercenter/app/${path}`,
    by: ["merchant", "system"],
    read: ({ fields, caller }: AskedBy) => {
      // Whoever sells something else is told the same of every order.
      if (caller.role === "merchant" && caller.id !== centre.merchantId) {
        return E.left<Reply, Query<D>>(platform.noPermission());
      }
      const openId = fields["open_id"];
      if (typeof openId !== "string" || !isId(openId)) {
        return E.left(malformed("open_id: must name the user"));
      }
      const sceneId = fields["scene_id"] ?? "";
      if (typeof sceneId !== "string" || sceneId.length > limits.idLength) {
        return E.left(malformed(`scene_id: must be one text of at most ${limits.idLength}`));
      }
      const read = data.safeParse({ Data: fields["Data"] });
      return read.success
        ? E.right({ openId, sceneId: sceneId === "" ? undefined : sceneId, elements: read.data.Data })
        : E.left(malformed(faultOf(read.error)));
    },
    run: async ({ elements, ...query }, shop, asked) => {
      const done: Done[] = [];
      // One after the other: a request may name an order twice.
      for (const element of elements) done.push(await takenIn(centre, shop, asked, element, query, take));
      return done;
    },
    reply: (done, { elements }) =>
      done.includes("conflict")
        ? failed()
        : rows(elements.map((element, at) => rowOf(element, done[at] === true))),
  });
}

async function takenIn<D extends Element>(
  centre: Centre,
  { engine, ports }: Shop,
  { now, commandId }: AskedBy,
  element: D,
  { openId, sceneId }: Pick<Query<D>, "openId" | "sceneId">,
  take: Take<D>,
): Promise<Done> {
  const { ResourceID, BizAPPID } = element;
  if (BizAPPID !== centre.appKey) return false;
  const owner = idPattern.test(ResourceID) ? await engine.views.owner(ResourceID) : undefined;
  if (owner !== undefined && (owner.merchantId !== centre.merchantId || owner.buyerId !== openId))
    return false;
  // The same of a request that is sent again under its key.
  const lastId = idFrom([commandId, element]);
  const { merchantId } = centre;
  const intake: Intake = { engine, shop: centre, merchantId, now, wholly: true, sceneId, lastId };
  const report = await take(intake, element, openId);
  if (report?.conflict === true) return "conflict";
  if (report === undefined || report.outcome === "refused" || !report.whole) return false;
  // The answer has no place for what was not carried although all went well: whoever runs the shop finds it here.
  const { outcome, losses } = report;
  if (losses.length > 0) {
    ports.log({ level: "warn", event: "baiduLosses", orderId: ResourceID, outcome, losses });
  }
  return true;
}

/** Of an order that is here, and whose sub-orders these all are; `itemOf` knows them by their ids. */
async function updateSubs(
  intake: Intake,
  orderId: string,
  made: (itemOf: (SubOrderID: string) => Item | undefined) => SubsDocument | undefined,
): Promise<ImportReport | undefined> {
  const detail = idPattern.test(orderId) ? await intake.engine.views.order(orderId) : undefined;
  if (detail === undefined) return undefined;
  const items = itemsOf(detail, intake.shop);
  const document = made((SubOrderID) => {
    const one = caseCalled(detail.order, SubOrderID);
    return one && items.find((item) => item.SubOrderID === subOrderIdOf(one));
  });
  return document === undefined ? undefined : appendSubs(intake, document);
}

export function operationsOf(centre: Centre): readonly AnyOperation[] {
  return [
    taking<OrderDocument>(centre, "add/main/info", orderSchema, 1, (intake, element, openId) =>
      addOrder(intake, openId, element),
    ),
    taking<UpdateDocument>(centre, "update/main/info", updateSchema, mostElements, (intake, element) =>
      moveOrder(intake, element),
    ),
    taking<StatusDocument>(centre, "update/main/status", statusSchema, mostElements, (intake, element) =>
      moveOrder(intake, element),
    ),
    taking<SubsDocument>(centre, "append/sub/info", subsSchema, mostElements, (intake, element) =>
      appendSubs(intake, element),
    ),
    taking<SubsDocument>(centre, "update/sub/info", subsSchema, mostElements, (intake, element) =>
      updateSubs(intake, element.ResourceID, (itemOf) =>
        element.EXT.SubsOrder.Items.every(({ SubOrderID }) => itemOf(SubOrderID) !== undefined)
          ? element
          : undefined,
      ),
    ),
    taking<SubStatusDocument>(centre, "update/sub/status", subStatusSchema, mostElements, (intake, element) =>
      updateSubs(intake, element.ResourceID, (itemOf) => {
        const { CateID, BizAPPID, ResourceID, EXT } = element;
        const MTime = Math.floor(intake.now / 1_000);
        const Items = EXT.SubsOrder.Items.map(({ SubOrderID, SubStatus }) => {
          const known = itemOf(SubOrderID);
          // Of what it is about, nothing is said.
          return known && { SubOrderID, SubStatus, CTime: known.CTime, MTime, OrderType: known.OrderType };
        });
        const all = Items.filter((item) => item !== undefined);
        return all.length < Items.length
          ? undefined
          : {
              CateID,
              BizAPPID,
              ResourceID,
              EXT: { SubsOrder: { Status: EXT.SubsOrder.Status, Items: all } },
            };
      }),
    ),
  ];
}
