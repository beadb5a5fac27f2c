// The shape of a dialect: a table of operations, each two pure halves around what the engine does, and the fetch handler made of it.

import { hash } from "node:crypto";

import * as E from "fp-ts/lib/Either.js";

import type { Role } from "../domain/actor.ts";
import type { Engine } from "../engine.ts";
import type { Caller, Ports } from "./ports.ts";
import { type Fields, type Unreadable, keyOf, targetOf, readFields } from "./request.ts";

/** What every dialect is once it stands: it answers requests whose path begins below its own prefix. It never throws. */
export type FetchHandler = (request: Request) => Promise<Response>;

export type Method = "GET" | "POST";

/** A reply in the dialect's own form: a JSON document, or a page; 200 where no status is named. */
export type Reply =
  | { readonly status?: number; readonly json: unknown }
  | { readonly status?: number; readonly html: string };

/** A request, read, before any operation has looked at it. */
export interface Asked {
  readonly method: Method;
  /** The operation's path. */
  readonly path: string;
  readonly headers: Headers;
  readonly fields: Fields;
  readonly caller: Caller | undefined;
  /** Milliseconds UTC. */
  readonly now: number;
  /** The id for the command that this request gives: the same whenever the caller sends it again under the same Idempotency-Key. */
  readonly commandId: string;
  /**
   * An id for something that this request makes, such as `order` or `case`: likewise the same again. 1 to 16 decimal digits, so that
   * clients that keep ids as numbers keep it exactly.
   */
  newId(what: string): string;
}

/** The same of an operation whose callers are known. */
export interface AskedBy extends Asked {
  readonly caller: Caller;
}

/** Where a dialect is mounted. */
export interface Mount {
  /** What stands before the dialect's paths, such as `/apifm`; nothing without it. */
  readonly prefix?: string | undefined;
}

/** What a prefix is made of. */
export const prefixPattern = /^(\/[a-z0-9-]+)+$/;

/** What each dialect's folder exports, under the dialect's name. */
export type MakeDialect = (engine: Engine, ports: Ports, mount?: Mount) => FetchHandler;

/** Where an operation's middle runs. */
export interface Shop {
  readonly engine: Engine;
  readonly ports: Ports;
}

interface Halves<A extends Asked, Q, F> {
  readonly methods: readonly Method[];
  /** Below the dialect's prefix, beginning with `/`. */
  readonly path: string;
  /** Pure: the command or query that is meant, or the reply to what is malformed, in the document's own order of checks. */
  readonly read: (asked: A) => E.Either<Reply, Q>;
  /** Asks the engine and the ports; refusals are part of what is found, and what it throws is a defect. */
  readonly run: (query: Q, shop: Shop, asked: A) => Promise<F>;
  /** Pure: what was found, or the refusal, in the dialect's own words. */
  readonly reply: (found: F, query: Q, asked: A) => Reply;
}

/** An operation as the table keeps it. */
export interface AnyOperation {
  readonly methods: readonly Method[];
  readonly path: string;
  /** Who may call it; undefined: anybody, known or not. */
  readonly by: readonly Role[] | undefined;
  readonly answer: (asked: Asked, shop: Shop) => Promise<Reply>;
}

/** An operation for callers of these roles. */
export function operation<Q, F>({
  methods,
  path,
  by,
  ...halves
}: Halves<AskedBy, Q, F> & { readonly by: readonly Role[] }): AnyOperation {
  return { methods, path, by, answer: (asked, shop) => answerOf(halves, asked as AskedBy, shop) };
}

/** An operation that asks for no token; where one is sent, its caller is known all the same. */
export function openOperation<Q, F>({ methods, path, ...halves }: Halves<Asked, Q, F>): AnyOperation {
  return { methods, path, by: undefined, answer: (asked, shop) => answerOf(halves, asked, shop) };
}

async function answerOf<A extends Asked, Q, F>(
  { read, run, reply }: Pick<Halves<A, Q, F>, "read" | "run" | "reply">,
  asked: A,
  shop: Shop,
): Promise<Reply> {
  const query = read(asked);
  if (E.isLeft(query)) return query.left;
  return reply(await run(query.right, shop, asked), query.right, asked);
}

/** What a dialect says before and beside its operations, and where it looks for what it needs to know. */
export interface Dialect {
  /** The name in logs. */
  readonly name: string;
  readonly operations: readonly AnyOperation[];
  /** The operation's path, of the path below the prefix and the query; that path itself without it. */
  readonly pathOf?: (path: string, query: string) => string;
  /** The caller's token, wherever the dialect carries it; undefined where there is none. */
  readonly tokenOf: (request: { readonly headers: Headers; readonly fields: Fields }) => string | undefined;
  /** The most that a body may have, in bytes; 1 MiB without it. */
  readonly bodyLimit?: number;
  readonly noSuchOperation: () => Reply;
  readonly wrongMethod: (path: string) => Reply;
  readonly unreadable: (why: Unreadable, path: string) => Reply;
  readonly notLoggedIn: (path: string) => Reply;
  /** The caller is known, and of a role that may not. */
  readonly forbidden: (path: string) => Reply;
  /** Something broke: `id` is all that a client is told, the rest is logged beside it. */
  readonly defect: (id: string) => Reply;
}

