// The bytes that are stored: canonical whatever was sent, the same on every store, and the same for a command sent again.

import fc from "fast-check";
import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";

import { redemptionCode } from "../../src/commands/redemption.ts";
import type { Actor } from "../../src/domain/actor.ts";
import { codec } from "../../src/store/codec.ts";
import { openMemoryStore } from "../../src/store/memory.ts";
import type { RecordedEvent } from "../../src/store/port.ts";
import { merchant, minute, staff, system, t0 } from "../domain/orders.ts";
import { open, tidyEngines } from "../engines.ts";
import { newFile, openFile } from "../store/files.ts";
import { readEverything } from "../store/samples.ts";
import { shuffled, soundOrder, source, text } from "./arbitraries.ts";

tidyEngines();

const redeemKey = "bytes";

/** An order's life with free texts in every place that takes one. */
const life = fc.record({
  order: soundOrder(fc.constant("o-1")).map((order) => ({ ...order, redeemable: true, fulfilment: "local" })),
  method: text(1, 9),
  tradeNo: text(1, 9),
  carrier: text(1, 9),
  remark: text(0, 20),
  reason: text(0, 20),
  redeemed: source,
  ending: fc.constantFrom("cancel", "redeem", "review"),
  chance: fc.infiniteStream(fc.nat()),
});

describe("what is stored", () => {
  it("is canonical, equal on both stores, and equal however the command was written", async () => {
    let stored = 0;
    await fc.assert(
      fc.asyncProperty(
        life,
        async ({ order, method, tradeNo, carrier, remark, reason, redeemed, ending, chance }) => {
          const memory = openMemoryStore();
          const file = await openFile(newFile());
          const engines = [memory, file].map((store) =>
            open({ store, redeemKey, terms: { "*": { redeemStaff: [staff.id] } } }),
          );
          const [one, other] = await Promise.all(engines as [(typeof engines)[0], (typeof engines)[0]]);
          let n = 0;
          const both = async (command: object, actor: Actor) => {
            n += 1;
            const options = { actor, commandId: `c-${n}`, at: t0 + n * minute };
            const first = await one.execute(command, options);
            const again = await other.execute(shuffled(command, chance), shuffled(options, chance));
            expect(again).toEqual(first);
            if (E.isLeft(first) && first.left.code === "invalidCommand")
              throw new Error(JSON.stringify(first.left));
            // In the other order of keys it is the same command.
            const repeat = await one.execute(shuffled(command, chance), options);
            if (E.isRight(first) && first.right.events.length > 0) {
              expect(repeat).toEqual(E.right({ ...first.right, replayed: true }));
            }
          };
          await both(order, system);
          const state = await one.state("o-1");
          if (state.status === "none") return;
          const owner = { role: "buyer", id: state.buyerId } as const;
          await both({ type: "ConfirmOrder", orderId: "o-1" }, merchant);
          if (ending === "cancel") await both({ type: "CancelOrder", orderId: "o-1", reason }, owner);
          await both(
            {
              type: "Pay",
              orderId: "o-1",
              payId: "p",
              amount: state.total,
              channel: "online",
              method,
              tradeNo,
            },
            owner,
          );
          if (ending === "redeem") {
            await both(
              { type: "Redeem", orderId: "o-1", code: redemptionCode(redeemKey, "o-1"), source: redeemed },
              staff,
            );
          }
          await both(
            { type: "Ship", orderId: "o-1", shipments: [{ carrier, trackingNumber: tradeNo }] },
            merchant,
          );
          await both({ type: "ConfirmReceipt", orderId: "o-1" }, owner);
          const items = state.lines.map(({ lineId }) => ({ lineId, rating: "good", text: remark }));
          await both({ type: "Review", orderId: "o-1", items }, owner);
          const left = await readEverything(memory);
          const right = await readEverything(file);
          expect(left.map(bytes)).toEqual(right.map(bytes));
          for (const event of left) {
            stored += 1;
            expect(JSON.stringify(JSON.parse(event.data))).toBe(event.data);
            expect(JSON.stringify(JSON.parse(event.meta))).toBe(event.meta);
          }
          // What is answered at once and what is read back are one and the same.
          expect((await one.history("o-1")).map(({ event }) => event)).toEqual(
            left.map((event) => codec.decode(event).event),
          );
          expect(await one.state("o-1")).toEqual((await other.views.order("o-1"))?.order);
          for (const { view, different } of await other.check()) expect([view, different]).toEqual([view, 0]);
          await Promise.all([one.close(), other.close()]);
        },
      ),
      { numRuns: 60 },
    );
    expect(stored).toBeGreaterThan(100);
  });
});

function bytes({ stream, revision, id, type, data, meta }: RecordedEvent): unknown {
  return { stream, revision, id, type, data, meta };
}
