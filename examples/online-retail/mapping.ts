// Turns invoices into harness lines: an invoice with goods becomes an order that is created, paid, shipped and received, and a
// cancellation's returns become after-sale cases of the orders that they give back.

import type { Invoice, Row } from "./invoices.ts";

/** One line as `aftersale exec --stdin` reads it. */
export interface HarnessLine<C extends { readonly type: string } = OrderCommand> {
  readonly commandId: string;
  readonly at: number;
  readonly actor: { readonly role: "system" | "merchant" | "buyer"; readonly id: string };
  readonly command: C;
}

export type OrderCommand =
  | {
      readonly type: "CreateOrder";
      readonly orderId: string;
      readonly buyerId: string;
      readonly currency: "GBP";
      readonly lines: readonly OrderLine[];
      readonly fulfilment: "express";
      readonly terms: { readonly afterSaleDays: number };
    }
  | {
      readonly type: "Pay";
      readonly orderId: string;
      readonly payId: string;
      readonly amount: number;
      readonly channel: "online";
    }
  | {
      readonly type: "Ship";
      readonly orderId: string;
      readonly shipments: readonly [{ readonly carrier: string; readonly trackingNumber: string }];
    }
  | { readonly type: "ConfirmReceipt"; readonly orderId: string }
  | {
      readonly type: "ApplyRefund";
      readonly orderId: string;
      readonly caseId: string;
      readonly lineId: string;
      readonly caseType: "returnRefund";
      readonly quantity: number;
      readonly amount: number;
      readonly reason: string;
    }
  | { readonly type: "ApproveRefund"; readonly orderId: string; readonly caseId: string }
  | {
      readonly type: "ShipReturn";
      readonly orderId: string;
      readonly caseId: string;
      readonly carrier: string;
      readonly trackingNumber: string;
    }
  | {
      readonly type: "ReceiveReturn";
      readonly orderId: string;
      readonly caseId: string;
      readonly dispositions: readonly [{ readonly kind: "restock"; readonly quantity: number }];
      readonly destination: "manual";
    };

export interface OrderLine {
  readonly lineId: string;
  readonly goodsId: string;
  readonly title: string;
  readonly unitPrice: number;
  readonly quantity: number;
}

/** What went by, for the summary. */
export interface Figures {
  orders: number;
  lines: number;
  /** Pence. */
  paid: number;
  /** Invoices that are orders by their number, with no line that is goods at a price. */
  invoicesSkipped: number;
  cancellations: number;
  /** Rows of cancellations that are returns of goods by a known customer, and the other rows of cancellations. */
  returnRows: number;
  otherCancellationRows: number;
  cases: number;
  unitsReturned: number;
  /** Pence. */
  refunded: number;
  /** Return rows with units that no earlier order had left, and those units. */
  unmatchedRows: number;
  unmatchedUnits: number;
  /** Orders of which nothing is left. */
  ordersClosed: number;
  adjustments: number;
}

/** An order of a known customer, for the returns to come. */
interface Returnable {
  readonly orderId: string;
  readonly buyerId: string;
  unitsLeft: number;
  cases: number;
}

/** So many units of one line that are given back, and which of its order's cases that is, from 1. */
interface Part {
  readonly line: LineLeft;
  readonly units: number;
  readonly ordinal: number;
}

/** One line of such an order. */
interface LineLeft {
  readonly order: Returnable;
  readonly lineId: string;
  readonly unitPrice: number;
  left: number;
}

const system = { role: "system", id: "online-retail" } as const;
const merchant = { role: "merchant", id: "main" } as const;

/** Wholesale customers return goods after up to a year. */
const terms = { afterSaleDays: 400 } as const;

/** One pass over invoices in their order; what later invoices need of earlier ones is kept here. */
export class Mapping {
  readonly figures: Figures = {
    orders: 0,
    lines: 0,
    paid: 0,
    invoicesSkipped: 0,
    cancellations: 0,
    returnRows: 0,
    otherCancellationRows: 0,
    cases: 0,
    unitsReturned: 0,
    refunded: 0,
    unmatchedRows: 0,
    unmatchedUnits: 0,
    ordersClosed: 0,
    adjustments: 0,
  };

  /** By customer and stock code: the lines with units left, an inner list an order, the oldest order first. */
  readonly #left = new Map<string, LineLeft[][]>();

  /** The harness lines of one invoice; none where it is not turned into commands. */
  commands(invoice: Invoice): readonly HarnessLine[] {
    if (invoice.number.startsWith("C")) return this.#cancellation(invoice);
    if (invoice.number.startsWith("A")) {
      this.figures.adjustments += 1;
      return [];
    }
    return this.#order(invoice);
  }

