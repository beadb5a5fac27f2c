// What makes a command and its events recognisable when they come again: one digest of its id and its text.

import { hash } from "node:crypto";

/** SHA-256 of a command's canonical text, in hex (64 characters). */
export function commandHash(canonical: string): string {
  return hash("sha256", canonical, "hex");
}

/** The UUID (version 8) of a command's n-th event, from the command's digest: a retried append is the same append. */
export function eventId(digest: string, index: number): string {
  const start = `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(12, 15)}-a${digest.slice(15, 18)}-`;
  return start + digest.slice(18, 24) + index.toString(16).padStart(6, "0");
}
