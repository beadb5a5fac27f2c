// The reporters, letter by letter: spec, TAP 14, JUnit XML and JSON.

import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { printable } from "../../src/cli/output.ts";
import { diffLines } from "../../src/scenarios/expectations.ts";
import { type ReporterName, type ScenarioResult, reporterOf } from "../../src/scenarios/reporters.ts";

const passed: ScenarioResult = {
  file: "a.yaml",
  line: 1,
  name: "All is well",
  status: "passed",
  steps: [{ line: 5, name: "Pay as buyer:b1", status: "passed" }],
};
const failed: ScenarioResult = {
  file: "a.yaml",
  line: 20,
  name: '订单 <"A"> & # \\ one',
  status: "failed",
  steps: [
    {
      line: 25,
      name: "Pay as buyer:b1",
      status: "failed",
      difference: {
        expected: ["OrderPaid", { StockDeducted: { rule: "payment" } }],
        actual: { refused: "amountMismatch" },
        note: "amount: 1.00 CNY was given, <2.00> & more is due",
      },
    },
    { line: 30, name: "Ship as merchant:main", status: "skipped" },
  ],
};
const unchecked: ScenarioResult = { file: "b.yaml", line: 1, name: "Idle", status: "unchecked", steps: [] };
const broken: ScenarioResult = {
  file: "b.yaml",
  line: 9,
  name: "It\u0007 breaks",
  status: "broken",
  steps: [{ line: 12, name: "due", status: "broken", defect: "Error: no\u001b[2J\n    at there" }],
};
const all = [passed, failed, unchecked, broken];

function told(name: ReporterName, results: readonly ScenarioResult[] = all): string {
  const reporter = reporterOf(name, { paint: (text) => text, printable });
  return (
    reporter.begin(results.length) +
    results.map((one) => reporter.scenario(one)).join("") +
    reporter.end(results)
  );
}

it("spec tells people", () => {
  expect(told("spec")).toBe(
    `All is well  (a.yaml:1)
  ✓ Pay as buyer:b1

订单 <"A"> & # \\ one  (a.yaml:20)
  ✗ Pay as buyer:b1  (a.yaml:25)
      - - OrderPaid
      - - StockDeducted:
      -     rule: payment
      + refused: amountMismatch
      amount: 1.00 CNY was given, <2.00> & more is due
  - Ship as merchant:main, not run

Idle  (b.yaml:1)
  ? expects nothing, so nothing was checked

It\\u0007 breaks  (b.yaml:9)
  ✗ due  (b.yaml:12)
      Error: no\\u001b[2J
          at there

4 scenarios: 1 passed, 1 failed, 1 unchecked, 1 broken
`,
  );
});

it("spec paints what is removed red and what is added green", () => {
  const reporter = reporterOf("spec", { paint: (text, colour) => `<${colour}>${text}</>`, printable });
  expect(reporter.scenario(failed).split("\n").slice(0, 6)).toStrictEqual([
    '<bold>订单 <"A"> & # \\ one</>  <dim>(a.yaml:20)</>',
    "  <red>✗</> Pay as buyer:b1  <dim>(a.yaml:25)</>",
    "<red>      - - OrderPaid</>",
    "<red>      - - StockDeducted:</>",
    "<red>      -     rule: payment</>",
    "<green>      + refused: amountMismatch</>",
  ]);
});

const tapOfAll = `TAP version 14
1..4
# Subtest: All is well
    1..1
    ok 1 - Pay as buyer:b1
ok 1 - All is well
# Subtest: 订单 <"A"> & \\# \\\\ one
    1..2
    not ok 1 - Pay as buyer:b1
      ---
      at: a.yaml:25
      message: "amount: 1.00 CNY was given, <2.00> & more is due"
      expected:
        - OrderPaid
        - StockDeducted:
            rule: payment
      actual:
        refused: amountMismatch
      ...
    ok 2 - Ship as merchant:main # SKIP not run
not ok 2 - 订单 <"A"> & \\# \\\\ one
# Subtest: Idle
    1..0
not ok 3 - Idle
  ---
  at: b.yaml:1
  message: expects nothing, so nothing was checked
  ...
# Subtest: It\\\\u0007 breaks
    1..1
    not ok 1 - due
      ---
      at: b.yaml:12
      message: "Error: no\\e[2J\\n    at there"
      ...
not ok 4 - It\\\\u0007 breaks
`;

describe("tap", () => {
  it("tells harnesses", () => {
    expect(told("tap")).toBe(tapOfAll);
    expect(told("tap", [])).toBe("TAP version 14\n1..0 # SKIP no scenario\n");
  });

  it("is TAP 14, with its subtests", () => {
    expect(checkTap(told("tap").trimEnd().split("\n"), 0)).toStrictEqual({ points: 4, bad: 3 });
  });
});

