// Freight by three plain rules: always the same, none above a sum, or so much a piece.

import { z } from "zod";

import { amount } from "../commands/schemas.ts";
import type { Freight } from "./ports.ts";

const bounded = amount.max(1_000_000_000_000);

/** How freight is reckoned; amounts are minor units of the shop's currency. Only parcels that are brought cost anything. */
export const freightSchema = z.discriminatedUnion("rule", [
  z.strictObject({ rule: z.literal("flat"), amount: bounded }),
  z.strictObject({ rule: z.literal("freeAbove"), amount: bounded, above: bounded }),
  z.strictObject({ rule: z.literal("perPiece"), first: bounded, each: bounded }),
]);

export type FreightRule = z.infer<typeof freightSchema>;

/** Freight by a rule; `freeAbove` is free from that sum of goods on. */
export function freightBy(rule: FreightRule): Freight {
  return {
    costOf: async ({ fulfilment, goods, units }) => {
      if (fulfilment === "pickup" || fulfilment === "virtual") return 0;
      switch (rule.rule) {
        case "flat":
          return rule.amount;
        case "freeAbove":
          return goods >= rule.above ? 0 : rule.amount;
        case "perPiece":
          return rule.first + rule.each * Math.max(0, units - 1);
      }
    },
  };
}
