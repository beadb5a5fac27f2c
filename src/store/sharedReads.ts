// Reads that are asked for in one turn of the event loop, done in one read transaction: only the first pays for looking at the file.

import { type Database, rollBack } from "./database.ts";

const usualTurnMs = 5;

interface Read {
  readonly work: () => unknown;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export class SharedReads {
  readonly #database: Database;
  readonly #begin: ReturnType<Database["prepare"]>;
  readonly #commit: ReturnType<Database["prepare"]>;
  readonly #turnMs: number;
  #waiting: Read[] = [];

  /** @param turnMs how long reads go on before others have their turn, in milliseconds; at least one is done. */
  constructor(database: Database, turnMs = usualTurnMs) {
    this.#database = database;
    this.#turnMs = turnMs;
    this.#begin = database.prepare("BEGIN");
    this.#commit = database.prepare("COMMIT");
  }

  /**
   * Does a synchronous read at the end of this turn, or of a later one where many wait, in a state of the file that is not older than this
   * call. Reads are done in the order in which they were asked for, and what fails fails alone.
   */
  read<T>(work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ work, resolve: resolve as Read["resolve"], reject });
      if (this.#waiting.length === 1) setImmediate(() => this.#run());
    });
  }

  /** Does as many as there is time for; those that are left have the next turn. */
  #run(): void {
    const begun = this.#tryToBegin();
    const until = performance.now() + this.#turnMs;
    let done = 0;
    try {
      do {
        const { work, resolve, reject } = this.#waiting[done] as Read;
        done += 1;
        try {
          resolve(work());
        } catch (error) {
          reject(error);
        }
      } while (done < this.#waiting.length && performance.now() < until);
    } finally {
      this.#waiting = this.#waiting.slice(done);
      if (this.#waiting.length > 0) setImmediate(() => this.#run());
      if (begun) this.#end();
    }
  }

  /** A transaction that only reads has nothing to lose: what matters is that none is left open. */
  #end(): void {
    try {
      this.#commit.run();
    } catch {
      // A read that failed (a disk that cannot be read) may have ended it already.
      rollBack(this.#database);
    }
  }

  /** Where no transaction can begin, each read says by itself what is wrong. */
  #tryToBegin(): boolean {
    try {
      this.#begin.run();
      return true;
    } catch {
      return false;
    }
  }
}
