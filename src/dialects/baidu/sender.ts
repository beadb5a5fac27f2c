// Tells the order centre of what has changed: a reactor with a checkpoint of its own, which no replay of the log sets off.
//
// What was told before is not kept anywhere: it is the order as it stood at the checkpoint, and what has to be told is how it differs
// now. The checkpoint moves on when all up to it has been told; whoever is killed before that tells it once more, and since each
// request says how things are and not how they move, once more is no harm.

import { z } from "zod";

import type { Engine } from "../../engine.ts";
import type { Log } from "../ports.ts";
import { parseJson } from "../request.ts";
import type { OrderDocument } from "./documents.ts";
import { type BaiduShop, type Post, orderDocument, postsOf, sceneOf } from "./views.ts";

/** Where the sender has come to; `save` answers when it is durable. */
export interface Checkpoint {
  load(): Promise<string | undefined>;
  save(position: string): Promise<void>;
}

export interface SenderOptions {
  readonly engine: Engine;
  readonly shop: BaiduShop;
  /** Such as `https://openapi.baidu.com`; without encryption only on this machine, for the token stands in the address. */
  readonly baseUrl: string;
  /** `access_token`, asked for at every attempt, since tokens are renewed. */
  readonly token: () => Promise<string>;
  readonly checkpoint: Checkpoint;
  readonly log: Log;
  /** Waits so many milliseconds, or until the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<unknown>;
  readonly fetch?: typeof fetch | undefined;
  /** Milliseconds before the second attempt, twice as many before each further one, and the most of them; 500 and 60,000. */
  readonly backOffMs?: number | undefined;
  readonly mostBackOffMs?: number | undefined;
  /** Milliseconds for which an answer is waited for; 30,000. */
  readonly timeoutMs?: number | undefined;
  /** Events between two checkpoints; 500. */
  readonly pageEvents?: number | undefined;
}

export const defaultMostBackOffMs = 60_000;

/** What became of one request. */
export interface Sent {
  readonly orderId: string;
  readonly operation: Post["operation"];
  /** Refused: the order centre cannot take it, or was busy each time it was asked; it is logged, and what follows goes on. */
  readonly outcome: "sent" | "refused";
  readonly attempts: number;
}

/** The order centre takes nothing from this sender, whatever it is: nothing is passed over, and the checkpoint stays. */
export class SenderError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "SenderError";
  }
}

const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** Whether an address may be sent to: the token is not for others to read. */
export function isBase(baseUrl: string): boolean {
  const base = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  return base?.protocol === "https:" || (base?.protocol === "http:" && loopback.test(base.hostname));
}

function baseOf(baseUrl: string): URL {
  if (!isBase(baseUrl)) throw new TypeError(`baseUrl: must be an https address, or one of this machine`);
  return new URL(baseUrl);
}

/**
 * Tells of all that changed since the checkpoint, then ends.
 * @throws SenderError where the order centre takes nothing; what the checkpoint or the store throws; the signal's reason.
 */
