// A process with an engine on a file and many orders under way at a time; it prints a line for every receipt, until it is killed.
//
// Arguments: FILE NAME LANES. It is plain JavaScript, because Node 20 runs no other: without what the linter knows from types.

import { openEngine } from "../dist/index.js";

const [file, name, lanes] = process.argv.slice(2);
const engine = await openEngine({ store: `sqlite:${file}`, cachedOrders: 50 });
const buyer = { role: "buyer", id: `buyer-${name}` };
const merchant = { role: "merchant", id: "main" };

function lifeOf(orderId) {
  const lines = [{ lineId: "L1", goodsId: "A", title: "茶 Tea", unitPrice: 1_000, quantity: 3 }];
  const items = [{ lineId: "L1", rating: "good", text: "售".repeat(100) }];
  return [
    [{ type: "CreateOrder", orderId, currency: "CNY", lines, fulfilment: "express" }, buyer],
    [{ type: "Pay", orderId, payId: `pay-${orderId}`, amount: 3_000, channel: "online" }, buyer],
    [{ type: "Ship", orderId, shipments: [{ carrier: "SF", trackingNumber: orderId }] }, merchant],
    [{ type: "ConfirmReceipt", orderId }, buyer],
    [{ type: "Review", orderId, items }, buyer],
    [{ type: "HideOrder", orderId }, buyer],
  ];
}

async function lane(number) {
  for (let round = 0; ; round += 1) {
    const orderId = `${name}-${number}-${round}`;
    // The whole life at once: each command is decided on what is not yet committed.
    await Promise.all(
      lifeOf(orderId).map(async ([command, actor], step) => {
        const answer = await engine.execute(command, { actor, commandId: `step-${step}` });
        if (answer._tag === "Left") throw new Error(JSON.stringify(answer.left));
        const { revision, position, events, replayed } = answer.right;
        const types = events.map(({ type }) => type);
        process.stdout.write(
          `${JSON.stringify({ orderId, commandId: `step-${step}`, revision: String(revision), position, types, replayed })}\n`,
        );
      }),
    );
    if (round % 3 === 2) await engine.views.statistics();
    if (number === 0 && round % 5 === 4) await engine.rebuild("statistics");
  }
}

process.stdout.write("open\n");
await Promise.all(Array.from({ length: Number(lanes) }, (_, number) => lane(number)));
