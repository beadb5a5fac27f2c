// The order's chart, the one source of which command is legal when, and the frozen moves derived from it once.

import { setup } from "xstate";

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

/** What a command can lead to: its name, or `Command/variant` where it can lead to several statuses. */
export type Outcome =
  | Exclude<CommandType, "CreateOrder" | "ConfirmOrder">
  | `CreateOrder/${"booking" | "payable" | "free"}`
  | `ConfirmOrder/${"payable" | "free"}`;

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
        CancelOrder: { target: "cancelled", meta: { records: "OrderCancelled" } },
      },
    },
    pendingPayment: {
      on: {
        Pay: { target: "paid", meta: { records: "OrderPaid" } },
        CancelOrder: { target: "cancelled", meta: { records: "OrderCancelled" } },
        ExpireOrder: { target: "closed", meta: { records: "OrderExpired" } },
      },
    },
    paid: {
      on: {
        Ship: { target: "shipped", meta: { records: "OrderShipped" } },
        Redeem: { target: "completed", meta: { records: "OrderRedeemed" } },
        AuditPayment: { target: "paid", meta: { records: "PaymentAudited" } },
        MarkPurchased: { target: "paid", meta: { records: "GoodsPurchased" } },
      },
    },
    shipped: {
      on: {
        CorrectShipment: { target: "shipped", meta: { records: "ShipmentCorrected" } },
        ConfirmReceipt: { target: "completed", meta: { records: "ReceiptConfirmed" } },
        Redeem: { target: "completed", meta: { records: "OrderRedeemed" } },
      },
    },
    completed: {
      on: {
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

/** One arrow of a chart. */
export interface Move<S extends string = string, O extends string = string, E extends string = string> {
  readonly from: S;
  readonly outcome: O;
  readonly records: E;
  readonly to: S;
}

/** What `movesOf` reads of a machine: its config, as it was given. */
interface Charted {
  readonly config: { readonly initial?: unknown; readonly states?: unknown };
}

/**
 * Walks a chart once into its moves, in the chart's own order.
 * @throws Error where a status cannot be reached, a transition is not a plain target with its fact, or a command of `commands` is
 * used by no transition: a chart at odds with its engine must not start.
 */
export function movesOf<S extends string, O extends string, E extends string>(
  machine: Charted,
  commands: readonly string[],
): readonly Move<S, O, E>[] {
  const states = machine.config.states as Record<
    string,
    {
      readonly on?: Record<
        string,
        { readonly target?: unknown; readonly meta?: { readonly records?: unknown } }
      >;
    }
  >;
  const moves: Move<S, O, E>[] = [];
  for (const [from, state] of Object.entries(states)) {
    for (const [outcome, transition] of Object.entries(state.on ?? {})) {
      const { target, meta } = transition;
      if (typeof target !== "string" || typeof meta?.records !== "string" || !(target in states)) {
        throw new Error(`chart: ${from} --${outcome}--> has no plain target with a recorded fact`);
      }
      moves.push(
        Object.freeze({ from, outcome, records: meta.records, to: target }) as unknown as Move<S, O, E>,
      );
    }
  }
  const reached = new Set<string>([String(machine.config.initial)]);
  for (let grown = true; grown;) {
    grown = false;
    for (const move of moves) {
      if (reached.has(move.from) && !reached.has(move.to)) {
        reached.add(move.to);
        grown = true;
      }
    }
  }
  const unreachable = Object.keys(states).filter((status) => !reached.has(status));
  if (unreachable.length > 0) throw new Error(`chart: no path leads to ${unreachable.join(", ")}`);
  const used = new Set(moves.map((move) => commandOf(move.outcome)));
  const unused = commands.filter((command) => !used.has(command));
  if (unused.length > 0) throw new Error(`chart: no status uses ${unused.join(", ")}`);
  const strange = [...used].filter((command) => !commands.includes(command));
  if (strange.length > 0) throw new Error(`chart: ${strange.join(", ")} is no command`);
  return Object.freeze(moves);
}

function commandOf(outcome: string): string {
  const slash = outcome.indexOf("/");
  return slash === -1 ? outcome : outcome.slice(0, slash);
}

const everyCommand: Readonly<Record<CommandType, true>> = {
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
};

export const commandTypes = Object.keys(everyCommand) as readonly CommandType[];

export const orderMoves = movesOf<ChartStatus, Outcome, OrderEventType>(orderMachine, commandTypes);

const legalFrom = Object.fromEntries(
  commandTypes.map((type) => [
    type,
    Object.fromEntries(
      orderMoves.filter((move) => commandOf(move.outcome) === type).map((move) => [move.from, true]),
    ),
  ]),
) as Readonly<Record<CommandType, Readonly<Partial<Record<ChartStatus, true>>>>>;

/** Whether one of the command's outcomes leaves this status. */
export function isLegal(status: ChartStatus, command: CommandType): boolean {
  return legalFrom[command][status] === true;
}

/** The statuses in which a command is legal, in the chart's order. */
export function statusesFor(command: CommandType): readonly ChartStatus[] {
  return Object.keys(legalFrom[command]) as ChartStatus[];
}

/** The commands that are legal in a status, in the table's order. */
export function commandsFor(status: ChartStatus): readonly CommandType[] {
  return commandTypes.filter((type) => isLegal(status, type));
}

const byFact: ReadonlyMap<string, ReadonlyMap<string, ChartStatus>> = (() => {
  const table = new Map<string, Map<string, ChartStatus>>();
  for (const { from, outcome, records, to } of orderMoves) {
    const row = table.get(from) ?? new Map<string, ChartStatus>();
    table.set(from, row);
    row.set(outcome, to);
    if (!outcome.includes("/")) row.set(records, to);
  }
  return table;
})();

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
  return (byFact.get(status)?.get(key) as OrderStatus | undefined) ?? status;
}
