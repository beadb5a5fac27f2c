// The server's fetch handler: the dialects under their prefixes, the plain API, health and readiness, and every fault caught once.

import { hash } from "node:crypto";

import * as E from "fp-ts/lib/Either.js";
import { Hono } from "hono";
import { z } from "zod";

import { isObject } from "../domain/json.ts";
import { describeIssue } from "../domain/refusals.ts";
import { issuesOf } from "../commands/parse.ts";
import { type FetchHandler, commandIdOf, prefixPattern, responseOf } from "../dialects/dialect.ts";
import type { Caller, Ports } from "../dialects/ports.ts";
import {
  type Unreadable,
  keyOf,
  mediaTypeOf,
  parseJson,
  readForm,
  readText,
  targetOf,
} from "../dialects/request.ts";
import type { Engine } from "../engine.ts";
import { isStoreError } from "../store/port.ts";
import { openApi } from "./openapi.ts";
import { type Failure, failure } from "./refusals.ts";
import { type Answer, type Asked, type Route, routes } from "./routes.ts";

export interface AppOptions {
  readonly engine: Engine;
  readonly ports: Ports;
  /** Dialects by their prefix, such as `/apifm`: each is made with that prefix, and sees the whole path. */
  readonly dialects?: Readonly<Record<string, FetchHandler>> | undefined;
  /** Whether the plain API is there; it is without it. */
  readonly api?: boolean | undefined;
  /** The package's version, for the OpenAPI document. */
  readonly version?: string | undefined;
  /** Aborted when the server stops: feeds end, and `/ready` says so. */
  readonly stopping?: AbortSignal | undefined;
  /** The most that a body of the plain API may have, in bytes; 1 MiB without it. */
  readonly bodyLimit?: number | undefined;
  /** After how long a silence a feed says that it is still there; 15 s without it. */
  readonly heartbeatMs?: number | undefined;
}

const unreadable: Readonly<Record<Unreadable, readonly [Failure["status"], string]>> = {
  tooLarge: [413, "the body is larger than is taken"],
  tooMany: [400, "more fields than are taken"],
  notUtf8: [400, "not in UTF-8"],
  notJson: [400, "no JSON object"],
  mediaType: [415, "the body must be application/json"],
  badKey: [400, "an Idempotency-Key has 1 to 255 characters"],
};

const never = new AbortController().signal;

function json(status: number, document: object, more?: Readonly<Record<string, string>>): Response {
  return responseOf({ status, json: document }, more);
}

function failed({ status, error }: Failure): Response {
  return json(status, { error }, status === 401 ? { "www-authenticate": "Bearer" } : undefined);
}

/** Makes the handler; it never throws. Mount it in a server of your own, or have `listen` serve it. */
export function createApp(options: AppOptions): FetchHandler {
  const { engine, ports, dialects = {}, api = true, version = "0", stopping = never } = options;
  const app = new Hono();
  for (const [prefix, handler] of Object.entries(dialects)) {
    if (!prefixPattern.test(prefix)) {
      throw new TypeError(`dialects: ${JSON.stringify(prefix)} is no prefix such as /shop`);
    }
    app.all(`${prefix}/*`, (context) => handler(context.req.raw));
  }
  app.get("/health", () => json(200, { status: "ok" }));
  app.get("/ready", async () => {
    if (stopping.aborted) return json(503, { status: "stopping" });
    try {
      await engine.head();
      return json(200, { status: "ready" });
    } catch (error) {
      ports.log({ level: "error", event: "notReady", error });
      return json(503, { status: "store" });
    }
  });
  const house = { engine, ports, heartbeatMs: options.heartbeatMs ?? 15_000, stopping };
  if (api) {
    const document = openApi(version);
    app.get("/openapi.json", async (context) =>
      (await callerOf(context.req.raw, ports)) === undefined ? failed(notLoggedIn) : json(200, document),
    );
    const readings = routes.map(readingOf);
    for (const path of new Set(routes.map((one) => one.path))) {
      const there = readings.filter(({ route }) => route.path === path);
      app.all(path.replaceAll(/\{(\w+)\}/g, ":$1"), async (context) => {
        const { raw } = context.req;
        const reading = there.find(({ route }) => route.method === raw.method);
        if (reading === undefined) return wrongMethod(there.map(({ route }) => route));
        const asked = await read(reading, raw, context.req.param(), options);
        if ("error" in asked) return failed(asked);
        return answered(await reading.route.answer(asked, house));
      });
    }
  }
  app.notFound(() => failed(failure(404, "noSuchPath", "there is nothing at this path")));
  app.onError((error) => {
    const id = hash("sha256", ports.newSeed()).slice(0, 16);
    const down = isStoreError(error) && ["unavailable", "full", "denied", "closed"].includes(error.code);
    ports.log({ level: "error", event: down ? "storeFailed" : "defect", id, error });
    return down
      ? failed(failure(503, "storeFailed", "the store cannot do this now", { id }))
      : failed(failure(500, "defect", "something broke here", { id }));
  });
  return async (request) => app.fetch(request);
}

