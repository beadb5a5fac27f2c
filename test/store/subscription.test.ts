// Following pages: what a subscription holds on to, and what it lets go of.

import { afterEach, describe, expect, it, vi } from "vitest";

import type { AllPage, Message } from "../../src/store/port.ts";
import { type Feed, follow } from "../../src/store/subscription.ts";

const empty: AllPage = { events: [], checkpoint: undefined, end: true };
const store = { readAll: async () => empty };

afterEach(() => {
  vi.useRealTimers();
});

describe("a subscription", () => {
  it("is known to its store only while it is read", async () => {
    const feeds = new Set<Feed>();
    const messages = follow(store, {}, feeds, 1_000);
    expect(feeds.size).toBe(0);
    await messages.next();
    expect(feeds.size).toBe(1);
    await messages.return();
    expect(feeds.size).toBe(0);
  });

  it("is let go of when reading fails, and says why", async () => {
    const feeds = new Set<Feed>();
    const cause = new Error("unreadable");
    const messages = follow({ readAll: () => Promise.reject(cause) }, {}, feeds, 1_000);
    await expect(messages.next()).rejects.toBe(cause);
    expect(feeds.size).toBe(0);
  });

  it("leaves no timer behind when it is woken, aborted or ended", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const feeds = new Set<Feed>();
    const controller = new AbortController();
    let reads = 0;
    const counting = {
      readAll: async () => {
        reads += 1;
        return empty;
      },
    };
    const messages = follow(counting, { signal: controller.signal }, feeds, 1_000);
    await messages.next();
    const waiting: Promise<IteratorResult<Message, void>> = messages.next();
    await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1), { interval: 0 });
    for (const feed of feeds) feed.wake();
    await vi.waitFor(() => expect(reads).toBe(2), { interval: 0 });
    await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1), { interval: 0 });
    controller.abort();
    expect(vi.getTimerCount()).toBe(0);
    expect(await waiting).toEqual({ value: undefined, done: true });
    expect(feeds.size).toBe(0);
  });

  it("looks again by itself when nobody wakes it", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const pages: AllPage[] = [empty, { events: [], checkpoint: "7", end: true }];
    const messages = follow({ readAll: async () => pages.shift() ?? empty }, {}, new Set(), 1_000);
    expect(await messages.next()).toEqual({ value: { kind: "live" }, done: false });
    const waiting = messages.next();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await waiting).toEqual({ value: { kind: "checkpoint", checkpoint: "7" }, done: false });
    await messages.return();
  });

  it("does not sleep through what was committed while it read or its reader was busy", async () => {
    const feeds = new Set<Feed>();
    const wakeAll = (): void => {
      for (const feed of feeds) feed.wake();
    };
    let reads = 0;
    const messages = follow(
      {
        readAll: async () => {
          reads += 1;
          // The commit comes after the page was read, and before the subscription waits.
          if (reads === 1) wakeAll();
          return reads < 3 ? empty : { events: [], checkpoint: "9", end: true };
        },
      },
      {},
      feeds,
      2 ** 31 - 1,
    );
    expect((await messages.next()).value).toEqual({ kind: "live" });
    // And one more while the reader has the word.
    wakeAll();
    const next = messages.next();
    await vi.waitFor(() => expect(reads).toBe(2), { interval: 0 });
    wakeAll();
    expect((await next).value).toEqual({ kind: "checkpoint", checkpoint: "9" });
    await messages.return();
  });
});
