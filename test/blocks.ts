// Reads the fenced blocks of a Markdown page, and the commands and expected output of a console transcript.

export interface Block {
  readonly language: string;
  readonly text: string;
  /** The line of the opening fence, from 1. */
  readonly line: number;
  /** The text of an HTML comment standing right above the block, such as `not run: needs a server`. */
  readonly note: string | undefined;
}

export interface Step {
  readonly command: string;
  /** What the command prints; a line `...` stands for any lines, none included. */
  readonly output: readonly string[];
}

/** The fenced blocks, in order; throws on a fence that is never closed. */
export function readBlocks(markdown: string): readonly Block[] {
  const blocks: Block[] = [];
  const lines = markdown.replaceAll("\r\n", "\n").split("\n");
  let above: string | undefined;
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    const fence = /^(\s*)(`{3,})\s*([\w-]*)/.exec(line);
    if (fence === null) {
      // A comment stays "right above" over blank lines only.
      if (line.trim() !== "") above = /^<!--\s*(.*?)\s*-->$/.exec(line.trim())?.[1];
      continue;
    }
    const [, indent = "", ticks = "", language = ""] = fence;
    const end = lines.findIndex((l, i) => i > at && l.trim() === ticks);
    if (end < 0) throw new Error(`line ${at + 1}: the block is never closed`);
    const text = lines
      .slice(at + 1, end)
      .map((l) => (l.startsWith(indent) ? l.slice(indent.length) : l.trimStart()))
      .join("\n");
    blocks.push({ language, text, line: at + 1, note: above });
    above = undefined;
    at = end;
  }
  return blocks;
}

/**
 * The steps of a transcript. A command begins with `$ `; it goes on in lines that begin with `> ` after a backslash at a
 * line's end or in a here-document. Throws where output stands before the first command.
 */
export function readSteps(transcript: string): readonly Step[] {
  const steps: { command: string; output: string[] }[] = [];
  for (const line of transcript.split("\n")) {
    const last = steps.at(-1);
    if (line.startsWith("$ ")) steps.push({ command: line.slice(2), output: [] });
    else if (last === undefined) throw new Error(`output before the first command: ${line}`);
    else if (line.startsWith("> ") && last.output.length === 0 && isOpen(last.command))
      last.command += `\n${line.slice(2)}`;
    else last.output.push(line);
  }
  return steps.map(({ command, output }) => ({ command, output: withoutBlankEnd(output) }));
}

function isOpen(command: string): boolean {
  const word = /<<-?\s*['"]?(\w+)/.exec(command)?.[1];
  return command.endsWith("\\") || (word !== undefined && !command.split("\n").slice(1).includes(word));
}

function withoutBlankEnd(lines: readonly string[]): readonly string[] {
  return lines.slice(0, lines.findLastIndex((line) => line.trim() !== "") + 1);
}

/** Whether what was printed is what the transcript shows, line by line; blank lines at the end do not count. */
export function matches(expected: readonly string[], printed: string): boolean {
  const lines = withoutBlankEnd(printed.replaceAll("\r\n", "\n").split("\n"));
  // Which of the printed lines may come next, after the expected lines so far.
  let places = new Set([0]);
  for (const line of withoutBlankEnd(expected)) {
    const next = new Set<number>();
    if (line === "...") for (let i = Math.min(...places); i <= lines.length; i++) next.add(i);
    else for (const place of places) if (lines[place] === line) next.add(place + 1);
    if (next.size === 0) return false;
    places = next;
  }
  return places.has(lines.length);
}
