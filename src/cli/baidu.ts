// `aftersale export baidu` and `aftersale import baidu`: orders as Baidu's order centre is told of them, and such documents taken in.

import { type Command, InvalidArgumentError } from "commander";

import type { ImportReport, Intake } from "../dialects/baidu/imports.ts";
import type { BaiduShop } from "../dialects/baidu/views.ts";
import { currencyFault } from "../domain/currencies.ts";
import type { Engine } from "../engine.ts";
import { asOfOf } from "./arguments.ts";
import { CliError, type Exit, exits } from "./exits.ts";
import { jsonFault, maxLineBytes, readLines, readText, unmarked } from "./input.ts";
import { printable, toJson } from "./output.ts";
import type { Run, Session } from "./session.ts";

interface ShopOptions {
  readonly appKey: string;
  readonly currency: string;
  readonly orderPage?: string;
  readonly subOrderPage?: string;
}

interface ExportOptions extends ShopOptions {
  readonly since?: ReturnType<typeof sinceOf>;
}

interface ImportOptions extends ShopOptions {
  readonly merchant: string;
  readonly wholly?: boolean;
}

function sinceOf(text: string) {
  const { revision, ...bound } = asOfOf(text);
  if (revision !== undefined) {
    throw new InvalidArgumentError("a revision is one order's; give an instant or pos:P.");
  }
  return bound;
}

function currencyOf(text: string): string {
  const fault = currencyFault(text);
  if (fault !== undefined) throw new InvalidArgumentError(`${fault}.`);
  return text;
}

function forShop(command: Command): Command {
  return command
    .option("--app-key <key>", "the mini-program's key, BizAPPID", "main")
    .option(
      "--currency <code>",
      "orders in it are exported, in its minor units; imported ones are in it",
      currencyOf,
      "CNY",
    )
    .option("--order-page <url>", "SwanSchema of an order's page, with {orderId} in it")
    .option(
      "--sub-order-page <url>",
      "SwanSchema of a sub-order's page, with {orderId} and {subOrderId} in it",
    );
}

export function addExport(program: Command, run: Run): void {
  const command = program
    .command("export")
    .description("print orders as another system's documents")
    .helpCommand(false)
    .command("baidu")
    .description("print orders for Baidu's order centre: a line each, its user and its body")
    .argument("[orderId...]", "these orders; all without any")
    .option("--since <when>", "only what changed since an instant, or after a position (pos:P)", sinceOf);
  forShop(command).action((orderIds: string[], options: ExportOptions, given: Command) =>
    run(given, (session) => exported(session, orderIds, options)),
  );
}

export function addImport(program: Command, run: Run): void {
  const command = program
    .command("import")
    .description("take in another system's documents")
    .helpCommand(false)
    .command("baidu")
    .description("take in documents of Baidu's order centre, and say of each what could not be carried")
    .argument("<file>", "one document, an array of them, or a line each; - for stdin")
    .option("--merchant <id>", "in whose name orders are made", "main")
    .option("--wholly", "leave alone what cannot be carried as a whole");
  forShop(command).action((file: string, options: ImportOptions, given: Command) =>
    run(given, (session) => imported(session, file, options)),
  );
}

async function exported(
  session: Session,
  orderIds: readonly string[],
  options: ExportOptions,
): Promise<Exit> {
  const { toldOf } = await import("../dialects/baidu/views.ts");
  const { since, ...shop } = options;
  if (orderIds.length > 0 && since !== undefined) {
    throw new CliError(exits.usage, "--since is for all orders: name none beside it");
  }
  return session.look(["orders"], async (engine, at) => {
    let count = 0;
    let left = 0;
    let missing = 0;
    const ids = orderIds.length > 0 ? orderIds : changed(engine, since, at);
    const position = await engine.head();
    for await (const orderId of ids) {
      const detail = await engine.views.order(orderId, at === undefined ? {} : { at });
      const told = detail === undefined ? undefined : toldOf(detail, shop);
      if (detail === undefined) {
        session.complain(`there is no order ${printable(orderId)}`);
        missing += 1;
      } else if (told === undefined) left += 1;
      else {
        await session.write(`${toJson(told)}\n`);
        count += 1;
      }
      if (session.closed) break;
    }
    session.note(
      `${count} orders${left === 0 ? "" : `, ${left} left out: not in ${shop.currency}`}` +
        `${position === undefined ? "" : `; go on with --since pos:${position}`}`,
    );
    return missing === 0 ? exits.done : exits.refused;
  });
}

type At = Parameters<Parameters<Session["look"]>[1]>[1];

