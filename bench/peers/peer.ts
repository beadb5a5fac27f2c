// Starts a peer's process and asks it for rounds; installs the peers' packages first, where they are missing.

import { type ChildProcess, fork, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { Answer, Ask } from "./child.ts";

export interface RunningPeer {
  readonly about: string;
  /** Commands a second. */
  round(ask: Ask): Promise<number>;
  close(): Promise<void>;
}

/** Installs what bench/package.json names, once; what fails shows when the peer is opened. */
export function installPeers(bench: string, say: (text: string) => void): void {
  if (existsSync(join(bench, "node_modules"))) return;
  say("installing the peers into bench/node_modules (their SQLite drivers may take minutes to compile) ...");
  const { status, stderr } = spawnSync("npm", ["ci", "--no-fund", "--no-audit"], {
    cwd: bench,
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  if (status !== 0) say(`npm ci failed: ${stderr.trim().split("\n").at(-1) ?? ""}`);
}

/** @throws Error with the reason, where the peer cannot be opened. */
export async function startPeer(name: "evtstore" | "emmett", file: string): Promise<RunningPeer> {
  const child = fork(fileURLToPath(new URL("./child.js", import.meta.url)), [name, file], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const opened = await next(child);
  if (opened.kind !== "open")
    throw new Error(opened.kind === "failed" ? opened.reason : "it answered out of turn");
  return {
    about: opened.about,
    async round(ask) {
      const answered = next(child);
      child.send(ask);
      const answer = await answered;
      if (answer.kind !== "driven")
        throw new Error(answer.kind === "failed" ? answer.reason : "it answered out of turn");
      return answer.commandsPerSecond;
    },
    async close() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.disconnect();
      await ended;
    },
  };
}

function next(child: ChildProcess): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => {
      child.off("message", heard);
      reject(new Error(`its process ended with ${code ?? "a signal"}`));
    };
    const heard = (message: unknown) => {
      child.off("exit", ended);
      resolve(message as Answer);
    };
    child.once("message", heard);
    child.once("exit", ended);
  });
}
