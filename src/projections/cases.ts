// The after-sale cases: one row a case, for the refund history of buyers and merchants, and for the queue of what waits for whom.

import type { Origin } from "../domain/caseEvents.ts";
import type { CaseStatus } from "../domain/caseLifecycle.ts";
import type { CaseDeadlineKind } from "../domain/deadlines.ts";
import type { CaseType } from "../domain/terms.ts";
import type { Party } from "../domain/waiting.ts";
import type { Scope } from "./statistics.ts";

/** A case in a list. Amounts in minor units, instants in milliseconds UTC. */
export interface CaseRow {
  readonly orderId: string;
  readonly caseId: string;
  /** Its place among the order's cases, from 1. */
  readonly number: number;
  readonly orderNo: string;
  readonly merchantId: string;
  readonly buyerId: string;
  /** Undefined where it is about the whole order. */
  readonly lineId: string | undefined;
  /** Of the line, or of the order's first. */
  readonly title: string;
  readonly origin: Origin;
  readonly type: CaseType;
  readonly status: CaseStatus;
  /** Units to be sent back. */
  readonly quantity: number;
  readonly currency: string;
  /** As it stands now, and as it was asked for. */
  readonly amount: number;
  readonly amountAsked: number;
  readonly reason: string | undefined;
  readonly appliedAt: number;
  /** Whom it waits for; undefined once it has ended. */
  readonly waitsFor: Party | undefined;
  /** Since when it waits, or when it ended. */
  readonly since: number;
  /** Its next deadline. */
  readonly deadline: { readonly kind: CaseDeadlineKind; readonly dueAt: number } | undefined;
  /** The merchant hid it, or its order. */
  readonly hiddenByMerchant: boolean;
  /** The buyer hid its order. */
  readonly hiddenByBuyer: boolean;
}

export interface CaseFilter {
  /** A merchant's omits what the merchant hid, a buyer's what the buyer hid; all of them without it. */
  readonly scope?: Scope | undefined;
  readonly statuses?: readonly CaseStatus[] | undefined;
  readonly types?: readonly CaseType[] | undefined;
  /** Applied for at or after, and before, these instants. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Cases a page, 1 to 1000; 20 without it. */
  readonly limit?: number | undefined;
  /** The `next` of the page before. */
  readonly cursor?: string | undefined;
}

export interface QueueFilter {
  /** One merchant's cases; everybody's without it. */
  readonly merchantId?: string | undefined;
  /** Whom they wait for; anybody without it. */
  readonly waitsFor?: readonly Party[] | undefined;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface CasePage {
  /** A history: newest application first. A queue: what has waited longest first. */
  readonly cases: readonly CaseRow[];
  /** Give it as `cursor` for the next page; undefined at the end. What is applied for meanwhile does not shift the pages. */
  readonly next: string | undefined;
}
