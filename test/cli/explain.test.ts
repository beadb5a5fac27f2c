// `show --explain`: which event set each field, and what every command would come to, in words and as a document, now and as of then.

import { beforeAll, describe, expect, test } from "vitest";

import { widthOf } from "../../src/cli/output.ts";
import { aftersale, create, executed, folder, minute, noon, pay, ship } from "./aftersale.ts";

let store: string;

beforeAll(async () => {
  const here = folder();
  store = `sqlite:${here.file("a.db")}`;
  const apply = {
    commandId: "a-apply",
    at: noon + 3 * minute,
    actor: { role: "buyer", id: "li" },
    command: {
      type: "ApplyRefund",
      orderId: "a",
      caseId: "c1",
      lineId: "2",
      caseType: "returnRefund",
      quantity: 1,
      amount: 150,
      reason: "杯子破了",
    },
  };
  const { exit } = await executed(store, [create("a"), pay("a"), ship("a"), apply], ["--in-flight", "1"]);
  expect(exit).toBe(0);
  return () => here[Symbol.dispose]();
});

const run = (...args: string[]) => aftersale(["show", "a", "--explain", ...args, "--store", store]);

/** The lines of a section that begin so. */
async function lines(start: string, ...args: string[]): Promise<readonly string[]> {
  const { stdout } = await run(...args);
  return stdout.split("\n").filter((line) => line.trimStart().startsWith(`${start} `));
}

interface Verdict {
  readonly command: string;
  readonly actor: { readonly role: string; readonly id: string };
  readonly accepted: boolean;
  readonly records?: readonly string[];
  readonly error?: { readonly code: string; readonly message: string };
  readonly asked: Readonly<Record<string, unknown>>;
}

interface Explained {
  readonly explanation: {
    readonly now: number;
    readonly revision: string;
    readonly fields: readonly { readonly field: string; readonly value: unknown }[];
    readonly commands: readonly Verdict[];
    readonly cases: readonly { readonly caseId: string; readonly commands: readonly Verdict[] }[];
  };
}

async function explanation(...args: string[]): Promise<Explained["explanation"]> {
  return (JSON.parse((await run(...args, "--json")).stdout) as Explained).explanation;
}

describe("fields", () => {
  test("name the event, when, who and by which command, columns right under Chinese text", async () => {
    const { stdout } = await run();
    expect(stdout).toContain("\nFields, and what set them\n  field  ");
    expect((await lines("cases[0].reason"))[0]).toMatch(
      /^ {2}cases\[0\]\.reason +杯子破了 +4  RefundApplied +2026-01-05T12:03:00Z  buyer li +a-apply$/,
    );
    expect((await lines("shippedAt"))[0]).toMatch(/ 3  OrderShipped +.*merchant main  a-ship$/);
    const columns = ["lines[0].title", "cases[0].reason", "paid"].map(async (field) => {
      const line = (await lines(field)).at(-1) as string;
      return widthOf(line.slice(0, line.indexOf("2026-")));
    });
    expect(new Set(await Promise.all(columns)).size).toBe(1);
  });

  test("are in the document with their values", async () => {
    const { fields } = await explanation();
    expect(fields.find(({ field }) => field === "payments[0].amount")).toEqual({
      field: "payments[0].amount",
      value: 6100,
      event: "OrderPaid",
      revision: "1",
      at: noon + minute,
      actor: { role: "buyer", id: "li" },
      commandId: "a-pay",
    });
  });
});

