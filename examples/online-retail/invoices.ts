// Reads a folder's CSV files in name order, in one pass, into invoices: their rows, checked, with prices in pence and times in UTC.

import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { TextDecoder } from "node:util";

import { CsvError, CsvReader, type CsvRecord } from "./csv.ts";

export interface Row {
  readonly stockCode: string;
  readonly description: string;
  readonly quantity: number;
  /** Pence, rounded half up. */
  readonly unitPrice: number;
}

export interface Invoice {
  readonly number: string;
  /** The time of its first row, milliseconds UTC. */
  readonly at: number;
  /** The customer's number of its first row; absent for a guest. */
  readonly customer?: string;
  readonly rows: readonly [Row, ...Row[]];
}

/** Input that cannot be turned into invoices; the message begins with the place. */
export class UnreadableInput extends Error {
  override readonly name = "UnreadableInput";
}

interface PlacedRow extends Row {
  readonly invoice: string;
  readonly at: number;
  readonly customer?: string;
  readonly place: string;
}

const columns = [
  "InvoiceNo",
  "StockCode",
  "Description",
  "Quantity",
  "InvoiceDate",
  "UnitPrice",
  "CustomerID",
  "Country",
] as const;

/**
 * The invoices of a folder's CSV files, in the order of their first rows. An invoice's rows must follow each other (also
 * from one file into the next): then one invoice is held at a time, beside the numbers of those gone by, which show
 * that one comes back.
 * @throws UnreadableInput where a file cannot be read as such rows, or an invoice comes back after others.
 */
export async function* invoices(folder: string): AsyncGenerator<Invoice, void, undefined> {
  const ended = new Set<string>();
  let open: { number: string; at: number; customer?: string; rows: [Row, ...Row[]] } | undefined;
  for (const file of await csvFiles(folder)) {
    for await (const { invoice, at, customer, place, ...row } of rowsOf(file)) {
      if (open?.number === invoice) {
        open.rows.push(row);
        continue;
      }
      if (open !== undefined) {
        ended.add(open.number);
        yield open;
      }
      if (ended.has(invoice)) {
        throw new UnreadableInput(
          `${place}: invoice ${invoice} comes back after other invoices; an invoice's rows must follow each other`,
        );
      }
      open = { number: invoice, at, ...(customer === undefined ? {} : { customer }), rows: [row] };
    }
  }
  if (open !== undefined) yield open;
}

async function csvFiles(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((cause: unknown) => unreadable(folder, cause));
  const files = names.filter((name) => name.toLowerCase().endsWith(".csv"));
  if (files.length === 0) throw new UnreadableInput(`${folder}: no .csv file in it`);
  return files.toSorted().map((name) => join(folder, name));
}

async function* rowsOf(file: string): AsyncGenerator<PlacedRow, void, undefined> {
  let headed = false;
  for await (const { line, fields } of recordsOf(file)) {
    const place = `${file}:${line}`;
    if (headed) {
      yield rowOf(fields, place);
    } else if (fields.length !== columns.length || fields.some((name, i) => name !== columns[i])) {
      throw new UnreadableInput(`${place}: the header must be ${columns.join(",")}`);
    }
    headed = true;
  }
  if (!headed) throw new UnreadableInput(`${file}:1: the header is missing`);
}

async function* recordsOf(file: string): AsyncGenerator<CsvRecord, void, undefined> {
  const reader = new CsvReader();
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  try {
    for await (const bytes of createReadStream(file)) {
      yield* reader.push(decoder.decode(bytes as Buffer, { stream: true }));
    }
    yield* reader.push(decoder.decode());
    yield* reader.end();
  } catch (cause) {
    if (cause instanceof CsvError) {
      throw new UnreadableInput(`${file}:${cause.line}:${cause.column}: ${cause.message}`, { cause });
    }
    if (isSystemError(cause) && cause.code === "ERR_ENCODING_INVALID_ENCODED_DATA") {
      throw new UnreadableInput(`${file}:${reader.line}: on this line or below: not UTF-8`, { cause });
    }
    return unreadable(file, cause);
  }
}

function unreadable(path: string, cause: unknown): never {
  if (isSystemError(cause)) throw new UnreadableInput(`${path}: ${cause.message}`, { cause });
  throw cause;
}

function isSystemError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && "code" in error && typeof error.code === "string";
}

function rowOf(fields: readonly string[], place: string): PlacedRow {
  if (fields.length !== columns.length) {
    throw new UnreadableInput(`${place}: ${fields.length} fields, not ${columns.length}`);
  }
  const [invoice, stockCode, description, quantity, time, price, customer] = fields as readonly [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const read = <T>(column: (typeof columns)[number], text: string, value: T | undefined): T => {
    if (value !== undefined) return value;
    throw new UnreadableInput(`${place}: ${column} ${JSON.stringify(text)} is not ${expected[column]}`);
  };
  const customerNumber = read("CustomerID", customer, customerOf(customer));
  return {
    invoice: read("InvoiceNo", invoice, /^[A-Za-z0-9]{1,40}$/.test(invoice) ? invoice : undefined),
    stockCode,
    description,
    quantity: read("Quantity", quantity, quantityOf(quantity)),
    at: read("InvoiceDate", time, timeOf(time)),
    unitPrice: read("UnitPrice", price, penceOf(price)),
    ...(customerNumber === "" ? {} : { customer: customerNumber }),
    place,
  };
}

const expected: Readonly<Partial<Record<(typeof columns)[number], string>>> = {
  InvoiceNo: "an invoice number: 1 to 40 letters and digits",
  Quantity: "a whole number other than 0",
  InvoiceDate: "a time such as 2010-12-01 08:26:00",
  UnitPrice: "an amount in pounds such as 2.55",
  CustomerID: "a customer's number such as 17850.0, or nothing",
};

/** Pence of an amount in pounds, from its digits alone: half a penny is rounded up. Undefined where the text is no such amount. */
export function penceOf(pounds: string): number | undefined {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(pounds);
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = ""] = match;
  const digits = fraction.padEnd(2, "0");
  const exact = BigInt(whole + digits.slice(0, 2));
  const rest = digits.slice(2);
  const half = `5${"0".repeat(Math.max(rest.length - 1, 0))}`;
  // Up is towards the greater amount: -0.015 gives -1 and -0.016 gives -2.
  const carries = sign === "-" ? rest > half : rest >= half;
  const size = Number(exact + (carries ? 1n : 0n));
  if (!Number.isSafeInteger(size)) return undefined;
  return sign === "-" && size !== 0 ? -size : size;
}

/** A whole number of units other than 0, below 0 for a return. */
export function quantityOf(text: string): number | undefined {
  const units = /^-?\d+$/.test(text) ? Number(text) : 0;
  return units !== 0 && Number.isSafeInteger(units) ? units : undefined;
}

/** Milliseconds of a time taken as UTC. */
export function timeOf(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(text)) return undefined;
  const iso = `${text.replace(" ", "T")}.000Z`;
  const at = Date.parse(iso);
  // The round trip refuses 31 February, which Date.parse would move into March.
  return !Number.isNaN(at) && at >= 0 && new Date(at).toISOString() === iso ? at : undefined;
}

/** The number in a CustomerID ("17850.0" gives "17850"); "" for a guest. */
export function customerOf(text: string): string | undefined {
  return /^(?:(\d{1,40})(?:\.0+)?)?$/.exec(text)?.slice(1)[0] ?? (text === "" ? "" : undefined);
}
