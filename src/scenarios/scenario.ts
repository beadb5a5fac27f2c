// What a scenario is once it is read: what is given, and steps with what must come of each.

import type { RefundScript } from "../commands/scripted.ts";
import type { TermsOption } from "../commands/terms.ts";
import type { Actor } from "../domain/actor.ts";
import type { OrderEvent } from "../domain/events.ts";
import type { JsonObject } from "../domain/json.ts";
import type { DialectName } from "../dialects/byName.ts";
import type { ShopData } from "../dialects/catalog.ts";
import type { Scope } from "../projections/statistics.ts";
import type { OutcomeExpected, ReplyExpected, ViewExpected } from "./expectations.ts";

/** What is wrong with a file, and where; lines and columns count from 1. */
export interface Fault {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

interface Placed {
  readonly line: number;
  readonly column: number;
  /** What reports call it. */
  readonly name: string;
  /** The instant of the scenario's clock: milliseconds UTC. */
  readonly at: number;
}

export interface CommandStep extends Placed {
  readonly kind: "command";
  readonly command: JsonObject;
  readonly actor: Actor;
  readonly commandId: string;
  readonly expect: bigint | "none" | undefined;
}

export interface GivenEvent extends Placed {
  readonly kind: "event";
  readonly orderId: string;
  readonly event: OrderEvent;
  readonly actor: Actor;
  readonly commandId: string;
}

/** Deadlines fire, the refund process runs, or the engine ends and another opens the store. */
interface EngineStep extends Placed {
  readonly kind: "due" | "refunds" | "restart";
}

interface LookStep extends Placed {
  readonly kind: "look";
}

/** A request in a dialect. */
export interface AskStep extends Placed {
  readonly kind: "ask";
  readonly dialect: DialectName;
  readonly method: "GET" | "POST";
  /** As the dialect's document has it, apifm's without the sub-domain. */
  readonly path: string;
  readonly fields: JsonObject;
  /** Undefined: no token is sent. */
  readonly actor: Actor | undefined;
  readonly key: string;
  readonly reply: ReplyExpected | undefined;
}

/** A command with what must come of it. */
export type Attempt = CommandStep & { readonly outcome: OutcomeExpected };

/** Commands of one instant, none of which waits for another's answer. */
export interface TogetherStep extends Placed {
  readonly kind: "together";
  readonly attempts: readonly Attempt[];
}

export type Step = (CommandStep | EngineStep | LookStep | TogetherStep | AskStep) & {
  /**
   * What the command, the engine's work or the request must come to; undefined where only views are looked at, where each attempt has
   * its own, and where a request may come to anything.
   */
  readonly outcome: OutcomeExpected | undefined;
  readonly views: readonly ViewExpected[];
};

export interface Scenario {
  readonly name: string;
  readonly line: number;
  readonly terms: TermsOption | undefined;
  readonly redeemKey: string | undefined;
  /** What the payment provider and the wallet answer; `settle` without it. */
  readonly provider: RefundScript | undefined;
  readonly wallet: RefundScript | undefined;
  /** What the dialects sell, and what buyers have with the shop, in minor units of its currency. */
  readonly shop: ShopData | undefined;
  readonly wallets: Readonly<Record<string, number>> | undefined;
  /** Events first, then commands. */
  readonly given: readonly (GivenEvent | CommandStep)[];
  readonly steps: readonly Step[];
}

/** Whether a scenario says anything that could turn out otherwise. */
export function expectsAnything({ steps }: Scenario): boolean {
  return steps.some((step) => {
    const outcomes = step.kind === "together" ? step.attempts.map(({ outcome }) => outcome) : [step.outcome];
    return (
      step.views.length > 0 ||
      (step.kind === "ask" && step.reply !== undefined) ||
      outcomes.some((outcome) => outcome !== undefined && outcome.kind !== "accepted")
    );
  });
}

/** What reports call a look at a view. */
export function viewName(expected: ViewExpected): string {
  switch (expected.view) {
    case "provider":
    case "wallet":
      return expected.view;
    case "order":
      return `order ${expected.orderId}`;
    case "refund":
      return "caseId" in expected.of
        ? `refund ${expected.of.caseId}`
        : `refund of line ${expected.of.lineId}`;
    case "refundHistory":
      return "orderId" in expected
        ? `refundHistory of ${expected.orderId}`
        : scoped(expected.view, expected.filter.scope);
    case "queue": {
      const { merchantId } = expected.filter;
      return scoped(expected.view, merchantId === undefined ? "all" : { merchantId });
    }
    case "statistics":
      return scoped(expected.view, expected.scope);
    case "orders":
      return scoped(expected.view, expected.filter.scope);
  }
}

function scoped(view: string, scope: Scope = "all"): string {
  if (scope === "all") return view;
  return `${view} of ${"buyerId" in scope ? `buyer:${scope.buyerId}` : `merchant:${scope.merchantId}`}`;
}
