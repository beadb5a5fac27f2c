// `diagram`, `schema` and `completion`: what is written out of the charts, the schemas and the commands themselves.

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

import { toMermaid } from "../../src/cli/diagram.ts";
import { toSvg } from "../../src/cli/svg.ts";
import { jsonSchema, schemaNames } from "../../src/commands/jsonSchema.ts";
import { caseCommandTypes } from "../../src/domain/caseLifecycle.ts";
import type { Move } from "../../src/domain/chart.ts";
import { commandTypes, orderMoves, orderStatuses } from "../../src/domain/lifecycle.ts";
import { aftersale, folder } from "./aftersale.ts";

const every = new Set([
  ...commandTypes.filter((type) => type !== "ApplyRefund" && type !== "SettleRefund"),
  ...caseCommandTypes,
]);

describe("diagram", () => {
  test("Mermaid has every move once", async () => {
    const { exit, stdout } = await aftersale(["diagram"]);
    expect(exit).toBe(0);
    const [head, ...lines] = stdout.trimEnd().split("\n");
    expect(head).toBe("stateDiagram-v2");
    const moves = lines.map((line) => /^ {2}(\S+) --> (\S+): (\S+)$/.exec(line)?.slice(1));
    expect(moves).toEqual(
      orderMoves.map(({ from, to, outcome }) => [from === "none" ? "[*]" : from, to, outcome]),
    );
  });

  test("--json has the moves themselves", async () => {
    expect(JSON.parse((await aftersale(["diagram", "--json"])).stdout)).toEqual({ v: 1, moves: orderMoves });
  });

  const boxes = (svg: string) =>
    [
      ...svg.matchAll(
        /<rect class="(status|under)" x="([\d.-]+)" y="([\d.-]+)" width="([\d.]+)" height="([\d.]+)"/g,
      ),
    ].map(([, , x, y, width, height]) => ({
      x: Number(x),
      y: Number(y),
      width: Number(width),
      height: Number(height),
    }));

  test("SVG has every status and every move, nothing on top of anything else, and all of it inside", async () => {
    const { exit, stdout } = await aftersale(["diagram", "--format", "svg"]);
    expect(exit).toBe(0);
    for (const status of orderStatuses) expect(stdout).toContain(`text-anchor="middle">${status}</text>`);
    for (const { from, to, outcome } of orderMoves) {
      if (from === to) expect(stdout).toContain(`↻ ${outcome}</text>`);
      else
        expect(stdout).toMatch(
          new RegExp(`<title>${from} to ${to}: [^<]*\\b${outcome.replace("/", "\\/")}\\b`),
        );
    }
    const [, width, height] = (/viewBox="0 0 (\d+) (\d+)"/.exec(stdout) as RegExpExecArray).map(Number) as [
      number,
      number,
      number,
    ];
    const all = boxes(stdout);
    expect(all.length).toBeGreaterThan(orderStatuses.length + 8);
    for (const [at, a] of all.entries()) {
      expect(a.x >= 0 && a.y >= 0 && a.x + a.width <= width && a.y + a.height <= height).toBe(true);
      for (const b of all.slice(at + 1)) {
        const apart =
          a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
        expect(apart, JSON.stringify([a, b])).toBe(true);
      }
    }
    // Made for both backgrounds, and the same each time.
    expect(stdout).toContain("prefers-color-scheme: dark");
    expect((await aftersale(["diagram", "--format", "svg"])).stdout).toBe(stdout);
  });

  test("SVG draws a circle of statuses, too, and escapes names", () => {
    const move = (from: string, to: string, outcome: string): Move => ({ from, to, outcome, records: "X" });
    const svg = toSvg(
      [move("none", "a", "Begin"), move("a", "b", "Go<1>"), move("b", "c", "On"), move("c", "a", "Back")],
      "none",
      "A & B",
    );
    expect(svg).toContain("<title>c to a: Back</title>");
    expect(svg).toContain("Go&lt;1&gt;");
    expect(svg).toContain(">A &amp; B</title>");
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    const back =
      /<path class="arrow" d="M[\d.]+ ([\d.]+)[^"]* ([\d.]+)" marker-end="url\(#head\)"><title>c to a/.exec(
        svg,
      );
    expect(Number(back?.[1])).toBeGreaterThan(Number(back?.[2]));
    expect(toMermaid([move("none", "a", "Begin")], "none")).toBe("stateDiagram-v2\n  [*] --> a: Begin");
  });
});

