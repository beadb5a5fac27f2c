// Reading what was stored: lifted from the version it was written in, or refused by stream, revision and reason.

import { fc, it } from "@fast-check/vitest";
import { describe, expect } from "vitest";

import {
  type Codec,
  type EventHistories,
  type EventHistory,
  type Upcast,
  codec,
  createCodec,
  encodeMeta,
  histories,
  isEncodedMeta,
} from "../../src/store/codec.ts";
import { type RecordedEvent, StoreError } from "../../src/store/port.ts";

const meta = { v: 1, at: 5, actor: { role: "buyer", id: "b" }, commandId: "c", commandHash: "h" } as const;

function recorded(over: Partial<RecordedEvent> & { readonly v?: number } = {}): RecordedEvent {
  const { v = 1, ...rest } = over;
  return {
    stream: "order-o-1",
    revision: 3n,
    position: "9",
    id: "00000000-0000-8000-8000-000000000000",
    type: "OrderCancelled",
    data: '{"by":"buyer"}',
    meta: encodeMeta({ ...meta, v }),
    ...rest,
  };
}

function failure(read: () => unknown): StoreError {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(StoreError);
    return error as StoreError;
  }
  throw new Error("was read");
}

const third: EventHistories = {
  ...histories,
  OrderCancelled: {
    version: 3,
    upcasts: {
      1: ({ by, ...rest }) => ({ ...rest, who: by }),
      2: (data) => ({ ...data, reason: "unknown" }),
    },
  },
};

/** A codec that lifts a cancellation by one version. */
function liftedBy(upcast: Upcast): Codec {
  return createCodec({ ...histories, OrderCancelled: { version: 2, upcasts: { 1: upcast } } });
}

describe("an upcast", () => {
  it.each([
    [1, '{"by":"buyer"}', { who: "buyer", reason: "unknown" }],
    [2, '{"who":"merchant"}', { who: "merchant", reason: "unknown" }],
    [3, '{"who":"buyer","reason":"late"}', { who: "buyer", reason: "late" }],
  ])("chain lifts version %i", (v, data, expected) => {
    const lifting = createCodec(third);
    expect(lifting.versionOf("OrderCancelled")).toBe(3);
    expect(lifting.decode(recorded({ v, data })).event).toEqual({
      type: "OrderCancelled",
      at: 5,
      data: expected,
    });
    expect(lifting.decodeFact(recorded({ v, data })).data).toEqual(expected);
  });

  it("leaves what was stored, and what it says of itself, alone", () => {
    const event = Object.freeze(recorded());
    const envelope = createCodec(third).decode(event);
    expect(envelope.meta.v).toBe(1);
    expect(event).toEqual(recorded());
  });

  it("is not asked about data that a scan left out", () => {
    const strict = liftedBy((data) => {
      if (data["by"] === undefined) throw new Error("no data to lift");
      return data;
    });
    expect(strict.decodeFact(recorded({ data: "" }))).toEqual({ type: "OrderCancelled", at: 5, data: {} });
  });

  it.each([
    [{ version: 2 }, 1],
    [{ version: 3, upcasts: { 1: (data: object) => data } }, 2],
    [{ version: 4, upcasts: { 1: (data: object) => data, 3: (data: object) => data } }, 2],
  ])("that is missing is named when the codec is made: %j", (history, gap) => {
    const gapped = { ...histories, OrderPaid: history as unknown as EventHistory };
    expect(() => createCodec(gapped)).toThrow(
      `OrderPaid is at version ${history.version}, and nothing leads on from version ${gap}`,
    );
  });

  it("that is missing does not compile", () => {
    // @ts-expect-error version 3 needs both steps
    const history: EventHistory = { version: 3, upcasts: { 1: (data) => data } };
    expect(history.version).toBe(3);
  });
});

