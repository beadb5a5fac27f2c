// The OpenAPI 3.1 document of the plain API, written from its routes and from the very schemas that check what comes in.

import { z } from "zod";

import { type JsonSchema, jsonSchema, schemaNames } from "../commands/jsonSchema.ts";
import { type Route, routes } from "./routes.ts";
import * as shapes from "./schemas.ts";

const notCommands: ReadonlySet<string> = new Set(["line", "commands", "terms"]);

const answers: Readonly<Record<string, z.ZodType>> = {
  Receipt: shapes.receiptSchema,
  Error: shapes.errorSchema,
  Statistics: shapes.statisticsSchema,
  OrderPage: shapes.orderPageSchema,
  Order: shapes.orderSchema,
  History: shapes.historySchema,
  Code: shapes.codeSchema,
  CasePage: shapes.casePageSchema,
  RefundHistory: shapes.refundHistorySchema,
  Refund: shapes.refundSchema,
  Wallet: shapes.walletSchema,
};

function plain(schema: z.ZodType, io: "input" | "output" = "output"): JsonSchema {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, {
    target: "draft-2020-12",
    io,
    unrepresentable: "any",
  });
  return rest;
}

function schemaOf(name: string): object {
  const { $schema: _dialect, ...rest } = jsonSchema(name) ?? {};
  return rest;
}

const ref = (name: string): object => ({ $ref: `#/components/schemas/${name}` });
const inJson = (schema: object): object => ({ "application/json": { schema } });

function envelope(commands: readonly string[]): object {
  const { properties, ...rest } = plain(shapes.envelopeSchema, "input");
  return {
    ...rest,
    properties: {
      ...properties,
      command: {
        oneOf: commands.map(ref),
        discriminator: {
          propertyName: "type",
          mapping: Object.fromEntries(commands.map((name) => [name, `#/components/schemas/${name}`])),
        },
      },
    },
  };
}

function parametersOf({ path, query, method }: Route): readonly object[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const { properties = {} } = plain(query, "input");
  const inQuery = Object.entries(properties).map(([name, schema]) => ({ name, in: "query", schema }));
  const key = {
    name: "Idempotency-Key",
    in: "header",
    description:
      "The same key, from the same caller and for the same order, is the same command, and is answered the same.",
    schema: { type: "string", maxLength: 255 },
  };
  return [...inPath, ...inQuery, ...(method === "POST" ? [key] : [])];
}

const replayed = {
  description: "It had been done before: this is what was answered then, and nothing was done now.",
  schema: { type: "string", const: "true" },
};

const refused = { description: "Refused, by the class of the refusal.", content: inJson(ref("Error")) };

function operationOf(route: Route): object {
  const { method, name, summary, by, body, answers: answer } = route;
  return {
    operationId: name,
    summary,
    description: `For ${by.join(", ")}.`,
    parameters: parametersOf(route),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: inJson(ref(body === shapes.envelopeSchema ? "Envelope" : "TopUp")),
          },
        }),
    responses: {
      "200": {
        description: summary,
        ...(method === "POST" ? { headers: { "Idempotent-Replayed": replayed } } : {}),
        content:
          answer === undefined
            ? { "text/event-stream": { schema: { type: "string" } } }
            : inJson(ref(answer)),
      },
      "4XX": refused,
      "5XX": {
        description: "A defect, or a store that fails: its id is in the log.",
        content: inJson(ref("Error")),
      },
    },
  };
}

/** The document; `version` is the package's. */
export function openApi(version: string): object {
  const commands = schemaNames.filter((name) => !notCommands.has(name));
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const at = (paths[route.path] ??= {});
    at[route.method.toLowerCase()] = operationOf(route);
  }
  const open = (summary: string, responses: Readonly<Record<string, z.ZodType>>): object => ({
    get: {
      security: [],
      summary,
      responses: Object.fromEntries(
        Object.entries(responses).map(([status, schema]) => [
          status,
          {
            description:
              status === "200" ? summary : "Not now: it is stopping, or its store does not answer.",
            content: inJson(plain(schema)),
          },
        ]),
      ),
    },
  });
  return {
    openapi: "3.1.0",
    info: { title: "aftersale", version, license: { name: "MIT", identifier: "MIT" } },
    security: [{ token: [] }],
    paths: {
      ...paths,
      "/openapi.json": {
        get: {
          summary: "This document.",
          responses: {
            "200": { description: "OpenAPI 3.1", content: inJson({ type: "object" }) },
            "4XX": refused,
          },
        },
      },
      "/health": open("The process answers.", { "200": shapes.healthSchema }),
      "/ready": open("The store answers, and the server is not stopping.", {
        "200": shapes.readySchema,
        "503": shapes.notReadySchema,
      }),
    },
    components: {
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
      schemas: {
        ...Object.fromEntries(commands.map((name) => [name, schemaOf(name)])),
        Envelope: envelope(commands),
        TopUp: plain(shapes.topUpSchema, "input"),
        ...Object.fromEntries(Object.entries(answers).map(([name, schema]) => [name, plain(schema)])),
      },
    },
  };
}
