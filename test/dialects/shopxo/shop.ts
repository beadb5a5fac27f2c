// A shop that speaks ShopXO, for tests: an engine, its handler, the S1 sample's order, and requests in few words.

import type { EngineOptions, Engine } from "../../../src/engine.ts";
import type { FetchHandler } from "../../../src/dialects/dialect.ts";
import type { Ports } from "../../../src/dialects/ports.ts";
import { shopxo } from "../../../src/dialects/shopxo/index.ts";
import type { Actor } from "../../../src/domain/actor.ts";
import { accepted, by, open } from "../../engines.ts";
import { type TestPorts, portsFor, post } from "../ports.ts";

export const token = "token-of-buyer-1";
export const merchantToken = "token-of-main";

export interface Answered {
  readonly msg: string;
  readonly code: number;
  readonly data: unknown;
}

export interface Shop {
  readonly engine: Engine;
  readonly ports: TestPorts;
  readonly handler: FetchHandler;
  /** The instant for the engine and the dialect alike. */
  readonly clock: { now: number };
  /** Asks as a buyer, or with the token given; without one where it is empty. */
  ask(path: string, fields?: Readonly<Record<string, string>>, as?: string, key?: string): Promise<Answered>;
  /** Gives the engine commands, one after the other. */
  give(...commands: readonly (readonly [command: object, actor: Actor, at?: number])[]): Promise<void>;
}

export async function openShop(
  now: number,
  options: Partial<EngineOptions> = {},
  over: Partial<Ports> = {},
): Promise<Shop> {
  const clock = { now };
  const engine = await open({ store: "memory:", clock: () => clock.now, ...options });
  const ports = portsFor(engine, { clock: () => clock.now, ...over });
  const handler = shopxo(engine, ports, { prefix: "/shopxo" });
  return {
    engine,
    ports,
    handler,
    clock,
    ask: async (path, fields = {}, as = token, key) => {
      const { body } = await post(
        handler,
        `/shopxo/${path}`,
        as === "" ? fields : { ...fields, token: as },
        key === undefined ? {} : { "idempotency-key": key },
      );
      return body as Answered;
    },
    give: async (...commands) => {
      for (const [command, actor, at] of commands) {
        accepted(await engine.execute(command, by(actor, at === undefined ? {} : { at })));
      }
    },
  };
}

export const refusedWith = (msg: string, code = -1): Answered => ({ msg, code, data: [] });
