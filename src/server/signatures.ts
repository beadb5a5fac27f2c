// Signatures of requests of the overseas shopping app by a key that the shop and its app share, since the document leaves open how.

import { createHmac, timingSafeEqual } from "node:crypto";

import type { Signatures } from "../dialects/appintf/index.ts";

/**
 * The field `sign` is the HMAC-SHA-256 by the key, in hex, of the method, the path below the prefix, and every other field as
 * `name=value` in the order of their names, each on a line of its own. Who repeats a field, or sends something else than texts and
 * numbers, has not signed.
 */
export function hmacSignatures(key: string): Signatures {
  return {
    verify: async ({ method, path, fields }) => {
      const { sign, ...rest } = fields;
      if (typeof sign !== "string") return false;
      const lines = Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1));
      if (lines.some(([, value]) => typeof value !== "string" && typeof value !== "number")) return false;
      const text = [method, path, ...lines.map(([name, value]) => `${name}=${String(value)}`)].join("\n");
      const given = Buffer.from(sign.toLowerCase());
      const right = Buffer.from(createHmac("sha256", key).update(text).digest("hex"));
      return given.length === right.length && timingSafeEqual(given, right);
    },
  };
}
