// The Online Retail example: its CSV reader, its reading of rows, and the figures that its commands come to.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { fc, test } from "@fast-check/vitest";
import { isLeft } from "fp-ts/lib/Either.js";
import { afterEach, describe, expect } from "vitest";

import { CsvError, CsvReader } from "../../examples/online-retail/csv.ts";
import { customerOf, invoices, penceOf, quantityOf, timeOf } from "../../examples/online-retail/invoices.ts";
import type { HarnessLine } from "../../examples/online-retail/mapping.ts";
import { run } from "../../examples/online-retail/run.ts";
import type { Command } from "../../src/domain/commands.ts";
import { decide } from "../../src/domain/decide.ts";
import { type OrderState, evolve, initialState } from "../../src/domain/state.ts";
import { defaultTerms } from "../../src/domain/terms.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const sample = join(root, "examples/online-retail/sample");
const named = process.env["ONLINE_RETAIL"] ?? "";
const december = named === "" ? join(root, "../shared/data/online-retail") : named;
const decemberIsThere = named !== "" || existsSync(december);
const header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function folderOf(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), "online-retail-"));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

class Sink extends Writable {
  text = "";
  readonly #limit: number;

  constructor(options: { readonly limit?: number; readonly highWaterMark?: number } = {}) {
    super({ decodeStrings: false, highWaterMark: options.highWaterMark ?? 16 * 1024 });
    this.#limit = options.limit ?? Infinity;
  }

  /** Takes each piece a turn of the loop later; beyond the limit it is a pipe that nobody reads. */
  override _write(text: string, _: BufferEncoding, done: (error?: Error) => void): void {
    setImmediate(() => {
      if (this.text.length + text.length > this.#limit) {
        done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
        return;
      }
      this.text += text;
      done();
    });
  }
}

async function printed(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err] = [new Sink(), new Sink()];
  const code = await run(args, out, err);
  await Promise.all([new Promise((done) => out.end(done)), new Promise((done) => err.end(done))]);
  return { code, out: out.text, err: err.text };
}

function harnessLines(out: string): readonly HarnessLine[] {
  return out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as HarnessLine);
}

/** Runs the commands through the domain, each order on its own; every one must be accepted. */
function figuresOf(lines: readonly HarnessLine[]): Record<string, number> {
  const orders = new Map<string, OrderState>();
  const commandIds = new Set<string>();
  for (const { commandId, actor, at, command: given } of lines) {
    const command: Command = given;
    const policy = { terms: defaultTerms, redeemStaff: [] };
    const before = orders.get(command.orderId) ?? initialState;
    const decision = decide({ actor, command, policy }, before, at);
    if (isLeft(decision)) throw new Error(`${commandId}: ${JSON.stringify(decision.left)}`);
    if (decision.right.length === 0) throw new Error(`${commandId}: nothing to record`);
    if (commandIds.has(commandId)) throw new Error(`${commandId}: twice`);
    commandIds.add(commandId);
    orders.set(command.orderId, decision.right.reduce(evolve, before));
  }
  const made = [...orders.values()].filter((order) => order.status !== "none");
  const orderLines = made.flatMap((order) => order.lines);
  const cases = made.flatMap((order) => order.cases);
  return {
    commands: commandIds.size,
    orders: made.length,
    completed: made.filter((order) => order.status === "completed").length,
    closed: made.filter((order) => order.status === "closed").length,
    lines: orderLines.length,
    units: orderLines.reduce((units, line) => units + line.quantity, 0),
    paid: made.reduce((paid, order) => paid + order.paid, 0),
    buyers: new Set(made.map((order) => order.buyerId)).size,
    guests: made.filter((order) => order.buyerId.startsWith("guest-")).length,
    cases: cases.filter((one) => one.type === "returnRefund" && one.status === "refunded").length,
    unitsReturned: cases.reduce((units, one) => units + one.quantity, 0),
    refunded: made.reduce((refunded, order) => refunded + order.refunded, 0),
  };
}

function read(...pieces: readonly string[]): (readonly string[])[] {
  const reader = new CsvReader();
  return [...pieces.flatMap((piece) => reader.push(piece)), ...reader.end()].map((r) => r.fields);
}

