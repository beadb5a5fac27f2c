// Every figure that a shipped scenario expects is an expectation: changed, alone, it fails the scenario.

import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { describe, expect, test } from "vitest";
import { type Pair, type Scalar, isPair, parseAllDocuments, visit } from "yaml";

import { playScenario } from "../../src/scenarios/play.ts";
import { readScenarios } from "../../src/scenarios/read.ts";

const folder = fileURLToPath(new URL("../../examples/scenarios/", import.meta.url));

/** A place in a file where a figure is expected, and another figure to put there. */
interface Change {
  readonly at: number;
  readonly end: number;
  readonly to: string;
}

/** The figures (numbers, truths and instants) of what must come of a step: the data of events, the facts of refusals, and views. */
function changesOf(text: string): readonly Change[] {
  const changes: Change[] = [];
  for (const document of parseAllDocuments(text, {
    stringKeys: true,
    customTags: ["!code", "!codeHash"].map((tag) => ({ tag, resolve: (order: string) => order })),
  })) {
    visit(document, {
      Scalar(key, node, path) {
        if (key === "key" || !isExpected(path)) return;
        const to = other(node);
        const [at, end] = node.range!;
        if (to !== undefined) changes.push({ at, end, to });
      },
    });
  }
  return changes;
}

/** Whether a value stands under a `then`, an `and` or a reply, and there where something is compared. */
function isExpected(path: readonly unknown[]): boolean {
  const keys = path.filter((one): one is Pair => isPair(one)).map(({ key }) => String((key as Scalar).value));
  const outcome = keys.findIndex((key) => ["then", "and", "reply", "has"].includes(key));
  if (outcome === -1) return false;
  const inside = keys.slice(outcome + 1);
  // What a view is asked is no expectation.
  const asked = ["view", "of", "line", "asOf", "where"].includes(inside[0] ?? "");
  return !asked && inside.length > 0;
}

function other({ value }: Scalar): string | undefined {
  if (typeof value === "number") return String(value + 1);
  if (typeof value === "boolean") return String(!value);
  if (typeof value !== "string" || !/^\d{4}-\d\d-\d\dT/.test(value)) return undefined;
  return new Date(Date.parse(value) + 1_000).toISOString();
}

/** The status of the scenario that stands where a text was changed. */
async function playedAt(text: string, line: number): Promise<string> {
  const { scenarios, faults } = readScenarios(text);
  if (faults.length > 0) return `unreadable: ${JSON.stringify(faults)}`;
  const scenario = scenarios.findLast((one) => one.line <= line)!;
  const { status } = await playScenario("file", scenario, "memory:", new AbortController().signal);
  return status;
}

describe("a figure changed fails its scenario", () => {
  const files = readdirSync(folder);
  const counted = new Map(files.map((file) => [file, changesOf(readFileSync(folder + file, "utf8")).length]));

  test("there are hundreds of them", () => {
    expect([...counted.values()].reduce((sum, one) => sum + one, 0)).toBeGreaterThan(400);
  });

  test.each(files)("in %s", { timeout: 120_000 }, async (file) => {
    const text = readFileSync(folder + file, "utf8");
    const passed: string[] = [];
    for (const { at, end, to } of changesOf(text)) {
      const changed = text.slice(0, at) + to + text.slice(end);
      const line = text.slice(0, at).split("\n").length;
      const status = await playedAt(changed, line);
      if (status !== "failed")
        passed.push(`${file}:${line}: ${text.slice(at, end)} changed to ${to}: ${status}`);
    }
    expect(passed).toEqual([]);
  });
});
