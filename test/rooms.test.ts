// Proves that the linter bites: every rule we configured is broken once on purpose, and every room may import what it should.

import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const restricted = "eslint(no-restricted-imports)";

/** What a room must not import: one line of TypeScript each. */
const banned: readonly (readonly [file: string, specifiers: readonly string[]])[] = [
  [
    "src/domain/breach.ts",
    [
      "../store/named.ts",
      "../commands/named.ts",
      "../projections/named.ts",
      "../engine.ts",
      "../../test/named.ts",
      "node:fs",
      "node:crypto",
      "fs",
      "zod",
      "yaml",
      "fp-ts/Either",
      "fp-ts/lib/TaskEither.js",
      "@photostructure/sqlite",
    ],
  ],
  [
    "src/store/breach.ts",
    [
      "../commands/named.ts",
      "../projections/named.ts",
      "../audit/named.ts",
      "../engine.ts",
      "../index.ts",
      "xstate",
    ],
  ],
  ["src/store/sqlite-breach.ts", ["@eventstore/db-client", "fp-ts/lib/TaskEither.js", "commander"]],
  ["src/store/esdb.ts", ["../commands/named.ts", "@photostructure/sqlite"]],
  [
    "src/commands/breach.ts",
    [
      "../projections/named.ts",
      "../audit/named.ts",
      "../engine.ts",
      "xstate",
      "node:fs",
      "node:fs/promises",
      "@photostructure/sqlite",
    ],
  ],
  [
    "src/projections/breach.ts",
    ["../commands/named.ts", "../audit/named.ts", "../engine.ts", "zod", "node:fs", "@photostructure/sqlite"],
  ],
  [
    "src/audit/breach.ts",
    ["../engine.ts", "../cli/named.ts", "../index.ts", "commander", "@photostructure/sqlite"],
  ],
  [
    "src/engine.ts",
    ["./cli/named.ts", "./server/named.ts", "./dialects/named.ts", "./index.ts", "commander", "xstate"],
  ],
  [
    "src/dialects/breach.ts",
    ["../server/named.ts", "../cli/named.ts", "../index.ts", "../store/named.ts", "node:fs", "hono"],
  ],
  ["src/dialects/shop/breach.ts", ["../named.ts", "../other/named.ts", "../../store/named.ts", "node:fs"]],
  [
    "src/server/breach.ts",
    ["../cli/named.ts", "../index.ts", "./devserver/named.ts", "commander", "@eventstore/db-client"],
  ],
  [
    "src/server/devserver/breach.ts",
    [
      "../named.ts",
      "../../engine.ts",
      "../../domain/named.ts",
      "../../store/sqlite.ts",
      "../../commands/named.ts",
      "@eventstore/db-client",
      "@grpc/grpc-js",
      "zod",
    ],
  ],
  ["src/scenarios/breach.ts", ["../server/named.ts", "../cli/named.ts", "../index.ts", "commander", "zod"]],
  ["src/cli/breach.ts", ["../index.ts", "xstate", "yaml", "@photostructure/sqlite", "@eventstore/db-client"]],
  ["src/index.ts", ["./cli/named.ts", "./server/devserver/named.ts", "commander", "zod", "node:fs"]],
  ["src/elsewhere/breach.ts", ["../domain/named.ts", "node:fs"]],
];

