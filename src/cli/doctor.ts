// `aftersale doctor`: what runs here, on which store, and whether the store is whole.

import type { Command } from "commander";

import type { FileDescription } from "../store/describe.ts";
import type { ForeignGeneration, ViewStatus } from "../projections/runner.ts";
import { CliError, type Exit, exits } from "./exits.ts";
import { printable, table } from "./output.ts";
import type { Run, Session } from "./session.ts";

interface DoctorOptions {
  readonly integrity: boolean;
}

export function addDoctor(program: Command, run: Run, version: string): void {
  program
    .command("doctor")
    .description("say what runs here, on which store, and whether the store is whole; nothing is written")
    .option("--no-integrity", "leave out SQLite's check, which reads the whole file")
    .action((options: DoctorOptions, command: Command) =>
      run(command, (session) => doctor(session, options, version)),
    );
}

async function doctor(session: Session, { integrity }: DoctorOptions, version: string): Promise<Exit> {
  const runtime = {
    aftersale: version,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
  };
  let file: FileDescription | undefined;
  let views: readonly ViewStatus[] = [];
  let foreign: readonly ForeignGeneration[] = [];
  try {
    [file, views, foreign] = await session.read(async (engine) => [
      await engine.describe({ check: integrity }),
      await engine.views.status(),
      engine.foreignViews(),
    ]);
  } catch (error) {
    // What runs here is worth knowing above all where the store is not to be had.
    await print(session, runtime, undefined, [], []);
    throw error;
  }
  await print(session, runtime, file, views, foreign);
  if (file?.faults !== undefined && file.faults.length > 0) {
    throw new CliError(exits.unreachable, `${file.path} is damaged: ${printable(file.faults[0] as string)}`);
  }
  const faulty = views.filter(({ fault }) => fault !== undefined);
  if (faulty.length > 0) {
    const said = faulty.map(({ view, fault }) => `${view}: ${fault}`).join("; ");
    throw new CliError(
      exits.replayDiffers,
      `views that stopped following (rebuild them): ${printable(said)}`,
    );
  }
  return exits.done;
}

async function print(
  session: Session,
  runtime: Readonly<Record<string, string>>,
  file: FileDescription | undefined,
  views: readonly ViewStatus[],
  foreign: readonly ForeignGeneration[],
): Promise<void> {
  if (session.json) {
    await session.document({ ...runtime, store: session.storeUrl, file: file ?? null, views, foreign });
    return;
  }
  const facts: [string, string][] = [...Object.entries(runtime), ["store", session.storeUrl]];
  if (file !== undefined) {
    facts.push(
      ["driver", `${file.driver}, SQLite ${file.sqlite}`],
      ["file", `${file.bytes.toLocaleString("en")} bytes, format ${file.formatVersion}`],
      ["durability", `journal ${file.journalMode}, appends synchronous=${file.synchronous}`],
      ["events", file.events.toLocaleString("en")],
      ["orders", file.orders.toLocaleString("en")],
      ["claims", file.claims.toLocaleString("en")],
      ["integrity", integrityOf(file)],
    );
  }
  for (const { view, generation, position, current, fault } of views) {
    const standing = current ? "current" : `behind, at position ${position ?? "none"}`;
    facts.push([
      `view ${view}`,
      `generation ${generation}, ${fault === undefined ? standing : `stopped: ${fault}`}`,
    ]);
  }
  for (const { view, generation } of foreign) {
    facts.push([
      `view ${view}`,
      `generation ${generation} of another version (\`aftersale rebuild --prune\` drops it)`,
    ]);
  }
  await session.print(table([{ title: "" }, { title: "" }], facts));
}

function integrityOf({ faults }: FileDescription): string {
  if (faults === undefined) return "not checked";
  return faults.length === 0 ? "ok" : faults.join("; ");
}
