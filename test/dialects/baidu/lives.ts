// Lives of orders under after-sale, lived in an engine; and the shop that tells Baidu of them.

import { redemptionCode } from "../../../src/commands/redemption.ts";
import type { Actor } from "../../../src/domain/actor.ts";
import type { Command } from "../../../src/domain/commands.ts";
import type { Order } from "../../../src/domain/state.ts";
import type { BaiduShop } from "../../../src/dialects/baidu/views.ts";
import type { Engine } from "../../../src/engine.ts";
import { type Life, asked, beginning } from "../../domain/caseLife.ts";
import { merchant, minute, t0 } from "../../domain/orders.ts";

export const redeemKey = "key";

export const shop: BaiduShop = {
  appKey: "a392qXwK8L5GDUWhFoC01cKwoy7tmehg",
  currency: "CNY",
  orderPage: "baiduboxapp://swan/app/order-detail?orderId={orderId}",
};

/** Much later than any life ends. */
export const later = t0 + 10 * 366 * 86_400_000;

function forOrder(command: Command, orderId: string): object {
  const owned = (id: string): string => (/^(?:late:|cancel:)/.test(id) ? id : `${orderId}.${id}`);
  const given: Record<string, unknown> = { ...command, orderId };
  for (const key of ["caseId", "payId", "refundId"]) {
    const id = given[key];
    if (typeof id === "string") given[key] = id.startsWith(`${orderId}.`) ? id : owned(id);
  }
  if (given["code"] !== undefined) given["code"] = redemptionCode(redeemKey, orderId);
  return command.type === "ImportRefund" ? { ...given, raw: Object.fromEntries(command.raw) } : given;
}

/** Lives a life as one order of an engine; what is refused is refused. */
export async function live(engine: Engine, orderId: string, of: Life): Promise<void> {
  let now = t0;
  let commands = 0;
  const does = async (actor: Actor, asking: Command): Promise<void> => {
    commands += 1;
    await engine.execute(forOrder(asking, orderId), {
      actor,
      commandId: `${orderId}-${commands}`,
      at: now,
    });
  };
  for (const [actor, command] of beginning(of)) {
    const create = command.type === "CreateOrder";
    const asking = create ? ({ ...command, buyerId: actor.id, terms: of.terms } as Command) : command;
    await does(create ? merchant : actor, asking);
    now += minute;
  }
  for (const one of of.steps) {
    now = Math.max(t0, now + one.gap);
    const [actor, command] = asked((await engine.state(orderId)) as Order, one, now);
    await does(actor, command);
  }
}
