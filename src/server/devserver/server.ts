// The development server: nodes of a simulated cluster over one log, speaking a subset of the EventStoreDB protocol on loopback.

import { randomUUID } from "node:crypto";

import type { Faults } from "./faults.ts";
import { type Call, Listener, type Method, RpcError, type Tls, framed, status } from "./grpc.ts";
import { Log } from "./log.ts";
import { ClusterInfo, SupportedMethods } from "./messages.ts";
import { type NodeContext, faultAt, suffer } from "./node.ts";
import { read } from "./read.ts";
import { append, batchAppend, deletion } from "./write.ts";

export interface DevServerOptions {
  /** 0 or none: any that is free. Of several nodes the others are always on free ones. */
  readonly port?: number | undefined;
  /** A file that keeps everything; without it the log lives and ends with the server. */
  readonly data?: string | undefined;
  /** PEM texts; without them the connection is plain, and the client sends no credentials. */
  readonly tls?: Tls | undefined;
  /** Passwords by user name; `admin` may do everything. Without them everybody may. */
  readonly credentials?: Readonly<Record<string, string>> | undefined;
  /** How many nodes gossip tells of; 1 without it. The first is the leader, as long as it is there. */
  readonly nodes?: number | undefined;
  /** The name under which the nodes are told: `127.0.0.1` without it. */
  readonly host?: string | undefined;
  /** The most bytes of one append; 1 MiB without it. */
  readonly maxAppendBytes?: number | undefined;
  /** Milliseconds since 1970. */
  readonly now?: (() => number) | undefined;
  /** For tests: see `planFaults`. */
  readonly faults?: Faults | undefined;
}

export interface DevNode {
  readonly port: number;
  /**
   * Ends its calls as a node does that is shut down (what streams is cancelled, the rest unavailable), or, `abruptly`, cuts its
   * connections; then it is gone until `start`.
   */
  stop(how?: "abruptly"): Promise<void>;
  /** Is there again, on the same port. */
  start(): Promise<void>;
}

export interface DevServer {
  /** A connection string for the client, such as `esdb://127.0.0.1:2113?tls=false`. */
  readonly url: string;
  /** Of the first node. */
  readonly port: number;
  readonly nodes: readonly DevNode[];
  /** Stops all nodes, forgets what only memory holds (without a file that is everything but the log), and starts them again. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

const maxAppendBytes = 1_024 * 1_024;

/** What is spoken, and all that ServerFeatures tells of. */
const methods: Readonly<Record<string, (node: NodeContext, call: Call) => ReturnType<Method>>> = {
  "/event_store.client.streams.Streams/Read": read,
  "/event_store.client.streams.Streams/Append": append,
  "/event_store.client.streams.Streams/BatchAppend": batchAppend,
  "/event_store.client.streams.Streams/Delete": deletion("delete"),
  "/event_store.client.streams.Streams/Tombstone": deletion("tombstone"),
};

const gossipPath = "/event_store.client.gossip.Gossip/Read";
const featuresPath = "/event_store.client.server_features.ServerFeatures/GetSupportedMethods";

/** As in the protocol's enumeration of a node's states. */
const states = { follower: 6, leader: 8 } as const;

/**
 * Starts a server on 127.0.0.1.
 * @throws StoreError where the file cannot be had; the system's error where the port cannot.
 */
export async function startDevServer(options: DevServerOptions = {}): Promise<DevServer> {
  const cluster = new Cluster(options);
  try {
    await cluster.start();
  } catch (error) {
    await cluster.close();
    throw error;
  }
  return cluster;
}

class Cluster implements DevServer {
  readonly #options: DevServerOptions;
  readonly #nodes: readonly Node[];
  log: Log;

  constructor(options: DevServerOptions) {
    this.#options = options;
    this.log = this.#open();
    this.#nodes = Array.from(
      { length: options.nodes ?? 1 },
      (_, index) => new Node(this, options, index, index === 0 ? (options.port ?? 0) : 0),
    );
  }

  #open(): Log {
    return new Log(this.#options.data, this.#options.now);
  }

