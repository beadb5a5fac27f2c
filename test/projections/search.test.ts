// The text search of the order list: words, numbers, Chinese of one character and more; whatever is typed finds or finds nothing.

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { LineAsked } from "../../src/domain/commands.ts";
import type { Engine } from "../../src/engine.ts";
import type { Scope } from "../../src/projections/statistics.ts";
import { buyer, merchant, parcel, stranger } from "../domain/orders.ts";
import { accepted, by, newOrder, open, stores, tidyEngines } from "../engines.ts";
import { text } from "../commands/arbitraries.ts";

tidyEngines();

async function sell(
  engine: Engine,
  orderId: string,
  titles: readonly string[],
  over: Partial<LineAsked> = {},
) {
  const lines = titles.map((title, at) => ({
    lineId: `L${at}`,
    goodsId: `G${at}`,
    title,
    unitPrice: 5,
    quantity: 1,
    ...over,
  }));
  accepted(await engine.execute(newOrder(orderId, { lines, charges: [] }), by(buyer)));
}

async function found(engine: Engine, words: string, scope: Scope = "all"): Promise<string[]> {
  return (await engine.views.orders({ text: words, scope, limit: 1_000 })).orders
    .map(({ orderId }) => orderId)
    .toSorted();
}

describe.each(stores)("on %s", (_kind, fresh) => {
  async function shop(): Promise<Engine> {
    const engine = await open({ store: fresh() });
    await sell(engine, "z1", ["西湖龙井茶 250g", "白瓷茶杯"]);
    await sell(engine, "z2", ["纯棉T恤 XL", "牛仔裤"]);
    await sell(engine, "z3", ["WHITE HANGING HEART T-LIGHT HOLDER", "Café au lait bowl"]);
    await sell(engine, "z4", ["茶", "杯子"]);
    await sell(engine, "z5", ["抹茶アイス", "김치", "ชาเขียว"]);
    return engine;
  }

  it.each([
    // One and two characters, and more.
    ["茶", ["z1", "z4", "z5"]],
    ["龙", ["z1"]],
    ["龙井", ["z1"]],
    ["湖龙井", ["z1"]],
    ["茶杯", ["z1"]],
    ["井龙", []],
    ["棉T恤", ["z2"]],
    ["T恤", ["z2"]],
    ["恤 xl", ["z2"]],
    ["茶 杯", ["z1", "z4"]],
    ["アイ", ["z5"]],
    ["김", ["z5"]],
    ["ชา", ["z5"]],
    // Words by their beginnings, in any letters and any order.
    ["heart", ["z3"]],
    ["hea", ["z3"]],
    ["eart", []],
    ["holder WHITE", ["z3"]],
    ["t-light", ["z3"]],
    ["light-t", []],
    ["cafe", ["z3"]],
    ["CAFÉ", ["z3"]],
    ["heart bowl", ["z3"]],
    ["heart tea", []],
    ["250g", ["z1"]],
    ["250", ["z1"]],
    // Two titles are two texts: no phrase runs from one into the next.
    ["holder-café", []],
    ["恤牛", []],
    ["holder-g0", []],
  ])("%s finds %j", async (words, orderIds) => {
    expect(await found(await shop(), words)).toEqual(orderIds);
  });

  it("finds the same text however wide it is written, and taken apart or not", async () => {
    const engine = await open({ store: fresh() });
    await sell(engine, "w", ["１２３全角ＡＢＣ　ｱｲｽ", "ﬁne ㍑ 한", "5 ㎏"]);
    for (const words of [
      "123",
      "１２３",
      "abc",
      "ＡＢＣ",
      "全角abc",
      "アイス",
      "ｱｲｽ",
      "fine",
      "ﬁne",
      "リットル",
      "한",
      "5 kg",
    ]) {
      expect([words, await found(engine, words)]).toEqual([words, ["w"]]);
    }
    expect(await found(engine, "＂123＂")).toEqual(["w"]);
  });

  it("finds numbers: of the order, of goods, and of parcels once shipped or corrected", async () => {
    const engine = await open({ store: fresh() });
    const lines = [
      { lineId: "L1", goodsId: "85123A", sku: "RED-7", title: "Holder", unitPrice: 5, quantity: 1 },
    ];
    accepted(
      await engine.execute(newOrder("o-536365", { orderNo: "NO2010-1", lines, charges: [] }), by(buyer)),
    );
    const all = ["o-536365"];
    for (const words of [
      "536365",
      "5363",
      "o-536365",
      "NO2010-1",
      "no2010",
      "85123a",
      "85123A",
      "RED-7",
      "7",
    ]) {
      expect([words, await found(engine, words)]).toEqual([words, all]);
    }
    expect(await found(engine, "123A")).toEqual([]);
    expect(await found(engine, "SF100")).toEqual([]);
    accepted(
      await engine.execute(
        { type: "Pay", orderId: "o-536365", payId: "p", amount: 5, channel: "online" },
        by(buyer),
      ),
    );
    accepted(await engine.execute({ type: "Ship", orderId: "o-536365", shipments: [parcel] }, by(merchant)));
    expect(await found(engine, "sf100 holder")).toEqual(all);
    const corrected = {
      type: "CorrectShipment",
      orderId: "o-536365",
      shipments: [{ ...parcel, trackingNumber: "EMS-9 快" }],
    };
    accepted(await engine.execute(corrected, by(merchant)));
    expect(await found(engine, "SF100")).toEqual([]);
    expect(await found(engine, "EMS-9")).toEqual(all);
    expect(await found(engine, "快")).toEqual(all);
  });

  it("stays within its scope, and within the other filters", async () => {
    const engine = await open({ store: fresh() });
    await sell(engine, "mine", ["茶"]);
    accepted(
      await engine.execute(
        newOrder("theirs", {
          lines: [{ lineId: "L", goodsId: "G", title: "茶", unitPrice: 1, quantity: 1 }],
        }),
        by(stranger),
      ),
    );
    accepted(
      await engine.execute(
        newOrder("rivals", {
          merchantId: "rival",
          lines: [{ lineId: "L", goodsId: "G", title: "茶", unitPrice: 1, quantity: 1 }],
        }),
        by(buyer),
      ),
    );
    expect(await found(engine, "茶")).toEqual(["mine", "rivals", "theirs"]);
    expect(await found(engine, "茶", { buyerId: "buyer-1" })).toEqual(["mine", "rivals"]);
    expect(await found(engine, "茶", { merchantId: "main" })).toEqual(["mine", "theirs"]);
    expect(await found(engine, "茶", { buyerId: "茶" })).toEqual([]);
    expect((await engine.views.orders({ text: "茶", statuses: ["paid"] })).orders).toEqual([]);
    const one = await engine.views.orders({ text: "茶", limit: 2 });
    const two = await engine.views.orders({ text: "茶", limit: 2, cursor: one.next });
    expect([one.orders.length, two.orders.length, two.next]).toEqual([2, 1, undefined]);
  });

  it("takes words of the query language, and of ours, as words", async () => {
    const engine = await open({ store: fresh() });
    await sell(engine, "w1", ["black AND white"]);
    await sell(engine, "w2", ["black white"]);
    await sell(engine, "w3", ["NEAR miss OR not"]);
    expect(await found(engine, "black AND white")).toEqual(["w1"]);
    expect(await found(engine, "black OR white")).toEqual([]);
    expect(await found(engine, "NOT NEAR")).toEqual(["w3"]);
    expect(await found(engine, "body : white")).toEqual([]);
    expect(await found(engine, "owner")).toEqual([]);
    expect(await found(engine, "\ue000")).toEqual([]);
  });

  it.each([
    "",
    " ",
    "\t\n",
    '"',
    '""',
    '"""',
    "*",
    "(",
    ")",
    "()",
    "^",
    ":",
    "-",
    "+",
    "{}",
    "'",
    "';--",
    "\\",
    "%",
    "_",
    "\0",
    "\u200b",
    "🍵",
    "NEAR(",
    "\ud800",
  ])("finds nothing by %j, and says so", async (words) => {
    const engine = await open({ store: fresh() });
    await sell(engine, "o-1", ["Tea"]);
    expect(await found(engine, words)).toEqual([]);
  });

  it.each([
    '"tea',
    'tea"',
    "tea*",
    "(tea)",
    "^tea",
    "tea\0",
    "te\0a tea",
    "tea 🍵",
    "-tea",
    "tea:",
    "tea' OR 1=1 --",
    "tea\ud800",
  ])("survives %j", async (words) => {
    const engine = await open({ store: fresh() });
    await sell(engine, "o-1", ["Tea"]);
    await sell(engine, "o-2", ["Cup"]);
    expect(await found(engine, words)).not.toContain("o-2");
  });

  it("survives whatever is typed, and finds each title's own words", async () => {
    const engine = await open({ store: fresh() });
    await sell(engine, "o-1", ["Tea"]);
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.string({ unit: "binary" }), text(0, 30)), async (words) => {
        await found(engine, words);
      }),
      { numRuns: 300 },
    );
  });

  it("finds what was appended a moment ago, also among commands not yet answered", async () => {
    const engine = await open({ store: fresh() });
    const sent = Promise.all(
      Array.from({ length: 50 }, (_, at) => engine.execute(newOrder(`o-${at}`), by(buyer))),
    );
    await sent;
    expect(await found(engine, "tea")).toHaveLength(50);
    accepted(await engine.execute(newOrder("o-last"), by(buyer)));
    expect(await found(engine, "o-last")).toEqual(["o-last"]);
  });
});

describe("titles at random", () => {
  it("are found by any run of their Chinese characters", async () => {
    const engine = await open({ store: "memory:" });
    const han = fc.string({
      unit: fc.constantFrom(..."西湖龙井茶杯白瓷纯棉恤牛仔裤红色"),
      minLength: 1,
      maxLength: 8,
    });
    let count = 0;
    await fc.assert(
      fc.asyncProperty(han, fc.nat(), fc.nat(), async (title, from, length) => {
        count += 1;
        const orderId = `t-${count}`;
        await sell(engine, orderId, [`Set ${title}x${count}`]);
        const characters = [...title];
        const begin = from % characters.length;
        const part = characters.slice(begin, begin + 1 + (length % (characters.length - begin))).join("");
        expect(await found(engine, part)).toContain(orderId);
      }),
      { numRuns: 60 },
    );
  });
});
