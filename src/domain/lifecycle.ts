// The order's chart, the one source of which command is legal when, and the frozen moves derived from it once.

import { setup } from "xstate";

import type { CaseCommandType } from "./caseCommands.ts";
import { legalityOf, movesOf } from "./chart.ts";
import type { CommandType } from "./commands.ts";
import type { OrderEvent, OrderEventType } from "./events.ts";

export const orderStatuses = [
  "pendingConfirmation",
  "pendingPayment",
  "paid",
  "shipped",
  "completed",
  "cancelled",
  "closed",
] as const;

export type OrderStatus = (typeof orderStatuses)[number];

/** `none`: before creation. */
export type ChartStatus = "none" | OrderStatus;

/** The commands that move an order itself: its own, the application that opens a case of it, and the settlement that closes it. */
export type OrderCommandType = Exclude<CommandType, CaseCommandType> | "ApplyRefund" | "SettleRefund";

/** What a command can lead to: its name, or `Command/variant` where it can lead to several statuses. */
export type Outcome =
  | Exclude<OrderCommandType, "CreateOrder" | "ConfirmOrder" | "CancelOrder" | "SettleRefund">
  | `CreateOrder/${"booking" | "payable" | "free"}`
  | `ConfirmOrder/${"payable" | "free"}`
  | `CancelOrder/${"unpaid" | "paid"}`
  | "SettleRefund/closes";

/**
 * The chart, exported for those who want it in a front end. Its events are outcomes; the meta of a transition names the fact that
 * the move records. No guards, no actions, no clock: those are `decide`'s.
 */
export const orderMachine = setup({
  types: {
    events: {} as { type: Outcome },
    transitionMeta: {} as { records: OrderEventType },
  },
}).createMachine({
  id: "order",
  initial: "none",
  states: {
    none: {
      on: {
        "CreateOrder/booking": { target: "pendingConfirmation", meta: { records: "OrderCreated" } },
        "CreateOrder/payable": { target: "pendingPayment", meta: { records: "OrderCreated" } },
        "CreateOrder/free": { target: "paid", meta: { records: "OrderCreated" } },
      },
    },
    pendingConfirmation: {
      on: {
        "ConfirmOrder/payable": { target: "pendingPayment", meta: { records: "OrderConfirmed" } },
        "ConfirmOrder/free": { target: "paid", meta: { records: "OrderConfirmed" } },
        "CancelOrder/unpaid": { target: "cancelled", meta: { records: "OrderCancelled" } },
      },
    },
    pendingPayment: {
      on: {
        Pay: { target: "paid", meta: { records: "OrderPaid" } },
        "CancelOrder/unpaid": { target: "cancelled", meta: { records: "OrderCancelled" } },
        ExpireOrder: { target: "closed", meta: { records: "OrderExpired" } },
      },
    },
    paid: {
      on: {
        "CancelOrder/paid": { target: "paid", meta: { records: "RefundApplied" } },
        ApplyRefund: { target: "paid", meta: { records: "RefundApplied" } },
        "SettleRefund/closes": { target: "closed", meta: { records: "OrderClosedByRefund" } },
        Ship: { target: "shipped", meta: { records: "OrderShipped" } },
        Redeem: { target: "completed", meta: { records: "OrderRedeemed" } },
        AuditPayment: { target: "paid", meta: { records: "PaymentAudited" } },
        MarkPurchased: { target: "paid", meta: { records: "GoodsPurchased" } },
      },
    },
    shipped: {
      on: {
        ApplyRefund: { target: "shipped", meta: { records: "RefundApplied" } },
        "SettleRefund/closes": { target: "closed", meta: { records: "OrderClosedByRefund" } },
        CorrectShipment: { target: "shipped", meta: { records: "ShipmentCorrected" } },
        ConfirmReceipt: { target: "completed", meta: { records: "ReceiptConfirmed" } },
        Redeem: { target: "completed", meta: { records: "OrderRedeemed" } },
      },
    },
    completed: {
      on: {
        ApplyRefund: { target: "completed", meta: { records: "RefundApplied" } },
        "SettleRefund/closes": { target: "closed", meta: { records: "OrderClosedByRefund" } },
        Review: { target: "completed", meta: { records: "OrderReviewed" } },
        HideOrder: { target: "completed", meta: { records: "OrderHidden" } },
        RecordTaxSurplus: { target: "completed", meta: { records: "TaxSurplusRecorded" } },
        RecordTaxRefund: { target: "completed", meta: { records: "TaxRefunded" } },
      },
    },
    cancelled: {
      on: {
        Pay: { target: "cancelled", meta: { records: "LatePaymentReceived" } },
        HideOrder: { target: "cancelled", meta: { records: "OrderHidden" } },
      },
    },
    closed: {
      on: {
        Pay: { target: "closed", meta: { records: "LatePaymentReceived" } },
        HideOrder: { target: "closed", meta: { records: "OrderHidden" } },
      },
    },
  },
});

const everyCommand: Readonly<Record<OrderCommandType, true>> = {
  CreateOrder: true,
  ConfirmOrder: true,
  Pay: true,
  CancelOrder: true,
  ExpireOrder: true,
  Ship: true,
  CorrectShipment: true,
  ConfirmReceipt: true,
  Redeem: true,
  Review: true,
  HideOrder: true,
  AuditPayment: true,
  MarkPurchased: true,
  RecordTaxSurplus: true,
  RecordTaxRefund: true,
  ApplyRefund: true,
  SettleRefund: true,
};

export const commandTypes = Object.keys(everyCommand) as readonly OrderCommandType[];

export const orderMoves = movesOf<ChartStatus, Outcome, OrderEventType>(orderMachine, commandTypes);

/** Whether one of the command's outcomes leaves this status; which statuses those are; which status follows. */
const { isLegal, statusesFor, after } = legalityOf<ChartStatus, OrderCommandType>(orderMoves, commandTypes);

export { isLegal, statusesFor };

/** The commands to the order itself that are legal in a status, in the table's order; a settlement is a case's. */
export function commandsFor(status: ChartStatus): readonly OrderCommandType[] {
  return commandTypes.filter((type) => type !== "SettleRefund" && isLegal(status, type));
}

/**
 * The status after a fact. A fact that no move records from this status leaves the status as it is: an odd order of events must stay
 * readable.
 */
export function statusAfter<S extends ChartStatus>(
  status: S,
  event: Pick<OrderEvent, "type">,
  variant?: "booking" | "payable" | "free",
): S | OrderStatus {
  const key =
    variant === undefined
      ? event.type
      : event.type === "OrderCreated"
        ? `CreateOrder/${variant}`
        : `ConfirmOrder/${variant}`;
  return (after(status, key) as OrderStatus | undefined) ?? status;
}
