// Reads scenario files, has each scenario played, and reports what came out otherwise than expected.

import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

import { nearest } from "../commands/suggest.ts";
import { givenFault, playScenario, storeKinds } from "../scenarios/play.ts";
import { readScenarios } from "../scenarios/read.ts";
import { type ScenarioResult, reporterNames, reporterOf } from "../scenarios/reporters.ts";
import type { Fault, Scenario } from "../scenarios/scenario.ts";
import { CliError, type Exit, exits, messageOf } from "./exits.ts";
import { readText } from "./input.ts";
import { Output, isColoured, paint, printable } from "./output.ts";
import type { Io } from "./session.ts";

export interface RunOptions {
  /** `spec`, `tap`, `junit` or `json`; `spec` without it. */
  readonly reporter?: string | undefined;
  /** `memory:`, or `sqlite:` for a file that each scenario gets anew; `memory:` without it. */
  readonly store?: string | undefined;
}

/**
 * Runs the scenarios of files and folders, and reports them on stdout; what cannot be read is named on stderr, and then nothing is run.
 * @returns 0 where all passed, 4 where an expectation failed, 3 where a file was unreadable, 9 where nothing was checked (no scenario, or
 * one that expects nothing), 1 on a defect.
 * @throws CliError on wrong options; the signal's reason where it was aborted.
 */
export async function runScenarios(
  files: readonly string[],
  options: RunOptions,
  io: Pick<Io, "stdout" | "stderr" | "env" | "signal">,
): Promise<Exit> {
  const name = known(options.reporter ?? "spec", reporterNames, "--reporter: no such reporter");
  const kind = known(options.store ?? "memory:", storeKinds, "--on: scenarios run on fresh stores, not on");
  const coloured = isColoured(io.stdout, io.env);
  const reporter = reporterOf(name, {
    paint: (text, colour) => (coloured ? paint(text, colour) : text),
    printable,
  });
  const out = new Output(io.stdout);

  const scenarios: { readonly file: string; readonly scenario: Scenario }[] = [];
  const faults: string[] = [];
  for (const file of await filesOf(files)) {
    const read = readScenarios(await readText(file));
    scenarios.push(...read.scenarios.map((scenario) => ({ file, scenario })));
    const wrong = read.faults.length > 0 ? read.faults : await givenFaults(read.scenarios);
    faults.push(
      ...wrong.map(({ line, column, message }) => `${file}:${line}:${column}: ${printable(message)}\n`),
    );
  }
  if (faults.length > 0) {
    await new Output(io.stderr).write(faults.join(""));
    return exits.unreadable;
  }

  const results: ScenarioResult[] = [];
  await out.write(reporter.begin(scenarios.length));
  for (const { file, scenario } of scenarios) {
    io.signal.throwIfAborted();
    const result = await playScenario(file, scenario, kind, io.signal);
    results.push(result);
    await out.write(reporter.scenario(result));
  }
  await out.write(reporter.end(results));
  await out.finish();
  return exitFor(results);
}

function exitFor(results: readonly ScenarioResult[]): Exit {
  const some = (status: ScenarioResult["status"]): boolean =>
    results.some((result) => result.status === status);
  if (some("broken")) return exits.bug;
  if (some("failed")) return exits.expectationFailed;
  return results.length === 0 || some("unchecked") ? exits.unchecked : exits.done;
}

function known<T extends string>(text: string, names: readonly T[], fault: string): T {
  const found = names.find((name) => name === text);
  if (found !== undefined) return found;
  const near = nearest(text, names);
  const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
  throw new CliError(exits.usage, `${fault} ${JSON.stringify(text)}${hint}; there are ${names.join(", ")}`);
}

/** The files named, and those of the folders named, in the order of their names. */
async function filesOf(paths: readonly string[]): Promise<readonly string[]> {
  const files: string[] = [];
  for (const path of paths) {
    const found = await stat(path).catch((cause: unknown) => {
      throw new CliError(exits.unreadable, `${path}: cannot be read`, { cause });
    });
    if (!found.isDirectory()) files.push(path);
    else {
      const inside = (await readdir(path)).filter((name) => /\.ya?ml$/.test(name)).sort();
      files.push(...inside.map((name) => join(path, name)));
    }
  }
  return files;
}

async function givenFaults(scenarios: readonly Scenario[]): Promise<readonly Fault[]> {
  const faults: Fault[] = [];
  for (const scenario of scenarios) {
    const fault = await givenFault(scenario);
    if (fault === undefined) continue;
    const { line, column, name } = fault.event;
    faults.push({ line, column, message: `${name}: ${messageOf(fault.error)}` });
  }
  return faults;
}
