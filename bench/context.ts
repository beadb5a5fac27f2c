// What every measure is given: where to write, how many rounds, and whom to tell.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";

import { openSubject } from "./subject.ts";
import { drive, lives } from "./workload.ts";

export class Context {
  readonly quick: boolean;
  readonly rounds: number;
  readonly full: boolean;
  readonly peers: boolean;
  readonly folder: string;
  /** The bench's own folder, where the peers' packages are. */
  readonly bench: string;
  readonly #log: string | undefined;
  readonly #made = new Map<string, Promise<string>>();

  constructor(options: {
    readonly quick: boolean;
    readonly full: boolean;
    readonly peers: boolean;
    readonly folder: string;
    readonly bench: string;
    readonly log: string | undefined;
  }) {
    this.quick = options.quick;
    this.full = options.full;
    this.peers = options.peers;
    this.rounds = options.quick ? 5 : 15;
    this.folder = mkdtempSync(join(options.folder, "aftersale-bench-"));
    this.bench = options.bench;
    this.#log = options.log;
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  say(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  /** How many orders the replays run over: five events each. */
  get orders(): number {
    return this.quick ? 20_000 : 200_000;
  }

  /** A file with this many orders lived to their end. */
  log(orders: number): Promise<string> {
    return this.made(`${orders}`, async (file) => {
      this.say(`writing ${orders.toLocaleString("en-GB")} orders' lives ...`);
      const subject = await openSubject(file);
      try {
        const chunk = 4_096;
        for (let first = 0; first < orders; first += chunk) {
          const queue = lives(first, Math.min(chunk, orders - first));
          await drive(queue, 1_024, (asked) => subject.execute(asked));
        }
        await subject.settle();
      } finally {
        await subject.close();
      }
    });
  }

  /** A file that is made once a run, or once for all runs with `--log`. */
  made(name: string, make: (file: string) => Promise<void>): Promise<string> {
    const known = this.#made.get(name);
    if (known !== undefined) return known;
    const file = this.#log === undefined ? this.file(`log-${name}.db`) : `${this.#log}-${name}.db`;
    const made = existsSync(file) ? Promise.resolve(file) : make(file).then(() => file);
    this.#made.set(name, made);
    return made;
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