/** What a room may import, so that a rule that bans everything is found out too. */
const allowed: readonly (readonly [file: string, specifiers: readonly string[]])[] = [
  ["src/domain/fine.ts", ["./named.ts", "xstate", "fp-ts/lib/Either.js", "fp-ts/lib/function.js"]],
  [
    "src/store/fine.ts",
    ["./named.ts", "../domain/named.ts", "node:fs", "node:fs/promises", "@photostructure/sqlite", "zod"],
  ],
  [
    "src/commands/fine.ts",
    ["../domain/named.ts", "../store/named.ts", "zod", "node:crypto", "fp-ts/lib/Either.js"],
  ],
  ["src/projections/fine.ts", ["../domain/named.ts", "../store/named.ts", "node:crypto"]],
  [
    "src/audit/fine.ts",
    ["../domain/named.ts", "../store/named.ts", "../commands/named.ts", "../projections/named.ts", "node:fs"],
  ],
  [
    "src/dialects/fine.ts",
    ["../engine.ts", "../commands/named.ts", "../projections/named.ts", "node:crypto"],
  ],
  [
    "src/dialects/shop/fine.ts",
    [
      "./named.ts",
      "../dialect.ts",
      "../../engine.ts",
      "../../domain/named.ts",
      "../../commands/named.ts",
      "zod",
    ],
  ],
  [
    "src/server/fine.ts",
    ["../engine.ts", "../dialects/named.ts", "../domain/named.ts", "node:http", "hono", "@hono/node-server"],
  ],
  [
    "src/server/devserver/fine.ts",
    ["./named.ts", "../../store/database.ts", "../../store/port.ts", "node:http2", "node:timers/promises"],
  ],
  ["src/scenarios/fine.ts", ["./named.ts", "../engine.ts", "../dialects/named.ts", "yaml", "node:fs"]],
  ["src/cli/fine.ts", ["./named.ts", "../engine.ts", "../scenarios/named.ts", "commander", "node:fs"]],
];

