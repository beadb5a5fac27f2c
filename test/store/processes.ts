// Starts processes that write to a store's file, and reads what they acknowledge.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { inject } from "vitest";

import type { NewEvent } from "../../src/store/port.ts";

/** One append that a process says is written. */
export interface Acknowledged {
  readonly stream: string;
  readonly events: readonly NewEvent[];
  readonly revision: string;
  readonly position: string;
}

export interface Writer {
  readonly acknowledged: readonly Acknowledged[];
  /** Once it has acknowledged so many (0: opened the file). */
  reached(count: number): Promise<void>;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
  /** Its exit code, once it has ended by itself and all that it said is read. */
  readonly ended: Promise<number | null>;
}

const script = fileURLToPath(new URL("writer.mjs", import.meta.url));

export function startWriter(file: string, name: string, mode: "race" | "own", count: number): Writer {
  const failure = inject("buildFailure");
  if (failure !== "") throw new Error(failure);
  const child: ChildProcess = spawn(process.execPath, [script, file, name, mode, String(count)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const acknowledged: Acknowledged[] = [];
  const waiting = new Set<() => void>();
  let lines = 0;
  let over = false;
  const output = child.stdout;
  if (output === null) throw new Error("the writer has no output");
  const reader = createInterface({ input: output });
  reader.on("line", (line) => {
    lines += 1;
    if (lines > 1) {
      try {
        acknowledged.push(JSON.parse(line) as Acknowledged);
      } catch {
        // The line during which it was killed: an append that nobody was told of.
      }
    }
    for (const check of waiting) check();
  });
  const ended = (async () => {
    const [[code]] = (await Promise.all([once(child, "exit"), once(reader, "close")])) as [
      [number | null],
      unknown,
    ];
    over = true;
    for (const check of waiting) check();
    return code;
  })();
  return {
    acknowledged,
    ended,
    reached: (count) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (lines > count) resolve();
          else if (over) reject(new Error(`the writer ended after ${lines} lines`));
          else return;
          waiting.delete(check);
        };
        waiting.add(check);
        check();
      }),
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
