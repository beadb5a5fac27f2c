// One run of a command: its global options, the engine it opens, and what it prints where.

import { statSync } from "node:fs";
import type { Readable, Writable } from "node:stream";

import type { Command } from "commander";

import type { TermsOption } from "../commands/terms.ts";
import type { Engine } from "../engine.ts";
import type { Bound } from "../projections/asof.ts";
import { StoreError, isStoreError } from "../store/port.ts";
import { CliError, type Exit, exits, messageOf } from "./exits.ts";
import { parseJson, readText } from "./input.ts";
import { type Colour, type Output, type Terminal, isColoured, paint, printable, toJson } from "./output.ts";

/** What the program touches of the process. */
export interface Io {
  readonly stdin: Readable & Terminal;
  readonly stdout: Writable & Terminal;
  readonly stderr: Writable & Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

export interface GlobalOptions {
  readonly store?: string;
  readonly views?: string;
  readonly terms?: string;
  readonly redeemKeyFile?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const defaultStore = "sqlite:./aftersale.db";
const defaultViews = "./aftersale-views.db";

/** How a command is run: in a session of its own, its answer being the exit code. */
export type Run = (command: Command, work: (session: Session) => Promise<Exit>) => Promise<void>;

export class Session {
  readonly io: Io;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly storeUrl: string;
  /** The file in which the views over a server are kept. */
  readonly viewsFile: string;
  readonly #options: GlobalOptions;
  readonly #out: Output;
  readonly #err: Output;
  /** Being interrupted is how this run ends: it is no failure. */
  endsBySignal = false;
  #progressShown = false;
  #progressAt = 0;

  constructor(io: Io, options: GlobalOptions, out: Output, err: Output) {
    this.io = io;
    this.#options = options;
    this.json = options.json === true;
    this.quiet = options.quiet === true;
    const fromEnvironment = io.env["AFTERSALE_STORE"] ?? "";
    this.storeUrl = options.store ?? (fromEnvironment === "" ? defaultStore : fromEnvironment);
    const viewsFromEnvironment = io.env["AFTERSALE_VIEWS"] ?? "";
    this.viewsFile = options.views ?? (viewsFromEnvironment === "" ? defaultViews : viewsFromEnvironment);
    this.#out = out;
    this.#err = err;
  }

  /** The store as it may be shown: without a password. */
  get storePlace(): string {
    return this.storeUrl.replace(/^(esdb(?:\+discover)?:\/\/)[^@/?]*@/, "$1");
  }

  get signal(): AbortSignal {
    return this.io.signal;
  }

  /** Waits for Ctrl-C. */
  async interrupted(): Promise<void> {
    const { signal } = this;
    if (signal.aborted) return;
    await new Promise((resolve) => {
      signal.addEventListener("abort", resolve, { once: true });
    });
  }

  // --- printing ---

  /** Nobody reads stdout any more. */
  get closed(): boolean {
    return this.#out.closed;
  }

  /** Raw text to stdout; wait for what it returns before printing much more. */
  write(text: string): Promise<void> | undefined {
    return this.#out.write(text);
  }

  /** Lines for people, to stdout. */
  async print(text: string): Promise<void> {
    await this.#out.write(`${text}\n`);
  }

  /** One versioned JSON document, a line to itself, to stdout. */
  async document(value: object): Promise<void> {
    await this.#out.write(`${toJson({ v: 1, ...value })}\n`);
  }

  /** A line about the run, to stderr; not with `--quiet`. */
  note(text: string): void {
    if (!this.quiet) this.complain(text);
  }

  /** A line that `--quiet` does not silence, to stderr. */
  complain(text: string): void {
    this.clearProgress();
    void this.#err.write(`${text}\n`);
  }

  paint(text: string, colour: Colour): string {
    return isColoured(this.io.stdout, this.io.env) ? paint(text, colour) : text;
  }

  /** A titled part of what is printed for people, after an empty line. */
  section(title: string, text: string): string {
    return `\n${this.paint(printable(title), "bold")}\n${text}`;
  }

  /** Columns of the terminal; undefined where stdout is none. */
  get columns(): number | undefined {
    return this.io.stdout.isTTY === true ? (this.io.stdout.columns ?? 80) : undefined;
  }

  /** Whether progress is shown: on a terminal only. */
  get showsProgress(): boolean {
    return this.io.stderr.isTTY === true && !this.quiet;
  }

