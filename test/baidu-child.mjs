// A process that tells an order centre of what has changed, and is killed by the test while it does.
//
// Arguments: FILE URL CHECKPOINT. It is plain JavaScript, because Node 20 runs no other.

import { openEngine } from "../dist/index.js";
import { fileCheckpoint, sendChanges } from "../dist/server/door.js";

const [file, baseUrl, checkpoint] = process.argv.slice(2);
const engine = await openEngine({ store: `sqlite:${file}` });
const sending = sendChanges({
  engine,
  shop: { appKey: "key", currency: "CNY" },
  baseUrl,
  token: async () => "token",
  checkpoint: fileCheckpoint(checkpoint),
  log: () => undefined,
  sleep: async () => undefined,
  pageEvents: 3,
});
for await (const _sent of sending);
await engine.close();
process.stdout.write("ended\n");
