// An order centre of a few lines to send to: what it holds after each request, by the rules of its documents.

import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";

interface Sub {
  readonly SubOrderID: string;
}

interface Held {
  readonly ResourceID: string;
  readonly EXT: {
    readonly SubsOrder?:
      | { readonly Status?: number | undefined; readonly Items: readonly Sub[] }
      | null
      | undefined;
  };
}

export interface Asked {
  readonly operation: string;
  readonly query: Readonly<Record<string, string>>;
  readonly Data: readonly Held[];
}

/** An answer instead of the usual one: a status and a body, or the connection cut before or after it was taken in. */
export type Trouble = { readonly status: number; readonly body: unknown } | "cutBefore" | "cutAfter";

export class Centre implements AsyncDisposable {
  readonly held = new Map<string, Held>();
  readonly asked: Asked[] = [];
  /** What befalls the next requests. */
  readonly troubles: (Trouble | undefined)[] = [];
  onAsked: ((count: number) => void) | undefined;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        const url = new URL(request.url ?? "", "http://localhost");
        const operation = url.pathname.replace("/rest/2.0/smartapp/ordercenter/app/", "");
        const { Data } = JSON.parse(Buffer.concat(parts).toString()) as { readonly Data: readonly Held[] };
        this.asked.push({ operation, query: Object.fromEntries(url.searchParams), Data });
        this.onAsked?.(this.asked.length);
        const trouble = this.troubles.shift();
        if (trouble === "cutBefore") {
          request.socket.destroy();
          return;
        }
        if (typeof trouble === "object") {
          response.writeHead(trouble.status, { "content-type": "application/json" });
          response.end(JSON.stringify(trouble.body));
          return;
        }
        const data = Data.map((one) => ({
          resource_id: one.ResourceID,
          rows_affected: this.take(operation, one) ? "1" : "0",
        }));
        if (trouble === "cutAfter") request.socket.destroy();
        else response.end(JSON.stringify({ errno: 0, msg: "success", data }));
      });
    });
  }

  take(operation: string, given: Held): boolean {
    const known = this.held.get(given.ResourceID);
    if (operation === "add/main/info") {
      this.held.set(given.ResourceID, given);
      return true;
    }
    if (known === undefined) return false;
    const { SubsOrder } = known.EXT;
    if (operation === "update/main/info") {
      this.held.set(given.ResourceID, {
        ...given,
        EXT: { ...given.EXT, ...(SubsOrder ? { SubsOrder } : {}) },
      });
      return true;
    }
    const told = given.EXT.SubsOrder as NonNullable<typeof SubsOrder>;
    const here = new Map((SubsOrder?.Items ?? []).map((item) => [item.SubOrderID, item]));
    if (operation === "update/sub/info" && !told.Items.every(({ SubOrderID }) => here.has(SubOrderID)))
      return false;
    for (const item of told.Items) here.set(item.SubOrderID, item);
    const Items = [...here.values()];
    this.held.set(given.ResourceID, {
      ...known,
      EXT: { ...known.EXT, SubsOrder: { Status: told.Status, Items } },
    });
    return true;
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** What a centre holds, its sub-orders oldest first as they are told. */
export function sorted(held: Iterable<Held>): unknown[] {
  const items = (one: Held) =>
    (one.EXT.SubsOrder?.Items ?? []).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  return [...held]
    .toSorted((a, b) => (a.ResourceID < b.ResourceID ? -1 : 1))
    .map((one) => ({
      ...one,
      EXT: {
        ...one.EXT,
        ...(one.EXT.SubsOrder ? { SubsOrder: { ...one.EXT.SubsOrder, Items: items(one) } } : {}),
      },
    }));
}
