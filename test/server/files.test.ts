// The default ports: tokens by their hashes, goods and freight from a file, each seen anew when the file changes.

import { appendFileSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { ShopFileError, emptyShop, fileShop } from "../../src/server/catalog.ts";
import { freightBy } from "../../src/dialects/freight.ts";
import {
  TokenFileError,
  addToken,
  fileAuthentication,
  listTokens,
  revokeToken,
} from "../../src/server/tokens.ts";
import { newFolder, tidyFiles } from "../store/files.ts";

tidyFiles();

const buyer = { role: "buyer", id: "buyer-1" } as const;

function following() {
  const clock = { now: 0 };
  const faults: unknown[] = [];
  return {
    clock,
    faults,
    options: { now: () => clock.now, onFault: (error: unknown) => void faults.push(error) },
  };
}

describe("tokens", () => {
  it("are known by their hash, which is all that the file holds", async () => {
    const file = join(newFolder(), "tokens");
    const [one, two] = [
      await addToken(file, buyer, 5),
      await addToken(file, { role: "merchant", id: "main" }, 6),
    ];
    expect(one).toMatch(/^as_[A-Za-z0-9_-]{43}$/);
    expect(one).not.toBe(two);
    const text = readFileSync(file, "utf8");
    expect(text).not.toContain(one.slice(3, 20));
    expect(statSync(file).mode & 0o077).toBe(0);
    const { authenticate } = await fileAuthentication(file, following().options);
    expect(await authenticate(one)).toEqual(buyer);
    expect(await authenticate(two)).toEqual({ role: "merchant", id: "main" });
    const hash = (JSON.parse(text.split("\n")[0] as string) as { added: string }).added;
    for (const wrong of ["", one.slice(0, -1), `${one}a`, one.toUpperCase(), hash, hash.slice(0, 12)])
      expect(await authenticate(wrong)).toBeUndefined();
  });

  it("are revoked by key or by themselves, once, and a running server sees it", async () => {
    const file = join(newFolder(), "tokens");
    const [one, two] = [await addToken(file, buyer, 5), await addToken(file, buyer, 6)];
    const { clock, options } = following();
    const { authenticate } = await fileAuthentication(file, options);
    const [first] = await listTokens(file);
    expect(await revokeToken(file, first?.key as string, 7)).toBe(true);
    expect(await revokeToken(file, first?.key as string, 8)).toBe(false);
    expect(await revokeToken(file, two, 9)).toBe(true);
    expect(await revokeToken(file, "000000000000", 9)).toBe(false);
    expect(await listTokens(file)).toEqual([
      { key: first?.key, ...buyer, addedAt: 5, revokedAt: 7 },
      expect.objectContaining({ addedAt: 6, revokedAt: 9 }),
    ]);
    expect(await authenticate(one)).toEqual(buyer);
    clock.now += 1_000;
    expect(await authenticate(one)).toBeUndefined();
    expect(await authenticate(two)).toBeUndefined();
    const later = await addToken(file, buyer, 10);
    clock.now += 1_000;
    expect(await authenticate(later)).toEqual(buyer);
  });

  it.each([
    "{",
    "[]",
    '{"added":"x","role":"buyer","id":"b","at":1}',
    `{"added":"${"0".repeat(64)}","role":"king","id":"b","at":1}`,
  ])("are refused with the line that cannot be read: %s", async (line) => {
    const file = join(newFolder(), "tokens");
    await addToken(file, buyer, 5);
    const { clock, faults, options } = following();
    const { authenticate } = await fileAuthentication(file, options);
    const known = await addToken(file, buyer, 6);
    clock.now += 1_000;
    expect(await authenticate(known)).toEqual(buyer);
    appendFileSync(file, `${line}\n`);
    await expect(listTokens(file)).rejects.toThrow(`${file}:3:1: `);
    await expect(addToken(file, buyer, 7)).rejects.toBeInstanceOf(TokenFileError);
    await expect(fileAuthentication(file, options)).rejects.toBeInstanceOf(TokenFileError);
    // A server that runs goes on with what it read before.
    clock.now += 1_000;
    expect(await authenticate(known)).toEqual(buyer);
    expect(faults).toHaveLength(1);
  });

  it("stay known while the file is away", async () => {
    const file = join(newFolder(), "tokens");
    const token = await addToken(file, buyer, 5);
    const { clock, faults, options } = following();
    const { authenticate } = await fileAuthentication(file, options);
    rmSync(file);
    clock.now += 1_000;
    expect(await authenticate(token)).toEqual(buyer);
    expect(faults).toHaveLength(1);
  });
});

describe("a shop's file", () => {
  const shop = {
    currency: "JPY",
    freight: { rule: "freeAbove", amount: 500, above: 3_000 },
    returnAddress: { name: "Shop", phone: "1", address: "Road 1" },
    goods: [
      { goodsId: "A", title: "Tea", unitPrice: 300 },
      {
        goodsId: "A",
        options: "1:2,3:4",
        title: "Tea, green",
        unitPrice: 400,
        currency: "CNY",
        available: 1,
      },
    ],
  };

  it("fills the ports, and is read again when it changes", async () => {
    const file = join(newFolder(), "shop.json");
    writeFileSync(file, JSON.stringify(shop));
    const { clock, faults, options } = following();
    const ports = await fileShop(file, options);
    expect(ports).toMatchObject({ merchantId: "main", currency: "JPY", timeZone: "Asia/Shanghai" });
    expect(await ports.catalog.find({ goodsId: "A" })).toEqual({
      title: "Tea",
      unitPrice: 300,
      currency: "JPY",
    });
    expect(await ports.catalog.find({ goodsId: "A", options: "1:2,3:4" })).toEqual({
      title: "Tea, green",
      unitPrice: 400,
      currency: "CNY",
      available: 1,
    });
    expect(await ports.catalog.find({ goodsId: "A", options: "1:2" })).toBeUndefined();
    expect(await ports.catalog.find({ goodsId: "__proto__" })).toBeUndefined();
    expect(await ports.addresses.returnTo("main")).toEqual(shop.returnAddress);
    const parcel = { fulfilment: "express", currency: "JPY", goods: 2_999, units: 1 } as const;
    expect(await ports.freight.costOf(parcel)).toBe(500);
    writeFileSync(file, JSON.stringify({ ...shop, goods: [], freight: { rule: "flat", amount: 7 } }));
    clock.now += 1_000;
    expect(await ports.catalog.find({ goodsId: "A" })).toBeUndefined();
    expect(await ports.freight.costOf(parcel)).toBe(7);
    writeFileSync(file, "{");
    clock.now += 1_000;
    expect(await ports.freight.costOf(parcel)).toBe(7);
    expect(faults).toHaveLength(1);
  });

  it.each([
    ["{", "is no JSON"],
    [
      '{"goods":[{"goodsId":"A","title":"T","unitPrice":1.5}]}',
      "must be whole minor units, and is 1.5\n  → at goods[0].unitPrice",
    ],
    ['{"godos":[]}', "godos"],
    ['{"currency":"XXX"}', "currency"],
    ['{"timeZone":"Mars/Olympus"}', "timeZone"],
    ['{"freight":{"rule":"dear","amount":1}}', "freight"],
    [
      '{"goods":[{"goodsId":"A","title":"T","unitPrice":1},{"goodsId":"A","options":"1:2","title":"T","unitPrice":1},{"goodsId":"A","title":"T","unitPrice":2}]}',
      "A stands at goods[0] already\n  → at goods[2]",
    ],
    [
      '{"goods":[{"goodsId":"A","options":"1:2","title":"T","unitPrice":1},{"goodsId":"A","options":"1:2","title":"T","unitPrice":1}]}',
      'A with options "1:2" stands at goods[0] already\n  → at goods[1]',
    ],
  ])("that cannot be read is refused: %s", async (text, says) => {
    const file = join(newFolder(), "shop.json");
    writeFileSync(file, text);
    const refused = fileShop(file, following().options);
    await expect(refused).rejects.toBeInstanceOf(ShopFileError);
    await expect(refused).rejects.toThrow(says);
  });

  it("need not be: then nothing is sold", async () => {
    const ports = emptyShop();
    expect(await ports.catalog.find({ goodsId: "A" })).toBeUndefined();
    expect(await ports.addresses.returnTo("main")).toBeUndefined();
  });
});

describe("freight", () => {
  const of = (
    goods: number,
    units: number,
    fulfilment: "express" | "local" | "pickup" | "virtual" = "express",
  ) => ({
    fulfilment,
    currency: "CNY",
    goods,
    units,
  });

  it.each([
    [{ rule: "flat", amount: 800 }, of(1, 1), 800],
    [{ rule: "flat", amount: 800 }, of(1, 1, "local"), 800],
    [{ rule: "flat", amount: 800 }, of(1, 1, "pickup"), 0],
    [{ rule: "flat", amount: 800 }, of(1, 1, "virtual"), 0],
    [{ rule: "freeAbove", amount: 800, above: 5_000 }, of(4_999, 1), 800],
    [{ rule: "freeAbove", amount: 800, above: 5_000 }, of(5_000, 1), 0],
    [{ rule: "perPiece", first: 500, each: 100 }, of(1, 1), 500],
    [{ rule: "perPiece", first: 500, each: 100 }, of(1, 4), 800],
  ] as const)("by %j of %j is %i", async (rule, parcel, cost) => {
    expect(await freightBy(rule).costOf(parcel)).toBe(cost);
  });
});
