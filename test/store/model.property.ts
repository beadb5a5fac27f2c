// Random operations on a store and on the model, side by side: every answer must be the same.

import fc from "fast-check";
import { expect } from "vitest";

import {
  type Appended,
  ClaimTakenError,
  ConflictError,
  type EventStore,
  type Expected,
  type NewEvent,
  isStoreError,
} from "../../src/store/port.ts";
import { Model, type ModelEvent } from "./model.ts";
import { readEverything, uuid } from "./samples.ts";

/** An append whose expected revision is told from where its stream stands when the operation comes. */
interface Append {
  readonly stream: string;
  readonly expected: "none" | "exists" | "any" | number;
  readonly ids: readonly number[];
  readonly claims: readonly string[];
  /** The append so many back from this one, on whichever stream. */
  readonly follows: number | undefined;
}

type Operation =
  | { readonly kind: "together"; readonly appends: readonly Append[] }
  | { readonly kind: "again"; readonly back: number }
  | {
      readonly kind: "read";
      readonly stream: string;
      readonly from: bigint | undefined;
      readonly to: bigint | undefined;
      readonly backwards: boolean;
      readonly limit: number | undefined;
    }
  | {
      readonly kind: "all";
      readonly after: number;
      readonly limit: number;
      readonly prefixes: string[] | undefined;
    };

const stream = fc.constantFrom("order-1", "order-11", "orders", "other-1");
const revision = fc.option(fc.bigInt(0n, 8n), { nil: undefined });

const append: fc.Arbitrary<Append> = fc.record({
  stream,
  expected: fc.oneof(
    { weight: 4, arbitrary: fc.constant(0) },
    { weight: 3, arbitrary: fc.integer({ min: -3, max: 1 }) },
    { weight: 2, arbitrary: fc.constantFrom("none" as const, "exists" as const, "any" as const) },
  ),
  ids: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
  claims: fc.subarray(["payment:1", "payment:2"]),
  follows: fc.constantFrom(undefined, undefined, undefined, 1, 1, 2, 3),
});

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("together" as const),
      appends: fc.array(append, { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("again" as const), back: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("read" as const),
      stream,
      from: revision,
      to: revision,
      backwards: fc.boolean(),
      limit: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("all" as const),
      after: fc.nat(),
      limit: fc.integer({ min: 1, max: 5 }),
      prefixes: fc.option(fc.subarray(["order", "order-", "order-1", "other"]), { nil: undefined }),
    }),
  },
);

interface Call {
  readonly stream: string;
  readonly expected: Expected;
  readonly events: readonly NewEvent[];
  readonly claims: readonly string[];
  readonly follows: Call | undefined;
}

/** A store that does not keep the order of appends in flight gets them one at a time, and none that `follows`. */
export async function behavesAsTheModel(
  open: () => Promise<EventStore>,
  { keepsOrder, runs }: { readonly keepsOrder: boolean; readonly runs: number },
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 25 }), async (operations) => {
      const store = await open();
      const model = new Model();
      const calls: Call[] = [];
      const given = new Map<Call, Promise<Appended>>();
      let fresh = 1_000;
      const positions: string[] = [];
      const stored = (event: ModelEvent) => ({ ...event, position: positions[model.all.indexOf(event)] });

      async function appendAll(batch: readonly Call[]): Promise<void> {
        const answers: Promise<unknown>[] = [];
        for (const call of batch) {
          const { stream: name, expected, events, claims } = call;
          const follows = call.follows === undefined ? undefined : given.get(call.follows);
          const written = store.append(name, expected, events, { claims, follows });
          given.set(call, written);
          answers.push(written.catch((error: unknown) => error));
          if (!keepsOrder) await answers.at(-1);
        }
        for (const [at, answer] of (await Promise.all(answers)).entries()) {
          const call = batch[at] as Call;
          const wanted = model.append(call.stream, call.expected, call.events, call, call);
          if (wanted instanceof Error) {
            expect(answer).toBeInstanceOf(wanted instanceof ConflictError ? ConflictError : ClaimTakenError);
            // Who holds a claim is told only where it may be for an append under way.
            if (answer instanceof ClaimTakenError) {
              expect(answer.claim).toBe((wanted as ClaimTakenError).claim);
              expect([undefined, model.holderOf(answer.claim)]).toContain(answer.holder);
            } else expect(answer).toEqual(wanted);
            continue;
          }
          expect(answer).toMatchObject({ revision: wanted.revision, repeated: wanted.repeated });
          positions[wanted.index] ??= (answer as Appended).position;
          expect((answer as Appended).position).toBe(positions[wanted.index]);
        }
        const everything = await readEverything(store);
        everything.forEach(({ position }, at) => (positions[at] ??= position));
        expect(everything).toEqual(model.all.map(stored));
        expect(await store.head()).toBe(positions[model.all.length - 1]);
      }

      for (const step of operations) {
        if (step.kind === "together") {
          // Each is told against the model as it stands before all of them: some of them then race, and lose.
          for (const { stream: name, expected, ids, claims, follows } of step.appends) {
            const head = model.readStream(name, { backwards: true, limit: 1 })[0];
            const revisionNow = head?.revision ?? -1n;
            const at = typeof expected === "number" ? revisionNow + BigInt(expected) : expected;
            calls.push({
              stream: name,
              expected: typeof at !== "bigint" ? at : at < 0n ? "none" : at,
              events: ids.map((n) => {
                // Without a revision a server may take an id that it has seen lately for a repeat, or it may not.
                const id = uuid(keepsOrder || typeof at === "bigint" || at === "none" ? n : (fresh += 1));
                return { id, type: `T${n}`, data: `{"n":${n}}`, meta: "{}" };
              }),
              claims,
              follows: follows === undefined || !keepsOrder ? undefined : calls.at(-follows),
            });
          }
          await appendAll(calls.slice(-step.appends.length));
        } else if (step.kind === "again") {
          const call = calls.at(-step.back);
          const exact = typeof call?.expected === "bigint" || call?.expected === "none";
          if (call !== undefined && (keepsOrder || exact)) await appendAll([{ ...call }]);
        } else if (step.kind === "read") {
          expect(await store.readStream(step.stream, step)).toEqual(
            model.readStream(step.stream, step).map(stored),
          );
        } else {
          const after = step.after % (model.all.length + 1);
          const page = await store.readAll({
            ...step,
            after: after === 0 ? undefined : positions[after - 1],
          });
          const matching = model.all
            .slice(after)
            .filter((event) => step.prefixes?.some((prefix) => event.stream.startsWith(prefix)) ?? true)
            .map(stored);
          expect(page.events.length).toBeLessThanOrEqual(step.limit);
          expect(page.events).toEqual(matching.slice(0, page.events.length));
          const rest = await readEverything(store, { ...step, after: page.checkpoint });
          expect([...page.events, ...rest]).toEqual(matching);
          if (page.end) expect(rest).toEqual([]);
        }
      }
      await store.close();
      await expect(store.head()).rejects.toSatisfy((error) => isStoreError(error, "closed"));
    }),
    { numRuns: runs },
  );
}
