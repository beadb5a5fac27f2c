// The progress bars of a case (ShopXO's step_data): which step it stands at, by the chart's own meta.

import { type CaseStatus, type ShopxoStatus, metaOf } from "./caseLifecycle.ts";
import type { CaseType } from "./terms.ts";

/** One step of a bar; 1 or 0, as S1 has it. */
export interface Step {
  readonly number: number;
  readonly name: string;
  /** The same in English. */
  readonly name_en: string;
  readonly is_caret: 0 | 1;
  readonly is_angle: 0 | 1;
  readonly is_active: 0 | 1;
  readonly is_end: 0 | 1;
}

export interface Steps {
  /** Of a refund alone. */
  readonly step0: readonly Step[];
  /** Of a return and refund. */
  readonly step1: readonly Step[];
  /** Of an exchange. */
  readonly exchange: readonly Step[];
}

type Names = readonly (readonly [name: string, english: string])[];

const refundNames: Names = [
  ["申请仅退款", "Refund applied for"],
  ["管理员审核", "Reviewed by the merchant"],
  ["退款完毕", "Refunded"],
];

const returnNames: Names = [
  ["申请退货退款", "Return and refund applied for"],
  ["管理员确认", "Confirmed by the merchant"],
  ["用户退货", "Sent back by the buyer"],
  ["管理员审核", "Reviewed by the merchant"],
  ["退款完毕", "Refunded"],
];

const exchangeNames: Names = [
  ["申请换货", "Exchange applied for"],
  ["管理员确认", "Confirmed by the merchant"],
  ["用户退货", "Sent back by the buyer"],
  ["管理员换货", "Replaced by the merchant"],
  ["用户收货", "Received by the buyer"],
  ["换货完毕", "Exchanged"],
];

/**
 * A bar that stands at a step, from 1; at 0 where nothing was applied for, or the case came to nothing: the bar invites to apply then.
 * Steps behind are done, the one it stands at is its end; beyond the last one there is no arrow.
 */
function bar(names: Names, at: number): readonly Step[] {
  const here = Math.max(1, at);
  const done = here === names.length;
  return names.map(([name, english], index) => {
    const number = index + 1;
    const last = number === names.length;
    const active = number <= here;
    return {
      number,
      name,
      name_en: english,
      is_caret: active && !last ? 1 : 0,
      is_angle: last ? 0 : 1,
      is_active: active ? 1 : 0,
      is_end: number === here && !done ? 1 : 0,
    };
  });
}

/** Where the two bars of ShopXO stand, by its status of the case; the bars are the same whatever the case's type is. */
const stands: Readonly<Record<ShopxoStatus | "none", readonly [step0: number, step1: number]>> = {
  none: [0, 0],
  0: [2, 2],
  1: [2, 3],
  2: [2, 4],
  3: [3, 5],
  4: [0, 0],
  5: [0, 0],
};

/** The bars for ShopXO's status of a case, `none` where there is no case. */
export function shopxoSteps(status: ShopxoStatus | "none"): Pick<Steps, "step0" | "step1"> {
  const [at0, at1] = stands[status];
  const step1 = bar(returnNames, at1);
  return {
    step0: bar(refundNames, at0),
    // ShopXO draws the merchant's confirmation of a finished case without its caret.
    step1: status === 3 ? step1.map((step) => (step.number === 2 ? { ...step, is_caret: 0 } : step)) : step1,
  };
}

/** The progress of the latest case of a line; undefined where it has none. */
export function stepsOf(latest: { readonly type: CaseType; readonly status: CaseStatus } | undefined): Steps {
  if (latest === undefined) return { ...shopxoSteps("none"), exchange: bar(exchangeNames, 0) };
  const { shopxo, exchangeStep } = metaOf(latest.status);
  return { ...shopxoSteps(shopxo[latest.type] ?? "none"), exchange: bar(exchangeNames, exchangeStep) };
}