export async function* sendChanges(
  options: SenderOptions,
  { signal = new AbortController().signal }: { readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<Sent, void, void> {
  const base = baseOf(options.baseUrl);
  const { engine, checkpoint, pageEvents } = options;
  let from = await checkpoint.load();
  for (;;) {
    const page = await engine.changes({ after: from, limit: pageEvents });
    if (page.position === undefined || page.position === from) return;
    for (const orderId of page.orderIds) {
      signal.throwIfAborted();
      yield* sendOrder(options, base, orderId, { from, to: page.position }, signal);
    }
    await checkpoint.save(page.position);
    from = page.position;
    if (page.end) return;
  }
}

/** The same for ever: it waits for what changes next, until the signal aborts. */
export async function* followChanges(
  options: SenderOptions,
  { signal }: { readonly signal: AbortSignal },
): AsyncGenerator<Sent, void, void> {
  while (!signal.aborted) {
    yield* sendChanges(options, { signal });
    const after = await options.checkpoint.load();
    for await (const _event of options.engine.subscribe({ after, signal })) break;
  }
}

interface Span {
  readonly from: string | undefined;
  readonly to: string;
}

async function* sendOrder(
  options: SenderOptions,
  base: URL,
  orderId: string,
  { from, to }: Span,
  signal: AbortSignal,
): AsyncGenerator<Sent, void, void> {
  const { engine, shop, log } = options;
  const documentAt = async (position: string) => {
    const detail = await engine.views.order(orderId, { at: { position } });
    const document = detail === undefined ? undefined : orderDocument(detail, shop);
    return detail === undefined || document === undefined ? undefined : { detail, document };
  };
  const after = await documentAt(to);
  if (after === undefined) return;
  const before = from === undefined ? undefined : (await documentAt(from))?.document;
  const { buyerId } = after.detail.order;
  const scene = sceneOf(after.detail.order);
  const addressed = (operation: Post["operation"]) => addressOf(base, operation, buyerId, scene);
  for (const post of postsOf(before, after.document)) {
    let told = await tell(options, addressed(post.operation), post.body, signal);
    let { operation } = post;
    if (!told.done && operation !== "add/main/info") {
      // Not there, or not as it was: told in full, it is written over.
      operation = "add/main/info";
      const again = await tell(options, addressed(operation), { Data: [after.document] }, signal);
      told = { ...again, attempts: told.attempts + again.attempts };
    }
    const { done, attempts, fault } = told;
    if (!done) log({ level: "error", event: "baiduRefused", orderId, operation, fault });
    yield { orderId, operation, outcome: done ? "sent" : "refused", attempts };
    if (operation !== post.operation) return;
  }
}

type Address = (token: string) => URL;

function addressOf(
  base: URL,
  operation: Post["operation"],
  openId: string,
  scene: string | undefined,
): Address {
  return (token) => {
    const folder = base.pathname.endsWith("/") ? base.pathname : `${base.pathname}/`;
    const url = new URL(`${folder}rest/2.0/smartapp/ordercenter/app/${operation}`, base);
    url.searchParams.set("access_token", token);
    url.searchParams.set("open_id", openId);
    if (scene !== undefined) url.searchParams.set("scene_id", scene);
    url.searchParams.set("scene_type", "2");
    return url;
  };
}

const answerSchema = z.union([
  z.object({ error_code: z.number(), error_msg: z.string().optional() }),
  z.object({
    errno: z.number(),
    msg: z.string().optional(),
    data: z.array(z.object({ rows_affected: z.union([z.string(), z.number()]) })).nullish(),
  }),
]);

interface Answered {
  readonly done: boolean;
  readonly attempts: number;
  readonly fault?: string;
  readonly busy?: boolean;
}

/** Platform errors that pass: unknown, unavailable, too many requests, and a token that is being renewed. */
const passing: readonly number[] = [1, 2, 4, 17, 18, 19, 110, 111];

/** The order centre's own `errno` where it could not do it just now; another refuses for good. */
const busy = 1;

/** How often it may be busy before it counts as refusing: by the usual waits, for about a minute. */
const mostBusy = 8;

/** One request, until it is answered; what passes is waited for, longer and longer. */
async function tell(
  {
    token,
    log,
    sleep,
    backOffMs = 500,
    mostBackOffMs = defaultMostBackOffMs,
    timeoutMs = 30_000,
    ...options
  }: SenderOptions,
  address: Address,
  body: { readonly Data: readonly (OrderDocument | object)[] },
  signal: AbortSignal,
): Promise<Answered> {
  const ask = options.fetch ?? fetch;
  let timesBusy = 0;
  for (let attempts = 1; ; attempts += 1) {
    signal.throwIfAborted();
    const answer = await attempt(async () => {
      const secret = await token();
      const response = await ask(address(secret), {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
        redirect: "error",
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      });
      // What is answered is told in logs: a token that it repeats is not.
      return { status: response.status, text: (await response.text()).replaceAll(secret, "***") };
    });
    if (typeof answer === "object") {
      if (answer.busy === true) timesBusy += 1;
      if (answer.busy !== true || timesBusy >= mostBusy) return { ...answer, attempts };
    }
    const fault = typeof answer === "object" ? answer.fault : answer;
    signal.throwIfAborted();
    const ms = Math.min(mostBackOffMs, backOffMs * 2 ** Math.min(attempts - 1, 30));
    log({ level: "warn", event: "baiduWaits", attempts, ms, fault });
    await sleep(ms, signal);
  }
}

/** What was answered; a text: why it is to be tried again. */
async function attempt(
  ask: () => Promise<{ readonly status: number; readonly text: string }>,
): Promise<Omit<Answered, "attempts"> | string> {
  let given: { readonly status: number; readonly text: string };
  try {
    given = await ask();
  } catch (error) {
    return error instanceof Error ? error.name : "no answer";
  }
  const { status, text } = given;
  if (status >= 500 || status === 429 || status === 408) return `status ${status}`;
  const read = answerSchema.safeParse(parseJson(text));
  if (!read.success) {
    if (status >= 400) throw new SenderError(`the order centre answers with status ${status}`);
    return "an answer that is none";
  }
  const answer = read.data;
  if ("error_code" in answer) {
    const fault = `error_code ${answer.error_code} ${answer.error_msg ?? ""}`;
    if (passing.includes(answer.error_code)) return fault;
    throw new SenderError(`the order centre takes nothing: ${fault}`);
  }
  if (answer.errno !== 0) {
    const fault = `errno ${answer.errno} ${answer.msg ?? ""}`;
    return { done: false, fault, ...(answer.errno === busy ? { busy: true } : {}) };
  }
  const failed = (answer.data ?? []).some(({ rows_affected }) => Number(rows_affected) === 0);
  return failed ? { done: false, fault: "rows_affected 0" } : { done: true };
}
