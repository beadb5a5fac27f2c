// Random commands that are sound in form, whatever an order thinks of them.

import fc from "fast-check";

import { fulfilments, ratings } from "../../src/domain/events.ts";
import { caseTypes, stockRules } from "../../src/domain/terms.ts";

const id = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:@|+=-]{0,15}$/);

/** A text of whole characters without NUL. */
export function text(min: number, max: number): fc.Arbitrary<string> {
  return fc
    .string({ unit: "binary", minLength: min, maxLength: max })
    .map((value) => value.replaceAll("\0", "售"))
    .filter((value) => [...value].length >= min && [...value].length <= max);
}

const amount = fc.oneof(fc.nat({ max: 100_000 }), fc.constantFrom(0, -0, Number.MAX_SAFE_INTEGER));

const key = fc
  .oneof(
    text(1, 8),
    fc.constantFrom("constructor", "toString", "hasOwnProperty", "toJSON", "valueOf", "-1", "01", "1e3"),
  )
  .filter((value) => value !== "__proto__");
const innerKey = key.filter((value) => !/^(0|[1-9]\d*)$/.test(value));

const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom<unknown>(null, true, false, "", 0, -0, 1e21, 1e-7, 5e-324, Number.MAX_VALUE, 0.1),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    text(0, 10),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(innerKey, tie("value"), { maxKeys: 4, noNullPrototype: false }),
  ),
})).value;

/** What rides along unread: any keys, any JSON. */
export const source = fc.dictionary(key, json, { maxKeys: 5, noNullPrototype: false });

const line = fc.record(
  {
    lineId: id,
    goodsId: id,
    sku: text(1, 8),
    title: text(1, 20),
    unitPrice: fc.nat({ max: 1_000_000 }),
    quantity: fc.integer({ min: 1, max: 1_000 }),
    allowedTypes: fc.uniqueArray(fc.constantFrom(...caseTypes)),
    source,
  },
  { requiredKeys: ["lineId", "goodsId", "title", "unitPrice", "quantity"] },
);

/** CreateOrder by a merchant or the system, for an order of a given id; its lines' ids differ. */
export function soundOrder(orderId: fc.Arbitrary<string>): fc.Arbitrary<object> {
  return fc.record(
    {
      type: fc.constant("CreateOrder"),
      orderId,
      orderNo: id,
      buyerId: id,
      currency: fc.constantFrom("CNY", "JPY", "BHD"),
      lines: fc.uniqueArray(line, { minLength: 1, maxLength: 5, selector: ({ lineId }) => lineId }),
      charges: fc.array(
        fc.record({ kind: fc.constantFrom("freight", "tariff", "other"), amount: fc.nat({ max: 9_999 }) }),
        {
          maxLength: 3,
        },
      ),
      fulfilment: fc.constantFrom(...fulfilments),
      terms: fc.record(
        {
          booking: fc.boolean(),
          payWindowMinutes: fc.nat({ max: 100 }),
          stockDeduction: fc.constantFrom(...stockRules),
          virtualAutoShip: fc.boolean(),
          evidenceMax: fc.nat({ max: 9 }),
        },
        { requiredKeys: [] },
      ),
      personal: fc.record(
        { name: text(0, 8), phone: text(0, 8), address: text(0, 8), note: text(0, 8) },
        { requiredKeys: [] },
      ),
      source,
    },
    { requiredKeys: ["type", "orderId", "buyerId", "currency", "lines", "fulfilment"] },
  );
}

const shipment = fc.record({ carrier: text(1, 9), trackingNumber: text(1, 9) }, { requiredKeys: [] });

/** Any command that can be read. */
export const soundCommand: fc.Arbitrary<object> = fc.oneof(
  soundOrder(id),
  fc.record(
    {
      type: fc.constant("Pay"),
      orderId: id,
      payId: id,
      amount,
      channel: fc.constantFrom("online", "wallet", "offline"),
      method: text(1, 8),
      tradeNo: text(1, 8),
    },
    { requiredKeys: ["type", "orderId", "payId", "amount", "channel"] },
  ),
  fc.record({ type: fc.constant("Ship"), orderId: id, shipments: fc.array(shipment, { maxLength: 3 }) }),
  fc.record(
    { type: fc.constant("CancelOrder"), orderId: id, reason: text(0, 30) },
    { requiredKeys: ["type", "orderId"] },
  ),
  fc.record({ type: fc.constant("Redeem"), orderId: id, code: text(1, 12), source }),
  fc.record({
    type: fc.constant("Review"),
    orderId: id,
    items: fc.array(
      fc.record(
        {
          lineId: id,
          rating: fc.constantFrom(...ratings),
          text: text(0, 20),
          pictures: fc.array(fc.webUrl({ validSchemes: ["http", "https"] }), { maxLength: 3 }),
        },
        { requiredKeys: ["lineId", "rating"] },
      ),
      { minLength: 1, maxLength: 3 },
    ),
  }),
);

/** The same value with the keys of all its objects in another order, drawn from `chance`. */
export function shuffled<T>(value: T, chance: Iterator<number>): T {
  if (Array.isArray(value)) return value.map((item: unknown) => shuffled(item, chance)) as T;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(
    ([name, item]) => [chance.next().value as number, name, item] as const,
  );
  entries.sort(([a], [b]) => a - b);
  return Object.fromEntries(entries.map(([, name, item]) => [name, shuffled(item as unknown, chance)])) as T;
}
