// Sample events, and small helpers to read stores with, for the tests of every store.

import type {
  AllRead,
  Appended,
  EventStore,
  Message,
  NewEvent,
  RecordedEvent,
} from "../../src/store/port.ts";

let counter = 0;

/** The nth UUID of this process. */
export function uuid(n: number): string {
  return `00000000-0000-4000-8000-${n.toString(16).padStart(12, "0")}`;
}

export function sample(fields: Partial<NewEvent> = {}): NewEvent {
  counter += 1;
  return { id: uuid(counter), type: "Noted", data: `{"n":${counter}}`, meta: `{"by":"test"}`, ...fields };
}

export function samples(count: number, fields: Partial<NewEvent> = {}): NewEvent[] {
  return Array.from({ length: count }, () => sample(fields));
}

/** What is stored of given events: without positions, which are the store's own. */
export function given(events: readonly NewEvent[]): NewEvent[] {
  return events.map(({ id, type, data, meta }) => ({ id, type, data, meta }));
}

export function ids(events: readonly { readonly id: string }[]): string[] {
  return events.map(({ id }) => id);
}

/** All that a store holds, page after page. */
export async function readEverything(
  store: Pick<EventStore, "readAll">,
  read: AllRead = {},
): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for (let after = read.after; ;) {
    const page = await store.readAll({ ...read, after });
    events.push(...page.events);
    if (page.end) return events;
    after = page.checkpoint;
  }
}

/** Reads messages until one of them satisfies; the subscription is then left. */
export async function messagesUntil(
  subscription: AsyncIterable<Message>,
  enough: (message: Message, all: readonly Message[]) => boolean,
): Promise<Message[]> {
  const messages: Message[] = [];
  for await (const message of subscription) {
    messages.push(message);
    if (enough(message, messages)) break;
  }
  return messages;
}

export function eventsIn(messages: readonly Message[]): RecordedEvent[] {
  return messages.flatMap((message) => (message.kind === "event" ? [message.event] : []));
}

export function isLive(message: Message): boolean {
  return message.kind === "live";
}

export interface Settled {
  readonly fulfilled: readonly Appended[];
  readonly rejected: readonly unknown[];
}

export async function settle(appends: readonly Promise<Appended>[]): Promise<Settled> {
  const results = await Promise.allSettled(appends);
  return {
    fulfilled: results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : [])),
    rejected: results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : [])),
  };
}

/** One turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
