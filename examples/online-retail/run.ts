// Prints a folder's invoices as harness lines, as fast as the reader of them takes them, and a summary beside.

import { once } from "node:events";
import type { Writable } from "node:stream";

import { UnreadableInput, invoices } from "./invoices.ts";
import { type Figures, Mapping } from "./mapping.ts";

const usage = `Usage: npm run -s example:online-retail -- FOLDER

Prints the orders and returns of a folder of Online Retail CSV files as commands for
\`aftersale exec --stdin\`, one JSON document a line; a summary goes to stderr.
Exit codes: 0 done, 1 the output cannot be written, 2 usage, 3 unreadable input.
`;

/** @returns the exit code. Nobody reading on (`| head`) ends the run early and is no error. */
export async function run(args: readonly string[], out: Writable, err: Writable): Promise<number> {
  const [folder] = args;
  if (folder === "--help" || folder === "-h") {
    out.write(usage);
    return 0;
  }
  if (folder === undefined || args.length > 1 || folder.startsWith("-")) {
    err.write(usage);
    return 2;
  }
  let failure: Error | undefined;
  out.on("error", (error: Error) => {
    failure ??= error;
  });
  err.on("error", () => {});
  const mapping = new Mapping();
  try {
    for await (const invoice of invoices(folder)) {
      const lines = mapping.commands(invoice);
      if (lines.length === 0) continue;
      const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
      if (!out.write(text)) await drained(out, () => failure);
      if (failure !== undefined) break;
    }
  } catch (error) {
    if (!(error instanceof UnreadableInput)) throw error;
    err.write(`${error.message}\n`);
    return 3;
  }
  failure ??= await new Promise<Error | undefined>((done) => {
    out.write("", (error) => done(error ?? undefined));
  });
  if (failure !== undefined) {
    if ("code" in failure && failure.code === "EPIPE") return 0;
    err.write(`cannot write the commands: ${failure.message}\n`);
    return 1;
  }
  err.write(summary(mapping.figures));
  return 0;
}

async function drained(out: Writable, failure: () => Error | undefined): Promise<void> {
  if (!out.writableNeedDrain || failure() !== undefined) return;
  // The "error" listener has the reason; here it only ends the wait.
  await once(out, "drain").catch(() => {});
}

function summary(figures: Figures): string {
  const { orders, lines, paid, invoicesSkipped, cancellations, returnRows, otherCancellationRows } = figures;
  const { cases, unitsReturned, refunded, unmatchedRows, unmatchedUnits, ordersClosed, adjustments } =
    figures;
  return [
    `orders                      ${orders}`,
    `order lines                 ${lines}`,
    `paid                        ${pounds(paid)}`,
    `invoices without goods      ${invoicesSkipped} (skipped)`,
    `cancellation invoices       ${cancellations} (${returnRows} return rows, ${otherCancellationRows} other rows skipped)`,
    `after-sale cases            ${cases}`,
    `units returned              ${unitsReturned}`,
    `refunded                    ${pounds(refunded)}`,
    `unmatched return rows       ${unmatchedRows} (${unmatchedUnits} units)`,
    `orders returned whole       ${ordersClosed}`,
    `accounting adjustments      ${adjustments} (skipped)`,
    "",
  ].join("\n");
}

function pounds(pence: number): string {
  return `GBP ${Math.floor(pence / 100)}.${String(pence % 100).padStart(2, "0")}`;
}
