// The exit codes, and what an error of any kind comes to: one of them, and one clear line.

import { type StoreErrorCode, isStoreError } from "../store/port.ts";

/** Stable: scripts rely on them. */
export const exits = {
  done: 0,
  bug: 1,
  usage: 2,
  unreadable: 3,
  expectationFailed: 4,
  refused: 5,
  conflict: 6,
  unverified: 7,
  replayDiffers: 8,
  unchecked: 9,
  unreachable: 10,
  interrupted: 130,
} as const;

export type Exit = (typeof exits)[keyof typeof exits];

const meanings: Readonly<Record<keyof typeof exits, string>> = {
  done: "done",
  bug: "a bug",
  usage: "wrong usage",
  unreadable: "unreadable input (the message says where: file:line:column, or which file cannot be opened)",
  expectationFailed: "an expectation failed",
  refused: "refused by the domain",
  conflict: "version conflict",
  unverified: "the log does not verify",
  replayDiffers: "a replay differs from what is kept",
  unchecked: "an asked guarantee could not be checked",
  unreachable: "the store cannot be reached, or the output cannot be written",
  interrupted: "interrupted",
};

/** The table for `--help`. */
export function describeExits(): string {
  const lines = (Object.keys(exits) as (keyof typeof exits)[]).map(
    (name) => `  ${String(exits[name]).padStart(3)}  ${meanings[name]}`,
  );
  return ["Exit codes:", ...lines].join("\n");
}

/** An end that is foreseen: its exit code, and the one line that says why. */
export class CliError extends Error {
  readonly exit: Exit;

  constructor(exit: Exit, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "CliError";
    this.exit = exit;
  }
}

const ofStore: Readonly<Record<StoreErrorCode, Exit>> = {
  conflict: exits.conflict,
  claimTaken: exits.conflict,
  invalid: exits.usage,
  tooLarge: exits.refused,
  gone: exits.unreachable,
  denied: exits.unreachable,
  full: exits.unreachable,
  corrupt: exits.unreachable,
  notAStore: exits.unreachable,
  newer: exits.unreachable,
  unavailable: exits.unreachable,
  closed: exits.bug,
};

export function exitOf(error: unknown): Exit {
  if (error instanceof CliError) return error.exit;
  if (isStoreError(error)) return ofStore[error.code];
  return error instanceof Error && error.cause !== undefined ? exitOf(error.cause) : exits.bug;
}

/** An error in one line, with the causes that say more than it does itself. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : messageOf(error.cause);
  const message = error.message.includes(cause) ? error.message : `${error.message}: ${cause}`;
  return message.replaceAll(/\s*\n\s*/g, " ");
}
