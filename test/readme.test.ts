// Runs the README: `ts` blocks are programs against the built package, `console` blocks transcripts that must come out as shown. Of
// docs/serve.md the JSON is read.

import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";

import { policies } from "../src/commands/terms.ts";
import { fileShop } from "../src/server/catalog.ts";
import { readConfig } from "../src/server/config.ts";
import { type Block, matches, readBlocks, readSteps } from "./blocks.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const blocks = readBlocks(readFileSync(join(root, "README.md"), "utf8"));

/** These two are run by `.ci/run`, in a clone. */
const marked = ["command-one", "command-two"];

/** What a reader has beside the package, for a program that goes on with an Either. */
const installed = ["aftersale", "fp-ts", "@types/node"];

const inLanguage = (language: string) =>
  blocks.filter((block) => block.language === language && !marked.includes(block.note ?? ""));

const isSkipped = (block: Block) => block.note?.startsWith("not run:") === true;

/** The name of a block's test, with the reason where it is skipped. */
function title(block: Block): string {
  const name = `${block.language} block at line ${block.line}`;
  return isSkipped(block) ? `${name}, ${block.note}` : name;
}

let folder: string;

beforeAll(() => {
  expect(inject("buildFailure")).toBe("");
  folder = mkdtempSync(join(tmpdir(), "aftersale-readme-"));
  const modules = join(folder, "node_modules");
  for (const name of installed) {
    mkdirSync(join(modules, name, ".."), { recursive: true });
    symlinkSync(
      name === "aftersale" ? root : join(root, "node_modules", name),
      join(modules, name),
      "junction",
    );
  }
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** What a program or a command must not inherit from the test run. */
function environment(extra: Record<string, string>): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(VITEST|NODE_|npm_|TEST|AFTERSALE)/.test(name),
  );
  // npm's warnings are about the machine, and would stand among the output of `npx`.
  return { ...Object.fromEntries(kept), NO_COLOR: "1", TZ: "UTC", npm_config_loglevel: "error", ...extra };
}

describe("the README's programs", () => {
  const programs = inLanguage("ts");
  const path = (block: Block) => join(folder, "programs", `line-${block.line}`);
  let compiled: { readonly status: number | null; readonly output: string };

  beforeAll(() => {
    mkdirSync(join(folder, "programs"));
    writeFileSync(join(folder, "programs", "package.json"), `{ "private": true, "type": "module" }`);
    for (const block of programs) writeFileSync(`${path(block)}.ts`, `${block.text}\nexport {};\n`);
    const settings = {
      compilerOptions: {
        target: "ES2023",
        lib: ["ES2023", "ESNext.Disposable"],
        module: "NodeNext",
        strict: true,
        skipLibCheck: true,
        types: ["node"],
      },
      files: programs.filter((block) => !isSkipped(block)).map((block) => `line-${block.line}.ts`),
    };
    writeFileSync(join(folder, "programs", "tsconfig.json"), JSON.stringify(settings));
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
    const run = spawnSync(process.execPath, [tsc, "-p", join(folder, "programs")], { encoding: "utf8" });
    compiled = { status: run.status, output: run.stdout + run.stderr };
  });

  test("are there, the first block among them", () => {
    expect(programs.filter((block) => !isSkipped(block))).not.toEqual([]);
  });

  test("compile, all of them, under strict settings", () => {
    expect(compiled).toEqual({ status: 0, output: "" });
  });

  for (const block of programs) {
    test.skipIf(isSkipped(block))(`${title(block)}`, () => {
      const cwd = join(folder, `run-${block.line}`);
      mkdirSync(cwd);
      const run = spawnSync(process.execPath, [`${path(block)}.js`], {
        cwd,
        encoding: "utf8",
        env: environment({}),
      });
      expect(run.status, run.stderr).toBe(0);
    });
  }
});

describe("the README's transcripts", () => {
  const transcripts = inLanguage("console");
  let cwd: string;
  let env: NodeJS.ProcessEnv;

  beforeAll(() => {
    cwd = join(folder, "transcripts");
    const bin = join(folder, "node_modules", ".bin");
    mkdirSync(cwd);
    mkdirSync(bin);
    symlinkSync(join(root, "dist", "cli", "main.js"), join(bin, "aftersale"));
    chmodSync(join(root, "dist", "cli", "main.js"), 0o755);
    // The reader stands in a clone: its examples and their npm scripts are there, its files are not written to.
    cpSync(join(root, "examples"), join(cwd, "examples"), { recursive: true });
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    const examples = Object.fromEntries(
      Object.entries(scripts).filter(([name]) => name.startsWith("example:")),
    );
    writeFileSync(
      join(cwd, "package.json"),
      JSON.stringify({ private: true, type: "module", scripts: examples }),
    );
    env = environment({ PATH: `${bin}${delimiter}${process.env["PATH"]}` });
  });

  test("are there", () => {
    expect(transcripts.filter((block) => !isSkipped(block))).not.toEqual([]);
  });

  for (const block of transcripts) {
    test.skipIf(isSkipped(block))(`${title(block)}`, () => {
      const steps = readSteps(block.text);
      let status = 0;
      for (const [at, { command, output }] of steps.entries()) {
        // One terminal's view: both streams, and `$?` as the step before left it. A step's `cd` ends with it.
        const script = `exec 2>&1\n(exit ${status})\n${command}`;
        const run = spawnSync("bash", ["-c", script], { cwd, encoding: "utf8", env, maxBuffer: 1e8 });
        status = run.status ?? 1;
        if (!matches(output, run.stdout))
          expect(`$ ${command}\n${run.stdout}`).toBe(`$ ${command}\n${output.join("\n")}\n`);
        // A step may fail only where the next one shows its exit code.
        if (steps[at + 1]?.command.includes("$?") !== true)
          expect({ command, status }).toEqual({ command, status: 0 });
      }
    });
  }
});

describe("the two commands that .ci/run takes from the README", () => {
  test.each(marked)("%s is a single line", (note) => {
    const found = blocks.filter((block) => block.note === note);
    expect(found.map((block) => block.language)).toEqual(["console"]);
    expect(found.flatMap((block) => readSteps(block.text))).toHaveLength(1);
  });
});

describe("the shop that the README and docs/serve.md serve", () => {
  const example = (name: string) => join(root, "examples", "shop", name);

  test("is the one that docs/serve.md shows", () => {
    const shown = readBlocks(readFileSync(join(root, "docs", "serve.md"), "utf8"))
      .filter(({ language }) => language === "json")
      .map(({ text }) => JSON.parse(text) as unknown);
    const files = ["shop.json", "serve.json"].map(
      (name) => JSON.parse(readFileSync(example(name), "utf8")) as unknown,
    );
    expect(shown).toEqual([...files, expect.anything()]);
    expect(policies(shown[2])("main").redeemStaff).not.toEqual([]);
  });

  test("is named by the README, and can be read", async () => {
    const serving = blocks.find(({ text }) => text.includes("aftersale serve"));
    expect(serving?.text).toContain("--catalog examples/shop/shop.json --config examples/shop/serve.json");
    await readConfig(example("serve.json"));
    const shop = await fileShop(example("shop.json"), {
      now: Date.now,
      onFault: (error) => expect.unreachable(String(error)),
    });
    expect(await shop.catalog.find({ goodsId: "11" })).toMatchObject({ unitPrice: 1_000, currency: "CNY" });
  });
});
