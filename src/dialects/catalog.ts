// What a shop says of itself as plain data: what is sold and for how much, freight, where goods come back to; and the ports it fills.

import { z } from "zod";

import { amount } from "../commands/schemas.ts";
import { currencyFault } from "../domain/currencies.ts";
import { idPattern, limits } from "../domain/limits.ts";
import { caseTypes } from "../domain/terms.ts";
import { freightBy, freightSchema } from "./freight.ts";
import type { Addresses, Catalog, Choice, Freight, Goods } from "./ports.ts";
import { wallClock } from "./wallClock.ts";

const text = z.string().min(1).max(limits.textLength);

const currency = z.string().refine((code) => currencyFault(code) === undefined, "is no currency of ISO 4217");

const timeZone = z.string().refine((zone) => {
  try {
    wallClock(0, zone);
    return true;
  } catch {
    return false;
  }
}, "is no time zone");

const goodsSchema = z.strictObject({
  goodsId: z.string().max(limits.idLength).regex(idPattern),
  options: text.optional(),
  title: z.string().min(1).max(limits.titleLength),
  unitPrice: amount,
  currency: currency.optional(),
  sku: z.string().min(1).max(limits.idLength).optional(),
  picture: z.url({ protocol: /^https?$/ }).optional(),
  available: z.int().min(0).optional(),
  allowedTypes: z.array(z.enum(caseTypes)).optional(),
  weight: z.int().min(0).optional(),
  source: z.record(z.string(), z.json()).optional(),
});

/** Which of two prices is meant, nobody can say. */
const eachOnce = z.superRefine<readonly z.infer<typeof goodsSchema>[]>((goods, context) => {
  const places = new Map<string, number>();
  goods.forEach((one, index) => {
    const key = keyOf(one);
    const before = places.get(key);
    if (before === undefined) {
      places.set(key, index);
      return;
    }
    const { goodsId, options } = one;
    const named = options === undefined ? goodsId : `${goodsId} with options ${JSON.stringify(options)}`;
    const message = `${named} stands at goods[${before}] already`;
    context.addIssue({ code: "custom", path: [index], message });
  });
});

/** A shop; what it leaves out is a shop that sells nothing, in CNY, in Shanghai. */
export const shopSchema = z.strictObject({
  merchantId: z.string().max(limits.idLength).regex(idPattern).default("main"),
  currency: currency.default("CNY"),
  timeZone: timeZone.default("Asia/Shanghai"),
  freight: freightSchema.default({ rule: "flat", amount: 0 }),
  returnAddress: z.strictObject({ name: text, phone: text, address: text }).optional(),
  goods: z.array(goodsSchema).max(1_000_000).check(eachOnce).default([]),
});

export type ShopData = z.infer<typeof shopSchema>;

/** What a shop's data fill of the ports. */
export interface ShopPorts {
  readonly catalog: Catalog;
  readonly freight: Freight;
  readonly addresses: Addresses;
  readonly merchantId: string;
  readonly currency: string;
  readonly timeZone: string;
}

function keyOf({ goodsId, options }: Choice): string {
  return options === undefined ? goodsId : `${goodsId} ${options}`;
}

/** The same, its goods to be found. */
export function indexed(shop: ShopData) {
  return {
    shop,
    freight: freightBy(shop.freight),
    goods: new Map(shop.goods.map((one) => [keyOf(one), one])),
  };
}

/** Ports on what `current` gives, but for merchant, currency and zone, which stay as they are here. */
export function portsOf(
  current: () => Promise<ReturnType<typeof indexed>>,
  { merchantId, currency: money, timeZone: zone }: ShopData,
): ShopPorts {
  /** Made once for each goods of the data: an order of many lines asks for many. */
  const made = new WeakMap<ShopData["goods"][number], Goods>();
  const goodsOf = (one: ShopData["goods"][number]): Goods => {
    const { goodsId: _goodsId, options: _options, ...rest } = one;
    const goods = Object.freeze({ ...rest, currency: rest.currency ?? money });
    made.set(one, goods);
    return goods;
  };
  return {
    catalog: {
      find: async (choice) => {
        const found = (await current()).goods.get(keyOf(choice));
        return found === undefined ? undefined : (made.get(found) ?? goodsOf(found));
      },
    },
    freight: { costOf: async (parcel) => (await current()).freight.costOf(parcel) },
    addresses: { returnTo: async () => (await current()).shop.returnAddress },
    merchantId,
    currency: money,
    timeZone: zone,
  };
}