/** One breach of every other configured rule; the file says which override it stands under. */
const breaches: readonly (readonly [rule: string, file: string, source: string])[] = [
  ["eslint/eqeqeq", "src/cli/eqeqeq.ts", "export const same = (a: unknown, b: unknown) => a == b;"],
  ["eslint/no-var", "src/cli/var.ts", "export var old = 1;"],
  ["eslint/prefer-const", "src/cli/let.ts", "let fixed = 1;\nexport const twice = () => fixed * 2;"],
  ["eslint/no-console", "src/store/console.ts", 'console.log("quiet");'],
  ["eslint/no-restricted-globals", "src/domain/process.ts", "export const home = () => process.env;"],
  ["eslint/no-restricted-globals", "src/domain/timer.ts", "setTimeout(() => undefined, 1);"],
  ["eslint/no-restricted-imports", "src/domain/dynamic.ts", 'export const load = () => import("node:fs");'],
  [
    "eslint/no-restricted-imports",
    "src/domain/type.ts",
    'import type { N } from "../store/named.ts";\nexport type M = N;',
  ],
  ["eslint/no-restricted-imports", "src/domain/reexport.ts", 'export { named } from "../store/named.ts";'],
  ["eslint/no-restricted-properties", "src/domain/now.ts", "export const now = () => Date.now();"],
  ["eslint/no-restricted-properties", "src/commands/random.ts", "export const dice = () => Math.random();"],
  ["eslint/no-restricted-properties", "src/projections/now.ts", "export const now = () => Date.now();"],
  ["eslint/no-restricted-properties", "src/cli/exit.ts", "process.exit(1);"],
  [
    "import/no-cycle",
    "src/store/left.ts",
    'import { right } from "./right.ts";\nexport const left = () => right;',
  ],
  [
    "import/no-cycle",
    "src/store/right.ts",
    'import { left } from "./left.ts";\nexport const right = () => left;',
  ],
  [
    "import/no-duplicates",
    "src/cli/twice.ts",
    'import { named } from "./named.ts";\nimport { other } from "./named.ts";\nexport const both = [named, other];',
  ],
  ["import/no-default-export", "src/cli/default.ts", "export default 1;"],
  ["oxc/no-barrel-file", "src/index.ts", 'export * from "./engine.ts";'],
  ["oxc/no-barrel-file", "src/domain/star.ts", 'export * from "./named.ts";'],
  ["typescript/await-thenable", "src/cli/await.ts", "export const f = async (n: number) => { await n; };"],
  [
    "typescript/consistent-type-imports",
    "src/cli/type.ts",
    'import { N } from "./named.ts";\nexport const n = (m: N): N => m;',
  ],
  ["typescript/consistent-type-imports", "src/cli/inline.ts", 'export type Q = import("./named.ts").N;'],
  ["typescript/no-explicit-any", "src/cli/any.ts", "export const f = (x: any): unknown => x;"],
  ["typescript/no-explicit-any", "test/any.ts", "export const f = (x: any): unknown => x;"],
  ["typescript/no-floating-promises", "src/cli/floating.ts", "const f = async () => 1;\nf();"],
  ["typescript/no-floating-promises", "test/floating.ts", "const f = async () => 1;\nf();"],
  [
    "typescript/no-misused-promises",
    "src/cli/misused.ts",
    "const f = async () => true;\nexport const g = () => { if (f()) return 1; return 2; };",
  ],
  [
    "typescript/no-misused-spread",
    "src/cli/spread.ts",
    "export const f = (m: Map<string, string>) => ({ ...m });",
  ],
  [
    "typescript/no-non-null-assertion",
    "src/cli/bang.ts",
    "export const f = (a: readonly number[]) => a[0]!.toFixed();",
  ],
  [
    "typescript/no-unsafe-argument",
    "src/cli/argument.ts",
    "export const f = (s: string) => parseInt(JSON.parse(s), 10);",
  ],
  ["typescript/no-unsafe-assignment", "src/cli/assignment.ts", 'export const x = JSON.parse("1");'],
  ["typescript/no-unsafe-call", "src/cli/call.ts", 'export const f = (): unknown => JSON.parse("1")();'],
  [
    "typescript/no-unsafe-member-access",
    "src/cli/member.ts",
    'export const f = (): unknown => JSON.parse("{}").a;',
  ],
  ["typescript/no-unsafe-return", "src/cli/return.ts", 'export const f = () => JSON.parse("1");'],
  ["typescript/only-throw-error", "src/cli/throw.ts", 'export const f = () => { throw "text"; };'],
  [
    "typescript/return-await",
    "src/cli/return-await.ts",
    "const g = async () => 1;\nexport const f = async () => { try { return g(); } catch { return 2; } };",
  ],
  [
    "typescript/switch-exhaustiveness-check",
    "src/cli/switch.ts",
    'export const f = (k: "a" | "b") => { switch (k) { case "a": return 1; } return 2; };',
  ],
  [
    "unicorn/prefer-node-protocol",
    "src/cli/protocol.ts",
    'import { sep } from "path";\nexport const s = sep;',
  ],
  [
    "vitest/no-focused-tests",
    "test/focus.test.ts",
    'import { test } from "vitest";\ntest.only("one", () => undefined);',
  ],
  [
    "vitest/no-identical-title",
    "test/title.test.ts",
    'import { test } from "vitest";\ntest("one", () => undefined);\ntest("one", () => undefined);',
  ],
  [
    "vitest/valid-expect",
    "test/expect.test.ts",
    'import { expect, test } from "vitest";\ntest("one", () => { expect(1); });',
  ],
  [
    "vitest/require-to-throw-message",
    "test/throw.test.ts",
    'import { expect, test } from "vitest";\ntest("one", () => { expect(() => 1).toThrow(); });',
  ],
];

/** Files that the others import by these names. */
const targets = [
  "domain",
  "store",
  "commands",
  "projections",
  "audit",
  "dialects",
  "dialects/shop",
  "server",
  "scenarios",
  "cli",
];

interface Diagnostic {
  readonly code: string;
  readonly filename: string;
  readonly message: string;
  readonly labels: readonly { readonly span: { readonly line: number } }[];
}

function lint(cwd: string, ...paths: string[]): readonly Diagnostic[] {
  const oxlint = join(root, "node_modules", "oxlint", "bin", "oxlint");
  const run = spawnSync(process.execPath, [oxlint, "-f", "json", ...paths], {
    cwd,
    encoding: "utf8",
    maxBuffer: 1e8,
  });
  if (!run.stdout.startsWith("{")) throw new Error(`oxlint did not run: ${run.stdout}${run.stderr}`);
  const { diagnostics } = JSON.parse(run.stdout) as { diagnostics: Diagnostic[] };
  return diagnostics.map((d) => ({ ...d, filename: d.filename.replaceAll("\\", "/") }));
}