async function* changed(
  engine: Engine,
  since: ExportOptions["since"],
  at: At,
): AsyncGenerator<string, void, void> {
  if (since?.position !== undefined) {
    const told = new Set<string>();
    let after: string | undefined = since.position;
    for (;;) {
      const page = await engine.changes({ after });
      for (const orderId of page.orderIds) if (!told.has(orderId)) yield orderId;
      for (const orderId of page.orderIds) told.add(orderId);
      if (page.end) return;
      after = page.position;
    }
  }
  let cursor: string | undefined;
  do {
    const page = await engine.views.orders({ limit: 500, cursor, at });
    for (const { orderId, updatedAt } of page.orders) {
      if (since?.time === undefined || updatedAt >= since.time) yield orderId;
    }
    cursor = page.next;
  } while (cursor !== undefined);
}

interface Given {
  readonly place: string;
  readonly value: unknown;
}

async function imported(session: Session, file: string, options: ImportOptions): Promise<Exit> {
  const { importDocument } = await import("../dialects/baidu/imports.ts");
  const { merchant, wholly, ...shop } = options;
  const documents = file === "-" ? fromLines(session) : fromFile(file);
  const counts: Record<ImportReport["outcome"], number> = {
    created: 0,
    changed: 0,
    unchanged: 0,
    refused: 0,
  };
  let lossy = 0;
  await session.change(
    async (engine) => {
      for await (const { place, value } of documents) {
        if (session.signal.aborted) return;
        const {
          open_id: openId,
          scene_id: sceneId,
          Data,
        } = value as { readonly open_id?: unknown; readonly scene_id?: unknown; readonly Data?: unknown };
        const intake: Intake = {
          engine,
          shop: shop satisfies BaiduShop,
          merchantId: merchant,
          now: Date.now(),
          wholly,
          sceneId: typeof sceneId === "string" ? sceneId : undefined,
        };
        const elements: readonly unknown[] = Array.isArray(Data) ? Data : [undefined];
        for (const element of elements) {
          const user = typeof openId === "string" ? openId : undefined;
          const report = await importDocument(intake, user, element);
          counts[report.outcome] += 1;
          if (report.losses.length > 0) lossy += 1;
          await said(session, place, report);
        }
      }
    },
    { create: true },
  );
  const { created, changed: moved, unchanged, refused } = counts;
  session.note(
    `${created} made, ${moved} moved on, ${unchanged} as they were, ${refused} refused; ${lossy} with losses`,
  );
  return refused > 0 ? exits.refused : exits.done;
}

async function said(session: Session, place: string, report: ImportReport): Promise<void> {
  if (session.json) {
    await session.document({ place, ...report });
    return;
  }
  const { orderId = "-", outcome, whole, losses } = report;
  await session.print(printable(`${place}: ${orderId}: ${outcome}${whole ? "" : ", not all of it"}`));
  for (const { path, what } of losses) {
    await session.print(printable(`  ${path === "" ? "" : `${path}: `}${what}`));
  }
}

async function* fromLines(session: Session): AsyncGenerator<Given, void, void> {
  for await (const lines of readLines(session.io.stdin, maxLineBytes)) {
    for (const line of lines) {
      const place = `-:${line.number}`;
      if ("fault" in line) throw new CliError(exits.unreadable, `${place}:1: ${line.fault}`);
      yield { place, value: objectOf(lineOf(line.text, place), place) };
    }
  }
}

/** A whole document, however it is laid out; else a line each. */
async function* fromFile(file: string): AsyncGenerator<Given, void, void> {
  const text = unmarked(await readText(file));
  const whole = wholeOf(text);
  if (whole !== undefined) {
    const all: readonly unknown[] = Array.isArray(whole) ? whole : [whole];
    for (const [at, value] of all.entries()) {
      const place = Array.isArray(whole) ? `${file}[${at}]` : file;
      yield { place, value: objectOf(value, place) };
    }
    return;
  }
  for (const [at, line] of text.split("\n").entries()) {
    const place = `${file}:${at + 1}`;
    if (line.trim() !== "") yield { place, value: objectOf(lineOf(line, place), place) };
  }
}

function lineOf(text: string, place: string): unknown {
  const value = wholeOf(text);
  if (value !== undefined) return value;
  const { column, rule } = jsonFault(text);
  throw new CliError(exits.unreadable, `${place}:${column}: not JSON: ${rule}`);
}

function wholeOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function objectOf(value: unknown, place: string): object {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new CliError(exits.unreadable, `${place}: is no document`);
  }
  return value;
}
