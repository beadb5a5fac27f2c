// How the results of scenarios are told: to people (spec), to harnesses (TAP 14, JSON) and to build servers (JUnit XML).

import type { Json } from "../domain/json.ts";
import { type Difference, diffLines, yamlLines } from "./expectations.ts";

export interface StepResult {
  readonly line: number;
  readonly name: string;
  readonly status: "passed" | "failed" | "broken" | "skipped";
  /** Of a failed step. */
  readonly difference?: Difference | undefined;
  /** Of a broken one: the defect. */
  readonly defect?: string | undefined;
}

/** `unchecked`: it ran, and expected nothing. `broken`: a defect stopped it. */
export interface ScenarioResult {
  readonly file: string;
  readonly line: number;
  readonly name: string;
  readonly status: "passed" | "failed" | "unchecked" | "broken";
  readonly steps: readonly StepResult[];
}

/** Gives the text to print, with its line ends: before the first scenario, after each, and at the end. */
export interface Reporter {
  begin(scenarios: number): string;
  scenario(result: ScenarioResult): string;
  end(results: readonly ScenarioResult[]): string;
}

export const reporterNames = ["spec", "tap", "junit", "json"] as const;

export type ReporterName = (typeof reporterNames)[number];

/** How a text is put where the report goes. */
export interface Pen {
  /** Colours a text, or leaves it as it is. */
  readonly paint: (text: string, colour: "bold" | "dim" | "red" | "green") => string;
  /** Makes text of others safe to show on one line. */
  readonly printable: (text: string) => string;
}

export function reporterOf(name: ReporterName, pen: Pen): Reporter {
  switch (name) {
    case "spec":
      return specReporter(pen);
    case "tap":
      return tapReporter(pen);
    case "junit":
      return { begin: () => "", scenario: () => "", end: junit };
    case "json":
      return { begin: () => "", scenario: () => "", end: json };
  }
}

type Counts = Readonly<Record<ScenarioResult["status"], number>>;

function countsOf(results: readonly ScenarioResult[]): Counts {
  const count = (status: ScenarioResult["status"]): number =>
    results.filter((one) => one.status === status).length;
  return {
    passed: count("passed"),
    failed: count("failed"),
    unchecked: count("unchecked"),
    broken: count("broken"),
  };
}

const uncheckedWords = "expects nothing, so nothing was checked";

// --- spec ---

function specReporter({ paint, printable }: Pen): Reporter {
  const step = (file: string, { status, name, line, difference, defect }: StepResult): string[] => {
    const shown = printable(name);
    switch (status) {
      case "passed":
        return [`  ${paint("✓", "green")} ${shown}`];
      case "skipped":
        return [paint(`  - ${shown}, not run`, "dim")];
      case "failed":
      case "broken":
        return [
          `  ${paint("✗", "red")} ${shown}  ${paint(`(${file}:${line})`, "dim")}`,
          ...(difference === undefined ? [] : diffLines(difference)).map((text) => {
            const safe = `      ${printable(text)}`;
            if (text.startsWith("- ")) return paint(safe, "red");
            return text.startsWith("+ ") ? paint(safe, "green") : safe;
          }),
          ...[difference?.note, defect]
            .filter((text) => text !== undefined)
            .flatMap((text) => text.split("\n").map((one) => `      ${printable(one)}`)),
        ];
    }
  };
  return {
    begin: () => "",
    scenario: ({ file, line, name, status, steps }) =>
      [
        `${paint(printable(name), "bold")}  ${paint(`(${file}:${line})`, "dim")}`,
        ...steps.flatMap((one) => step(file, one)),
        ...(status === "unchecked" ? [`  ${paint("?", "red")} ${uncheckedWords}`] : []),
        "",
        "",
      ].join("\n"),
    end: (results) => {
      const counts = countsOf(results);
      const parts = [
        `${counts.passed} passed`,
        `${counts.failed} failed`,
        ...(counts.unchecked === 0 ? [] : [`${counts.unchecked} unchecked`]),
        ...(counts.broken === 0 ? [] : [`${counts.broken} broken`]),
      ];
      return `${results.length} ${results.length === 1 ? "scenario" : "scenarios"}: ${parts.join(", ")}\n`;
    },
  };
}

// --- TAP 14 (https://testanything.org/tap-version-14-specification.html): a scenario is a subtest, a step a test point ---

