// Turns invoices into harness lines: each invoice with goods becomes an order that is created, paid, shipped and received.

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
  | { readonly type: "ConfirmReceipt"; readonly orderId: string };

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
  adjustments: number;
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
    adjustments: 0,
  };

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

  /** Counted only: a return needs after-sale commands, which the engine does not have yet. */
  #cancellation({ customer, rows }: Invoice): readonly HarnessLine[] {
    const returns = rows.filter((row) => customer !== undefined && row.quantity < 0 && isGoods(row));
    this.figures.cancellations += 1;
    this.figures.returnRows += returns.length;
    this.figures.otherCancellationRows += rows.length - returns.length;
    return [];
  }
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