describe("commands", () => {
  test("say what would be recorded, or the code, the rule and the numbers", async () => {
    const at = ["--at", "2026-01-06"];
    const words = async (start: string) =>
      (await lines(start, ...at)).filter((line) => /accepted|refused/.test(line)).map((line) => line.trim());
    expect(await words("ConfirmReceipt")).toEqual([
      expect.stringMatching(/^ConfirmReceipt +buyer +accepted +records ReceiptConfirmed$/) as string,
      expect.stringMatching(
        /^ConfirmReceipt +system +refused +ConfirmReceipt: waits while case c1 is open, and then for 14 d 23 h 59 min more \(notDue\)$/,
      ) as string,
    ]);
    expect(await words("Pay")).toEqual([
      expect.stringMatching(
        /^Pay +buyer, system +refused +Pay needs an order that is pendingPayment or cancelled or closed; this one is shipped \(orderStatusNotEligible\)$/,
      ) as string,
    ]);
    const applications = await words("ApplyRefund");
    expect(applications).toHaveLength(6);
    expect(applications[0]).toMatch(
      /lineId 1, caseType refundOnly, amount 5800 +accepted +records RefundApplied$/,
    );
    expect(applications[3]).toMatch(
      /lineId 2, caseType refundOnly, amount 150 +refused +ApplyRefund: case c1 is open, requested \(caseOpen\)$/,
    );
    expect((await run(...at)).stdout).toContain("\nCommands to case c1 at 2026-01-06T00:00:00Z\n");
    expect(await words("ShipReturn")).toEqual([
      expect.stringMatching(
        /^ShipReturn +buyer +refused +ShipReturn needs a case that is awaitingReturn; c1 is requested \(caseStatusNotEligible\)$/,
      ) as string,
    ]);
  });

  test("are in the document with whoever was asked, and what", async () => {
    const { commands, cases, now } = await explanation("--at", "2026-01-06T00:00:00Z");
    expect(now).toBe(Date.UTC(2026, 0, 6));
    expect(commands.filter(({ command }) => command === "HideOrder")).toEqual([
      {
        command: "HideOrder",
        actor: { role: "buyer", id: "li" },
        accepted: false,
        error: {
          code: "orderStatusNotEligible",
          command: "HideOrder",
          status: "shipped",
          allowed: ["completed", "cancelled", "closed"],
          also: [{ code: "caseOpen", command: "HideOrder", caseId: "c1", status: "requested" }],
          message: expect.stringContaining("HideOrder needs an order that is completed") as string,
        },
        asked: { orderId: "a" },
      },
      expect.objectContaining({ actor: { role: "merchant", id: "main" }, accepted: false }),
    ]);
    expect(cases.map(({ caseId }) => caseId)).toEqual(["c1"]);
    expect(cases[0]?.commands[0]).toEqual({
      command: "ApproveRefund",
      actor: { role: "merchant", id: "main" },
      accepted: true,
      records: ["RefundApproved"],
      asked: { orderId: "a", caseId: "c1" },
    });
  });

  test("are asked as of then, and at the instant that is named", async () => {
    const then = await explanation("--as-of", "rev:0");
    expect([then.revision, then.now, then.cases]).toEqual(["0", noon, []]);
    const expiry = (of: Explained["explanation"]) =>
      of.commands.find(({ command }) => command === "ExpireOrder");
    expect(expiry(then)).toMatchObject({ accepted: false, error: { code: "notDue" } });
    expect((await lines("ExpireOrder", "--as-of", "rev:0"))[0]).toContain(
      "ExpireOrder: due after 2026-01-05T12:30:00.000Z, and it is 2026-01-05T12:00:00.000Z (notDue)",
    );
    const later = await explanation("--as-of", "rev:0", "--at", "2026-01-05T12:31:00Z");
    expect(expiry(later)).toMatchObject({ accepted: true, records: ["OrderExpired"] });
  });
});

test("is only there where it is asked for; an order that is not there is refused with 5", async () => {
  const plain = await aftersale(["show", "a", "--store", store]);
  expect((await run()).stdout.startsWith(plain.stdout)).toBe(true);
  expect(plain.stdout).not.toContain("Fields, and what set them");
  const document = await aftersale(["show", "a", "--json", "--store", store]);
  expect(document.stdout).not.toContain('"explanation"');
  expect(await aftersale(["show", "z", "--explain", "--store", store])).toEqual({
    exit: 5,
    stdout: "",
    stderr: "aftersale: orderId: there is no order z\n",
  });
});

test("presents the write-off code that the key gives", async () => {
  using here = folder();
  const [url, env] = [`sqlite:${here.file("b.db")}`, { AFTERSALE_REDEEM_KEY: "secret" }];
  const made = await aftersale(["exec", "--stdin", "--store", url], {
    env,
    stdin: [create("b", undefined, { fulfilment: "pickup", redeemable: true }), pay("b")]
      .map((line) => `${JSON.stringify(line)}\n`)
      .join(""),
  });
  expect(made.exit).toBe(0);
  const redeem = async (with_: Record<string, string>) => {
    const { stdout } = await aftersale(["show", "b", "--explain", "--json", "--store", url], { env: with_ });
    const { commands } = (JSON.parse(stdout) as Explained).explanation;
    return commands.find(({ command }) => command === "Ship");
  };
  expect(await redeem(env)).toMatchObject({ accepted: true, records: ["OrderShipped"] });
  expect(await redeem({})).toMatchObject({ accepted: false, error: { code: "redemptionCodeWrong" } });
});