function tapReporter({ printable }: Pen): Reporter {
  // In a description `#` would begin a directive.
  const tapText = (text: string): string => printable(text).replaceAll(/[\\#]/g, "\\$&");
  let number = 0;
  return {
    begin: (scenarios) => `TAP version 14\n1..${scenarios}${scenarios === 0 ? " # SKIP no scenario" : ""}\n`,
    scenario: ({ file, line, name, status, steps }) => {
      number += 1;
      const points = steps.flatMap((step, index) => {
        const ok = step.status === "passed" || step.status === "skipped" ? "ok" : "not ok";
        const skipped = step.status === "skipped" ? " # SKIP not run" : "";
        return [`${ok} ${index + 1} - ${tapText(step.name)}${skipped}`, ...diagnostics(file, step)];
      });
      const whole = `${status === "passed" ? "ok" : "not ok"} ${number} - ${tapText(name)}`;
      const why = status === "unchecked" ? yamlBlock({ at: `${file}:${line}`, message: uncheckedWords }) : [];
      return [
        `# Subtest: ${tapText(name)}`,
        ...[`1..${steps.length}`, ...points].map((text) => `    ${text}`),
        whole,
        ...why,
        "",
      ].join("\n");
    },
    end: () => "",
  };
}

function diagnostics(file: string, { status, line, difference, defect }: StepResult): readonly string[] {
  if (status !== "failed" && status !== "broken") return [];
  const message = status === "broken" ? defect : difference?.note;
  return yamlBlock({
    at: `${file}:${line}`,
    ...(message === undefined ? {} : { message }),
    ...(difference === undefined ? {} : { expected: difference.expected, actual: difference.actual }),
  });
}

function yamlBlock(value: Json): readonly string[] {
  return ["  ---", ...yamlLines(value).map((text) => `  ${text}`), "  ..."];
}

// --- JUnit XML: a file is a suite, a scenario a case ---

/** What XML 1.0 cannot hold, escaped or not. */
// oxlint-disable-next-line no-control-regex
const noXml = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

function xml(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(noXml, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("\r", "&#13;");
}

/** In an attribute a line end would come back as a space. */
function attribute(text: string): string {
  return xml(text).replaceAll("\n", "&#10;").replaceAll("\t", "&#9;");
}

function junit(results: readonly ScenarioResult[]): string {
  const files = [...new Set(results.map(({ file }) => file))];
  const counted = (of: readonly ScenarioResult[]): string => {
    const { failed, unchecked, broken } = countsOf(of);
    return `tests="${of.length}" failures="${failed}" errors="${unchecked + broken}"`;
  };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="aftersale" ${counted(results)}>`,
    ...files.flatMap((file) => {
      const own = results.filter((result) => result.file === file);
      return [
        `  <testsuite name="${attribute(file)}" ${counted(own)}>`,
        ...own.flatMap(testCase),
        "  </testsuite>",
      ];
    }),
    "</testsuites>",
    "",
  ].join("\n");
}

function testCase({ file, line, name, status, steps }: ScenarioResult): readonly string[] {
  const open = `    <testcase name="${attribute(name)}" classname="${attribute(file)}" file="${attribute(file)}" line="${line}"`;
  if (status === "passed") return [`${open}/>`];
  const element = status === "failed" ? "failure" : "error";
  const step = steps.find((one) => one.status === "failed" || one.status === "broken");
  const message = step === undefined ? uncheckedWords : `${file}:${step.line}: ${step.name}`;
  const text = [
    ...(step?.difference === undefined ? [] : diffLines(step.difference)),
    ...[step?.difference?.note, step?.defect].filter((one) => one !== undefined),
  ];
  const inside = text.length === 0 ? "/>" : `>${xml(text.join("\n"))}</${element}>`;
  return [
    `${open}>`,
    `      <${element} message="${attribute(message)}" type="${status}"${inside}`,
    "    </testcase>",
  ];
}

// --- JSON: one document ---

function json(results: readonly ScenarioResult[]): string {
  const scenarios = results.map(({ steps, ...result }) => ({
    ...result,
    steps: steps.map(({ difference, ...step }) => ({ ...step, ...difference })),
  }));
  return `${JSON.stringify({ v: 1, ...countsOf(results), scenarios })}\n`;
}
