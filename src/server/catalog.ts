// The shop's file: what is sold and for how much, what freight costs, where goods come back to, and the shop's currency and clock.

import { z } from "zod";

import { currencyFault } from "../domain/currencies.ts";
import { idPattern, limits } from "../domain/limits.ts";
import { caseTypes } from "../domain/terms.ts";
import type { Addresses, Catalog, Freight } from "../dialects/ports.ts";
import { wallClock } from "../dialects/wallClock.ts";
import { followFile } from "./files.ts";
import { freightBy, freightSchema } from "./freight.ts";

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
  unitPrice: z.int().min(0),
  currency: currency.optional(),
  sku: z.string().min(1).max(limits.idLength).optional(),
  picture: z.url({ protocol: /^https?$/ }).optional(),
  available: z.int().min(0).optional(),
  allowedTypes: z.array(z.enum(caseTypes)).optional(),
  weight: z.int().min(0).optional(),
  source: z.record(z.string(), z.json()).optional(),
});

const shopSchema = z.strictObject({
  merchantId: z.string().max(limits.idLength).regex(idPattern).default("main"),
  currency: currency.default("CNY"),
  timeZone: timeZone.default("Asia/Shanghai"),
  freight: freightSchema.default({ rule: "flat", amount: 0 }),
  returnAddress: z.strictObject({ name: text, phone: text, address: text }).optional(),
  goods: z.array(goodsSchema).max(1_000_000).default([]),
});

type ShopFile = z.infer<typeof shopSchema>;

/** What a shop's file fills of the ports. */
export interface ShopPorts {
  readonly catalog: Catalog;
  readonly freight: Freight;
  readonly addresses: Addresses;
  readonly merchantId: string;
  readonly currency: string;
  readonly timeZone: string;
}

/** A shop's file that cannot be read: where, and which rule. */
export class ShopFileError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ShopFileError";
  }
}

function read(path: string, content: string): ShopFile {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (cause) {
    throw new ShopFileError(`${path}: is no JSON`, { cause });
  }
  const result = shopSchema.safeParse(value);
  if (!result.success) throw new ShopFileError(`${path}: ${z.prettifyError(result.error)}`);
  return result.data;
}

function keyOf({
  goodsId,
  options,
}: {
  readonly goodsId: string;
  readonly options?: string | undefined;
}): string {
  return options === undefined ? goodsId : `${goodsId} ${options}`;
}

function indexed(shop: ShopFile) {
  return {
    shop,
    freight: freightBy(shop.freight),
    goods: new Map(shop.goods.map((one) => [keyOf(one), one])),
  };
}

/** The ports of a shop without a file: it sells nothing. */
export function emptyShop(): ShopPorts {
  return portsOf(async () => indexed(shopSchema.parse({})), shopSchema.parse({}));
}

/**
 * The ports that a shop's file fills. It is read again when it changes, but for merchant, currency and zone, which stay as they were.
 * @throws ShopFileError, or what reading the file throws.
 */
export async function fileShop(
  path: string,
  options: { readonly now: () => number; readonly onFault: (error: unknown) => void },
): Promise<ShopPorts> {
  const current = await followFile(path, (content) => indexed(read(path, content)), options);
  return portsOf(current, (await current()).shop);
}

function portsOf(
  current: () => Promise<ReturnType<typeof indexed>>,
  { merchantId, currency: money, timeZone: zone }: ShopFile,
): ShopPorts {
  return {
    catalog: {
      find: async (choice) => {
        const found = (await current()).goods.get(keyOf(choice));
        if (found === undefined) return undefined;
        const { goodsId: _goodsId, options: _options, ...goods } = found;
        return { ...goods, currency: goods.currency ?? money };
      },
    },
    freight: { costOf: async (parcel) => (await current()).freight.costOf(parcel) },
    addresses: { returnTo: async () => (await current()).shop.returnAddress },
    merchantId,
    currency: money,
    timeZone: zone,
  };
}
