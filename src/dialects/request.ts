// Reads what a request carries: its query and its body, form or JSON, whole, bounded and in UTF-8, or which of these it was not.

import { Buffer } from "node:buffer";

import * as E from "fp-ts/lib/Either.js";
import { z } from "zod";

import { isObject } from "../domain/json.ts";

/**
 * The fields of a query and a body, those of the body first. Of a form a field is a text; given more than once, or as `name[]` or
 * `name[3]`, the texts in their order. Of JSON it is whatever stands there. Prototype names are names like any other.
 */
export type Fields = Readonly<Record<string, unknown>>;

/** Why a request could not be read. */
export type Unreadable =
  | "tooLarge" // a body over the limit
  | "tooMany" // more fields than anyone needs
  | "notUtf8" // bytes that are no UTF-8, that ended before their end, or `%` without two digits behind it
  | "notJson" // JSON that is none, or no object
  | "mediaType" // neither a form nor JSON
  | "badKey"; // an Idempotency-Key of no or more than 255 characters

/** The most that a body may have, in bytes. */
export const bodyLimit = 1024 * 1024;

const mostFields = 1_000;

/** A request's path, and its query without `?`. A request's URL is in its normal form: to parse it once more would cost more than it tells. */
export function targetOf(url: string): { readonly path: string; readonly query: string } {
  const hash = url.indexOf("#");
  const end = hash === -1 ? url.length : hash;
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const mark = url.indexOf("?", start);
  return mark === -1 || mark > end
    ? { path: url.slice(start, end), query: "" }
    : { path: url.slice(start, mark), query: url.slice(mark + 1, end) };
}

/** A request's Idempotency-Key; null where it brings none. */
export function keyOf(headers: Headers): E.Either<Unreadable, string | null> {
  const key = headers.get("idempotency-key");
  return key !== null && (key === "" || key.length > 255) ? E.left("badKey") : E.right(key);
}

/** What a body is said to be, without its parameters; empty where nothing is said. */
export function mediaTypeOf(headers: Headers): string {
  const [media = ""] = (headers.get("content-type") ?? "").split(";");
  return media.trim().toLowerCase();
}

/** Reads a request's query and body. */
export async function readFields(
  request: Request,
  limit: number = bodyLimit,
): Promise<E.Either<Unreadable, Fields>> {
  const query = readForm(targetOf(request.url).query);
  if (E.isLeft(query)) return query;
  const text = await readText(request, limit);
  if (E.isLeft(text)) return text;
  if (text.right === "") return query;
  const media = mediaTypeOf(request.headers);
  const body =
    media === "application/json"
      ? readJson(text.right)
      : media === "application/x-www-form-urlencoded"
        ? readForm(text.right)
        : E.left<Unreadable>("mediaType");
  return E.isLeft(body) ? body : E.right(Object.assign(empty(), query.right, body.right));
}

/** Reads a request's body as text; an empty text where there is none. */
export async function readText(
  request: Request,
  limit: number = bodyLimit,
): Promise<E.Either<Unreadable, string>> {
  const { method } = request;
  if (method === "GET" || method === "HEAD") return E.right("");
  const length = request.headers.get("content-length");
  if (length !== null && Number(length) > limit) return E.left("tooLarge");
  try {
    // A server takes no more of a body than its stated length: what has one need not be watched, which costs more than all else here.
    return length === null ? await readStream(request, limit) : decoded(await request.arrayBuffer(), limit);
  } catch {
    // Whoever sent it has gone, or was cut off.
    return E.left("notUtf8");
  }
}

async function readStream(request: Request, limit: number): Promise<E.Either<Unreadable, string>> {
  if (request.body === null) return E.right("");
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > limit) return E.left("tooLarge");
    chunks.push(chunk);
  }
  return decoded(Buffer.concat(chunks), limit);
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function decoded(bytes: ArrayBuffer | Uint8Array, limit: number): E.Either<Unreadable, string> {
  if (bytes.byteLength > limit) return E.left("tooLarge");
  try {
    return E.right(utf8.decode(bytes));
  } catch {
    return E.left("notUtf8");
  }
}

/** Fields of a text in `application/x-www-form-urlencoded`. */
export function readForm(text: string): E.Either<Unreadable, Fields> {
  const fields = empty();
  const parts = text === "" ? [] : text.split("&");
  if (parts.length > mostFields) return E.left("tooMany");
  for (const part of parts) {
    if (part === "") continue;
    const split = part.indexOf("=");
    const name = unescaped(split === -1 ? part : part.slice(0, split));
    const value = unescaped(split === -1 ? "" : part.slice(split + 1));
    if (name === undefined || value === undefined) return E.left("notUtf8");
    const array = name.endsWith("]") ? /^([^[\]]+)\[\d*\]$/.exec(name)?.[1] : undefined;
    const known = fields[array ?? name];
    if (array !== undefined) fields[array] = [...(known === undefined ? [] : [known].flat()), value];
    else fields[name] = known === undefined ? value : [known, value].flat();
  }
  return E.right(fields);
}

function unescaped(text: string): string | undefined {
  if (!text.includes("%") && !text.includes("+")) return text;
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}

function readJson(text: string): E.Either<Unreadable, Fields> {
  const value = parseJson(text);
  return isObject(value) ? E.right(Object.assign(empty(), value)) : E.left("notJson");
}

/** A JSON text's value; undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Objects of these have no name before one is given to them, yet are no hash tables, which cost several times as much to fill. */
const Nameless = function nameless() {} as unknown as new () => Record<string, unknown>;
Nameless.prototype = Object.create(null) as object;

function empty(): Record<string, unknown> {
  return new Nameless();
}

/** Forms as they were compiled when they were first used. */
const compiled = new Map<z.ZodType, z.ZodType>();

/** A form, compiled when it is first asked for: to do it at loading would keep a process waiting for forms that it never reads. */
export function compiledOf<T extends z.ZodType>(form: T): T {
  let known = compiled.get(form);
  if (known === undefined) {
    known = z.compile<z.ZodType>(form);
    compiled.set(form, known);
  }
  return known as T;
}

/** What a form makes of fields; what `faulty` makes of the first fault's message where there is one. Unknown fields are passed over. */
export function readBy<T extends z.ZodType, F>(
  form: T,
  fields: Fields,
  faulty: (message: string | undefined) => F,
): E.Either<F, z.infer<T>> {
  const result = compiledOf(form).safeParse(fields);
  return result.success ? E.right(result.data) : E.left(faulty(result.error.issues[0]?.message));
}
