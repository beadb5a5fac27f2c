// A process with a development server in it, its log in memory; it prints where, and serves until it is killed.

import { startDevServer } from "../src/server/devserver/server.ts";

const { url } = await startDevServer();
process.stdout.write(`${url}\n`);