describe("schema", () => {
  test.each(schemaNames)("%s is JSON Schema 2020-12", async (name) => {
    const { exit, stdout } = await aftersale(["schema", name]);
    expect(exit).toBe(0);
    const schema = JSON.parse(stdout) as object;
    expect(schema).toMatchObject({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      title: expect.any(String) as string,
    });
    expect(schema).toEqual(jsonSchema(name));
  });

  test("there is one for every command, and `line` without a name", async () => {
    expect(schemaNames).toEqual(["line", "commands", "terms", ...every]);
    expect((await aftersale(["schema"])).stdout).toBe((await aftersale(["schema", "line"])).stdout);
  });

  test("says what the parser holds to: strict keys, bounds, open maps, no bigint", () => {
    const order = jsonSchema("CreateOrder") as {
      properties: Record<string, object>;
      required: string[];
      additionalProperties: boolean;
    };
    expect(order.additionalProperties).toBe(false);
    expect(order.required).toEqual(["type", "orderId", "currency", "lines", "fulfilment"]);
    expect(order.properties["lines"]).toMatchObject({ type: "array", minItems: 1, maxItems: 2000 });
    expect(JSON.stringify(order.properties["source"])).toContain('"type":"object"');
    expect(JSON.stringify(order.properties["currency"])).not.toContain("XAU");
    const line = jsonSchema("line") as { properties: Record<string, unknown>; required: string[] };
    expect(line.required).toEqual(["commandId", "actor", "command"]);
    expect(line.properties["expect"]).toMatchObject({
      anyOf: [{ const: "none" }, { type: "string" }, { type: "integer" }],
    });
    expect((line.properties["command"] as { oneOf: object[] }).oneOf).toHaveLength(every.size);
  });

  test("an unknown name is wrong usage, with a suggestion", async () => {
    const ran = await aftersale(["schema", "CreateOder"]);
    expect([ran.exit, ran.stdout]).toEqual([2, ""]);
    expect(ran.stderr).toContain(
      'there is no schema "CreateOder" (did you mean CreateOrder?); there are line, commands,',
    );
  });
});

describe("completion", () => {
  const scriptOf = async (shell: string) => (await aftersale(["completion", shell])).stdout;

  test.each(["bash", "zsh", "fish"])("%s names every command and the global options", async (shell) => {
    const script = await scriptOf(shell);
    const help = (await aftersale(["--help"])).stdout;
    for (const [, command] of help.matchAll(/^ {2}([a-z]+) /gm)) expect(script).toContain(command);
    expect(script).toMatch(shell === "fish" ? /-l redeem-key-file/ : /--redeem-key-file/);
  });

  const has = (shell: string) => spawnSync(shell, ["-c", "true"]).status === 0;

  test.skipIf(!has("bash")).each([
    ["st", ["stats"]],
    ["stats --b", ["--buyer"]],
    ["--store sqlite:x.db --json reb", ["rebuild"]],
    ["--store memory: reb", ["rebuild"]],
    ["--store=sqlite:x.db reb", ["rebuild"]],
    ["exec --as buyer:li --prev", ["--preview"]],
    ["orders --rating=go", ["good"]],
    ["orders --rating=", ["good", "neutral", "bad"]],
    ["show o-1 --store esdb://a:2113?tls=false --as", ["--as-of"]],
    ["orders --rating ", ["good", "neutral", "bad"]],
    ["diagram --format s", ["svg"]],
    ["completion z", ["zsh"]],
    ["schema CreateO", ["CreateOrder"]],
    ["schema li", ["line"]],
    ["rebuild s", ["statistics", "search"]],
    ["rebuild orders s", ["statistics", "search"]],
    ["stats --he", ["--help"]],
    ["show --as", ["--as-of"]],
    ["show --ex", ["--explain"]],
    ["refund sh", ["show"]],
    ["refund show --ca", ["--case"]],
    ["refund show --l", ["--line"]],
    ["queue --f", ["--for"]],
    ["--ca", []],
  ])("bash completes `aftersale %s`", async (typed, words) => {
    using here = folder();
    writeFileSync(here.file("script"), await scriptOf("bash"));
    // Taken apart as bash does it, at colons and equals signs too.
    const parts = typed.split(" ").flatMap((word) => word.match(/[:=]+|[^:=]+/g) ?? [""]);
    if (/[:=]$/.test(typed)) parts.push("");
    const program = `source "$1"; COMP_LINE=$2; shift 2; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _aftersale; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const ran = spawnSync(
      "bash",
      ["-c", program, "bash", here.file("script"), `aftersale ${typed}`, "aftersale", ...parts],
      {
        encoding: "utf8",
      },
    );
    expect(ran.stderr).toBe("");
    expect(ran.stdout.split("\n").filter((word) => word !== "")).toEqual(words);
  });

  test("zsh and fish are told of every flag once, and of names that are looked up", async () => {
    const [zsh, fish] = await Promise.all(["zsh", "fish"].map(scriptOf));
    const told = zsh?.split("\n").find((line) => line.startsWith("        rebuild) _arguments "));
    expect(told?.match(/--help\[/g)).toHaveLength(1);
    expect(told).toContain(" '*:value:(statistics orders search cases)' ;;");
    expect(zsh).toContain(" '1:value:(line commands terms ");
    expect(fish?.match(/ -l help /g)).toHaveLength(1);
    expect(fish).toContain("__fish_seen_subcommand_from rebuild' -a 'statistics orders search cases'");
  });

  test.skipIf(!has("bash"))("bash completes the files that a flag takes", async () => {
    using here = folder();
    writeFileSync(here.file("script"), await scriptOf("bash"));
    const typed = here.file("scr");
    const program = `source "$1"; COMP_LINE="aftersale --terms $2"; COMP_WORDS=(aftersale --terms "$2"); COMP_CWORD=2; _aftersale; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const ran = spawnSync("bash", ["-c", program, "bash", here.file("script"), typed], { encoding: "utf8" });
    expect([ran.stdout, ran.stderr]).toEqual([`${here.file("script")}\n`, ""]);
  });

  for (const shell of ["zsh", "fish"]) {
    test.skipIf(!has(shell))(`${shell} reads its script`, async () => {
      using here = folder();
      writeFileSync(here.file("script"), await scriptOf(shell));
      expect(spawnSync(shell, ["-n", here.file("script")], { encoding: "utf8" }).stderr).toBe("");
    });
  }
});
