// The journey of a shop that stands up `aftersale serve` as the README says, from the README's own two files, with apifm's own published
// client as its buyers.
//
// Argument: the binary's path, which may be that of the packed package. It is plain JavaScript, because Node 20 runs no other; it ends
// with `journey: done`, or throws at the first thing that is not as it should be.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const binary = resolve(process.argv[2]);
const client = createRequire(import.meta.url)("apifm-wxapi");
const folder = mkdtempSync(join(tmpdir(), "aftersale-journey-"));
const file = (name) => join(folder, name);
const store = ["--store", `sqlite:${file("shop.db")}`];

// --- the shop ---

function aftersale(...args) {
  return execFileSync(process.execPath, [binary, ...args, "--quiet"], { encoding: "utf8" }).trim();
}

/** The files that the README names. */
const example = (name) => fileURLToPath(new URL(`../../examples/shop/${name}`, import.meta.url));
const tokens = {};
for (const [role, id] of [
  ["buyer", "7"],
  ["buyer", "8"],
  ["merchant", "main"],
  ["system", "till"],
])
  tokens[id] = aftersale("token", "add", role, id, "--tokens", file("tokens"));

let server;

async function serve() {
  const files = ["--catalog", example("shop.json"), "--config", example("serve.json")];
  const args = ["serve", ...store, "--tokens", file("tokens"), ...files];
  const child = spawn(process.execPath, [binary, ...args, "--port", "0", "--upkeep", "1", "--json"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  child.stderr.on("data", (chunk) => (log += chunk));
  const exit = once(child, "exit");
  const [line] = await Promise.race([once(createInterface(child.stdout), "line"), exit.then(() => [""])]);
  assert.notEqual(line, "", log);
  const { url } = JSON.parse(line);
  client.init2(`${url}/apifm`, "tea");
  server = {
    url,
    stop: async () => {
      child.kill("SIGTERM");
      assert.deepEqual(await exit, [0, null]);
      assert.doesNotMatch(log, /"level":"error"/);
      for (const token of Object.values(tokens)) assert.ok(!log.includes(token));
    },
  };
}

/** What a mini-program's `wx.request` does: the data in the query of a GET, else as a form. */
globalThis.wx = {
  request: ({ url, method, data = {}, header, success, fail }) => {
    const form = new URLSearchParams(data).toString();
    const get = method.toUpperCase() === "GET";
    const answer = fetch(get ? `${url}?${form}` : url, {
      method,
      headers: header,
      ...(get ? {} : { body: form }),
    });
    void answer.then(async (one) => success({ data: await one.json() })).catch((error) => fail(error));
  },
};

/** The engine's own API. */
async function api(who, path, body) {
  const answer = await fetch(server.url + path, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${tokens[who]}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const said = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(said));
  return said;
}

/** The merchant's back office, which speaks ShopXO. */
async function office(operation, fields) {
  const answer = await fetch(`${server.url}/shopxo/api.php?s=${operation}`, {
    method: "POST",
    body: new URLSearchParams({ token: tokens.main, ...fields }),
  });
  return answer.json();
}

const token = () => tokens["7"];
const done = { code: 0, msg: "success", data: null };
const names = ["no_pay", "no_transfer", "no_confirm", "no_reputation", "success", "close"];

/** What there is of each, in the order of their names. */
async function counts() {
  const { data } = await client.orderStatistics(token());
  return names.map((name) => data[`count_id_${name}`]);
}

const o1 = JSON.stringify([
  { goodsId: 11, number: 3, propertyChildIds: "", logisticsType: 0 },
  { goodsId: 12, number: 1, propertyChildIds: "", logisticsType: 0 },
]);
const home = { linkMan: "王小明", mobile: "13800000000", address: "幸福路 1 号", peisongType: "kd" };
const asked = () => ({ token: token(), goodsJsonStr: o1, ...home });

try {
  await serve();
  const balance = async () => (await api("till", "/wallet?buyerId=7")).balances.CNY;
  await api("till", "/wallet/top-ups", { buyerId: "7", topUpId: "in-1", amount: 6_000, currency: "CNY" });

  // Preview, first what the README asks for, then order, pay.
  const tea = await client.orderCreate({
    token: token(),
    calculate: "true",
    goodsJsonStr: '[{"goodsId":11,"number":3}]',
  });
  assert.equal(tea.data.amountReal, 38);
  const preview = await client.orderCreate({ ...asked(), calculate: "true" });
  assert.equal(preview.data.amountReal, 58);
  assert.deepEqual(await counts(), [0, 0, 0, 0, 0, 0]);
  const created = await client.orderCreate(asked());
  assert.equal(created.code, 0, JSON.stringify(created));
  const { id } = created.data;
  assert.equal(created.data.amountReal, 58);
  assert.deepEqual(await counts(), [1, 0, 0, 0, 0, 0]);
  assert.deepEqual(await client.orderPay(token(), id), done);
  assert.deepEqual(await client.orderPay(token(), id), done);
  assert.equal(await balance(), 200);
  assert.deepEqual(await counts(), [0, 1, 0, 0, 0, 0]);
  assert.equal((await client.orderPay(tokens["8"], id)).code, 700);

  // Told to stop while it is busy: what it answered is there when it serves again, and of what it did not answer all or nothing.
  const answered = new Set();
  const began = [];
  const stops = [];
  const lane = async () => {
    for (;;) {
      began.push(1);
      // Once the door is closed, the client's fetch fails.
      const said = await client.orderCreate(asked()).catch(() => undefined);
      if (said === undefined) {
        assert.notEqual(stops.length, 0);
        return;
      }
      assert.equal(said.code, 0, JSON.stringify(said));
      answered.add(said.data.id);
      if (answered.size === 50) stops.push(server.stop());
    }
  };
  await Promise.all(Array.from({ length: 12 }, lane));
  await Promise.all(stops);
  await serve();
  const [unpaid] = await counts();
  assert.ok(unpaid >= answered.size && unpaid < began.length + 1, `${unpaid} of ${answered.size}`);
  for (const one of answered) {
    const { data } = await client.orderDetail(token(), one);
    assert.equal(data.orderInfo.amountReal, 58);
    assert.equal(data.goods.length, 2);
    assert.deepEqual(await client.orderClose(token(), one), done);
    // Whoever has many of them would wait: each is one turn.
    await turn();
  }
  const rest = (await client.orderList({ token: token(), status: 0, pageSize: 50 })).data?.orderList ?? [];
  for (const one of rest) assert.deepEqual(await client.orderClose(token(), one.id), done);
  assert.deepEqual(await counts(), [0, 1, 0, 0, 0, unpaid]);

  // Ship, confirm, review.
  const shipments = [{ carrier: "中通速递", trackingNumber: "540738747554" }];
  await api("main", "/commands", { command: { type: "Ship", orderId: String(id), shipments } });
  const { logistics } = (await client.orderDetail(token(), id)).data;
  assert.equal(logistics.trackingNumber, "540738747554");
  assert.deepEqual(await counts(), [0, 0, 1, 0, 0, unpaid]);
  assert.deepEqual(await client.orderDelivery(token(), id), done);
  assert.deepEqual(await counts(), [0, 0, 0, 1, 0, unpaid]);
  const reputations = [
    { id: 1, reputation: "2", remark: "好茶" },
    { id: 2, reputation: "0", remark: "" },
  ];
  const postJsonString = JSON.stringify({ token: token(), orderId: id, reputations });
  assert.deepEqual(await client.orderReputation({ postJsonString }), done);
  assert.deepEqual(await counts(), [0, 0, 0, 0, 1, unpaid]);

  // Apply; confirmed by the back office, sent back, paid back into the wallet by the server's own upkeep.
  const application = { type: 1, logisticsStatus: 1, reason: "质量问题", amount: 10, remark: "", pic: "" };
  const ofLine = { token: token(), orderId: id, orderGoodsId: 1, number: 1 };
  const applied = await client.refundApply({ ...application, ...ofLine });
  assert.equal(applied.code, 0, JSON.stringify(applied));
  assert.equal((await client.refundApply({ ...application, ...ofLine })).code, 20_000);
  const applyId = applied.data.id;
  const standing = async () => {
    const [{ baseInfo }] = (await client.refundApplyDetail(token(), id, 1)).data;
    return [baseInfo.status, baseInfo.status2];
  };
  assert.deepEqual(await standing(), [0, 0]);
  const ofCase = { id: String(applyId) };
  assert.equal((await office("admin/orderaftersale/confirm", ofCase)).msg, "确认成功");
  assert.deepEqual(await standing(), [3, 1]);
  const waybill = { shipperName: "顺丰速运", trackingNumber: "SF1" };
  assert.deepEqual(
    await client.refundApplySetBackLogistics({ token: token(), orderId: id, applyId, ...waybill }),
    done,
  );
  assert.deepEqual(await standing(), [3, 2]);
  assert.equal((await office("admin/orderaftersale/audit", { ...ofCase, refundment: "1" })).msg, "操作成功");
  for (const until = Date.now() + 60_000; (await standing())[0] !== 4;) assert.ok(Date.now() < until);
  assert.equal(await balance(), 1_200);
  const [refund] = (await client.orderRefunds(token(), id)).data;
  assert.deepEqual([refund.baseInfo.id, refund.baseInfo.amount], [applyId, 10]);

  // The same order through the other three.
  const other = await fetch(`${server.url}/appintf/appIntf/refund/getRefund.jsp?orderId=${id}`, {
    headers: { cookie: `common_session_id=${token()}` },
  });
  assert.equal((await other.json()).data.orderId, id);
  const page = await office("orderaftersale/aftersale", { token: token(), oid: String(id), did: "1" });
  assert.equal(page.data.order_data.refund_price, "10.00");
  const told = JSON.parse(aftersale("export", "baidu", String(id), ...store));
  assert.equal(told.Data[0].EXT.SubsOrder.Items[0].Refund.Amount, 1_000);

  // Hide.
  assert.deepEqual(await client.orderDelete(token(), id), done);
  assert.equal((await client.orderDetail(token(), id)).code, 700);
  assert.deepEqual(await counts(), [0, 0, 0, 0, 0, unpaid]);
  const { order } = await api("main", `/orders/${id}`);
  assert.deepEqual([order.status, order.refunded], ["completed", 1_000]);

  await server.stop();
  server = undefined;
  assert.match(aftersale("replay", "--check", ...store), /orders: equal/);
  console.log(`journey: done, ${answered.size} of ${began.length} orders answered when told to stop`);
} finally {
  await server?.stop().catch(() => undefined);
  rmSync(folder, { recursive: true, force: true });
}