  #order(invoice: Invoice): readonly HarnessLine[] {
    const lines = linesOf(invoice.rows);
    if (lines.length === 0) {
      this.figures.invoicesSkipped += 1;
      return [];
    }
    const amount = lines.reduce((total, line) => total + line.unitPrice * line.quantity, 0);
    this.figures.orders += 1;
    this.figures.lines += lines.length;
    this.figures.paid += amount;
    const orderId = invoice.number;
    const buyerId = invoice.customer ?? `guest-${orderId}`;
    const at = invoice.at;
    if (invoice.customer !== undefined) this.#remember({ orderId, buyerId, lines });
    const harnessLine = (actor: HarnessLine["actor"], command: OrderCommand): HarnessLine => ({
      commandId: `${orderId}:${command.type}`,
      at,
      actor,
      command,
    });
    return [
      harnessLine(system, {
        type: "CreateOrder",
        orderId,
        buyerId,
        currency: "GBP",
        lines,
        fulfilment: "express",
        terms,
      }),
      harnessLine(system, { type: "Pay", orderId, payId: `${orderId}:pay`, amount, channel: "online" }),
      harnessLine(merchant, {
        type: "Ship",
        orderId,
        shipments: [{ carrier: "Royal Mail", trackingNumber: orderId }],
      }),
      harnessLine({ role: "buyer", id: buyerId }, { type: "ConfirmReceipt", orderId }),
    ];
  }

  #remember({ orderId, buyerId, lines }: { orderId: string; buyerId: string; lines: readonly OrderLine[] }) {
    const unitsLeft = lines.reduce((units, line) => units + line.quantity, 0);
    const order: Returnable = { orderId, buyerId, unitsLeft, cases: 0 };
    for (const { goodsId, lineId, unitPrice, quantity } of lines) {
      const key = keyOf(buyerId, goodsId);
      const orders = this.#left.get(key) ?? [];
      if (orders.length === 0) this.#left.set(key, orders);
      const line: LineLeft = { order, lineId, unitPrice, left: quantity };
      const newest = orders.at(-1);
      if (newest?.[0]?.order === order) newest.push(line);
      else orders.push([line]);
    }
  }

  #cancellation({ number, at, customer, rows }: Invoice): readonly HarnessLine[] {
    const returns = rows.filter((row) => customer !== undefined && row.quantity < 0 && isGoods(row));
    this.figures.cancellations += 1;
    this.figures.returnRows += returns.length;
    this.figures.otherCancellationRows += rows.length - returns.length;
    let part = 0;
    return returns.flatMap(({ stockCode, quantity }) =>
      this.#take(keyOf(customer as string, stockCode), -quantity).flatMap((taken) => {
        part += 1;
        return caseOf(taken, `${number}:${part}`, { number, at });
      }),
    );
  }

  /** Takes units from a customer's lines of one stock code: the newest order first, its lines in their order. */
  #take(key: string, wanted: number): readonly Part[] {
    const parts: Part[] = [];
    const orders = this.#left.get(key) ?? [];
    let missing = wanted;
    while (missing > 0) {
      const lines = orders.at(-1);
      const line = lines?.[0];
      if (lines === undefined || line === undefined) break;
      const units = Math.min(missing, line.left);
      missing -= units;
      line.left -= units;
      line.order.unitsLeft -= units;
      line.order.cases += 1;
      parts.push({ line, units, ordinal: line.order.cases });
      this.figures.cases += 1;
      this.figures.unitsReturned += units;
      this.figures.refunded += units * line.unitPrice;
      if (line.order.unitsLeft === 0) this.figures.ordersClosed += 1;
      // What has nothing left is forgotten, so that the front is always what is next.
      if (line.left === 0) lines.shift();
      if (lines.length === 0) orders.pop();
    }
    if (orders.length === 0) this.#left.delete(key);
    if (missing > 0) this.figures.unmatchedRows += 1;
    this.figures.unmatchedUnits += missing;
    return parts;
  }
}

function keyOf(customer: string, stockCode: string): string {
  return `${customer} ${stockCode}`;
}

/** One part of a return: applied for, approved, sent back, received and refunded by hand, all at the cancellation's time. */
function caseOf(
  { line, units, ordinal }: Part,
  caseId: string,
  { number, at }: Pick<Invoice, "number" | "at">,
): readonly HarnessLine[] {
  const { lineId, unitPrice } = line;
  const { orderId, buyerId } = line.order;
  const buyer = { role: "buyer", id: buyerId } as const;
  const harnessLine = (actor: HarnessLine["actor"], command: OrderCommand): HarnessLine => ({
    commandId: `${orderId}:${command.type}:${ordinal}`,
    at,
    actor,
    command,
  });
  return [
    harnessLine(buyer, {
      type: "ApplyRefund",
      orderId,
      caseId,
      lineId,
      caseType: "returnRefund",
      quantity: units,
      amount: units * unitPrice,
      reason: `credit note ${number}`,
    }),
    harnessLine(merchant, { type: "ApproveRefund", orderId, caseId }),
    harnessLine(buyer, {
      type: "ShipReturn",
      orderId,
      caseId,
      carrier: "Royal Mail",
      trackingNumber: number,
    }),
    harnessLine(merchant, {
      type: "ReceiveReturn",
      orderId,
      caseId,
      dispositions: [{ kind: "restock", quantity: units }],
      destination: "manual",
    }),
  ];
}

/** Postage, discounts and fees have other codes than five digits and then letters. */
function isGoods({ stockCode }: Row): boolean {
  return /^\d{5}[A-Za-z]*$/.test(stockCode);
}

function linesOf(rows: readonly Row[]): readonly OrderLine[] {
  return rows
    .filter((row) => row.quantity > 0 && row.unitPrice > 0 && isGoods(row))
    .map(({ stockCode, description, unitPrice, quantity }, index) => ({
      lineId: String(index + 1),
      goodsId: stockCode,
      title: description.trim() === "" ? stockCode : description,
      unitPrice,
      quantity,
    }));
}
