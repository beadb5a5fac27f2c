// A process that pays one order out of a wallet and is killed at a given append, just before it is made or just after it is on disk.
//
// Arguments: FILE AT WHEN WORK, where WORK is `pay`, `settle` or `refund`. It is plain JavaScript, because Node 20 runs no other.

import { openEngine } from "../dist/index.js";
import { openSqliteStore } from "../dist/store/sqlite.js";

const [file, at, when, work] = process.argv.slice(2);
const store = await openSqliteStore(file);
const append = store.append.bind(store);
let made = 0;
store.append = async (...given) => {
  made += 1;
  if (made === Number(at) && when === "before") process.kill(process.pid, "SIGKILL");
  const appended = await append(...given);
  if (made === Number(at)) process.kill(process.pid, "SIGKILL");
  return appended;
};
const engine = await openEngine({ store, wallet: "kept" });
if (work === "pay") await engine.wallet.pay({ orderId: "o-1", buyerId: "buyer-1" });
else {
  const runs = work === "settle" ? engine.wallet.settleHolds() : engine.runRefunds();
  for await (const _run of runs);
}
process.stdout.write("ended\n");
await engine.close();
