// What this run stands on: processor, memory, disk, Node and the packages that matter.

import { readFileSync, statfsSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { resolve } from "node:path";

import { openDatabase } from "../src/store/database.ts";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly node: string;
  readonly folder: string;
  readonly disk: string;
  readonly sqlite: string;
  readonly packages: Readonly<Record<string, string>>;
}

const packages = ["aftersale", "xstate", "zod", "fp-ts", "@photostructure/sqlite"];

export function machine(folder: string, root: string): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    folder,
    disk: disk(folder),
    sqlite: sqliteVersion(),
    packages: Object.fromEntries(packages.map((name) => [name, versionOf(name, root)])),
  };
}

export function machineLines(found: Machine): readonly string[] {
  return [
    `${found.cpu}, ${found.cores} cores, ${found.memoryGiB} GiB`,
    `Node ${found.node}, SQLite ${found.sqlite}`,
    `${found.folder} on ${found.disk}`,
    Object.entries(found.packages)
      .map(([name, version]) => `${name} ${version}`)
      .join(", "),
  ];
}

function sqliteVersion(): string {
  const database = openDatabase(":memory:");
  try {
    const { version } = database.prepare("SELECT sqlite_version() AS version").get() as { version: string };
    const builtin = process.getBuiltinModule as ((id: string) => unknown) | undefined;
    return `${version} through ${builtin?.("node:sqlite") === undefined ? "@photostructure/sqlite" : "node:sqlite"}`;
  } finally {
    database.close();
  }
}

function versionOf(name: string, root: string): string {
  const file = name === "aftersale" ? "package.json" : `node_modules/${name}/package.json`;
  try {
    return (JSON.parse(readFileSync(resolve(root, file), "utf8")) as { version: string }).version;
  } catch {
    return "missing";
  }
}

/** Device and file system of the mount that holds the folder, where the system tells. */
function disk(folder: string): string {
  try {
    const mounts = readFileSync("/proc/mounts", "utf8")
      .split("\n")
      .map((line) => line.split(" "))
      .filter(([, at]) => at !== undefined && (at === "/" || folder === at || folder.startsWith(`${at}/`)))
      .toSorted((a, b) => (b[1]?.length ?? 0) - (a[1]?.length ?? 0));
    const [device, , type] = mounts[0] ?? [];
    if (device !== undefined && type !== undefined) return `${type} (${device})`;
  } catch {
    // Not Linux.
  }
  return `file system type 0x${statfsSync(folder).type.toString(16)}`;
}
