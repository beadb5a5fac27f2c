// Who calls, and what they may: basic credentials, and the rights in a stream's metadata.

import { RpcError, status } from "./grpc.ts";
import { isMetastream } from "./log.ts";
import type { Acl, StreamMetadata } from "./rules.ts";

export interface User {
  readonly roles: readonly string[];
}

/** Without credentials on the server everybody is this. */
export const administrator: User = { roles: ["$admins", "$all"] };
const anonymous: User = { roles: ["$all"] };

/**
 * Who a call is from.
 * @throws RpcError UNAUTHENTICATED for credentials that are not the server's.
 */
export function userOf(
  authorization: string | undefined,
  credentials: Readonly<Record<string, string>> | undefined,
): User {
  if (credentials === undefined) return administrator;
  if (authorization === undefined) return anonymous;
  const [scheme, encoded = ""] = authorization.split(" ");
  const [, name = "", password = ""] =
    /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, "base64").toString("utf8")) ?? [];
  if (
    scheme?.toLowerCase() !== "basic" ||
    !Object.hasOwn(credentials, name) ||
    credentials[name] !== password
  ) {
    throw new RpcError(status.unauthenticated, "these credentials are not known");
  }
  return { roles: [name, ...(name === "admin" ? ["$admins"] : name === "ops" ? ["$ops"] : []), "$all"] };
}

export type Right = "read" | "write" | "delete";

const rights: Readonly<Record<Right, readonly [onStream: keyof Acl, onMetadata: keyof Acl]>> = {
  read: ["$r", "$mr"],
  write: ["$w", "$mw"],
  delete: ["$d", "$mw"],
};

/** The stream of everything, by the name under which its rights are kept. */
export const allStreams = "$all";

/** @throws RpcError PERMISSION_DENIED */
export function checkAccess(
  { roles }: User,
  right: Right,
  stream: string,
  rulesOf: (stream: string) => StreamMetadata,
): void {
  if (roles.includes("$admins")) return;
  const onMetadata = isMetastream(stream);
  const original = onMetadata ? stream.slice(2) : stream;
  const name = rights[right][onMetadata ? 1 : 0];
  const allowed = rulesOf(original).acl?.[name] ?? [original.startsWith("$") ? "$admins" : "$all"];
  if (!allowed.some((role) => roles.includes(role))) throw accessDenied();
}

export function accessDenied(): RpcError {
  return new RpcError(status.permissionDenied, "Access Denied", { exception: "access-denied" });
}
