// What is printed: text that is safe and of the right width on a terminal, tables, JSON documents, and streams that may be closed.

import type { Writable } from "node:stream";

import { CliError, exits } from "./exits.ts";

const wide =
  /^[\p{Emoji_Presentation}\u{1100}-\u{115f}\u{2329}\u{232a}\u{2e80}-\u{303e}\u{3041}-\u{4dbf}\u{4e00}-\u{a4cf}\u{a960}-\u{a97c}\u{ac00}-\u{d7a3}\u{f900}-\u{faff}\u{fe10}-\u{fe19}\u{fe30}-\u{fe6f}\u{ff01}-\u{ff60}\u{ffe0}-\u{ffe6}\u{16fe0}-\u{18cff}\u{1aff0}-\u{1b2ff}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]/u;
const noWidth = /^[\p{M}\p{Cf}]+$/u;
const plain = /^[ -~]*$/;

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Columns that a text takes on a terminal: East Asian wide characters and emoji take two, combining marks none. */
export function widthOf(text: string): number {
  if (plain.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) {
    if (noWidth.test(segment)) continue;
    width += wide.test(segment) || segment.includes("\ufe0f") ? 2 : 1;
  }
  return width;
}

/** Control and direction characters, which could move a reader's cursor or turn a line around. */
// oxlint-disable-next-line no-control-regex
const unsafe = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Text of others, made safe to print: what would act on the terminal is shown as an escape. */
export function printable(text: string): string {
  return text.replaceAll(
    unsafe,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** An instant in ISO 8601, without milliseconds where there are none. */
export function instantText(at: number): string {
  return new Date(at).toISOString().replace(".000Z", "Z");
}

/** A text cut to so many columns, with an ellipsis where something was cut. */
export function clip(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let kept = "";
  let width = 1;
  for (const { segment } of graphemes.segment(text)) {
    width += widthOf(segment);
    if (width > columns) break;
    kept += segment;
  }
  return `${kept}…`;
}

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
}

function pad(text: string, width: number, align: Column["align"]): string {
  const space = " ".repeat(Math.max(0, width - widthOf(text)));
  return align === "right" ? space + text : text + space;
}

/** A table without frames; cells are made safe, columns as wide as their widest cell. No head where no column has a title. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { indent = "" }: { readonly indent?: string } = {},
): string {
  const cells = rows.map((row) => row.map(printable));
  const titles = columns.map(({ title }) => title);
  const headed = titles.some((title) => title !== "") ? [titles, ...cells] : cells;
  const widths = columns.map((_column, at) => Math.max(0, ...headed.map((row) => widthOf(row[at] ?? ""))));
  return headed
    .map((row) => {
      const line = columns.map(({ align }, at) => pad(row[at] ?? "", widths[at] as number, align)).join("  ");
      return `${indent}${line}`.trimEnd();
    })
    .join("\n");
}

/** JSON of ours: bigints as strings. */
export function toJson(value: unknown, space?: number): string {
  return JSON.stringify(
    value,
    (_key, part: unknown) => (typeof part === "bigint" ? part.toString() : part),
    space,
  );
}

const colours = { bold: ["1", "22"], dim: ["2", "22"], red: ["31", "39"], green: ["32", "39"] } as const;

export type Colour = keyof typeof colours;

export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Whether to colour what goes to this stream (https://no-color.org). */
export function isColoured(
  stream: Writable & Terminal,
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  return stream.isTTY === true && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
}

export function paint(text: string, colour: Colour): string {
  const [on, off] = colours[colour];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}

/** What a stream says whose reader has gone. */
const gone: ReadonlySet<string> = new Set(["EPIPE", "ERR_STREAM_DESTROYED"]);

/** A stream to print to. A reader that has gone (`| head`) is no error: what follows is not printed, and `closed` says so. */
export class Output {
  readonly #stream: Writable;
  #failure: (Error & { readonly code?: string }) | undefined;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on("error", (error: Error) => {
      this.#failure ??= error;
    });
  }

  get closed(): boolean {
    return this.#failure !== undefined;
  }

  /** @returns a promise to wait for where the reader is slower than we are. */
  write(text: string): Promise<void> | undefined {
    if (this.closed || this.#stream.write(text)) return undefined;
    return new Promise((resolve) => {
      // A failure ends the wait too; `finish` tells of it.
      const ends = ["drain", "error", "close"] as const;
      const done = (): void => {
        for (const end of ends) this.#stream.removeListener(end, done);
        resolve();
      };
      for (const end of ends) this.#stream.once(end, done);
    });
  }

  /** Waits until all is written; throws where that failed for another reason than a reader that has gone. */
  async finish(): Promise<void> {
    if (!this.closed) {
      await new Promise<void>((done) => {
        this.#stream.write("", () => done());
      });
    }
    if (this.#failure !== undefined && !gone.has(this.#failure.code ?? "")) {
      throw new CliError(exits.unreachable, `cannot write the output: ${this.#failure.message}`, {
        cause: this.#failure,
      });
    }
  }
}
