// Every refusal of the domain in the wiki's words: which code each is for each of its three commands, and which of several is said.

import { describe, expect, it } from "vitest";

import { type Act, codeOf, messages } from "../../../src/dialects/appintf/messages.ts";
import { type Rejection, type RejectionCode, rejectionCodes } from "../../../src/domain/refusals.ts";

/** `x`: cannot occur, for the command never has it; were it to, it would be -1. */
type Cell = number | "x";

/** submit, cancel, confirmReceive. */
const cells: Readonly<Record<RejectionCode, readonly [Cell, Cell, Cell]>> = {
  invalidCommand: [-1, "x", "x"], // evidence longer than is kept
  commandIdReused: [-1, -1, -1],
  versionConflict: [-1, "x", "x"], // the order moved three times
  orderNotFound: [17, 17, 17],
  notOwner: [17, 17, 17],
  orderExists: ["x", "x", "x"],
  orderNoUsed: ["x", "x", "x"],
  wrongActor: [53, 18, -1],
  timeRunsBackwards: [-1, -1, -1],
  orderStatusNotEligible: [53, "x", 19],
  buyerMismatch: ["x", "x", "x"],
  buyerMissing: ["x", "x", "x"],
  merchantMismatch: ["x", "x", "x"],
  termsOverride: ["x", "x", "x"],
  lineIdTwice: ["x", "x", "x"],
  amountTooLarge: ["x", "x", "x"],
  discountTooHigh: ["x", "x", "x"],
  outOfStock: ["x", "x", "x"],
  redeemKeyMissing: ["x", "x", "x"],
  amountMismatch: ["x", "x", "x"],
  currencyMismatch: ["x", "x", "x"],
  paymentIdUsed: ["x", "x", "x"],
  notDue: ["x", "x", "x"],
  waybillMissing: ["x", "x", "x"],
  lineNotInOrder: [17, "x", "x"],
  codeMissing: ["x", "x", "x"],
  noRedemptionCode: ["x", "x", "x"],
  redemptionCodeWrong: ["x", "x", "x"],
  staffNotListed: ["x", "x", "x"],
  alreadyRedeemed: ["x", "x", "x"],
  alreadyReviewed: ["x", "x", "x"],
  reviewIncomplete: ["x", "x", "x"],
  stepOutOfOrder: ["x", "x", "x"],
  surplusTooHigh: ["x", "x", "x"],
  caseNotFound: [17, 17, 17],
  caseIdUsed: [-1, "x", "x"],
  caseStatusNotEligible: ["x", 18, "x"],
  originNotEligible: ["x", 18, "x"],
  caseOpen: [54, "x", "x"],
  nothingPaid: [53, "x", "x"],
  windowExpired: [53, "x", "x"],
  typeNotAllowed: [53, "x", "x"],
  amountTooLow: ["x", "x", "x"], // at least 0.01 is asked for
  amountTooHigh: [54, "x", "x"],
  quantityInvalid: ["x", "x", "x"],
  quantityTooHigh: ["x", "x", "x"],
  reasonLength: [51, "x", "x"],
  noteTooLong: [51, "x", "x"],
  evidenceTooMany: [-1, "x", "x"],
  statusNotPossible: ["x", "x", "x"],
  dispositionsMismatch: ["x", "x", "x"],
  consentMissing: ["x", "x", "x"],
  destinationMissing: ["x", "x", "x"],
  destinationRefused: ["x", "x", "x"],
  refundInFlight: [53, 18, "x"],
  refundUnknown: ["x", "x", "x"],
  refundNotInFlight: ["x", "x", "x"],
};

const acts: readonly Act[] = ["submit", "cancel", "receive"];

function refusal(code: RejectionCode, ...also: readonly RejectionCode[]): Rejection {
  return {
    code,
    ...(also.length === 0 ? {} : { also: also.map((one) => refusal(one)) }),
  } as unknown as Rejection;
}

it("knows every refusal there is", () => {
  expect(Object.keys(cells).toSorted()).toEqual(rejectionCodes.toSorted());
});

it.each(Object.entries(cells))("%s", (code, row) => {
  const said = acts.map((act) => codeOf(act, refusal(code as RejectionCode)));
  expect(said).toEqual(row.map((cell) => (cell === "x" ? -1 : cell)));
  for (const one of said) expect(messages[one]).toBeTruthy();
});

describe("of several", () => {
  it.each([
    ["submit", 17, ["caseOpen", "orderNotFound", "windowExpired"]],
    ["submit", 53, ["caseOpen", "amountTooHigh", "windowExpired"]],
    ["submit", 53, ["timeRunsBackwards", "caseOpen", "orderStatusNotEligible"]],
    ["submit", 54, ["timeRunsBackwards", "evidenceTooMany", "caseOpen"]],
    ["cancel", 17, ["refundInFlight", "caseNotFound"]],
    ["cancel", 18, ["timeRunsBackwards", "refundInFlight"]],
    ["receive", 19, ["timeRunsBackwards", "orderStatusNotEligible"]],
  ] as const)("%s says %i of %j", (act, code, [first, ...also]) => {
    expect(codeOf(act, refusal(first, ...also))).toBe(code);
  });
});
