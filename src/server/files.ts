// The server's files, read and written; some are read again when they change, so that a revoked token or a new price is seen.

import { type FileHandle, open, readFile, stat } from "node:fs/promises";

import { z } from "zod";

/** How long what was read stands before the file is looked at again. */
const freshMs = 1_000;

/**
 * The present content of a file, parsed.
 * @param parse throws on what cannot be read: at the first reading it is thrown on; later what was read before stands, and `onFault` is
 * told.
 */
export async function followFile<T>(
  path: string,
  parse: (text: string) => T,
  { now, onFault }: { readonly now: () => number; readonly onFault: (error: unknown) => void },
): Promise<() => Promise<T>> {
  let mark = await markOf(path);
  let value = parse(await readFile(path, "utf8"));
  let lookedAt = now();
  let looking: Promise<void> | undefined;
  const look = async (): Promise<void> => {
    try {
      const current = await markOf(path);
      if (current === mark) return;
      value = parse(await readFile(path, "utf8"));
      mark = current;
    } catch (error) {
      onFault(error);
    } finally {
      lookedAt = now();
      looking = undefined;
    }
  };
  return async () => {
    const elapsed = now() - lookedAt;
    if (elapsed >= freshMs || elapsed < 0) await (looking ??= look());
    return value;
  };
}

/** A file's text; empty where there is none. */
export async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

/** Works on a file, and answers when what was done is on disk. `mode`: of a file that this makes. */
export async function durably(
  path: string,
  flags: string,
  work: (file: FileHandle) => Promise<unknown>,
  mode?: number,
): Promise<void> {
  const file = await open(path, flags, mode);
  try {
    await work(file);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** What a JSON file of this shape holds. Where it is none, a `Fault` is thrown that names the file and the rule. */
export function parseFile<T extends z.ZodType>(
  path: string,
  content: string,
  shape: T,
  Fault: new (message: string, options?: ErrorOptions) => Error,
): z.infer<T> {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (cause) {
    throw new Fault(`${path}: is no JSON`, { cause });
  }
  const result = shape.safeParse(value);
  if (!result.success) throw new Fault(`${path}: ${z.prettifyError(result.error)}`);
  return result.data;
}

async function markOf(path: string): Promise<string> {
  const { mtimeMs, size, ino } = await stat(path);
  return `${mtimeMs}/${size}/${ino}`;
}
