// The scenarios of domain 5 that need no after-sale case (1-3, 17-19), played command by command, with apifm's status after each.

import { expect, it } from "vitest";

import type { Actor } from "../../src/domain/actor.ts";
import type { Command, Policy } from "../../src/domain/commands.ts";
import { courseOf, outcomeOf } from "./course.ts";
import {
  admin,
  apifm,
  ask,
  askForOrder,
  buyer,
  day,
  merchant,
  minute,
  parcel,
  policy,
  rightCode,
  second,
  staff,
  system,
  t0,
  withTerms,
  wrongCode,
} from "./orders.ts";

/** Plays commands on one order and keeps what was said: per command its facts or its refusal, and apifm's status after it. */
function play() {
  const said: string[] = [];
  const course = courseOf();
  const scene = {
    said,
    does(actor: Actor, at: number, command: Command, knowing: Policy = policy) {
      const { answer, after } = course.does(actor, command, knowing, at);
      said.push(`${outcomeOf(answer)}: ${apifm(after) ?? "-"}`);
      return scene;
    },
  };
  return scene;
}

const pay = ask("Pay", { payId: "pay-1", amount: 5_800, channel: "online" });
const ship = ask("Ship", { shipments: [parcel] });
const review = ask("Review", {
  items: [
    { lineId: "L1", rating: "good" },
    { lineId: "L2", rating: "neutral" },
  ],
});
const confirm = ask("ConfirmReceipt", {});
const expire = ask("ExpireOrder", {});
const hide = ask("HideOrder", {});
const redeem = ask("Redeem", { code: "ABC" });

it("1. the happy path: placed, paid, shipped, received, reviewed; a second review is refused", () => {
  const { said } = play()
    .does(buyer, t0, askForOrder())
    .does(buyer, t0 + minute, pay)
    .does(merchant, t0 + day, ship)
    .does(buyer, t0 + 2 * day, confirm)
    .does(buyer, t0 + 3 * day, review)
    .does(buyer, t0 + 4 * day, review);
  expect(said).toStrictEqual([
    "OrderCreated: 0",
    "OrderPaid + StockDeducted: 1",
    "OrderShipped: 2",
    "ReceiptConfirmed: 3",
    "OrderReviewed: 4",
    "alreadyReviewed: 4",
  ]);
});

it("2. the unpaid timeout: not at +30:00, at +30:01, the stock back; money that comes then is kept", () => {
  const due = t0 + 30 * minute;
  const { said } = play()
    .does(buyer, t0, askForOrder(), withTerms({ stockDeduction: "confirmation" }))
    .does(system, due, expire)
    .does(system, due + second, expire)
    .does(system, due + 2 * second, expire)
    .does(system, due + minute, pay)
    .does(system, due + minute, pay);
  expect(said).toStrictEqual([
    "OrderCreated + StockDeducted: 0",
    "notDue: 0",
    "OrderExpired + StockReleased: -1",
    "orderStatusNotEligible: -1",
    "LatePaymentReceived + RefundApplied + RefundApproved: -1",
    "nothing: -1",
  ]);
});

it("3. payment against timeout: whichever comes first wins, the other appends nothing that moves the order", () => {
  const at = t0 + 30 * minute + second;
  expect(
    play().does(buyer, t0, askForOrder()).does(buyer, at, pay).does(system, at, expire).said,
  ).toStrictEqual(["OrderCreated: 0", "OrderPaid + StockDeducted: 1", "orderStatusNotEligible: 1"]);
  expect(
    play().does(buyer, t0, askForOrder()).does(system, at, expire).does(buyer, at, pay).said,
  ).toStrictEqual([
    "OrderCreated: 0",
    "OrderExpired: -1",
    "LatePaymentReceived + RefundApplied + RefundApproved: -1",
  ]);
});

it("17. the write-off: wrong code, staff not listed, then redeemed, and not twice", () => {
  const { said } = play()
    .does(buyer, t0, askForOrder({ redeemable: true }))
    .does(buyer, t0 + minute, pay)
    .does(staff, t0 + day, redeem, wrongCode)
    .does({ role: "staff", id: "staff-2" }, t0 + day, redeem, rightCode)
    .does(staff, t0 + day, redeem, rightCode)
    .does(staff, t0 + day, redeem, rightCode);
  expect(said).toStrictEqual([
    "OrderCreated: 0",
    "OrderPaid + StockDeducted: 1",
    "redemptionCodeWrong: 1",
    "staffNotListed: 1",
    "OrderRedeemed + ReceiptConfirmed: 3",
    "orderStatusNotEligible: 3",
  ]);
});

it("18. the automatic receipt: not at +15 d, at +15 d and a second", () => {
  const due = t0 + 16 * day;
  const { said } = play()
    .does(buyer, t0, askForOrder())
    .does(buyer, t0 + minute, pay)
    .does(merchant, t0 + day, ship)
    .does(system, due, confirm)
    .does(system, due + second, confirm);
  expect(said.slice(2)).toStrictEqual(["OrderShipped: 2", "notDue: 2", "ReceiptConfirmed: 3"]);
});

it("19. hidden by the buyer: not while pending, once received, again for nothing; an admin hides nothing", () => {
  const { said } = play()
    .does(buyer, t0, askForOrder())
    .does(buyer, t0, hide)
    .does(buyer, t0 + minute, pay)
    .does(merchant, t0 + day, ship)
    .does(buyer, t0 + 2 * day, confirm)
    .does(admin, t0 + 2 * day, hide)
    .does(buyer, t0 + 2 * day, hide)
    .does(buyer, t0 + 3 * day, hide);
  expect(said.filter((_line, index) => index === 1 || index > 4)).toStrictEqual([
    "orderStatusNotEligible: 0",
    "wrongActor: 3",
    "OrderHidden: 3",
    "nothing: 3",
  ]);
});
