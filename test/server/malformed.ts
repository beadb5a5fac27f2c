// Requests that are wrong in one way each, by the thousand: for the plain API, and for the dialects, which take the same kinds of fault.

/** Numbers from 0 to 1 that are the same again for the same seed (mulberry32). */
export function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function pick<T>(roll: () => number, of: readonly T[]): T {
  return of[Math.floor(roll() * of.length)] as T;
}

/** A sound request, before something is done to it. */
export interface Sound {
  readonly method: "GET" | "POST";
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The fields of its body; none with GET. */
  readonly body?: Readonly<Record<string, unknown>> | undefined;
  readonly as: "form" | "json";
}

const texts = [
  "",
  " ",
  "null",
  "-1",
  "1e309",
  "9007199254740993",
  "NaN",
  "0x10",
  "1.5",
  "' OR 1=1 --",
  "<script>alert(1)</script>",
  "../../etc/passwd",
  "a\u0000b",
  "%00",
  "\ud800",
  "售后".repeat(2_000),
  "x".repeat(70_000),
  "__proto__",
  "constructor",
  "[object Object]",
  '{"a":',
  "[[[[",
];

const values: readonly unknown[] = [
  null,
  true,
  -1,
  0.5,
  1e308,
  2 ** 53,
  [],
  [[]],
  {},
  { length: -1 },
  { toString: 1 },
  ...texts,
];

function bytesOf(sound: Sound, body: unknown = sound.body): string {
  if (sound.as === "json") return JSON.stringify(body ?? {});
  const fields = Object.entries((body ?? {}) as Record<string, unknown>).map(
    ([name, value]): [string, string] => [name, typeof value === "string" ? value : JSON.stringify(value)],
  );
  return new URLSearchParams(fields).toString();
}

