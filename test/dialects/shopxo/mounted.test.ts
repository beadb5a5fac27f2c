// ShopXO's interface where it stands: in the package's server under its name, and as a fetch handler in a service's own.

import { expect, it } from "vitest";

import { shopxo } from "../../../src/dialects/shopxo/index.ts";
import { createApp } from "../../../src/server/app.ts";
import { dialects } from "../../../src/dialects/byName.ts";
import { t0 } from "../../domain/orders.ts";
import { live, open, tidyEngines } from "../../engines.ts";
import { portsFor, post } from "../ports.ts";

tidyEngines();

it("is one of the server's", async () => {
  const engine = await open({ store: "memory:" });
  const ports = portsFor(engine);
  await live(engine, "o-1", 4);
  const make = dialects["shopxo"];
  expect(make).toBe(shopxo);
  const app = createApp({
    engine,
    ports,
    dialects: { "/shopxo": shopxo(engine, ports, { prefix: "/shopxo" }) },
  });
  const asked = { token: "token-of-buyer-1", oid: "o-1", did: "L2" };
  for (const path of ["/shopxo/orderaftersale/aftersale", "/shopxo/api.php?s=orderaftersale/aftersale"]) {
    expect(await post(app, path, asked)).toMatchObject({
      status: 200,
      body: {
        msg: "success",
        code: 0,
        data: { returned_data: { returned_quantity: 1, refund_price: "20.00" } },
      },
    });
  }
});

it("needs no prefix in a service's own server", async () => {
  const engine = await open({ store: "memory:" });
  await live(engine, "o-1", 2, t0);
  const handler = shopxo(engine, portsFor(engine));
  const form = { order_id: "o-1", order_detail_id: "L1", type: "0", price: "10.00", reason: "包裹丢失" };
  expect(await post(handler, "/orderaftersale/create", form)).toEqual({
    status: 200,
    body: { msg: "登录失效，请重新登录", code: -400, data: [] },
  });
});
