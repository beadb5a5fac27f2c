// The progress bars, against the golden table of domain 1.1: all seven rows, and the exchange's own bar.

import { describe, expect, it } from "vitest";

import { type CaseStatus, type ShopxoStatus, caseStatuses, metaOf } from "../../src/domain/caseLifecycle.ts";
import { type Step, shopxoSteps, stepsOf } from "../../src/domain/steps.ts";
import { type CaseType, caseTypes } from "../../src/domain/terms.ts";
import { canBe } from "./cases.ts";

/** caret, angle, active, end of each step. */
function digits(steps: readonly Step[]): string {
  return steps.map((step) => `${step.is_caret}${step.is_angle}${step.is_active}${step.is_end}`).join(" ");
}

const golden: readonly (readonly [status: ShopxoStatus | "none", step0: string, step1: string])[] = [
  ["none", "1111 0100 0000", "1111 0100 0100 0100 0000"],
  [0, "1110 1111 0000", "1110 1111 0100 0100 0000"],
  [1, "1110 1111 0000", "1110 1110 1111 0100 0000"],
  [2, "1110 1111 0000", "1110 1110 1110 1111 0000"],
  [3, "1110 1110 0010", "1110 0110 1110 1110 0010"],
  [4, "1111 0100 0000", "1111 0100 0100 0100 0000"],
  [5, "1111 0100 0000", "1111 0100 0100 0100 0000"],
];

describe("ShopXO's bars", () => {
  it.each(golden)("at %s are %s and %s", (status, step0, step1) => {
    const steps = shopxoSteps(status);
    expect(digits(steps.step0)).toBe(step0);
    expect(digits(steps.step1)).toBe(step1);
  });

  it("are S1's own, name by name and number by number, before anything is applied for", () => {
    const { step0, step1 } = stepsOf(undefined);
    expect(step0).toStrictEqual([
      {
        number: 1,
        name: "申请仅退款",
        name_en: "Refund applied for",
        is_caret: 1,
        is_angle: 1,
        is_active: 1,
        is_end: 1,
      },
      {
        number: 2,
        name: "管理员审核",
        name_en: "Reviewed by the merchant",
        is_caret: 0,
        is_angle: 1,
        is_active: 0,
        is_end: 0,
      },
      {
        number: 3,
        name: "退款完毕",
        name_en: "Refunded",
        is_caret: 0,
        is_angle: 0,
        is_active: 0,
        is_end: 0,
      },
    ]);
    expect(step1.map(({ number, name, name_en }) => [number, name, name_en])).toStrictEqual([
      [1, "申请退货退款", "Return and refund applied for"],
      [2, "管理员确认", "Confirmed by the merchant"],
      [3, "用户退货", "Sent back by the buyer"],
      [4, "管理员审核", "Reviewed by the merchant"],
      [5, "退款完毕", "Refunded"],
    ]);
  });

  it("hold to invariant 17: one end but at 3, where there is none, and active steps are the first ones", () => {
    for (const [status] of golden) {
      for (const steps of Object.values(shopxoSteps(status))) {
        expect(steps.filter(({ is_end }) => is_end === 1)).toHaveLength(status === 3 ? 0 : 1);
        const active = steps.map(({ is_active }) => is_active).join("");
        expect(active).toMatch(/^1+0*$/);
      }
    }
  });
});

describe("a case's bars", () => {
  /** Domain 2.4: unified status to ShopXO's, by type. */
  const shopxo: Readonly<Record<CaseStatus, readonly [string, string, string]>> = {
    requested: ["2", "0", "0"],
    awaitingReturn: ["-", "1", "1"],
    returnInTransit: ["-", "2", "2"],
    refundPending: ["2", "2", "-"],
    replacementPending: ["-", "-", "2"],
    replacementShipped: ["-", "-", "2"],
    refunded: ["3", "3", "-"],
    exchanged: ["-", "-", "3"],
    rejected: ["4", "4", "4"],
    cancelled: ["5", "5", "5"],
    closed: ["5", "5", "5"],
  };

  it("stand where domain 2.4 puts them, both of them whatever the type is", () => {
    for (const status of caseStatuses) {
      const meta = metaOf(status);
      expect([status, caseTypes.map((type) => String(meta.shopxo[type] ?? "-"))]).toStrictEqual([
        status,
        shopxo[status],
      ]);
      for (const type of caseTypes) {
        expect(meta.shopxo[type] !== undefined).toBe(canBe(type, status));
        const { step0, step1 } = stepsOf({ type, status });
        expect({ step0, step1 }).toStrictEqual(shopxoSteps(meta.shopxo[type] ?? "none"));
      }
    }
  });

  it.each<readonly [CaseStatus, string]>([
    ["requested", "1110 1111 0100 0100 0100 0000"],
    ["awaitingReturn", "1110 1110 1111 0100 0100 0000"],
    ["returnInTransit", "1110 1110 1110 1111 0100 0000"],
    ["replacementPending", "1110 1110 1110 1111 0100 0000"],
    ["replacementShipped", "1110 1110 1110 1110 1111 0000"],
    ["exchanged", "1110 1110 1110 1110 1110 0010"],
    ["rejected", "1111 0100 0100 0100 0100 0000"],
    ["cancelled", "1111 0100 0100 0100 0100 0000"],
    ["closed", "1111 0100 0100 0100 0100 0000"],
  ])("of an exchange that is %s: %s", (status, expected) => {
    expect(digits(stepsOf({ type: "exchange", status }).exchange)).toBe(expected);
  });

  it("of an exchange have names of their own", () => {
    expect(stepsOf(undefined).exchange.map(({ name, name_en }) => [name, name_en])).toStrictEqual([
      ["申请换货", "Exchange applied for"],
      ["管理员确认", "Confirmed by the merchant"],
      ["用户退货", "Sent back by the buyer"],
      ["管理员换货", "Replaced by the merchant"],
      ["用户收货", "Received by the buyer"],
      ["换货完毕", "Exchanged"],
    ]);
  });

  it("of a refund leave the exchange's where it begins", () => {
    const types: readonly CaseType[] = ["refundOnly", "returnRefund"];
    for (const type of types) {
      for (const status of ["refundPending", "refunded"] as const) {
        expect(stepsOf({ type, status }).exchange).toStrictEqual(stepsOf(undefined).exchange);
      }
    }
  });
});
