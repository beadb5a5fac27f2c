// Builds the package once before the tests, where it is older than its sources, for the tests that run what is shipped.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** What the build said when it failed; empty when dist is there and newer than its sources. */
    readonly buildFailure: string;
  }
}

const root = fileURLToPath(new URL("..", import.meta.url));

function changed(path: string): number {
  return statSync(join(root, path)).mtimeMs;
}

function isFresh(): boolean {
  const door = join("dist", "index.js");
  if (!existsSync(join(root, door)) || !existsSync(join(root, "dist", "cli", "main.js"))) return false;
  const inside = (folder: string) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((file) => join(folder, file));
  // Folders too: a file that was removed or renamed shows in no file's time.
  const sources = ["src", ...inside("src"), ...inside("examples").filter((file) => file.endsWith(".ts"))];
  sources.push("package.json", "tsconfig.json", "tsconfig.build.json", "tsconfig.examples.json");
  return sources.every((path) => changed(path) <= changed(door));
}

export function setup(project: TestProject): void {
  let failure = "";
  if (!isFresh()) {
    const build = spawnSync("npm", ["run", "-s", "build"], {
      cwd: root,
      encoding: "utf8",
      shell: process.platform === "win32",
    });
    if (build.status !== 0) failure = `npm run build failed:\n${build.stdout}${build.stderr}`;
  }
  // The tests that need no build still run; those that do fail on this text.
  if (failure !== "") process.stderr.write(`${failure}\n`);
  project.provide("buildFailure", failure);
}
