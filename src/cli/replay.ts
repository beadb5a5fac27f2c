// `aftersale replay` and `aftersale rebuild`: everything folded anew, compared with what is kept, or put in its place.

import { type Command, Option } from "commander";

import type { Comparison } from "../audit/check.ts";
import type { ReplayTotals } from "../audit/replay.ts";
import { nearest } from "../commands/suggest.ts";
import { formatAmount } from "../domain/money.ts";
import type { Bound } from "../projections/asof.ts";
import { boundOf, countOf } from "./arguments.ts";
import { CliError, type Exit, exits } from "./exits.ts";
import { printable, table } from "./output.ts";
import type { Run, Session } from "./session.ts";

interface ReplayOptions {
  readonly asOf?: Bound;
  readonly check?: boolean;
  readonly workers: number;
}

export function addReplay(program: Command, run: Run): void {
  program
    .command("replay")
    .description("fold every order from its events alone, and print what it comes to")
    .addOption(
      new Option("--as-of <when>", "up to then: an instant, or pos:P").argParser(boundOf).conflicts("check"),
    )
    .option(
      "--check",
      "rebuild every kept view into nothing and compare: exit 8 where one differs, 9 where there is nothing to check",
    )
    .option("--workers <n>", "cores to use", countOf(1, 64), 1)
    .action((options: ReplayOptions, command: Command) =>
      run(command, (session) => replay(session, options)),
    );
}

export function addRebuild(program: Command, run: Run): void {
  program
    .command("rebuild")
    .description(
      "rebuild views from the events, beside the present ones, and swap them; broken off, it goes on next time",
    )
    .argument("[view...]", "statistics, orders, search, cases; all without one")
    .option("--prune", "also drop the rows of views that other versions of the package left")
    .action((views: readonly string[], { prune = false }: { readonly prune?: boolean }, command: Command) =>
      run(command, (session) => rebuild(session, views, prune)),
    );
}

async function replay(session: Session, { asOf, check = false, workers }: ReplayOptions): Promise<Exit> {
  const { signal } = session;
  const query = { at: asOf, workers, signal, onProgress: session.counting("replaying") };
  if (!check) {
    const totals = await session.read((engine) => engine.replay(query));
    await printTotals(session, totals, undefined);
    return exits.done;
  }
  const { viewNames } = await import("../engine.ts");
  const { totals, comparisons } = await session.look(viewNames, async (engine) => ({
    totals: await engine.replay(query),
    comparisons: await engine.check({ signal, onProgress: session.counting("checking") }),
  }));
  await printTotals(session, totals, comparisons);
  if (totals.events === 0) throw new CliError(exits.unchecked, "the store is empty: nothing was checked");
  const differing = comparisons.filter(({ different }) => different > 0).map(({ view }) => view);
  if (differing.length > 0) {
    throw new CliError(
      exits.replayDiffers,
      `kept and rebuilt differ: ${differing.join(", ")} (the events are right: \`aftersale rebuild\` puts the views right)`,
    );
  }
  return exits.done;
}

async function printTotals(
  session: Session,
  totals: ReplayTotals,
  comparisons: readonly Comparison[] | undefined,
): Promise<void> {
  if (session.json) {
    await session.document({ replay: totals, ...(comparisons === undefined ? {} : { checks: comparisons }) });
    return;
  }
  const rows = [
    ["orders", totals.orders.toLocaleString("en")],
    ["events", totals.events.toLocaleString("en")],
    ...Object.entries(totals.statuses).map(([status, count]) => [status, count.toLocaleString("en")]),
    ...Object.entries(totals.paid).map(([currency, paid]) => [
      `paid, ${currency}`,
      formatAmount(paid, currency),
    ]),
  ];
  await session.print(table([{ title: "" }, { title: "", align: "right" }], rows));
  for (const comparison of comparisons ?? []) await session.print(inWords(comparison, session));
}

function inWords({ view, rows, different, differences }: Comparison, session: Session): string {
  if (different === 0)
    return `${view}: ${session.paint("equal", "green")}, ${rows.toLocaleString("en")} rows`;
  const shown = differences.map(({ kept, rebuilt }) =>
    kept === undefined ? `  rebuilt only: ${printable(rebuilt ?? "")}` : `  kept only:    ${printable(kept)}`,
  );
  const head = `${view}: ${session.paint("different", "red")}, ${different.toLocaleString("en")} of ${rows.toLocaleString("en")} rows`;
  return [head, ...shown, ...(different > differences.length ? ["  ..."] : [])].join("\n");
}

async function rebuild(session: Session, views: readonly string[], prune: boolean): Promise<Exit> {
  const { viewNames } = await import("../engine.ts");
  for (const view of views) {
    if (viewNames.includes(view)) continue;
    const near = nearest(view, viewNames);
    const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
    throw new CliError(
      exits.usage,
      `there is no view ${JSON.stringify(view)}${hint}; there are ${viewNames.join(", ")}`,
    );
  }
  await session.change(async (engine) => {
    for (const view of views.length === 0 ? viewNames : views) {
      const progress = session.counting(`rebuilding ${view}`);
      const rebuilt = await engine.rebuild(view, {
        signal: session.signal,
        onProgress: ({ done, total }) => progress(done, total),
      });
      session.clearProgress();
      if (session.json) await session.document({ rebuilt });
      else {
        await session.print(
          `${view}: generation ${rebuilt.generation}, ${rebuilt.total.toLocaleString("en")} orders`,
        );
      }
    }
    for (const pruned of prune ? await engine.prune() : []) {
      if (session.json) await session.document({ pruned });
      else await session.print(`${pruned.view}: generation ${pruned.generation} of another version dropped`);
    }
  });
  return exits.done;
}
