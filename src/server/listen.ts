// Serves a fetch handler over HTTP with bounds on size and time, and stops it so that what was begun is finished.

import { type Server, createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";

import { getRequestListener } from "@hono/node-server";

import type { FetchHandler } from "../dialects/dialect.ts";
import type { Log } from "../dialects/ports.ts";

export interface ListenOptions {
  readonly handler: FetchHandler;
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly log: Log;
  /** Milliseconds within which a request's head, and all of it, must have come; 10 s and 30 s without them. */
  readonly headersTimeoutMs?: number | undefined;
  readonly requestTimeoutMs?: number | undefined;
  /** Bytes of a request's head; 16 KiB without it. */
  readonly maxHeaderBytes?: number | undefined;
  /** Connections at a time; 10,000 without it. */
  readonly maxConnections?: number | undefined;
  /** How long stopping waits for requests under way; 10 s without it. */
  readonly graceMs?: number | undefined;
}

export interface Listening {
  readonly host: string;
  readonly port: number;
  /** Takes no more connections, finishes the requests under way, and closes; those that do not end in time are cut off. */
  stop(): Promise<void>;
}

/** @throws what listening throws: a port that is taken, a host that is not this machine's. */
export async function listen(options: ListenOptions): Promise<Listening> {
  const { handler, host, port, log, headersTimeoutMs = 10_000, requestTimeoutMs = 30_000 } = options;
  let stopping = false;
  const listener = getRequestListener(handler, {
    errorHandler: (error) => {
      log({ level: "warn", event: "badRequest", error });
      return new Response(null, { status: 400 });
    },
  });
  const server = createServer(
    {
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.max(50, Math.min(headersTimeoutMs, requestTimeoutMs) / 4),
      maxHeaderSize: options.maxHeaderBytes ?? 16 * 1024,
      keepAliveTimeout: 5_000,
    },
    (incoming, outgoing) => {
      if (stopping) outgoing.setHeader("connection", "close");
      const began = performance.now();
      const { method } = incoming;
      // Without the query: it may hold a token.
      const path = (incoming.url ?? "").split("?", 1)[0];
      outgoing.once("close", () => {
        const ms = Math.round((performance.now() - began) * 10) / 10;
        log({ level: "info", event: "request", method, path, status: outgoing.statusCode, ms });
      });
      listener(incoming, outgoing).catch((error: unknown) => {
        log({ level: "error", event: "defect", error });
        outgoing.destroy();
      });
    },
  );
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.maxHeadersCount = 200;
  server.maxConnections = options.maxConnections ?? 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const address = server.address() as AddressInfo;
  let stopped: Promise<void> | undefined;
  return {
    host: address.address,
    port: address.port,
    stop: () => {
      stopping = true;
      return (stopped ??= stop(server, sockets, options.graceMs ?? 10_000));
    },
  };
}

async function stop(server: Server, sockets: ReadonlySet<Socket>, graceMs: number): Promise<void> {
  // A connection that has just answered is idle a moment later, and would be kept alive for another request.
  const idle = setInterval(() => {
    server.closeIdleConnections();
    // To Node a connection is not idle before its first request.
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
  }, 20);
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  clearInterval(idle);
  clearTimeout(cut);
}