describe("what cannot be read", () => {
  const reads: readonly (readonly [how: string, read: (event: RecordedEvent) => unknown])[] = [
    ["decode", codec.decode],
    ["decodeFact", codec.decodeFact],
    ["factOf", codec.factOf],
  ];

  describe.each(reads)("by %s", (_how, read) => {
    it("is an unknown event, by its name", () => {
      expect(failure(() => read(recorded({ type: "OrderVanished" })))).toMatchObject({
        code: "corrupt",
        message: 'order-o-1@3 (OrderVanished): no such event type "OrderVanished"',
      });
    });

    it.each(["__proto__", "toString", "constructor"])("is an event named %s", (type) => {
      expect(failure(() => read(recorded({ type }))).code).toBe("corrupt");
    });

    it("is a later version, by its number", () => {
      const error = failure(() => read(recorded({ v: 2 })));
      expect(error.code).toBe("newer");
      expect(error.message).toMatch(/^order-o-1@3: OrderCancelled version 2 .* up to 1\)$/);
    });

    it.each(["{", "null", "[]", '"x"', "5", "\0"])("is data of %j", (data) => {
      const error = failure(() => read(recorded({ data })));
      expect(error.code).toBe("corrupt");
      expect(error.message).toMatch(/^order-o-1@3 \(OrderCancelled\): its data is no JSON/);
    });

    it.each([
      ["{", undefined],
      ["null", undefined],
      ["{}", undefined],
      ['{"v":0,"at":5,"actor":{"role":"buyer","id":"b"},"commandId":"c","commandHash":"h"}', undefined],
      ['{"v":1.5,"at":5,"actor":{"role":"buyer","id":"b"},"commandId":"c","commandHash":"h"}', undefined],
      ['{"v":1,"at":null,"actor":{"role":"buyer","id":"b"},"commandId":"c","commandHash":"h"}', undefined],
    ])("is metadata of %s", (text) => {
      const error = failure(() => read(recorded({ meta: text })));
      expect(error.code).toBe("corrupt");
      expect(error.message).toMatch(/^order-o-1@3 \(OrderCancelled\): its metadata|its meta is no JSON/);
    });
  });

  it.each([
    ['{"v":1,"at":5,"actor":null,"commandId":"c","commandHash":"h"}', "no actor"],
    ['{"v":1,"at":5,"actor":{"role":"buyer"},"commandId":"c","commandHash":"h"}', "no actor"],
    [
      '{"v":1,"at":5,"actor":{"role":"buyer","id":"b"},"commandId":5,"commandHash":"h"}',
      "no command id and hash",
    ],
    ['{"v":1,"at":5,"actor":{"role":"buyer","id":"b"},"commandId":"c"}', "no command id and hash"],
  ])("is metadata of %s for who wants all of it", (text, reason) => {
    for (const read of [codec.decode, codec.factOf]) {
      expect(failure(() => read(recorded({ meta: text }))).message).toContain(reason);
    }
  });

  it("is data that is not there, where nobody left it out", () => {
    for (const read of [codec.decode, codec.factOf]) {
      expect(failure(() => read(recorded({ data: "" }))).code).toBe("corrupt");
    }
  });

  it("keeps its cause", () => {
    expect(failure(() => codec.decode(recorded({ data: "{" }))).cause).toBeInstanceOf(SyntaxError);
  });
});

describe("the fact alone", () => {
  // Metadata as it is written now, with an instant of as many digits as usual and with another, and metadata of other words.
  const instants = [1_767_600_000_000, 999, 10_000_000_000_000];
  const texts = instants.flatMap((at) => {
    const own = { ...meta, at, commandHash: "0f" };
    return [encodeMeta(own), encodeMeta({ ...own, v: 2 }), JSON.stringify({ more: { v: 3 }, ...own })];
  });

  it.each(texts)("is that of the envelope: %s", (text) => {
    const lifting = liftedBy((data) => ({ ...data, lifted: true }));
    const event = recorded({ meta: text });
    expect(lifting.factOf(event)).toStrictEqual(lifting.decode(event).event);
  });
});

describe("metadata", () => {
  it("is known again by its form", () => {
    expect(isEncodedMeta(encodeMeta(meta))).toBe(false);
    const usual = { ...meta, commandId: "due:o-1:2@x|+=", commandHash: "0123456789abcdef" };
    for (const v of [1, 12]) {
      for (const at of [1, 253_402_300_799_999])
        expect(isEncodedMeta(encodeMeta({ ...usual, v, at }))).toBe(true);
    }
    expect(isEncodedMeta("{}")).toBe(false);
  });

  it.prop(
    [
      fc.array(fc.tuple(fc.nat(250), fc.constantFrom(...'"\\{}:,.-+e0159aZ $_\n\u007f\u2028é')), {
        maxLength: 3,
      }),
    ],
    { numRuns: 5_000 },
  )("that is known by its form is given back by JSON as it was", (changes) => {
    let text = encodeMeta({ ...meta, commandHash: "0a" });
    for (const [at, character] of changes) text = text.slice(0, at) + character + text.slice(at + (at % 2));
    fc.pre(isEncodedMeta(text));
    expect(JSON.stringify(JSON.parse(text))).toBe(text);
    expect(text).not.toContain('"$id":');
  });

  it("is written canonically", () => {
    const text = encodeMeta(meta);
    expect(text).toBe(JSON.stringify(meta));
    expect(JSON.stringify(JSON.parse(text))).toBe(text);
  });

  it("holds version and instant in its first 32 characters, the latest instant and a version of two digits included", () => {
    const text = encodeMeta({ ...meta, v: 99, at: 253_402_300_799_999 });
    const scanned = recorded({ meta: text.slice(0, 32) });
    expect(failure(() => codec.decodeFact(scanned)).code).toBe("newer");
    const present = encodeMeta({ ...meta, at: 253_402_300_799_999 }).slice(0, 32);
    expect(codec.decodeFact(recorded({ meta: present })).at).toBe(253_402_300_799_999);
  });
});
