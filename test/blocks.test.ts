// The Markdown reader behind the README test, tried on pages of its own: what it lets through, no reader would check again.

import { describe, expect, test } from "vitest";

import { matches, readBlocks, readSteps } from "./blocks.ts";

const page = `# Title

Text.

\`\`\`ts
const a = 1;

const b = 2;
\`\`\`

<!-- not run: needs a server -->

\`\`\`console
$ aftersale serve
\`\`\`

<!-- not run: this comment belongs to the paragraph -->
A paragraph.

- an item

  \`\`\`console
  $ echo indented
    indented
  \`\`\`

\`\`\`\`md
\`\`\`ts
inside
\`\`\`
\`\`\`\`
`;

describe("blocks", () => {
  test("are found with their language, text, line and note", () => {
    expect(readBlocks(page)).toEqual([
      { language: "ts", text: "const a = 1;\n\nconst b = 2;", line: 5, note: undefined },
      { language: "console", text: "$ aftersale serve", line: 13, note: "not run: needs a server" },
      { language: "console", text: "$ echo indented\n  indented", line: 22, note: undefined },
      { language: "md", text: "```ts\ninside\n```", line: 27, note: undefined },
    ]);
  });

  test("that are never closed are an error, not an empty page", () => {
    expect(() => readBlocks("text\n```ts\nconst a = 1;")).toThrow("line 2: the block is never closed");
  });
});

describe("steps", () => {
  test("are a command and its output", () => {
    expect(readSteps("$ echo one\none\n$ true\n$ printf 'a\\n\\nb\\n'\na\n\nb\n\n")).toEqual([
      { command: "echo one", output: ["one"] },
      { command: "true", output: [] },
      { command: "printf 'a\\n\\nb\\n'", output: ["a", "", "b"] },
    ]);
  });

  test("go on after a backslash and in a here-document, and nowhere else", () => {
    expect(
      readSteps("$ echo a \\\n> b\na b\n$ cat <<END\n> > quoted\n> END\n> quoted\n$ echo '> x'\n> x"),
    ).toEqual([
      { command: "echo a \\\nb", output: ["a b"] },
      { command: "cat <<END\n> quoted\nEND", output: ["> quoted"] },
      { command: "echo '> x'", output: ["> x"] },
    ]);
  });

  test("begin with a command", () => {
    expect(() => readSteps("one\n$ echo one")).toThrow("output before the first command: one");
  });
});

describe("output", () => {
  test.each([
    [["a", "b"], "a\nb\n"],
    [[], ""],
    [["...", "z"], "a\nb\nz\n"],
    [["...", "z"], "z\n"],
    [["a", "..."], "a\n"],
    [["a", "...", "m", "...", "z"], "a\nm\nx\nm\ny\nz\n"],
    [["..."], ""],
  ])("%j is met by %j", (expected, printed) => {
    expect(matches(expected, printed)).toBe(true);
  });

  test.each([
    [["a"], "a\nb\n"],
    [["a", "b"], "a\n"],
    [[], "a\n"],
    [["a"], "A\n"],
    [["a"], "a \n"],
    [["a", "", "b"], "a\nb\n"],
    [["...", "z"], "z\na\n"],
    [["a", "...", "m", "..."], "a\nb\n"],
    [["a..."], "abc\n"],
  ])("%j is not met by %j", (expected, printed) => {
    expect(matches(expected, printed)).toBe(false);
  });
});
