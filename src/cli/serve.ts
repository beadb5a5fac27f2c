// `aftersale serve`: the shop's HTTP server, until it is interrupted.

import { existsSync } from "node:fs";

import type { Command } from "commander";

import type { Log } from "../dialects/ports.ts";
import type { Secrets } from "../server/config.ts";
import { countOf, listFor } from "./arguments.ts";
import { CliError, exits, messageOf } from "./exits.ts";
import { toJson } from "./output.ts";
import type { Run, Session } from "./session.ts";
import { tokensFile } from "./token.ts";

interface ServeOptions {
  readonly port: number;
  readonly host: string;
  readonly tokens?: string;
  readonly catalog?: string;
  readonly config?: string;
  readonly only?: string;
  readonly upkeep: number;
}

const configHelp = `
The configuration (--config), every part of which may be left out; files are named from its own folder on:
  {
    "apifm": { "prefix": "/apifm", "anonymousRedeem": "the staff whom orderHX without a token is put down to" },
    "shopxo": { "prefix": "/shopxo" },
    "baidu": {
      "prefix": "/baidu", "appKey": "BizAPPID, else the merchant's id",
      "orderPage": "URL with {orderId}", "subOrderPage": "URL with {orderId} and {subOrderId}",
      "sender": {
        "baseUrl": "https://openapi.baidu.com", "tokenFile": "else AFTERSALE_BAIDU_TOKEN", "checkpoint": "FILE",
        "backOffMs": 500, "mostBackOffMs": 60000, "timeoutMs": 30000, "pageEvents": 500
      }
    },
    "appintf": {
      "prefix": "/appintf", "causeTypes": { "1": "商品损坏" },
      "signatureKeyFile": "else AFTERSALE_SIGNATURE_KEY; without either nothing is signed"
    },
    "wallet": true,
    "bounds": {
      "headersTimeoutMs": 10000, "requestTimeoutMs": 30000, "maxHeaderBytes": 16384, "maxConnections": 10000,
      "graceMs": 10000
    }
  }`;

export function addServe(program: Command, run: Run, version: string): void {
  program
    .command("serve")
    .description(
      "serve the dialects and the engine's own API over HTTP; the log goes to stderr, a JSON line each",
    )
    .option("--port <n>", "0: any that is free", countOf(0, 65_535), 8_080)
    .option("--host <host>", "the address to listen at", "127.0.0.1")
    .option("--tokens <file>", "file of token hashes (default: AFTERSALE_TOKENS, else ./aftersale.tokens)")
    .option("--catalog <file>", "JSON file of what is sold, of freight and the shop's currency and time zone")
    .option(
      "--config <file>",
      "JSON file of what the dialects are made with, of Baidu's sender and of bounds",
    )
    .option("--only <list>", "only these dialects, and api, such as apifm,api")
    .option(
      "--upkeep <seconds>",
      "between firing deadlines and paying refunds; 0: never",
      countOf(0, 86_400),
      10,
    )
    .addHelpText("after", configHelp)
    .action((options: ServeOptions, command: Command) =>
      run(command, (session) => serving(session, options, version)),
    );
}

async function serving(session: Session, options: ServeOptions, version: string) {
  const [{ serve, served }, { readConfig }] = await Promise.all([
    import("../server/serve.ts"),
    import("../server/config.ts"),
  ]);
  const { host, port, catalog, upkeep } = options;
  const only = listFor("--only", options.only, served);
  const tokens = tokensFile(session, options.tokens);
  if (!existsSync(tokens)) {
    throw new CliError(
      exits.unreadable,
      `${tokens}:1:1: there is no file of tokens, and without a token nobody may ask (aftersale token add makes one)`,
    );
  }
  const config =
    options.config === undefined
      ? undefined
      : await readConfig(options.config, secretsOf(session)).catch((error: unknown) => {
          throw foreseen(error);
        });
  const wallets = config?.wallet !== false;
  session.endsBySignal = true;
  await session.change(
    async (engine) => {
      const listening = await serve({
        engine,
        host,
        port,
        tokens,
        catalog,
        only,
        version,
        upkeepMs: upkeep * 1_000,
        dialects: config?.dialects,
        sender: config?.sender,
        ...config?.bounds,
        ports: wallets ? {} : { wallet: undefined },
        log: logTo(session),
      }).catch((error: unknown) => {
        throw foreseen(error);
      });
      const at = listening.host.includes(":") ? `[${listening.host}]` : listening.host;
      const url = `http://${at}:${listening.port}`;
      if (session.json) await session.document({ url });
      else await session.print(`listening on ${url}`);
      await session.interrupted();
      session.note("stopping");
      await listening.stop();
    },
    { create: true, wallets },
  );
  return exits.done;
}

/** Secrets that stand in no file. */
function secretsOf({ io }: Session): Secrets {
  const from = (name: string): string | undefined => {
    const value = io.env[name] ?? "";
    return value === "" ? undefined : value;
  };
  return { baiduToken: from("AFTERSALE_BAIDU_TOKEN"), signatureKey: from("AFTERSALE_SIGNATURE_KEY") };
}

/** Errors and warnings always, the rest not with `--quiet`. */
function logTo(session: Session): Log {
  return ({ level, event, ...facts }) => {
    if (level === "info" && session.quiet) return;
    session.complain(
      toJson({ time: new Date().toISOString(), level, event, ...facts, ...errorOf(facts["error"]) }),
    );
  };
}

function errorOf(error: unknown): object {
  if (error === undefined) return {};
  return { error: messageOf(error), ...(error instanceof Error ? { stack: error.stack } : {}) };
}

/** A file that cannot be read, or a port that is taken, is no bug. */
function foreseen(error: unknown): unknown {
  const { name, code } = error as { name?: string; code?: string };
  const files = ["TokenFileError", "ShopFileError", "ConfigFileError"];
  if (files.includes(name ?? "") || ["ENOENT", "EACCES", "EISDIR"].includes(code ?? "")) {
    return new CliError(exits.unreadable, messageOf(error), { cause: error });
  }
  return code === "EADDRINUSE" || code === "EADDRNOTAVAIL" || code === "ENOTFOUND"
    ? new CliError(exits.usage, messageOf(error))
    : error;
}