/** The same with one value, however deep, replaced; a text that is JSON is gone into. */
function within(value: unknown, roll: () => number): unknown {
  if (typeof value === "string" && /^[[{]/.test(value)) {
    const inner = jsonOf(value);
    if (inner !== undefined) return JSON.stringify(within(inner, roll));
  }
  if (value === null || typeof value !== "object") return pick(roll, values);
  const names = Object.keys(value);
  if (names.length === 0 || roll() < 0.1) return pick(roll, values);
  const name = pick(roll, names);
  const held = (value as Record<string, unknown>)[name];
  const put = within(held, roll);
  return Array.isArray(value) ? (value as unknown[]).with(Number(name), put) : { ...value, [name]: put };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

type Spoiled = { readonly init: RequestInit; readonly path: string };

/** The ways to spoil a request. Those that leave it readable change what it says, so that it may be right by chance: they say so. */
const spoilers: readonly ((sound: Sound, roll: () => number) => Spoiled)[] = [
  // The body is cut, doubled, of another kind, or no text at all.
  (sound, roll) => {
    const text = bytesOf(sound);
    return sent(sound, `${text.slice(0, Math.floor(roll() * Math.max(1, text.length - 1)))}{%`);
  },
  (sound) => sent(sound, bytesOf(sound) + bytesOf(sound) + "%"),
  (sound, roll) =>
    sent(
      sound,
      pick(roll, ["[]", "null", "1", '"text"', "[1,2", nested(5_000), nested(100_000), "{", "%", "=%ff&%zz"]),
    ),
  (sound, roll) =>
    sent(sound, new Uint8Array([0xff, 0xfe, ...Array.from({ length: 20 }, () => Math.floor(roll() * 256))])),
  (sound) => sent(sound, new Uint8Array([...new TextEncoder().encode(bytesOf(sound)), 0xe5, 0x94])),
  (sound, roll) =>
    sent(sound, bytesOf(sound) || "x", {
      "content-type": pick(roll, [
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/xml",
        "",
        "application/json;;;",
        "json",
      ]),
    }),
  // A field is of another kind, or many.
  (sound, roll) => {
    const body = { ...sound.body };
    const names = Object.keys(body);
    const name = names.length === 0 ? "x" : pick(roll, names);
    return sent(sound, bytesOf(sound, { ...body, [name]: pick(roll, values) }));
  },
  (sound, roll) => {
    const names = Object.keys(sound.body ?? { a: 1 });
    const name = pick(roll, names);
    const many = Array.from(
      { length: 3 },
      (_, at) => `${name}${pick(roll, ["", "[]", "[0]", "[x]", "[[]"])}=${at}`,
    );
    return {
      init: init(sound, undefined),
      path: sound.path + (sound.path.includes("?") ? "&" : "?") + many.join("&"),
    };
  },
  (sound) => sent(sound, Array.from({ length: 5_000 }, (_, at) => `f${at}=1`).join("&")),
  (sound, roll) =>
    sent(
      sound,
      `${bytesOf(sound)}${" ".repeat(100)}`.padEnd(
        roll() < 0.05 ? 10 * 1024 * 1024 : Math.floor(1024 * 1024 * (1 + roll())),
        "x",
      ),
    ),
  // Somewhere within what is nested, also in JSON in a form.
  (sound, roll) => sent(sound, bytesOf(sound, within(sound.body ?? {}, roll))),
  // The query or the path.
  (sound, roll) => ({
    init: init(sound, undefined),
    path: `${sound.path}?${pick(roll, ["%", "%ff=1", "a=%C0%80", "a[=1", "&&&=", "=", `${"a=1&".repeat(2_000)}`])}`,
  }),
  (sound, roll) => ({
    init: init(sound, sound.body === undefined ? undefined : "{"),
    path:
      sound.path +
      pick(roll, [
        "/",
        "//",
        "/../..",
        "/%2e%2e",
        "/%ff",
        "/\u0000".replace("\u0000", "%00"),
        `/${"y".repeat(5_000)}`,
        "/__proto__",
      ]),
  }),
  // The method and the headers.
  (sound, roll) => ({
    init: {
      ...init(sound, undefined),
      method: pick(roll, ["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "X"]),
    },
    path: sound.path,
  }),
  (sound) => ({
    init: { ...init(sound, undefined), method: sound.method === "GET" ? "POST" : "GET" },
    path: sound.path,
  }),
  (sound, roll) => ({
    init: init(sound, sound.body === undefined ? undefined : bytesOf(sound), {
      authorization: pick(roll, [
        "",
        "Bearer",
        "Bearer  ",
        "Basic eDp5",
        `Bearer ${"t".repeat(20_000)}`,
        "Bearer as_wrong",
        "bearer\ttoken-of-buyer-1 x",
      ]),
    }),
    path: sound.path,
  }),
  (sound, roll) => ({
    init: init(sound, sound.body === undefined ? undefined : bytesOf(sound), {
      cookie: pick(roll, [
        "",
        ";",
        "=;;=",
        "common_session_id",
        "common_session_id=",
        'common_session_id="',
        `common_session_id=${"t".repeat(20_000)}`,
        `${"c=1; ".repeat(3_000)}common_session_id=x`,
        "common_session_id=%ff; common_session_id=token-of-nobody",
      ]),
    }),
    path: sound.path,
  }),
  (sound) => ({
    init: init(
      sound,
      sound.body === undefined ? undefined : "[",
      Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`x-flood-${at}`, "y"])),
    ),
    path: sound.path,
  }),
  (sound, roll) => ({
    init: init(sound, sound.body === undefined ? undefined : "[]", {
      "idempotency-key": pick(roll, ["", "k".repeat(256), "\u00ff".repeat(300)]),
      "last-event-id": pick(roll, ["-1", "x".repeat(9_000), "1e5"]),
    }),
    path: sound.path,
  }),
];

function init(
  sound: Sound,
  body: NonNullable<RequestInit["body"]> | undefined,
  over: Readonly<Record<string, string>> = {},
): RequestInit {
  const type = sound.as === "json" ? "application/json" : "application/x-www-form-urlencoded";
  const headers = new Headers({ "content-type": type, ...sound.headers });
  for (const [name, value] of Object.entries(over)) {
    if (value === "") headers.delete(name);
    else headers.set(name, value);
  }
  return { method: sound.method, headers, ...(body === undefined || sound.method === "GET" ? {} : { body }) };
}

function sent(sound: Sound, body: string | Uint8Array, over: Readonly<Record<string, string>> = {}): Spoiled {
  return { init: init(sound, body as NonNullable<RequestInit["body"]>, over), path: sound.path };
}

/** One malformed request made from a sound one. */
export function spoiled(sound: Sound, roll: () => number): Request {
  const { init: given, path } = pick(roll, spoilers)(sound, roll);
  return new Request(new URL(path, "http://shop.example"), given);
}