/**
 * Reads TAP as its specification has it: a version first, one plan, as many points, numbered from 1, each either ok or not; diagnostics
 * are YAML; a subtest is a document of its own, four columns in, and fails where one of its points does.
 */
function checkTap(
  lines: readonly string[],
  depth: number,
): { readonly points: number; readonly bad: number } {
  const queue = [...lines];
  if (depth === 0) expect(queue.shift()).toBe("TAP version 14");
  let plan: number | undefined;
  let points = 0;
  let bad = 0;
  let inside: { readonly points: number; readonly bad: number } | undefined;
  for (let line = queue.shift(); line !== undefined; line = queue.shift()) {
    const planned = /^1\.\.(\d+)$/.exec(line);
    const point = /^(not )?ok (\d+) - ((?:[^\\#]|\\[\\#])+?)( # SKIP .*)?$/.exec(line);
    if (planned !== null) {
      expect(plan).toBeUndefined();
      plan = Number(planned[1]);
    } else if (line.startsWith("# Subtest: ")) {
      const own: string[] = [];
      while (queue[0]?.startsWith("    ") === true) own.push(queue.shift()!.slice(4));
      inside = checkTap(own, depth + 1);
    } else if (line === "  ---") {
      const own: string[] = [];
      while (queue[0] !== "  ...") own.push(queue.shift()!.slice(2));
      queue.shift();
      expect(parse(own.join("\n"))).toMatchObject({ at: expect.stringMatching(/^[ab]\.yaml:\d+$/) });
    } else {
      expect(point, line).not.toBeNull();
      points += 1;
      expect(Number(point![2])).toBe(points);
      if (point![1] !== undefined) bad += 1;
      if (inside !== undefined) expect(point![1] !== undefined).toBe(inside.bad > 0 || inside.points === 0);
      inside = undefined;
    }
  }
  expect(points).toBe(plan);
  return { points, bad };
}

it("junit tells build servers", () => {
  expect(told("junit")).toBe(
    `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="aftersale" tests="4" failures="1" errors="2">
  <testsuite name="a.yaml" tests="2" failures="1" errors="0">
    <testcase name="All is well" classname="a.yaml" file="a.yaml" line="1"/>
    <testcase name="订单 &lt;&quot;A&quot;&gt; &amp; # \\ one" classname="a.yaml" file="a.yaml" line="20">
      <failure message="a.yaml:25: Pay as buyer:b1" type="failed">- - OrderPaid
- - StockDeducted:
-     rule: payment
+ refused: amountMismatch
amount: 1.00 CNY was given, &lt;2.00&gt; &amp; more is due</failure>
    </testcase>
  </testsuite>
  <testsuite name="b.yaml" tests="2" failures="0" errors="2">
    <testcase name="Idle" classname="b.yaml" file="b.yaml" line="1">
      <error message="expects nothing, so nothing was checked" type="unchecked"/>
    </testcase>
    <testcase name="It\ufffd breaks" classname="b.yaml" file="b.yaml" line="9">
      <error message="b.yaml:12: due" type="broken">Error: no\ufffd[2J
    at there</error>
    </testcase>
  </testsuite>
</testsuites>
`,
  );
});

it("junit keeps line ends and tabs in attributes, and holds no character that XML cannot", () => {
  const name = "a\nb\tc\rd\u0000e\ud800f\uffff";
  expect(told("junit", [{ ...passed, name }])).toContain(
    '<testcase name="a&#10;b&#9;c&#13;d\ufffde\ufffdf\ufffd" classname="a.yaml"',
  );
});

it("json tells programs", () => {
  expect(told("json")).toBe(
    `${JSON.stringify({
      v: 1,
      passed: 1,
      failed: 1,
      unchecked: 1,
      broken: 1,
      scenarios: [
        passed,
        {
          ...failed,
          steps: [
            {
              line: 25,
              name: "Pay as buyer:b1",
              status: "failed",
              expected: ["OrderPaid", { StockDeducted: { rule: "payment" } }],
              actual: { refused: "amountMismatch" },
              note: "amount: 1.00 CNY was given, <2.00> & more is due",
            },
            { line: 30, name: "Ship as merchant:main", status: "skipped" },
          ],
        },
        unchecked,
        broken,
      ],
    })}\n`,
  );
});

describe("a difference in lines", () => {
  it("keeps what both have, in its place", () => {
    expect(diffLines({ expected: ["A", "B", "C", "E"], actual: ["A", "C", "D", "E"] })).toStrictEqual([
      "  - A",
      "- - B",
      "  - C",
      "+ - D",
      "  - E",
    ]);
  });

  it("shows two long and altogether different documents one after the other", () => {
    const list = (letter: string) => Array.from({ length: 2_500 }, (_, n) => `${letter}${n}`);
    const lines = diffLines({ expected: list("a"), actual: list("b") });
    expect(lines).toHaveLength(5_000);
    expect(lines.slice(2_499, 2_501)).toStrictEqual(["- - a2499", "+ - b0"]);
  });
});
