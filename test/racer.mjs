// A process that lives orders' after-sale through an engine of its own, many commands at a time, against others on the same store; it
// prints one line for every command that was answered.
//
// Arguments: STORE NAME ORDERS COMMANDS. The orders are order-0 and on; each gets so many commands from this process.

// It is plain JavaScript, because Node 20 runs no other: without types, so without what the linter knows from them.

import { openEngine } from "../dist/index.js";

const [store, name, orders, commands] = process.argv.slice(2);
const engine = await openEngine({ store });

const buyer = { role: "buyer", id: "buyer-1" };
const merchant = { role: "merchant", id: "main" };
const provider = { role: "provider", id: "bank" };

let asked = 0;

/** What is asked next of an order as this process sees it: an application, or what brings one of its cases on. */
function next(orderId, state, turn) {
  asked += 1;
  const commandId = `${name}-${asked}`;
  const open = state.cases.filter(({ status }) => status === "requested" || status === "refundPending");
  const one = open[turn % Math.max(1, open.length)];
  if (one === undefined || turn % 4 === 0) {
    const lineId = turn % 8 === 0 ? "L1" : "L2";
    const command = {
      type: "ApplyRefund",
      orderId,
      caseId: `${orderId}.${commandId}`,
      lineId,
      caseType: "refundOnly",
      amount: 1 + ((turn * 37) % 700),
    };
    return [command, buyer, commandId];
  }
  const of = { orderId, caseId: one.caseId };
  const flying = one.attempts.at(-1)?.state === "inFlight" ? one.attempts.at(-1) : undefined;
  if (flying !== undefined) {
    const { refundId, amount } = flying;
    // The provider's own words, which every process may bring: one id, whoever is first.
    if (turn % 5 === 1) {
      const failed = { type: "FailRefund", ...of, refundId, failure: "BUSY", retryable: true };
      return [failed, provider, `failed:${refundId}`];
    }
    return [{ type: "SettleRefund", ...of, refundId, amount }, provider, `settled:${refundId}`];
  }
  if (turn % 7 === 2) return [{ type: "CancelRefund", ...of }, buyer, commandId];
  if (turn % 11 === 3) return [{ type: "RejectRefund", ...of, reason: "no proof" }, merchant, commandId];
  if (one.status === "refundPending") {
    return [{ type: "IssueRefund", ...of, destination: "wallet" }, merchant, commandId];
  }
  return [
    { type: "ApproveRefund", ...of, ...(turn % 3 === 0 ? {} : { destination: "wallet" }) },
    merchant,
    commandId,
  ];
}

async function answered(orderId, turn) {
  const state = await engine.state(orderId);
  const [command, actor, commandId] = next(orderId, state, turn);
  const answer = await engine.execute(command, { actor, commandId, at: state.lastAt + 1000 });
  const line =
    answer._tag === "Right"
      ? {
          orderId,
          commandId,
          revision: String(answer.right.revision),
          position: answer.right.position,
          replayed: answer.right.replayed,
          events: answer.right.events,
        }
      : { orderId, commandId, refused: answer.left.code };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

process.stdout.write("open\n");
// Each process begins elsewhere in the turns, so that they ask different things of the same order at the same time.
const shift = [...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) * 5;
for (let order = 0; order < Number(orders); order += 1) {
  for (let turn = 0; turn < Number(commands); turn += 4) {
    await Promise.all([0, 1, 2, 3].map((lane) => answered(`order-${order}`, shift + turn + lane)));
  }
}
await engine.close();
