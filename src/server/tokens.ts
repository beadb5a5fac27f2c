// The file of tokens: a line for each that was made or revoked, holding no token but its hash.

import { hash as digest, randomBytes, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";

import { z } from "zod";

import { type Role, roles } from "../domain/actor.ts";
import { idPattern, limits } from "../domain/limits.ts";
import type { Authentication, Caller } from "../dialects/ports.ts";
import { durably, followFile, textOf } from "./files.ts";

const hashSchema = z.string().regex(/^[0-9a-f]{64}$/);

const lineSchema = z.union([
  z.strictObject({
    added: hashSchema,
    role: z.enum(roles),
    id: z.string().max(limits.idLength).regex(idPattern),
    at: z.int(),
  }),
  z.strictObject({ revoked: hashSchema, at: z.int() }),
]);

type Line = z.infer<typeof lineSchema>;

/** What may be shown of a token. */
export interface TokenEntry {
  /** The first 12 digits of its hash: by these it is revoked. */
  readonly key: string;
  readonly role: Role;
  readonly id: string;
  /** Milliseconds UTC. */
  readonly addedAt: number;
  readonly revokedAt: number | undefined;
}

const keyLength = 12;

/** A file of tokens that cannot be read, with the line. */
export class TokenFileError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "TokenFileError";
  }
}

function hashOf(token: string): string {
  return digest("sha256", token);
}

interface Entry extends TokenEntry {
  readonly hash: string;
}

function entriesOf(text: string, path: string): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const read = readLine(line);
    if (read === undefined) throw new TokenFileError(`${path}:${index + 1}:1: not a line of a token file`);
    if ("added" in read) {
      const { added: hash, role, id, at } = read;
      entries.set(hash, { hash, key: hash.slice(0, keyLength), role, id, addedAt: at, revokedAt: undefined });
    } else {
      const known = entries.get(read.revoked);
      if (known !== undefined) entries.set(known.hash, { ...known, revokedAt: known.revokedAt ?? read.at });
    }
  }
  return entries;
}

function readLine(line: string): Line | undefined {
  try {
    return lineSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

async function append(path: string, line: Line): Promise<void> {
  // Only its owner may read it: hashes give no token away, but who has one is nobody's business.
  await durably(path, "a", (file) => file.write(`${JSON.stringify(line)}\n`), 0o600);
}

/** Makes a token of 256 random bits and notes its hash in the file, which is created where there is none: nobody can read it there. */
export async function addToken(path: string, caller: Caller, at: number): Promise<string> {
  entriesOf(await textOf(path), path);
  const token = `as_${randomBytes(32).toString("base64url")}`;
  await append(path, { added: hashOf(token), role: caller.role, id: caller.id, at });
  return token;
}

/** Every token of the file, the oldest first. @throws TokenFileError naming the line. */
export async function listTokens(path: string): Promise<readonly TokenEntry[]> {
  return [...entriesOf(await readFile(path, "utf8"), path).values()].map(
    ({ hash: _hash, ...entry }) => entry,
  );
}

/** Revokes a token by its key or by itself; false where there is none, or it is revoked already. */
export async function revokeToken(path: string, keyOrToken: string, at: number): Promise<boolean> {
  const entries = [...entriesOf(await readFile(path, "utf8"), path).values()];
  const hash = hashOf(keyOrToken);
  const found = entries.find((entry) => entry.key === keyOrToken || entry.hash === hash);
  if (found === undefined || found.revokedAt !== undefined) return false;
  await append(path, { revoked: found.hash, at });
  return true;
}

/**
 * Knows callers by a file of tokens, which is read again when it changes.
 * @throws TokenFileError, or what reading the file throws.
 */
export async function fileAuthentication(
  path: string,
  options: { readonly now: () => number; readonly onFault: (error: unknown) => void },
): Promise<Authentication> {
  // Found through a key of this process, so that neither the look-up nor the comparison takes time by what a sender can choose.
  const key = randomBytes(32).toString("hex");
  const mac = (hash: string): string => digest("sha256", key + hash);
  const read = await followFile(
    path,
    (text) => {
      const byMac = new Map<string, Entry>();
      for (const entry of entriesOf(text, path).values()) {
        if (entry.revokedAt === undefined) byMac.set(mac(entry.hash), entry);
      }
      return byMac;
    },
    options,
  );
  return {
    authenticate: async (token) => {
      const hash = hashOf(token);
      const entry = (await read()).get(mac(hash));
      if (entry === undefined || !timingSafeEqual(Buffer.from(entry.hash), Buffer.from(hash)))
        return undefined;
      return { role: entry.role, id: entry.id };
    },
  };
}
