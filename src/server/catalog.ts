// The shop's file: what is sold and for how much, what freight costs, where goods come back to, and the shop's currency and clock.

import { type ShopPorts, indexed, portsOf, shopSchema } from "../dialects/catalog.ts";
import { followFile, parseFile } from "./files.ts";

/** A shop's file that cannot be read: where, and which rule. */
export class ShopFileError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ShopFileError";
  }
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
  const parse = (content: string) => indexed(parseFile(path, content, shopSchema, ShopFileError));
  const current = await followFile(path, parse, options);
  return portsOf(current, (await current()).shop);
}