function csvError(text: string): Pick<CsvError, "message" | "line" | "column"> {
  try {
    read(text);
  } catch (error) {
    if (error instanceof CsvError) return { message: error.message, line: error.line, column: error.column };
    throw error;
  }
  throw new Error("it was read");
}

describe("the CSV reader", () => {
  test.each([
    [
      "plain fields",
      "a,b\nc,d\n",
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    [
      "no line end at the end",
      "a,b\nc,d",
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    [
      "CR LF",
      "a,b\r\nc,d\r\n",
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    ["a byte order mark, at the beginning only", "\uFEFFa,\uFEFFb", [["a", "\uFEFFb"]]],
    ["a byte order mark before a quote", '\uFEFF"a",b', [["a", "b"]]],
    ["commas in quotes", '"AIRLINE LOUNGE,METAL SIGN",2', [["AIRLINE LOUNGE,METAL SIGN", "2"]]],
    [
      "doubled quotes",
      '"RECORD FRAME 7"" SINGLE SIZE ","""",x',
      [['RECORD FRAME 7" SINGLE SIZE ', '"', "x"]],
    ],
    [
      "line ends in quotes",
      '"a\nb\r\nc",d\ne,f',
      [
        ["a\nb\r\nc", "d"],
        ["e", "f"],
      ],
    ],
    [
      "empty fields",
      ',,\n"",\n',
      [
        ["", "", ""],
        ["", ""],
      ],
    ],
    ["blank lines, which are no records", "\n\r\na\n\n", [["a"]]],
    ["one empty quoted field, which is a record", '""\r\n""\n""', [[""], [""], [""]]],
    ["spaces, which are kept", " a , b ", [[" a ", " b "]]],
    ["nothing", "", []],
  ])("reads %s", (_, text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  test("says on which line a record begins, quoted line ends counted", () => {
    const lines = new CsvReader().push('a\n"b\nc"\n\nd\n').map((record) => record.line);
    expect(lines).toEqual([1, 2, 5]);
  });

  test.each([
    ["a quote inside a plain field", 'a\nb,c"d', { line: 2, column: 4 }],
    ["text after a closing quote", '"a"b', { line: 1, column: 4 }],
    ["a quote that is not closed, where it opens", 'a\nb,"c\nd\n', { line: 2, column: 3 }],
    ["a lone carriage return", "a\rb", { line: 1, column: 3 }],
    ["a quote after a carriage return", 'a\r"b"', { line: 1, column: 3 }],
    ["a carriage return at the end", "a\r", { line: 1, column: 2 }],
  ])("refuses %s", (_, text, place) => {
    expect(csvError(text)).toMatchObject(place);
  });

  test("bounds what an unclosed quote can take", () => {
    const line = `${"x".repeat(1023)}\n`;
    expect(csvError(`"${line.repeat(1024)}`).message).toMatch("longer than 1048576");
    expect(read(`"${line.repeat(1023)}"\n`.repeat(2))).toHaveLength(2);
  });

  const table = fc.array(
    fc.array(
      fc.record({
        value: fc.oneof(
          fc.string({ unit: "grapheme" }),
          fc.string({ unit: fc.constantFrom("a", " ", ",", '"', "\n", "\r", "\uFEFF", "商", "😀") }),
        ),
        quoted: fc.boolean(),
      }),
      { minLength: 1, maxLength: 5 },
    ),
    { maxLength: 6 },
  );

  test.prop([table, fc.constantFrom("\n", "\r\n"), fc.boolean(), fc.array(fc.nat(400)), fc.boolean()])(
    "gives back what was written, however quoted and wherever cut",
    (records, lineEnd, mark, cuts, ended) => {
      const text = records
        .map((fields) =>
          fields
            .map(({ value, quoted }) =>
              quoted || /[",\r\n]/.test(value) || (value === "" && fields.length === 1)
                ? `"${value.replaceAll('"', '""')}"`
                : value,
            )
            .join(","),
        )
        .join(lineEnd);
      const whole = `${mark || text.startsWith("\uFEFF") ? "\uFEFF" : ""}${text}${ended ? lineEnd : ""}`;
      const places = [0, ...cuts.toSorted((a, b) => a - b), whole.length];
      const pieces = places.slice(1).map((place, i) => whole.slice(places[i], place));
      expect(read(...pieces)).toEqual(records.map((fields) => fields.map(({ value }) => value)));
    },
  );
});

describe("the reading of one field", () => {
  test.each([
    ["2.55", 255],
    ["2.1", 210],
    ["3", 300],
    ["0.001", 0],
    ["0.004", 0],
    ["0.005", 1],
    ["0.00499999999999999999999", 0],
    ["1.005", 101],
    ["8.575", 858],
    ["0.995", 100],
    ["9.999", 1000],
    ["007.10", 710],
    ["0.0", 0],
    ["-0.001", 0],
    ["-0.005", 0],
    ["-0.015", -1],
    ["-0.0151", -2],
    ["-11062.06", -1_106_206],
    ["90071992547409.91", 9_007_199_254_740_991],
  ])("takes £%s as %d pence", (pounds, pence) => {
    expect(penceOf(pounds)).toBe(pence);
  });

  test.each([
    "",
    " 1",
    "1 ",
    "1e3",
    "1E-2",
    ".5",
    "5.",
    "+1",
    "--1",
    "1,5",
    "1.2.3",
    "£1",
    "NaN",
    "0x10",
    "١",
    "90071992547409.92",
  ])("does not take %j as a price", (text) => {
    expect(penceOf(text)).toBeUndefined();
  });

  test.prop([fc.bigInt({ min: -(10n ** 13n), max: 10n ** 13n }), fc.nat(12)])(
    "rounds as exact arithmetic does: the greatest whole number not above the amount and a half",
    (numerator, places) => {
      const unit = 10n ** BigInt(places);
      const size = String(numerator < 0n ? -numerator : numerator).padStart(places + 1, "0");
      const whole = size.slice(0, size.length - places);
      const fraction = places === 0 ? "" : `.${size.slice(size.length - places)}`;
      const twice = 200n * numerator + unit;
      const floor = twice / (2n * unit) - (twice < 0n && twice % (2n * unit) !== 0n ? 1n : 0n);
      expect(penceOf(`${numerator < 0n ? "-" : ""}${whole}${fraction}`)).toBe(Number(floor));
    },
  );

  test.each([
    ["6", 6],
    ["-12", -12],
    ["0", undefined],
    ["-0", undefined],
    ["", undefined],
    ["1.5", undefined],
    ["1e3", undefined],
    ["six", undefined],
    ["9007199254740992", undefined],
  ])("takes %j as the quantity %s", (text, units) => {
    expect(quantityOf(text)).toBe(units);
  });

  test.each([
    ["2010-12-01 08:26:00", 1_291_191_960_000],
    ["2012-02-29 23:59:59", Date.UTC(2012, 1, 29, 23, 59, 59)],
    ["2010-02-29 00:00:00", undefined],
    ["2010-12-01 24:00:00", undefined],
    ["2010-12-01T08:26:00", undefined],
    ["12/1/2010 8:26", undefined],
    ["1969-12-31 23:59:59", undefined],
    ["", undefined],
  ])("takes %j as the time %s", (text, at) => {
    expect(timeOf(text)).toBe(at);
  });

  test.each([
    ["17850.0", "17850"],
    ["17850", "17850"],
    ["", ""],
    ["17850.5", undefined],
    ["nan", undefined],
    [" ", undefined],
  ])("takes %j as the customer %s", (text, customer) => {
    expect(customerOf(text)).toBe(customer);
  });
});

function row(invoice: string, more: Readonly<Record<string, string>> = {}): string {
  const fields = {
    StockCode: "71053",
    Description: "WHITE METAL LANTERN",
    Quantity: "6",
    InvoiceDate: "2010-12-01 08:26:00",
    UnitPrice: "3.39",
    CustomerID: "17850.0",
    Country: "United Kingdom",
    ...more,
  };
  return `${invoice},${Object.values(fields).join(",")}\n`;
}

describe("the reading of a folder", () => {
  test("takes the .csv files in name order, and an invoice from one into the next", async () => {
    const folder = folderOf({
      "b.csv": header + row("2", { Quantity: "7" }) + row("3"),
      "a.csv": header + row("1") + row("2", { InvoiceDate: "2010-12-01 08:25:00" }),
      "0.CSV": header + row("0"),
      "README.md": "no rows",
    });
    const read: unknown[] = [];
    for await (const { number, at, customer, rows } of invoices(folder)) {
      read.push([number, at, customer, ...rows.map((r) => r.quantity)]);
    }
    const at = Date.UTC(2010, 11, 1, 8, 26);
    expect(read).toEqual([
      ["0", at, "17850", 6],
      ["1", at, "17850", 6],
      ["2", at - 60_000, "17850", 6, 7],
      ["3", at, "17850", 6],
    ]);
  });

  test.each<[string, Readonly<Record<string, string | Uint8Array>>, string]>([
    ["no CSV file", { "README.md": "" }, ": no .csv file in it"],
    ["an empty file", { "a.csv": "" }, "a.csv:1: the header is missing"],
    ["another header", { "a.csv": "id,name\n" }, "a.csv:1: the header must be InvoiceNo,"],
    ["a file without header", { "a.csv": row("1") }, "a.csv:1: the header must be InvoiceNo,"],
    ["too few fields", { "a.csv": `${header}1,2\n` }, "a.csv:2: 2 fields, not 8"],
    ["too many fields", { "a.csv": header + row("1", { more: "x" }) }, "a.csv:2: 9 fields, not 8"],
    [
      "quantity 0",
      { "a.csv": header + row("1") + row("1", { Quantity: "0" }) },
      'a.csv:3: Quantity "0" is not',
    ],
    [
      "a garbled quantity",
      { "a.csv": header + row("1", { Quantity: "six" }) },
      'a.csv:2: Quantity "six" is not',
    ],
    [
      "a price in scientific notation",
      { "a.csv": header + row("1", { UnitPrice: "1e3" }) },
      'a.csv:2: UnitPrice "1e3" is not',
    ],
    [
      "another form of time",
      { "a.csv": header + row("1", { InvoiceDate: "12/1/2010 8:26" }) },
      "a.csv:2: InvoiceDate",
    ],
    [
      "a garbled customer",
      { "a.csv": header + row("1", { CustomerID: "x" }) },
      'a.csv:2: CustomerID "x" is not',
    ],
    ["an empty invoice number", { "a.csv": header + row("") }, 'a.csv:2: InvoiceNo "" is not'],
    [
      "an invoice number that makes no id",
      { "a.csv": header + row("5/6") },
      'a.csv:2: InvoiceNo "5/6" is not',
    ],
    ["a syntax error", { "a.csv": `${header}1,2"\n` }, "a.csv:2:4: a quote in a field"],
    [
      "text that is not UTF-8",
      { "a.csv": Buffer.from(header + row("1", { Description: "\xA35" }), "latin1") },
      "not UTF-8",
    ],
    [
      "a cut UTF-8 character",
      { "a.csv": Buffer.concat([Buffer.from(header), Buffer.from([0xe5, 0x95])]) },
      "not UTF-8",
    ],
    [
      "an invoice that comes back",
      { "a.csv": header + row("1") + row("2"), "b.csv": header + row("1") },
      "b.csv:2: invoice 1 comes back",
    ],
  ])("ends with exit code 3 at %s", async (_, files, message) => {
    const { code, err } = await printed(folderOf(files));
    expect(err.split("\n")).toEqual([expect.stringContaining(message), ""]);
    expect(code).toBe(3);
  });

  test("ends with exit code 3 where there is no such folder", async () => {
    const folder = join(folderOf({}), "none");
    const { code, err } = await printed(folder);
    expect([code, err]).toEqual([3, expect.stringContaining(`${folder}: ENOENT`)]);
  });
});

describe("the commands", () => {
  test("are four an order, in a fixed form", async () => {
    const rows =
      row("536365", { InvoiceDate: "2010-12-01 08:26:00" }) +
      row("536365", { StockCode: "POST", Description: "POSTAGE", UnitPrice: "18.0" }) +
      row("536365", { Quantity: "-1" }) +
      row("536365", { UnitPrice: "0.004" }) +
      row("536365", { StockCode: "85123A", Description: '"A ""B"", C"', UnitPrice: "0.005" }) +
      row("536365", { StockCode: "15056bl", Description: "", InvoiceDate: "2010-12-01 08:27:00" });
    const { code, out } = await printed(folderOf({ "a.csv": header + rows }));
    expect(code).toBe(0);
    const create =
      '{"commandId":"536365:CreateOrder","at":1291191960000,"actor":{"role":"system","id":"online-retail"},' +
      '"command":{"type":"CreateOrder","orderId":"536365","buyerId":"17850","currency":"GBP","lines":[' +
      '{"lineId":"1","goodsId":"71053","title":"WHITE METAL LANTERN","unitPrice":339,"quantity":6},' +
      '{"lineId":"2","goodsId":"85123A","title":"A \\"B\\", C","unitPrice":1,"quantity":6},' +
      '{"lineId":"3","goodsId":"15056bl","title":"15056bl","unitPrice":339,"quantity":6}],' +
      '"fulfilment":"express","terms":{"afterSaleDays":400}}}';
    const pay =
      '{"commandId":"536365:Pay","at":1291191960000,"actor":{"role":"system","id":"online-retail"},' +
      '"command":{"type":"Pay","orderId":"536365","payId":"536365:pay","amount":4074,"channel":"online"}}';
    const ship =
      '{"commandId":"536365:Ship","at":1291191960000,"actor":{"role":"merchant","id":"main"},' +
      '"command":{"type":"Ship","orderId":"536365","shipments":[{"carrier":"Royal Mail","trackingNumber":"536365"}]}}';
    const receive =
      '{"commandId":"536365:ConfirmReceipt","at":1291191960000,"actor":{"role":"buyer","id":"17850"},' +
      '"command":{"type":"ConfirmReceipt","orderId":"536365"}}';
    expect(out.split("\n")).toEqual([create, pay, ship, receive, ""]);
  });

  test("name a guest after the invoice", async () => {
    const { out } = await printed(folderOf({ "a.csv": header + row("7", { CustomerID: "" }) }));
    const [create, , , receive] = harnessLines(out);
    expect(create?.command).toMatchObject({ buyerId: "guest-7" });
    expect(receive?.actor).toEqual({ role: "buyer", id: "guest-7" });
  });

  test("leave out adjustments, and invoices and cancellations without goods, and count them", async () => {
    const rows =
      row("A1", { StockCode: "B", Description: "Adjust bad debt", UnitPrice: "-11062.06", CustomerID: "" }) +
      row("C1", { Quantity: "-1" }) +
      row("C1", { Quantity: "-1", StockCode: "POST" }) +
      row("C1", { Quantity: "1" }) +
      row("C2", { Quantity: "-1", CustomerID: "" }) +
      row("1", { StockCode: "BANK CHARGES" }) +
      row("2", { StockCode: "1234" }) +
      row("3", { StockCode: "12345A6" });
    const { code, out, err } = await printed(folderOf({ "a.csv": header + rows }));
    expect([code, out]).toEqual([0, ""]);
    expect(err).toBe(
      [
        "orders                      0",
        "order lines                 0",
        "paid                        GBP 0.00",
        "invoices without goods      3 (skipped)",
        "cancellation invoices       2 (1 return rows, 3 other rows skipped)",
        "after-sale cases            0",
        "units returned              0",
        "refunded                    GBP 0.00",
        "unmatched return rows       1 (1 units)",
        "orders returned whole       0",
        "accounting adjustments      1 (skipped)",
        "",
      ].join("\n"),
    );
  });

  test("are four a return, in a fixed form, at the cancellation's time", async () => {
    const rows =
      row("536365", { InvoiceDate: "2010-12-01 08:26:00" }) +
      row("C536370", { Quantity: "-2", InvoiceDate: "2010-12-02 09:00:00" }) +
      row("C536370", { Quantity: "-1", InvoiceDate: "2010-12-02 09:01:00", UnitPrice: "9.99" });
    const { out } = await printed(folderOf({ "a.csv": header + rows }));
    const buyer = '"at":1291280400000,"actor":{"role":"buyer","id":"17850"}';
    const merchant = '"at":1291280400000,"actor":{"role":"merchant","id":"main"}';
    const returned = (part: number, units: number, amount: number) => [
      `{"commandId":"536365:ApplyRefund:${part}",${buyer},"command":{"type":"ApplyRefund","orderId":"536365",` +
        `"caseId":"C536370:${part}","lineId":"1","caseType":"returnRefund","quantity":${units},"amount":${amount},` +
        '"reason":"credit note C536370"}}',
      `{"commandId":"536365:ApproveRefund:${part}",${merchant},"command":{"type":"ApproveRefund",` +
        `"orderId":"536365","caseId":"C536370:${part}"}}`,
      `{"commandId":"536365:ShipReturn:${part}",${buyer},"command":{"type":"ShipReturn","orderId":"536365",` +
        `"caseId":"C536370:${part}","carrier":"Royal Mail","trackingNumber":"C536370"}}`,
      `{"commandId":"536365:ReceiveReturn:${part}",${merchant},"command":{"type":"ReceiveReturn",` +
        `"orderId":"536365","caseId":"C536370:${part}","dispositions":[{"kind":"restock","quantity":${units}}],` +
        '"destination":"manual"}}',
    ];
    // The order's price counts, not the cancellation's.
    expect(out.split("\n").slice(4)).toEqual([...returned(1, 2, 678), ...returned(2, 1, 339), ""]);
  });

  /** Each case as `order/line x units`, in the order in which they are applied for. */
  async function casesOf(rows: string): Promise<readonly string[]> {
    const { out } = await printed(folderOf({ "a.csv": header + rows }));
    const lines = harnessLines(out);
    expect(() => figuresOf(lines)).not.toThrow();
    return lines.flatMap(({ command }) =>
      command.type === "ApplyRefund"
        ? [`${command.orderId}/${command.lineId} x ${command.quantity} for ${command.amount}`]
        : [],
    );
  }

  const back = (number: string, units: number, fields: Parameters<typeof row>[1] = {}) =>
    row(number, { Quantity: String(-units), ...fields });

  test("give back the newest order first, its lines in their order, as far as units are left", async () => {
    const rows =
      row("1", { Quantity: "4", UnitPrice: "1" }) +
      row("2", { Quantity: "2", UnitPrice: "2" }) +
      row("2", { Quantity: "9", StockCode: "22086" }) +
      row("2", { Quantity: "3", UnitPrice: "3" }) +
      back("C3", 4) +
      back("C4", 1) +
      back("C5", 2) +
      row("6", { Quantity: "1", UnitPrice: "6" }) +
      back("C7", 4);
    expect(await casesOf(rows)).toEqual([
      "2/1 x 2 for 400",
      "2/3 x 2 for 600",
      "2/3 x 1 for 300",
      "1/1 x 2 for 200",
      "6/1 x 1 for 600",
      "1/1 x 2 for 200",
    ]);
  });

  test("give back nothing of another customer, another code, a guest's or a later order", async () => {
    const rows =
      row("1", { CustomerID: "99.0" }) +
      row("2", { StockCode: "71053a" }) +
      row("3", { CustomerID: "" }) +
      back("C4", 1) +
      back("C5", 1, { CustomerID: "" }) +
      row("6");
    expect(await casesOf(rows)).toEqual([]);
  });

  test("say which units find no order, and which orders are returned whole", async () => {
    const rows = row("1", { Quantity: "3" }) + row("2") + back("C3", 5) + back("C4", 7) + back("C5", 2);
    const { err } = await printed(folderOf({ "a.csv": header + rows }));
    expect(err.split("\n").slice(4, 10)).toEqual([
      "cancellation invoices       3 (3 return rows, 0 other rows skipped)",
      "after-sale cases            3",
      "units returned              9",
      "refunded                    GBP 30.51",
      "unmatched return rows       2 (5 units)",
      "orders returned whole       2",
    ]);
  });

  test("of the sample come to the figures of its README", async () => {
    const { code, out, err } = await printed(sample);
    expect(code).toBe(0);
    expect(figuresOf(harnessLines(out))).toEqual({
      commands: 4 * 36 + 4 * 17,
      orders: 36,
      completed: 35,
      closed: 1,
      lines: 348,
      units: 6_104,
      paid: 1_416_789,
      buyers: 33,
      guests: 7,
      cases: 17,
      unitsReturned: 187,
      refunded: 62_510,
    });
    expect(err).toBe(
      [
        "orders                      36",
        "order lines                 348",
        "paid                        GBP 14167.89",
        "invoices without goods      8 (skipped)",
        "cancellation invoices       17 (33 return rows, 7 other rows skipped)",
        "after-sale cases            17",
        "units returned              187",
        "refunded                    GBP 625.10",
        "unmatched return rows       16 (47 units)",
        "orders returned whole       1",
        "accounting adjustments      0 (skipped)",
        "",
      ].join("\n"),
    );
  });

  test.skipIf(!decemberIsThere)(
    "of December 2010 come to its figures (skipped without ../shared/data/online-retail or ONLINE_RETAIL=FOLDER)",
    { timeout: 120_000 },
    async () => {
      const { code, out, err } = await printed(december);
      expect(code).toBe(0);
      expect(figuresOf(harnessLines(out))).toMatchObject({
        commands: 4 * 1_550 + 4 * 302,
        orders: 1_550,
        completed: 1_545,
        closed: 5,
        lines: 41_310,
        paid: 77_786_564,
        cases: 302,
        unitsReturned: 3_240,
        refunded: 813_070,
      });
      expect(err.split("\n").slice(3, 10)).toEqual([
        "invoices without goods      149 (skipped)",
        "cancellation invoices       326 (675 return rows, 53 other rows skipped)",
        "after-sale cases            302",
        "units returned              3240",
        "refunded                    GBP 8130.70",
        "unmatched return rows       377 (12660 units)",
        "orders returned whole       5",
      ]);
    },
  );
});

describe("the run", () => {
  test("waits for a slow reader", async () => {
    const out = new Sink({ highWaterMark: 1 });
    let most = 0;
    const write = out._write.bind(out);
    out._write = (text: string, encoding, done) => {
      most = Math.max(most, out.writableLength - text.length);
      write(text, encoding, done);
    };
    expect(await run([sample], out, new Sink())).toBe(0);
    expect(most).toBe(0);
    expect(out.text).toBe((await printed(sample)).out);
  });

  test("ends quietly when nobody reads on", async () => {
    const [out, err] = [new Sink({ limit: 1_000, highWaterMark: 1 }), new Sink()];
    const neverReached = header + row("9", { Quantity: "0" });
    const folder = folderOf({ "a.csv": header + row("1") + row("2") + row("3"), "b.csv": neverReached });
    expect(await run([folder], out, err)).toBe(0);
    expect(err.text).toBe("");
    expect(harnessLines(out.text).map((line) => line.commandId)).toEqual([
      "1:CreateOrder",
      "1:Pay",
      "1:Ship",
      "1:ConfirmReceipt",
    ]);
  });

  test("says when the output cannot be written", async () => {
    const err = new Sink();
    const full = new Writable({
      write: (_, __, done) => done(Object.assign(new Error("write ENOSPC"), { code: "ENOSPC" })),
    });
    const code = await run([sample], full, err);
    await new Promise((done) => err.end(done));
    expect([code, err.text]).toEqual([1, "cannot write the commands: write ENOSPC\n"]);
  });

  test.each([[[]], [["a", "b"]], [["--no-such"]]])(
    "answers the arguments %j with its usage",
    async (args) => {
      expect(await printed(...args)).toMatchObject({
        code: 2,
        out: "",
        err: expect.stringMatching(/^Usage: /),
      });
    },
  );

  test("prints its usage as data when asked", async () => {
    expect(await printed("--help")).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Usage: /),
      err: "",
    });
  });
});

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly scripts?: Readonly<Record<string, string>>;
};
const built = /\S+\.js$/.exec(manifest.scripts?.["example:online-retail"] ?? "")?.[0];
const program = join(root, built ?? "dist");

describe.skipIf(built === undefined || !existsSync(program))(
  "the built program (skipped before a build)",
  () => {
    test("prints what the module prints", async () => {
      const ran = await promisify(execFile)(process.execPath, [program, sample], { maxBuffer: 1e8 });
      const { out, err } = await printed(sample);
      expect(ran).toEqual({ stdout: out, stderr: err });
    });

    test("does not crash when its reader goes away", async () => {
      const child = spawn(process.execPath, [program, decemberIsThere ? december : sample]);
      let stderr = "";
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        stderr += text;
      });
      child.stdout.once("data", () => child.stdout.destroy());
      const [code] = (await once(child, "close")) as [number | null];
      expect([code, stderr]).toEqual([0, expect.not.stringContaining("Error")]);
    });

    test("ends with exit code 3 where it cannot read", async () => {
      const ran = promisify(execFile)(process.execPath, [program, folderOf({ "a.csv": "x" })]);
      await expect(ran).rejects.toMatchObject({
        code: 3,
        stderr: expect.stringContaining("a.csv:1: the header"),
      });
    });
  },
);