let tree: string;
let found: readonly Diagnostic[];

beforeAll(() => {
  tree = mkdtempSync(join(tmpdir(), "aftersale-rooms-"));
  for (const file of [".oxlintrc.json", "tsconfig.json", "package.json"])
    cpSync(join(root, file), join(tree, file));
  symlinkSync(join(root, "node_modules"), join(tree, "node_modules"), "junction");

  const sources = new Map<string, string>();
  const add = (file: string, text: string) => sources.set(file, `${sources.get(file) ?? ""}${text}\n`);
  for (const room of targets)
    add(`src/${room}/named.ts`, "export type N = number;\nexport const named = 1;\nexport const other = 2;");
  for (const [file, specifiers] of [...banned, ...allowed])
    for (const s of specifiers) add(file, `import "${s}";`);
  for (const [, file, source] of breaches) add(file, source);
  for (const [file, text] of sources) {
    mkdirSync(dirname(join(tree, file)), { recursive: true });
    writeFileSync(join(tree, file), text);
  }
  found = lint(tree, "src", "test");
});

afterAll(() => {
  rmSync(tree, { recursive: true, force: true });
});

describe("a room refuses", () => {
  test.each(banned.flatMap(([file, specifiers]) => specifiers.map((specifier) => ({ file, specifier }))))(
    "$file importing $specifier",
    ({ file, specifier }) => {
      const refused = found.filter((d) => d.filename === file && d.code === restricted).map((d) => d.message);
      expect(refused.filter((message) => message.startsWith(`'${specifier}'`))).toHaveLength(1);
    },
  );
});

describe("a room accepts", () => {
  test.each(allowed.map(([file, specifiers]) => ({ file, specifiers })))(
    "$file importing $specifiers",
    ({ file }) => {
      expect(found.filter((d) => d.filename === file && d.code === restricted)).toEqual([]);
    },
  );
});

describe("the linter refuses", () => {
  test.each(breaches.map(([rule, file]) => ({ rule, file })))("$rule in $file", ({ rule, file }) => {
    const [plugin, name] = rule.split("/");
    expect(found.filter((d) => d.filename === file).map((d) => d.code)).toContain(`${plugin}(${name})`);
  });

  test("and every configured rule is broken above", () => {
    const config = readFileSync(join(root, ".oxlintrc.json"), "utf8");
    const configured = [...config.matchAll(/"([a-z]+\/[a-z-]+)": (?!"off")/g)].map(([, rule]) => rule);
    const broken = new Set(breaches.map(([rule]) => rule));
    expect(configured.length).toBeGreaterThan(20);
    expect(configured.filter((rule) => !broken.has(rule!))).toEqual([]);
  });
});

describe("the house", () => {
  const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8", withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length).replaceAll("\\", "/"));

  test("is clean under its own rules", () => {
    const said = lint(root, "src").map(
      (d) => `${d.filename}:${d.labels[0]?.span.line}: ${d.code} ${d.message}`,
    );
    expect(said).toEqual([]);
  });

  test("has no room but those of the design", () => {
    const rooms = [
      "audit",
      "cli",
      "commands",
      "dialects",
      "domain",
      "engine.ts",
      "index.ts",
      "projections",
      "scenarios",
      "server",
      "store",
    ];
    expect(readdirSync(join(root, "src")).filter((name) => !rooms.includes(name))).toEqual([]);
  });

  test("has no drawer for whatever fits nowhere", () => {
    expect(
      files.filter((file) => /(^|[/-])(utils?|helpers?|types|common|misc|shared)(\.ts|\/|$)/.test(file)),
    ).toEqual([]);
  });

  test.each(files.map((file) => ({ file })))("$file opens with one sentence", ({ file }) => {
    const [first, second] = readFileSync(join(root, file), "utf8").split("\n");
    expect(first?.startsWith("#!") ? second : first).toMatch(/^\/\/ [^\s].*[.!]$/);
  });
});