  /** A line that is written over by the next, a few times a second. */
  progress(text: () => string): void {
    if (!this.showsProgress) return;
    const now = performance.now();
    if (this.#progressShown && now - this.#progressAt < 100) return;
    this.#progressAt = now;
    this.#progressShown = true;
    void this.#err.write(`\r\u001b[2K${printable(text())}`);
  }

  /** For what reports how much is done, of how much. */
  counting(what: string): (done: number, total: number) => void {
    return (done, total) =>
      this.progress(() => {
        const share = total === 0 ? 100 : Math.floor((done / total) * 100);
        return `${what}: ${done.toLocaleString("en")} of ${total.toLocaleString("en")} orders (${share} %)`;
      });
  }

  clearProgress(): void {
    if (!this.#progressShown) return;
    this.#progressShown = false;
    void this.#err.write("\r\u001b[2K");
  }

  // --- the engine ---

  /**
   * Runs work on the store, which is created where there is none and `create` says so, and closes it: appends in flight are finished.
   * `wallets`: whether refunds to a wallet are paid into those in the store; they are without it.
   * @throws CliError `unreachable` where there is no store.
   */
  async change<T>(
    work: (engine: Engine) => Promise<T>,
    { create = false, wallets = true }: { readonly create?: boolean; readonly wallets?: boolean } = {},
  ): Promise<T> {
    if (!create) this.#mustExist();
    await using engine = await this.#open(false, wallets);
    return await work(engine);
  }

  /** Runs work that needs no view: the store is opened for reading only. */
  async read<T>(work: (engine: Engine) => Promise<T>): Promise<T> {
    this.#mustExist();
    if (this.#file === undefined) return this.change(work);
    try {
      await using engine = await this.#open(true);
      return await work(engine);
    } catch (error) {
      if (!hasNoViews(error)) throw error;
      return this.change(work);
    }
  }

  /**
   * Runs work that asks these views. The store is opened for reading only where they are current. Else it is opened for writing, so
   * that they are caught up, once and for all; and where it cannot be written to either, the answer is folded from the events, in
   * memory: that is what `at` is for, to be handed on to the view.
   */
  async look<T>(
    views: readonly string[],
    work: (engine: Engine, at: Bound | undefined) => Promise<T>,
  ): Promise<T> {
    this.#mustExist();
    if (this.#file === undefined) return this.change((engine) => work(engine, undefined));
    try {
      await using engine = await this.#open(true);
      const standing = await engine.views.status();
      if (views.every((name) => standing.some(({ view, current }) => view === name && current))) {
        return await work(engine, undefined);
      }
    } catch (error) {
      // A view that is kept later fell behind between the look at it and the answer; or the file has no views at all yet.
      if (!isStoreError(error, "denied") && !hasNoViews(error)) throw error;
    }
    try {
      return await this.change((engine) => work(engine, undefined));
    } catch (error) {
      if (!isStoreError(error, "denied") && !isStoreError(error, "full")) throw error;
      this.note(`the views are behind and cannot be brought on (${error.message}): answered from the events`);
    }
    return this.read(async (engine) => work(engine, { position: await engine.head() }));
  }

  /** The file of the store; undefined where it is none. */
  get #file(): string | undefined {
    return this.storeUrl.startsWith("sqlite:") ? this.storeUrl.slice("sqlite:".length) : undefined;
  }

  #mustExist(): void {
    const file = this.#file;
    if (file === undefined || file === "") return;
    if (statSync(file, { throwIfNoEntry: false }) === undefined) {
      throw new StoreError(
        "unavailable",
        `there is no store at ${file} (name one with --store or AFTERSALE_STORE; \`exec\` makes one)`,
      );
    }
  }

  async #open(readOnly: boolean, wallets = true): Promise<Engine> {
    const { openEngine } = await import("../engine.ts");
    const [terms, redeemKey] = await Promise.all([this.#terms(), this.redeemKey()]);
    try {
      return await openEngine({
        store: this.storeUrl,
        viewsFile: this.viewsFile,
        readOnly,
        terms,
        redeemKey,
        wallet: wallets ? "kept" : undefined,
      });
    } catch (error) {
      // The terms have been checked: what is left to be wrong is the store's URL.
      if (error instanceof TypeError) throw new CliError(exits.usage, `--${error.message}`, { cause: error });
      throw error;
    }
  }

  async #terms(): Promise<TermsOption | undefined> {
    const file = this.#options.terms;
    if (file === undefined) return undefined;
    const terms = parseJson(await readText(file), file);
    const { policies } = await import("../commands/terms.ts");
    try {
      policies(terms);
      return terms as TermsOption;
    } catch (cause) {
      throw new CliError(exits.unreadable, `${file}:1:1: ${messageOf(cause)}`, { cause });
    }
  }

  /** The secret of write-off codes, from its file or the environment. */
  async redeemKey(): Promise<string | undefined> {
    const file = this.#options.redeemKeyFile;
    const key = file === undefined ? this.io.env["AFTERSALE_REDEEM_KEY"] : (await readText(file)).trim();
    if (file !== undefined && key === "") throw new CliError(exits.unreadable, `${file}:1:1: holds no key`);
    return key === "" ? undefined : key;
  }
}

/** A file that was made by the store alone, without an engine. */
function hasNoViews(error: unknown): boolean {
  return error instanceof Error && error.message.includes("no such table: views");
}
