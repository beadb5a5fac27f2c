// What makes a command and its events recognisable when they come again: the hash of its text, and ids derived from its id.

import { hash } from "node:crypto";

/** SHA-256 of a canonical command, base64url (43 characters). */
export function commandHash(canonical: string): string {
  return hash("sha256", canonical, "base64url");
}

/**
 * The UUIDs (version 8) of a command's events, from its order, its id and each event's index: a retried append is the same append.
 */
export function eventIds(orderId: string, commandId: string, count: number): readonly string[] {
  const hex = hash("sha256", `${orderId}\n${commandId}`, "hex");
  const start = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(12, 15)}-a${hex.slice(15, 18)}-${hex.slice(18, 24)}`;
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) ids.push(start + index.toString(16).padStart(6, "0"));
  return ids;
}
