// What is read: NDJSON line by line with a bound on each line, JSON documents and files, every fault with its line and column.

import { isUtf8 } from "node:buffer";
import { readFile } from "node:fs/promises";

import { CliError, exits } from "./exits.ts";

/** Longer than any command can be, however it is escaped and spaced. */
export const maxLineBytes = 4 * 1024 * 1024;

/** One line of input: its text, or why it has none. Numbers count from 1, empty lines included. */
export type InputLine =
  | { readonly number: number; readonly text: string; readonly bytes: number }
  | { readonly number: number; readonly fault: string; readonly bytes: number };

const newline = 0x0a;

/**
 * Splits bytes into lines, a chunk's worth at a time; empty lines are counted and left out. Of a line over the bound nothing is kept, so
 * that its length does not matter.
 */
export async function* readLines(
  input: AsyncIterable<Uint8Array | string>,
  maxBytes: number = maxLineBytes,
): AsyncGenerator<readonly InputLine[], void, undefined> {
  let parts: Buffer[] = [];
  let held = 0;
  let tooLong = false;
  let number = 0;

  const line = (last: Buffer): InputLine | undefined => {
    number += 1;
    const bytes = held + last.length;
    const whole = parts.length === 0 ? last : Buffer.concat([...parts, last]);
    const long = tooLong || bytes > maxBytes;
    parts = [];
    held = 0;
    tooLong = false;
    return long ? { number, fault: `longer than ${maxBytes} bytes`, bytes: 0 } : lineOf(number, whole);
  };

  for await (const piece of input) {
    const chunk =
      typeof piece === "string"
        ? Buffer.from(piece)
        : Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    const lines: InputLine[] = [];
    let from = 0;
    for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, from)) {
      const read = line(chunk.subarray(from, at));
      if (read !== undefined) lines.push(read);
      from = at + 1;
    }
    if (from < chunk.length && !tooLong) {
      held += chunk.length - from;
      parts.push(chunk.subarray(from));
      if (held > maxBytes) {
        tooLong = true;
        parts = [];
        held = 0;
      }
    }
    if (lines.length > 0) yield lines;
  }
  if (held > 0 || tooLong) {
    const read = line(Buffer.alloc(0));
    if (read !== undefined) yield [read];
  }
}

function lineOf(number: number, bytes: Buffer): InputLine | undefined {
  let text = bytes.toString("utf8");
  // Bytes that are no UTF-8 come out as this character, which may also have been meant.
  if (text.includes("\ufffd") && !isUtf8(bytes)) return { number, fault: "not UTF-8", bytes: bytes.length };
  if (number === 1) text = unmarked(text);
  return text.trim() === "" ? undefined : { number, text, bytes: bytes.length };
}

/** A text without the byte order mark that some editors begin it with. */
export function unmarked(text: string): string {
  return text.startsWith("\ufeff") ? text.slice(1) : text;
}

/** A place in a text, counted from 1, columns in characters. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface JsonFault extends Place {
  readonly rule: string;
}

/** Why a text is no JSON, and where; to be asked of a text that `JSON.parse` refused. */
export function jsonFault(text: string): JsonFault {
  const { at, rule } = new JsonScanner(text).scan();
  const before = text.slice(0, at);
  const lines = before.split("\n");
  const inLine = lines.at(-1) ?? "";
  return { line: lines.length, column: characters(inLine) + 1, rule };
}

/** Code points of a text; a line of megabytes is not taken apart for it. */
function characters(text: string): number {
  let count = text.length;
  for (let at = 0; at < text.length; at += 1) if ((text.charCodeAt(at) & 0xfc00) === 0xdc00) count -= 1;
  return count;
}

/** Walks a text by the grammar of JSON up to its first fault; without recursion, so that no depth of nesting is too deep. */
class JsonScanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  scan(): { readonly at: number; readonly rule: string } {
    const open: ("[" | "{")[] = [];
    let expects: "value" | "value or ]" | "key" | "key or }" | "colon" | "next" = "value";
    for (;;) {
      this.#take(/[ \t\n\r]*/y);
      const character = this.#text[this.#at];
      const fault = (rule: string): { readonly at: number; readonly rule: string } => ({
        at: this.#at,
        rule:
          character === undefined ? `the text ends where ${rule.replace("expected", "there must be")}` : rule,
      });
      if (expects === "next") {
        const inside = open.at(-1);
        if (inside === undefined) {
          return character === undefined
            ? fault("expected a value")
            : fault("something follows after the end of the document");
        }
        const close = inside === "[" ? "]" : "}";
        if (character === close) open.pop();
        else if (character === ",") expects = inside === "[" ? "value" : "key";
        else return fault(`expected "," or "${close}"`);
        this.#at += 1;
      } else if (expects === "colon") {
        if (character !== ":") return fault('expected ":"');
        this.#at += 1;
        expects = "value";
      } else if (expects === "key" || expects === "key or }") {
        if (character === "}" && expects === "key or }") {
          open.pop();
          this.#at += 1;
          expects = "next";
        } else if (character === '"') {
          const rule = this.#string();
          if (rule !== undefined) return { at: this.#at, rule };
          expects = "colon";
        } else
          return fault(
            `expected ${expects === "key" ? "a key in double quotes" : 'a key in double quotes or "}"'}`,
          );
      } else if (character === "]" && expects === "value or ]") {
        open.pop();
        this.#at += 1;
        expects = "next";
      } else if (character === "[" || character === "{") {
        open.push(character);
        this.#at += 1;
        expects = character === "[" ? "value or ]" : "key or }";
      } else if (character === '"') {
        const rule = this.#string();
        if (rule !== undefined) return { at: this.#at, rule };
        expects = "next";
      } else if (this.#take(/(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y)) {
        expects = "next";
      } else {
        const word = /[\w.+-]+/y;
        word.lastIndex = this.#at;
        const found = word.exec(this.#text)?.[0];
        return fault(found === undefined ? "expected a value" : `${found.slice(0, 40)} is no value of JSON`);
      }
    }
  }

  #take(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return false;
    this.#at += found[0].length;
    return true;
  }

  /** Moves over a string, or to its fault. */
  #string(): string | undefined {
    this.#at += 1;
    for (;;) {
      // oxlint-disable-next-line no-control-regex
      this.#take(/[^"\\\u0000-\u001f]*/y);
      const character = this.#text[this.#at];
      if (character === undefined) return "the text ends inside a string";
      if (character === '"') {
        this.#at += 1;
        return undefined;
      }
      if (character !== "\\") return "a control character in a string must be escaped";
      if (!this.#take(/\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y)) return "no such escape in a string";
    }
  }
}

/**
 * Reads a JSON document.
 * @throws CliError `unreadable`, its message beginning with `name:line:column`.
 */
export function parseJson(text: string, name: string): unknown {
  const document = unmarked(text);
  try {
    return JSON.parse(document) as unknown;
  } catch {
    const { line, column, rule } = jsonFault(document);
    throw new CliError(exits.unreadable, `${name}:${line}:${column}: not JSON: ${rule}`);
  }
}

/** @throws CliError `unreadable` where the file cannot be read, or holds no UTF-8. */
export async function readText(file: string): Promise<string> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new CliError(exits.unreadable, `${file}: cannot be read`, { cause });
  });
  if (!isUtf8(bytes)) throw new CliError(exits.unreadable, `${file}: not UTF-8`);
  return bytes.toString("utf8");
}
