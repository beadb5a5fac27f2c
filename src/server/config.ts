// The server's configuration: a JSON file of all that the dialects take beside their ports, and of the server's bounds.

import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";

import { z } from "zod";

import { idPattern, limits } from "../domain/limits.ts";
import type { ApifmOptions } from "../dialects/apifm/index.ts";
import type { AppintfMount } from "../dialects/appintf/index.ts";
import type { BaiduMount } from "../dialects/baidu/index.ts";
import { type SenderOptions, isBase } from "../dialects/baidu/sender.ts";
import { type Mount, prefixPattern } from "../dialects/dialect.ts";
import { fileCheckpoint } from "./checkpoint.ts";
import { parseFile } from "./files.ts";
import type { ListenOptions } from "./listen.ts";
import { routes } from "./routes.ts";
import { hmacSignatures } from "./signatures.ts";

/** What each dialect is made with. */
export interface DialectOptions {
  readonly apifm?: ApifmOptions | undefined;
  readonly shopxo?: Mount | undefined;
  readonly baidu?: BaiduMount | undefined;
  readonly appintf?: AppintfMount | undefined;
}

/** What of the sender is the shop's to say. */
export type SenderSettings = Pick<
  SenderOptions,
  "baseUrl" | "token" | "checkpoint" | "fetch" | "backOffMs" | "mostBackOffMs" | "timeoutMs" | "pageEvents"
>;

/** The bounds of a server. */
export type Bounds = Pick<
  ListenOptions,
  "headersTimeoutMs" | "requestTimeoutMs" | "maxHeaderBytes" | "maxConnections" | "graceMs"
>;

/** What a configuration file comes to. */
export interface Config {
  readonly dialects: DialectOptions;
  /** Undefined: Baidu's order centre is told of nothing. */
  readonly sender: SenderSettings | undefined;
  /** False: the shop has no wallets for its buyers. */
  readonly wallet: boolean;
  readonly bounds: Bounds;
}

/** A configuration that cannot be read: where, and which rule. */
export class ConfigFileError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ConfigFileError";
  }
}

/** What stands first in the paths of the server's own. */
const own: ReadonlySet<string> = new Set([
  "health",
  "ready",
  "openapi.json",
  ...routes.map(({ path }) => path.split("/")[1] as string),
]);

const prefix = z
  .string()
  .max(200)
  .regex(prefixPattern, "must be a prefix such as /shop")
  .refine((text) => !own.has(text.split("/")[1] as string), "is a path of the server's own");
const path = z.string().min(1).max(4_096);
const id = z.string().max(limits.idLength).regex(idPattern);
const page = z.string().min(1).max(limits.textLength);
const ms = z.int().min(1).max(86_400_000);

const senderSchema = z.strictObject({
  baseUrl: z.string().refine(isBase, "must be an https address, or one of this machine"),
  tokenFile: path.optional(),
  checkpoint: path,
  backOffMs: ms.optional(),
  mostBackOffMs: ms.optional(),
  timeoutMs: ms.optional(),
  pageEvents: z.int().min(1).max(10_000).optional(),
});

const configSchema = z
  .strictObject({
    apifm: z.strictObject({ prefix: prefix.default("/apifm"), anonymousRedeem: id.optional() }).prefault({}),
    shopxo: z.strictObject({ prefix: prefix.default("/shopxo") }).prefault({}),
    baidu: z
      .strictObject({
        prefix: prefix.default("/baidu"),
        appKey: z.string().min(1).max(limits.idLength).optional(),
        orderPage: page.optional(),
        subOrderPage: page.optional(),
        sender: senderSchema.optional(),
      })
      .prefault({}),
    appintf: z
      .strictObject({
        prefix: prefix.default("/appintf"),
        causeTypes: z
          .record(z.string().regex(/^[1-9]\d{0,8}$/), z.string().min(1).max(limits.caseReasonLength), {
            error: ({ code }) => (code === "invalid_key" ? "a number is 1 to 999999999" : undefined),
          })
          .optional(),
        signatureKeyFile: path.optional(),
      })
      .prefault({}),
    wallet: z.boolean().default(true),
    bounds: z
      .strictObject({
        headersTimeoutMs: ms.optional(),
        requestTimeoutMs: ms.optional(),
        maxHeaderBytes: z.int().min(1_024).max(1_048_576).optional(),
        maxConnections: z.int().min(1).max(1_000_000).optional(),
        graceMs: ms.optional(),
      })
      .prefault({}),
  })
  .refine(({ apifm, shopxo, baidu, appintf }) => {
    const all = [apifm, shopxo, baidu, appintf].map((one) => `${one.prefix}/`);
    return all.every((one, at) => !all.some((other, place) => place !== at && other.startsWith(one)));
  }, "two dialects have one prefix, or one stands below another's");

/** Secrets that may come from somewhere else than a file. */
export interface Secrets {
  /** `access_token` of Baidu's order centre, where the configuration names no file of it. */
  readonly baiduToken?: string | undefined;
  /** The key of signatures, likewise. */
  readonly signatureKey?: string | undefined;
}

/**
 * Reads a configuration. Files that it names are looked for from its own folder on; the token's is read again at every request, since
 * tokens are renewed.
 * @throws ConfigFileError naming the rule, or what reading a file throws.
 */
export async function readConfig(file: string, secrets: Secrets = {}): Promise<Config> {
  const content = await readFile(file, "utf8");
  const config = parseFile(file, content, configSchema, ConfigFileError);
  const { apifm, shopxo, baidu, appintf, wallet, bounds } = config;
  const near = (name: string): string => resolve(dirname(file), name);
  const { sender, ...centre } = baidu;
  const { causeTypes, signatureKeyFile, ...shop } = appintf;
  const key =
    signatureKeyFile === undefined ? secrets.signatureKey : await secretOf(near(signatureKeyFile), file);
  return {
    dialects: {
      apifm,
      shopxo,
      baidu: centre,
      appintf: {
        ...shop,
        ...(causeTypes === undefined ? {} : { causeTypes }),
        ...(key === undefined ? {} : { signatures: hmacSignatures(key) }),
      },
    },
    sender: sender === undefined ? undefined : await senderOf(sender, { near, file, secrets }),
    wallet,
    bounds,
  };
}

async function senderOf(
  { tokenFile, checkpoint, ...rest }: z.infer<typeof senderSchema>,
  {
    near,
    file,
    secrets,
  }: { readonly near: (name: string) => string; readonly file: string; readonly secrets: Secrets },
): Promise<SenderSettings> {
  const { baiduToken } = secrets;
  if (tokenFile === undefined && baiduToken === undefined) {
    throw new ConfigFileError(`${file}: baidu.sender: has no token, neither in a tokenFile nor otherwise`);
  }
  const token =
    tokenFile === undefined ? async () => baiduToken as string : () => secretOf(near(tokenFile), file);
  await token();
  return { ...rest, token, checkpoint: fileCheckpoint(near(checkpoint)) };
}

/** The one line of a file that holds a secret. */
async function secretOf(path: string, file: string): Promise<string> {
  const secret = (await readFile(path, "utf8")).trim();
  if (secret === "" || /\s/.test(secret)) {
    throw new ConfigFileError(`${file}: ${path} is to hold a secret, on one line, and nothing else`);
  }
  return secret;
}
