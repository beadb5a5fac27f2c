// `aftersale due`: fires the deadlines that have passed at a given instant, or lists them.

import type { Command } from "commander";

import type { Due } from "../commands/due.ts";
import { describeRejection } from "../domain/refusals.ts";
import { instantOf } from "./arguments.ts";
import { type Exit, exits } from "./exits.ts";
import { printable } from "./output.ts";
import { receiptDocument, refusalDocument } from "./receipt.ts";
import type { Run, Session } from "./session.ts";

interface DueOptions {
  readonly at?: number;
  readonly dryRun?: boolean;
}

export function addDue(program: Command, run: Run): void {
  program
    .command("due")
    .description(
      "fire every deadline that has passed: unpaid orders expire, receipt is confirmed, cases whose goods were not sent back close, failed refunds are issued again (--json: a line each)",
    )
    .option("--at <when>", "as if it were then (default: now)", instantOf)
    .option("--dry-run", "only list them")
    .action((options: DueOptions, command: Command) => run(command, (session) => due(session, options)));
}

async function due(session: Session, { at = Date.now(), dryRun = false }: DueOptions): Promise<Exit> {
  return dryRun ? list(session, at) : fire(session, at);
}

async function list(session: Session, at: number): Promise<Exit> {
  const found = await session.look(["orders"], async (engine) => {
    const listed: Due[] = [];
    for await (const one of engine.due(at, { signal: session.signal })) listed.push(one);
    return listed;
  });
  for (const one of found) {
    if (session.json) await session.document(one);
    else await session.print(inWords(one));
  }
  session.note(`${found.length} due`);
  return exits.done;
}

async function fire(session: Session, at: number): Promise<Exit> {
  let fired = 0;
  let refused = 0;
  await session.change(async (engine) => {
    try {
      for await (const { result, ...one } of engine.runDue(at, { signal: session.signal })) {
        if (result._tag === "Right") {
          fired += 1;
          const recorded = result.right.events.map(({ type }) => type);
          if (session.json)
            await session.document({ ...one, ok: true, receipt: receiptDocument(result.right) });
          else await session.print(`${inWords(one)}  ${recorded.join(", ")}`);
        } else {
          refused += 1;
          if (session.json)
            await session.document({ ...one, ok: false, error: refusalDocument(result.left) });
          else await session.print(`${inWords(one)}  refused: ${printable(describeRejection(result.left))}`);
        }
      }
    } finally {
      // Said also where it was interrupted: that is how far it came.
      session.note(`${fired} fired${refused > 0 ? `, ${refused} refused` : ""}`);
    }
  });
  return refused > 0 ? exits.refused : exits.done;
}

function inWords({ orderId, kind, dueAt, case: of }: Due): string {
  const whose = of === undefined ? orderId : `${orderId}  ${printable(of.caseId)}`;
  return `${whose}  ${kind}  due ${new Date(dueAt).toISOString()}`;
}
