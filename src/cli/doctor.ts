// `aftersale doctor`: what runs here, on which store, and whether the store is whole.

import type { Command } from "commander";

import type { FileDescription } from "../store/describe.ts";
import type { MirrorStatus, SetAside } from "../store/mirror.ts";
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
  let found: Found;
  try {
    found = await session.read(async (engine) => ({
      file: await engine.describe({ check: integrity }),
      views: await engine.views.status(),
      foreign: engine.foreignViews(),
      lag: await engine.lag(),
      setAside: engine.setAside(),
    }));
  } catch (error) {
    // What runs here is worth knowing above all where the store is not to be had.
    await print(session, runtime, nothingFound);
    throw error;
  }
  await print(session, runtime, found);
  const { file, views, lag, setAside } = found;
  if (file?.faults !== undefined && file.faults.length > 0) {
    throw new CliError(exits.unreachable, `${file.path} is damaged: ${file.faults[0] as string}`);
  }
  const faulty = views.filter(({ fault }) => fault !== undefined);
  if (faulty.length > 0) {
    const said = faulty.map(({ view, fault }) => `${view}: ${fault}`).join("; ");
    throw new CliError(
      exits.replayDiffers,
      `views that stopped following (rebuild them): ${printable(said)}`,
    );
  }
  if (setAside.length > 0) {
    throw new CliError(
      exits.unverified,
      `${lag?.setAside} events of order streams are none of ours, or stand behind one: no view holds them`,
    );
  }
  return exits.done;
}

interface Found {
  readonly file: FileDescription | undefined;
  readonly views: readonly ViewStatus[];
  readonly foreign: readonly ForeignGeneration[];
  readonly lag: MirrorStatus | undefined;
  readonly setAside: readonly SetAside[];
}

const nothingFound: Found = { file: undefined, views: [], foreign: [], lag: undefined, setAside: [] };

async function print(
  session: Session,
  runtime: Readonly<Record<string, string>>,
  { file, views, foreign, lag, setAside }: Found,
): Promise<void> {
  const store = session.storePlace;
  if (session.json) {
    const server = lag === undefined ? {} : { lag, setAside };
    await session.document({ ...runtime, store, file: file ?? null, views, foreign, ...server });
    return;
  }
  const facts: [string, string][] = [...Object.entries(runtime), ["store", store]];
  if (lag !== undefined) {
    const behind = lag.behind === undefined ? "an unknown number of" : lag.behind.toLocaleString("en");
    facts.push(
      ["views behind", `${behind} events, at position ${lag.position ?? "none"}`],
      ["connection", lag.trouble ?? "well"],
    );
    for (const { stream, revision, type, reason } of setAside) {
      facts.push(["set aside", `${stream}@${revision} (${type}): ${reason}`]);
    }
  }
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
