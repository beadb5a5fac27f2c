// A plain HTTP client over kept connections that costs as little as it can: whole requests out, whole answers in.

import { type Socket, connect } from "node:net";
import { once } from "node:events";

/** A request as bytes. */
export function requestBytes(
  method: "GET" | "POST",
  path: string,
  headers: Readonly<Record<string, string>>,
  body = "",
): Buffer {
  const head = Object.entries({ host: "127.0.0.1", ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  const length = method === "POST" ? `content-length: ${Buffer.byteLength(body)}\r\n` : "";
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${head.join("")}${length}\r\n${body}`);
}

/** One connection, one request at a time. */
class Lane {
  readonly #socket: Socket;
  #text: Buffer = Buffer.alloc(0);
  #done: ((body: Buffer) => void) | undefined;
  #failed: ((error: Error) => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("error", (error) => this.#failed?.(error));
    socket.on("close", () => this.#failed?.(new Error("the connection was closed")));
  }

  ask(request: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#done = resolve;
      this.#failed = reject;
      this.#socket.write(request);
    });
  }

  #take(chunk: Buffer): void {
    this.#text = this.#text.length === 0 ? chunk : Buffer.concat([this.#text, chunk]);
    const end = this.#text.indexOf("\r\n\r\n");
    if (end === -1) return;
    const head = this.#text.subarray(0, end).toString("latin1");
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? Number.NaN);
    if (Number.isNaN(length)) throw new Error(`an answer without a length: ${head}`);
    if (this.#text.length < end + 4 + length) return;
    const body = this.#text.subarray(end + 4, end + 4 + length);
    this.#text = Buffer.alloc(0);
    if (!head.startsWith("HTTP/1.1 200")) this.#failed?.(new Error(`${head}\n${body.toString()}`));
    else this.#done?.(body);
  }

  close(): void {
    this.#failed = undefined;
    this.#socket.destroy();
  }
}

/** Answers a second: `requests` shared out over so many connections, each waiting for its answer before its next. */
export async function load(port: number, lanes: number, requests: Iterable<Buffer>): Promise<number> {
  const open = await Promise.all(
    Array.from({ length: lanes }, async () => {
      const socket = connect(port, "127.0.0.1");
      await once(socket, "connect");
      return new Lane(socket);
    }),
  );
  const queue = requests[Symbol.iterator]();
  let answered = 0;
  const begun = performance.now();
  await Promise.all(
    open.map(async (lane) => {
      for (let next = queue.next(); next.done !== true; next = queue.next()) {
        await lane.ask(next.value);
        answered += 1;
      }
    }),
  );
  const passed = (performance.now() - begun) / 1_000;
  for (const lane of open) lane.close();
  return answered / passed;
}

/** One answer's body, to know its size. */
export async function askOnce(port: number, request: Buffer): Promise<Buffer> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const lane = new Lane(socket);
  try {
    return await lane.ask(request);
  } finally {
    lane.close();
  }
}