/** Makes a dialect's handler. Checks stand in the order path, method, body, token, role, and then the operation's own. */
export function serveDialect(dialect: Dialect, shop: Shop, { prefix = "" }: Mount = {}): FetchHandler {
  const { ports } = shop;
  const house: House = { dialect, shop, prefix, paths: byPath(dialect.operations) };
  return async (request) => {
    try {
      return responseOf(await replyTo(house, request));
    } catch (error) {
      const id = digest(["defect", ports.newSeed()]).slice(0, 16);
      ports.log({ level: "error", event: "defect", id, dialect: dialect.name, error });
      return responseOf({ status: 500, ...dialect.defect(id) });
    }
  };
}

/** A dialect where it stands. */
interface House {
  readonly dialect: Dialect;
  readonly shop: Shop;
  readonly prefix: string;
  readonly paths: ReadonlyMap<string, readonly AnyOperation[]>;
}

function byPath(operations: readonly AnyOperation[]): House["paths"] {
  const paths = new Map<string, AnyOperation[]>();
  for (const one of operations) paths.set(one.path, [...(paths.get(one.path) ?? []), one]);
  return paths;
}

async function replyTo({ dialect, shop, prefix, paths }: House, request: Request): Promise<Reply> {
  const { ports } = shop;
  const target = targetOf(request.url);
  if (!target.path.startsWith(prefix)) return dialect.noSuchOperation();
  const below = target.path.slice(prefix.length);
  const path = dialect.pathOf?.(below, target.query) ?? below;
  const there = paths.get(path);
  if (there === undefined) return dialect.noSuchOperation();
  const found = there.find(({ methods }) => methods.some((method) => method === request.method));
  if (found === undefined) return dialect.wrongMethod(path);
  const fields = await readFields(request, dialect.bodyLimit);
  if (E.isLeft(fields)) return dialect.unreadable(fields.left, path);
  const { headers } = request;
  const given = keyOf(headers);
  if (E.isLeft(given)) return dialect.unreadable(given.left, path);
  const token = dialect.tokenOf({ headers, fields: fields.right });
  const caller = token === undefined ? undefined : await ports.authentication.authenticate(token);
  if (found.by !== undefined) {
    if (caller === undefined) return dialect.notLoggedIn(path);
    if (!found.by.includes(caller.role)) return dialect.forbidden(path);
  }
  const key = given.right;
  let origin: readonly string[] | undefined;
  // Another caller's key, or the same for another operation, is another key.
  const originOf = (): readonly string[] =>
    (origin ??=
      key === null
        ? ["fresh", ports.newSeed()]
        : ["key", dialect.name, path, caller?.role ?? "", caller?.id ?? "", key]);
  const { method } = request;
  const now = ports.clock();
  const asked = new ReadRequest({ method, path, headers, fields: fields.right, caller, now }, originOf);
  return found.answer(asked, shop);
}

/** A request that was read. Its ids are made when they are asked for: most requests need none. */
class ReadRequest implements Asked {
  readonly method: Method;
  readonly path: string;
  readonly headers: Headers;
  readonly fields: Fields;
  readonly caller: Caller | undefined;
  readonly now: number;
  readonly newId: (what: string) => string;
  readonly #origin: () => readonly string[];

  constructor(
    request: Omit<Asked, "method" | "commandId" | "newId"> & { readonly method: string },
    origin: () => readonly string[],
  ) {
    this.method = request.method as Method;
    this.path = request.path;
    this.headers = request.headers;
    this.fields = request.fields;
    this.caller = request.caller;
    this.now = request.now;
    this.newId = (what) => numberOf(digest(["id", what, ...origin()]));
    this.#origin = origin;
  }

  get commandId(): string {
    return commandIdOf(["command", ...this.#origin()]);
  }
}

/** The id of the command that a request gives: of the same origin it is the same. */
export function commandIdOf(origin: readonly string[]): string {
  return `http:${digest(origin).slice(0, 40)}`;
}

function digest(parts: readonly string[]): string {
  return hash("sha256", JSON.stringify(parts));
}

/** 53 bits of a digest as a decimal number. */
function numberOf(hex: string): string {
  return String(BigInt(`0x${hex.slice(0, 14)}`) >> 3n);
}

const headers = {
  json: headersOf("application/json"),
  html: headersOf("text/html"),
};

function headersOf(type: string) {
  return {
    "content-type": `${type}; charset=utf-8`,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  };
}

/** A reply as a response, which no cache keeps; `more` are headers beside the usual ones. */
export function responseOf(reply: Reply, more?: Readonly<Record<string, string>>): Response {
  const { status = 200 } = reply;
  const usual = "json" in reply ? headers.json : headers.html;
  const init = { status, headers: more === undefined ? usual : { ...usual, ...more } };
  return new Response("json" in reply ? JSON.stringify(reply.json) : reply.html, init);
}
