// The memory store: the contract, and nothing else, for it promises nothing else.

import { describe, expect, it } from "vitest";

import { openMemoryStore } from "../../src/store/memory.ts";
import { storeContract } from "./contract.ts";
import { sample, samples } from "./samples.ts";

storeContract("memory", { open: async () => openMemoryStore(), inProcess: true, runs: 300 });

describe("the memory store", () => {
  it("says what it is", () => {
    expect(openMemoryStore().kind).toBe("memory");
  });

  it("takes a limit of its own on an event, to the byte", async () => {
    const store = openMemoryStore({ maxEventBytes: 20 });
    await store.append("order-1", "none", [sample({ data: '"123456789012345678"', meta: "" })]);
    await expect(store.append("order-1", 0n, samples(1))).rejects.toMatchObject({ code: "tooLarge" });
    await expect(
      store.append("order-1", 0n, [sample({ data: '"单单单单单单"', meta: " " })]),
    ).rejects.toMatchObject({
      code: "tooLarge",
    });
  });
});
