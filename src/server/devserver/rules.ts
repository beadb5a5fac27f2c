// The rules of streams, without a store: where an append is expected, what counts as its repeat, and what of a stream is still to be seen.

/** `none`: the stream must not exist; `exists`: it must; `any`: no check; a number: the revision of its last event. */
export type Expected = number | "none" | "exists" | "any";

/** What a decision looks at. */
export interface StreamView {
  /** Revision of the last event; -1 where there never was one. */
  readonly last: number;
  readonly tombstoned: boolean;
  readonly softDeleted: boolean;
  readonly hasMetadata: boolean;
  /** The id of the event at a revision, read from the log. */
  idAt(revision: number): string | undefined;
  /** Where in this stream an event with this id was appended lately, from memory: nothing of it survives a restart. */
  remembered(id: string): number | undefined;
}

export type Decision =
  | {
      readonly kind: "append";
      /** The stream is taken up again behind its deletion. */ readonly revives: boolean;
    }
  | { readonly kind: "repeat"; readonly last: number }
  | { readonly kind: "wrongVersion" }
  | { readonly kind: "deleted" };

const wrongVersion: Decision = { kind: "wrongVersion" };
const deleted: Decision = { kind: "deleted" };

/** Decides an append, or (with one id of its own making) a deletion. */
export function decideAppend(view: StreamView, expected: Expected, ids: readonly string[]): Decision {
  if (view.tombstoned) return deleted;
  if (expected === "exists") {
    if (view.softDeleted) return deleted;
    if (view.last < 0 && !view.hasMetadata) return wrongVersion;
  }
  if (expected === "exists" || expected === "any") return decideAnywhere(view, ids);
  const revision = expected === "none" ? -1 : expected;
  if (revision > view.last) return wrongVersion;
  if (revision < view.last) return decideBehind(view, revision, ids);
  return { kind: "append", revives: view.softDeleted };
}

/** Without a revision only memory knows a repeat; a batch of which a part was appended is never appended. */
function decideAnywhere(view: StreamView, ids: readonly string[]): Decision {
  const where = ids.map((id) => view.remembered(id));
  if (where[0] === undefined) return { kind: "append", revives: view.softDeleted };
  const last = where.at(-1);
  return where.includes(undefined) || last === undefined ? wrongVersion : { kind: "repeat", last };
}

/** At a revision that was passed, only the very same events, one by one behind it, are a repeat. */
function decideBehind(view: StreamView, revision: number, ids: readonly string[]): Decision {
  const differs = ids.findIndex((id, index) => view.idAt(revision + 1 + index) !== id);
  if (differs === -1 && ids.length > 0) return { kind: "repeat", last: revision + ids.length };
  if (differs === 0 && revision === -1 && view.softDeleted) return { kind: "append", revives: true };
  return wrongVersion;
}

/** The metadata of a stream, as far as it is a rule; anything else in it is only kept. */
export interface StreamMetadata {
  readonly maxCount?: number | undefined;
  /** In seconds. */
  readonly maxAge?: number | undefined;
  readonly truncateBefore?: number | undefined;
  readonly acl?: Acl | undefined;
}

/** Who may read, write, delete, and read and write the metadata; a right that is not named is the default's. */
export type Acl = Readonly<Partial<Record<"$r" | "$w" | "$d" | "$mr" | "$mw", readonly string[]>>>;

/** Where a soft deletion truncates, which no event reaches; as text, because a number loses its end. */
export const softDeletion = '{"$tb":9223372036854775807}';
const softDeleted = 2 ** 63;

export function isSoftDeleted({ truncateBefore }: StreamMetadata): boolean {
  return truncateBefore === softDeleted;
}

/** Reads metadata; what is no JSON object, or of the wrong type, sets no rule. */
export function readMetadata(data: string): StreamMetadata {
  let fields: unknown;
  try {
    fields = JSON.parse(data);
  } catch {
    return {};
  }
  if (typeof fields !== "object" || fields === null) return {};
  const { $maxCount, $maxAge, $tb, $acl } = fields as Readonly<Record<string, unknown>>;
  return {
    maxCount: typeof $maxCount === "number" ? $maxCount : undefined,
    maxAge: typeof $maxAge === "number" ? $maxAge : undefined,
    truncateBefore: typeof $tb === "number" ? $tb : undefined,
    acl: typeof $acl === "object" && $acl !== null ? readAcl($acl) : undefined,
  };
}

function readAcl(acl: object): Acl {
  return Object.fromEntries(
    Object.entries(acl)
      .filter(([, roles]) => typeof roles === "string" || Array.isArray(roles))
      .map(([right, roles]) => [right, [roles].flat().map(String)]),
  );
}

/** The metadata of a stream that goes on behind its deletion, at the revision where it does. */
export function revivedMetadata(data: string, truncateBefore: number): string {
  let fields: unknown;
  try {
    fields = JSON.parse(data);
  } catch {
    fields = undefined;
  }
  return JSON.stringify({
    ...(typeof fields === "object" && fields !== null && !Array.isArray(fields) ? fields : {}),
    $tb: truncateBefore,
  });
}

/** The first revision of a stream that may still be seen, of those that its metadata hides by number. */
export function firstVisible({ maxCount, truncateBefore }: StreamMetadata, last: number): number {
  return Math.max(0, truncateBefore ?? 0, maxCount === undefined ? 0 : last - maxCount + 1);
}

/** The instant (milliseconds) before which events have grown too old to be seen. */
export function oldestVisible({ maxAge }: StreamMetadata, now: number): number {
  return maxAge === undefined ? Number.NEGATIVE_INFINITY : now - maxAge * 1_000;
}