  async start(): Promise<void> {
    for (const node of this.#nodes) await node.start();
  }

  get nodes(): readonly DevNode[] {
    return this.#nodes;
  }

  get port(): number {
    return (this.#nodes[0] as Node).port;
  }

  get host(): string {
    return this.#options.host ?? "127.0.0.1";
  }

  get url(): string {
    const { tls, credentials } = this.#options;
    const [user] = Object.entries(credentials ?? {});
    const login = user === undefined || tls === undefined ? "" : `${user.map(encodeURIComponent).join(":")}@`;
    const hosts = this.#nodes.map(({ port }) => `${this.host}:${port}`).join(",");
    return `esdb://${login}${hosts}?tls=${tls !== undefined}`;
  }

  /** The first node that is there. */
  get leader(): Node | undefined {
    return this.#nodes.find(({ isThere }) => isThere);
  }

  members() {
    return this.#nodes.map((node) => ({
      instanceId: { string: node.id },
      timeStamp: BigInt(Date.now()) * 10_000n,
      state: node === this.leader ? states.leader : states.follower,
      isAlive: node.isThere,
      endPoint: { address: this.host, port: node.port },
    }));
  }

  async restart(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.stop()));
    if (this.#options.data === undefined) {
      this.log.forget();
    } else {
      this.log.close();
      this.log = this.#open();
    }
    await this.start();
  }

  async close(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.stop()));
    this.log.close();
  }
}

class Node implements DevNode, NodeContext {
  readonly id = randomUUID();
  readonly index: number;
  readonly maxAppendBytes: number;
  readonly credentials: Readonly<Record<string, string>> | undefined;
  readonly faults: Faults | undefined;
  readonly #cluster: Cluster;
  readonly #tls: Tls | undefined;
  #listener: Listener | undefined;
  #port: number;

  constructor(cluster: Cluster, options: DevServerOptions, index: number, port: number) {
    this.#cluster = cluster;
    this.index = index;
    this.maxAppendBytes = options.maxAppendBytes ?? maxAppendBytes;
    this.credentials = options.credentials;
    this.faults = options.faults;
    this.#tls = options.tls;
    this.#port = port;
  }

  get log(): Log {
    return this.#cluster.log;
  }

  get port(): number {
    return this.#port;
  }

  get isThere(): boolean {
    return this.#listener !== undefined;
  }

  leader(): { readonly host: string; readonly port: number; readonly isThis: boolean } {
    const { leader = this, host } = this.#cluster;
    return { host, port: leader.port, isThis: leader === this };
  }

  async start(): Promise<void> {
    if (this.#listener !== undefined) return;
    const listener = new Listener(this.#tls, (call) => this.#dispatch(call));
    this.#port = await listener.listen(this.#port);
    this.#listener = listener;
  }

  async stop(how?: "abruptly"): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    await listener?.close(how === "abruptly" ? undefined : die);
  }

  die(): void {
    this.log.forget();
    this.#listener?.drop(die);
  }

  #dispatch(call: Call): void {
    const fault = faultAt(this, { at: "call", method: call.path });
    if (fault === undefined) {
      this.#serve(call);
      return;
    }
    void suffer(this, call, fault).then((goesOn) => {
      if (goesOn) this.#serve(call);
    });
  }

  #serve(call: Call): void {
    const method = methods[call.path];
    try {
      if (method !== undefined) {
        call.receive(method(this, call));
        return;
      }
      const unary = this.#unary(call.path);
      if (unary === undefined) {
        throw new RpcError(status.unimplemented, `${call.path} is not spoken by this development server`);
      }
      call.receive({
        message: () => undefined,
        end() {
          call.send(unary);
          call.finish();
        },
      });
    } catch (error) {
      call.fail(error instanceof RpcError ? error : new RpcError(status.internal, String(error)));
    }
  }

  /** The answer of a method that asks nothing. */
  #unary(path: string): Buffer | undefined {
    if (path === gossipPath) return framed(ClusterInfo, { members: this.#cluster.members() });
    return path === featuresPath ? supportedMethods : undefined;
  }
}

/** How calls end when their node dies: Append as unavailable, those that stream as cancelled. */
function die(call: Call): void {
  if (/\/(Append|Delete|Tombstone)$/.test(call.path)) {
    call.fail(new RpcError(status.unavailable, "the server is shutting down"));
  } else {
    call.reset();
  }
}

const supportedMethods = framed(SupportedMethods, {
  methods: [...Object.keys(methods), gossipPath, featuresPath].map((path) => {
    const [, service = "", method = ""] = path.split("/");
    return { service, method: method.toLowerCase(), features: [] };
  }),
  version: "22.10.0-aftersale-devserver",
});
