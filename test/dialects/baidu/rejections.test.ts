// Every refusal of the domain in the order centre's words, which are few: a row that failed, or that the same is to be asked again.

import * as E from "fp-ts/lib/Either.js";
import { expect, it } from "vitest";

import { baidu } from "../../../src/dialects/baidu/index.ts";
import { toldOf } from "../../../src/dialects/baidu/views.ts";
import type { Rejection, RejectionCode } from "../../../src/domain/refusals.ts";
import type { Engine } from "../../../src/engine.ts";
import { live, open, tidyEngines } from "../../engines.ts";
import { portsFor } from "../ports.ts";
import { shop } from "./lives.ts";

tidyEngines();

/** A cell that cannot occur says why; it is tried all the same, for what cannot occur must not be taken for done. */
const cells: Readonly<Record<RejectionCode, "0" | "errno" | `0, though: ${string}`>> = {
  invalidCommand: "0",
  commandIdReused: "0, though: the id is made from the command",
  versionConflict: "errno",
  orderNotFound: "0",
  notOwner: "0",
  orderExists: "errno",
  orderNoUsed: "0",
  wrongActor: "0, though: the roles are set here",
  timeRunsBackwards: "0, though: no instant is before the order's last",
  orderStatusNotEligible: "0",
  buyerMismatch: "0, though: the system asks",
  buyerMissing: "0, though: the user must be named",
  merchantMismatch: "0, though: the system asks",
  termsOverride: "0, though: the system asks",
  lineIdTwice: "0, though: lines are numbered here",
  amountTooLarge: "0",
  discountTooHigh: "0, though: the discount is what is left",
  outOfStock: "0, though: no stock is asked about",
  redeemKeyMissing: "0, though: no code is asked for",
  amountMismatch: "0, though: the amount is the order's",
  currencyMismatch: "0, though: no currency is named",
  paymentIdUsed: "0",
  notDue: "0, though: nothing that is due is asked for",
  waybillMissing: "0",
  lineNotInOrder: "0, though: parcels name no lines",
  codeMissing: "0",
  noRedemptionCode: "0, though: nothing is redeemed",
  redemptionCodeWrong: "0, though: no code is presented",
  staffNotListed: "0, though: nothing is redeemed",
  alreadyRedeemed: "0, though: nothing is redeemed",
  alreadyReviewed: "0, though: nothing is reviewed",
  reviewIncomplete: "0, though: nothing is reviewed",
  stepOutOfOrder: "0, though: no such step is asked for",
  surplusTooHigh: "0, though: no such step is asked for",
  caseNotFound: "0",
  caseIdUsed: "0",
  caseStatusNotEligible: "0",
  originNotEligible: "0",
  caseOpen: "0",
  nothingPaid: "0",
  windowExpired: "0, though: no window is asked about",
  typeNotAllowed: "0",
  amountTooLow: "0",
  amountTooHigh: "0",
  quantityInvalid: "0, though: the quantity fits the type",
  quantityTooHigh: "0",
  reasonLength: "0, though: the only reason is the document's own",
  noteTooLong: "0, though: there are no notes",
  evidenceTooMany: "0, though: there is no evidence",
  statusNotPossible: "0",
  dispositionsMismatch: "0, though: all that is awaited comes",
  consentMissing: "0, though: consent is taken as given",
  destinationMissing: "0, though: it is by hand",
  destinationRefused: "0, though: it is by hand",
  refundInFlight: "0",
  refundUnknown: "0, though: no refund is named",
  refundNotInFlight: "0, though: no refund is named",
};

/** What any refusal is put into words with. */
const facts = {
  issues: [],
  allowed: [],
  missing: [],
  currency: "CNY",
  ...Object.fromEntries(
    ["at", "lastAt", "dueAt", "until", "amount", "due", "discount", "least", "limit", "claimed", "paid"].map(
      (name) => [name, 0],
    ),
  ),
};

it.each(Object.entries(cells))("%s: %s", async (code, cell) => {
  const engine = await open({ store: "memory:" });
  await live(engine, "o-1", 2);
  const document = toldOf((await engine.views.order("o-1"))!, shop)!.Data[0];
  const there = await open({ store: "memory:" });
  let asked = 0;
  const refusing = new Proxy(there, {
    get: (target, key: keyof Engine) => {
      if (key === "execute") {
        return async () => {
          asked += 1;
          return E.left({ ...facts, code } as unknown as Rejection);
        };
      }
      const value: unknown = target[key];
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  const handler = baidu(refusing, portsFor(refusing), shop);
  const answer = await handler(
    new Request(
      "http://centre.example/rest/2.0/smartapp/ordercenter/app/add/main/info?access_token=token-of-main&open_id=buyer-1",
      {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ Data: [document] }),
      },
    ),
  );
  const row = { biz_app_id: shop.appKey, cate_id: "1", resource_id: "o-1", rows_affected: "0" };
  expect(await answer.json()).toEqual(
    cell === "errno" ? { errno: 1, msg: "操作失败", data: [] } : { errno: 0, msg: "success", data: [row] },
  );
  // In the way of others it is asked again, and not for ever.
  expect(asked).toBe(cell === "errno" ? 5 : 1);
});