const notLoggedIn = failure(401, "notAuthenticated", "an Authorization header with a token of this shop");

function wrongMethod(there: readonly Route[]): Response {
  const allow = there.map(({ method }) => method).join(", ");
  const { status, error } = failure(405, "wrongMethod", `only ${allow}`);
  return json(status, { error }, { allow });
}

async function callerOf(request: Request, ports: Ports): Promise<Caller | undefined> {
  const token = /^Bearer +([^\s]+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  return token === undefined ? undefined : ports.authentication.authenticate(token);
}

/** A route whose schemas are compiled: what checks every request is made once. */
interface Reading {
  readonly route: Route;
  readonly query: Check;
  readonly body: Check | undefined;
}

type Check = (value: object) => Failure | { readonly value: unknown };

function readingOf(route: Route): Reading {
  return {
    route,
    query: checkOf(route.query, "invalidQuery"),
    body: route.body === undefined ? undefined : checkOf(route.body, "invalidRequest"),
  };
}

/** Who asks, then whether they may, then what they ask. */
async function read(
  { route, ...checks }: Reading,
  request: Request,
  params: Readonly<Record<string, string>>,
  { ports, bodyLimit }: AppOptions,
): Promise<Asked | Failure> {
  const caller = await callerOf(request, ports);
  if (caller === undefined) return notLoggedIn;
  if (!route.by.includes(caller.role)) {
    return failure(403, "forbidden", `for ${route.by.join(", ")}, not for ${caller.role}`);
  }
  const key = keyOf(request.headers);
  if (E.isLeft(key)) return faultOf(key.left);
  const fields = readForm(targetOf(request.url).query);
  if (E.isLeft(fields)) return faultOf(fields.left);
  const query = checks.query({ ...fields.right });
  if (isFailure(query)) return query;
  let body: unknown;
  if (request.method === "POST") {
    const text = await readText(request, bodyLimit);
    if (E.isLeft(text)) return faultOf(text.left);
    const given = checks.body === undefined ? undefined : bodyOf(text.right, request.headers, checks.body);
    if (given !== undefined && isFailure(given)) return given;
    body = given?.value;
  }
  const commandId = (): string =>
    commandIdOf(
      key.right === null
        ? ["fresh", ports.newSeed()]
        : ["key", route.name, caller.role, caller.id, key.right],
    );
  return {
    caller,
    params,
    query: query.value,
    body,
    headers: request.headers,
    commandId,
    gone: () => request.signal,
  };
}

function bodyOf(text: string, headers: Headers, check: Check): ReturnType<Check> {
  if (mediaTypeOf(headers) !== "application/json") return faultOf("mediaType");
  const value = parseJson(text);
  return isObject(value) ? check(value) : faultOf("notJson");
}

function isFailure(given: Failure | { readonly value: unknown }): given is Failure {
  return "error" in given;
}

function faultOf(why: Unreadable): Failure {
  const [status, message] = unreadable[why];
  return failure(status, why, message);
}

function checkOf(schema: z.ZodType, code: string): Check {
  const compiled = z.compile(schema);
  const keys = Object.keys((schema as Partial<z.ZodObject>).shape ?? {});
  return (value) => {
    const result = compiled.safeParse(value);
    if (result.success) return { value: result.data };
    const issues = issuesOf(result.error, (path) => (path.length === 0 ? keys : []));
    return failure(400, code, issues.map(describeIssue).join("; "), { issues });
  };
}

function answered(answer: Answer): Response {
  if ("error" in answer) return failed(answer);
  if ("document" in answer) {
    return json(
      200,
      answer.document,
      answer.replayed === true ? { "idempotent-replayed": "true" } : undefined,
    );
  }
  return new Response(answer.stream, {
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    },
  });
}
