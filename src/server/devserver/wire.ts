// The protobuf wire format: messages described as tables of fields, encoded from their end so that every length is known in time.

/** What cannot be read as the message that it should be. */
export class WireError extends Error {
  override readonly name = "WireError";
}

/** How values of one protobuf type stand on the wire. */
export interface Kind<T> {
  /** 0: a varint; 2: bytes with their length in front. */
  readonly wireType: 0 | 2;
  write(writer: Writer, value: T): void;
  read(reader: Reader): T;
}

interface Field<T> {
  readonly number: number;
  readonly wireType: 0 | 2;
  write(writer: Writer, value: T): void;
  /** `before` is what earlier occurrences of the field came to. */
  read(reader: Reader, before: T | undefined): T;
}

/** Every field may be missing: what proto3 calls presence is what a `oneof` needs, and does no harm elsewhere. */
type ValuesOf<F extends Readonly<Record<string, Field<unknown>>>> = {
  readonly [K in keyof F]?: (F[K] extends Field<infer T> ? T : never) | undefined;
};

/** A message, which stands in a field with its length in front, or in a call by itself. */
export interface Message<T> extends Kind<T> {
  writeBody(writer: Writer, value: T): void;
  readBody(reader: Reader): T;
}

export type MessageOf<K> = K extends Kind<infer T> ? T : never;

/** Writes from the end of its buffer towards the beginning. */
export class Writer {
  #buffer = Buffer.allocUnsafeSlow(1_024);
  #at = this.#buffer.length;

  get length(): number {
    return this.#buffer.length - this.#at;
  }

  /** Where so many bytes go; the buffer may be another one after this. */
  #room(bytes: number): number {
    if (this.#at < bytes) {
      const grown = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.length + bytes));
      const at = grown.length - this.length;
      this.#buffer.copy(grown, at, this.#at);
      this.#buffer = grown;
      this.#at = at;
    }
    this.#at -= bytes;
    return this.#at;
  }

  bytes(value: Uint8Array): void {
    const at = this.#room(value.length);
    this.#buffer.set(value, at);
  }

  text(value: string): void {
    const bytes = Buffer.byteLength(value);
    const at = this.#room(bytes);
    this.#buffer.write(value, at, bytes, "utf8");
  }

  /** A safe integer that is not negative. */
  varint(value: number): void {
    if (value < 0x80) {
      const at = this.#room(1);
      this.#buffer[at] = value;
      return;
    }
    let bytes = 1;
    for (let limit = 0x80; value >= limit; limit *= 0x80) bytes += 1;
    let at = this.#room(bytes);
    let rest = value;
    for (; bytes > 1; bytes -= 1) {
      this.#buffer[at] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
      at += 1;
    }
    this.#buffer[at] = rest;
  }

  bigVarint(value: bigint): void {
    if (value >= 0n && value <= Number.MAX_SAFE_INTEGER) {
      this.varint(Number(value));
      return;
    }
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, value);
    while (rest >= 0x80n) {
      bytes.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    bytes.push(Number(rest));
    this.bytes(Uint8Array.from(bytes));
  }

  tag(number: number, wireType: number): void {
    this.varint(number * 8 + wireType);
  }

  /** What was written, without a copy: the writer is done after this. */
  finish(): Buffer {
    return this.#buffer.subarray(this.#at);
  }
}

export class Reader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Buffer, from = 0, to = bytes.length) {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = to;
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  #byte(): number {
    if (this.#at >= this.#end) throw new WireError("a message ends in the middle of a field");
    const byte = this.#bytes[this.#at] as number;
    this.#at += 1;
    return byte;
  }

  bigVarint(): bigint {
    // Four bytes hold 28 bits, which are still cheap.
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt(low);
    }
    let value = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new WireError("a number of more than ten bytes");
  }

  varint(): number {
    let value = 0;
    let factor = 1;
    for (let read = 0; read < 10; read += 1) {
      const byte = this.#byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
    throw new WireError("a number of more than ten bytes");
  }

  /** The bytes of a field with its length in front; no copy. */
  bytes(): Buffer {
    const [from, to] = this.#span();
    return this.#bytes.subarray(from, to);
  }

  /** A reader of the message that stands in a field. */
  inner(): Reader {
    const [from, to] = this.#span();
    return new Reader(this.#bytes, from, to);
  }

  #span(): readonly [number, number] {
    const length = this.varint();
    const from = this.#at;
    const to = from + length;
    if (to > this.#end) throw new WireError("a field is longer than its message");
    this.#at = to;
    return [from, to];
  }

  skip(wireType: number): void {
    switch (wireType) {
      case 0:
        this.varint();
        return;
      case 2:
        this.#span();
        return;
      case 1:
      case 5: {
        const bytes = wireType === 1 ? 8 : 4;
        for (let read = 0; read < bytes; read += 1) this.#byte();
        return;
      }
      default:
        throw new WireError(`wire type ${wireType} is unknown`);
    }
  }
}

export const text: Kind<string> = {
  wireType: 2,
  write(writer, value) {
    const before = writer.length;
    writer.text(value);
    writer.varint(writer.length - before);
  },
  read: (reader) => reader.bytes().toString("utf8"),
};

export const bytes: Kind<Uint8Array> = {
  wireType: 2,
  write(writer, value) {
    writer.bytes(value);
    writer.varint(value.length);
  },
  read: (reader) => reader.bytes(),
};

export const uint64: Kind<bigint> = {
  wireType: 0,
  write: (writer, value) => writer.bigVarint(value),
  read: (reader) => reader.bigVarint(),
};

export const int64: Kind<bigint> = {
  wireType: 0,
  write: (writer, value) => writer.bigVarint(value),
  read: (reader) => BigInt.asIntN(64, reader.bigVarint()),
};

/** A safe integer: enumerations, uint32, and uint64 where it never holds more. */
export const uint: Kind<number> = {
  wireType: 0,
  write: (writer, value) => writer.varint(value),
  read: (reader) => reader.varint(),
};

export const bool: Kind<boolean> = {
  wireType: 0,
  write: (writer, value) => writer.varint(value ? 1 : 0),
  read: (reader) => reader.varint() !== 0,
};

export function one<T>(number: number, kind: Kind<T>): Field<T> {
  return {
    number,
    wireType: kind.wireType,
    write(writer, value) {
      kind.write(writer, value);
      writer.tag(number, kind.wireType);
    },
    read: (reader) => kind.read(reader),
  };
}

/** A repeated field. Packed numbers are not for us: no message here repeats a number. */
export function many<T>(number: number, kind: Kind<T>): Field<readonly T[]> {
  return {
    number,
    wireType: kind.wireType,
    write(writer, values) {
      for (let index = values.length - 1; index >= 0; index -= 1) {
        kind.write(writer, values[index] as T);
        writer.tag(number, kind.wireType);
      }
    },
    read(reader, before = []) {
      // The list is made here and handed out only when the message is complete.
      (before as T[]).push(kind.read(reader));
      return before;
    },
  };
}

const entry = message({ key: one(1, text), value: one(2, text) });

/** A `map<string, string>`. */
export function texts(number: number): Field<Readonly<Record<string, string>>> {
  const entries = many(number, entry);
  return {
    number,
    wireType: 2,
    write(writer, value) {
      entries.write(
        writer,
        Object.entries(value).map(([key, text]) => ({ key, value: text })),
      );
    },
    read(reader, before) {
      const { key = "", value = "" } = entry.read(reader);
      return { ...before, [key]: value };
    },
  };
}

export function message<F extends Readonly<Record<string, Field<unknown>>>>(fields: F): Message<ValuesOf<F>> {
  const byNumber = new Map(Object.entries(fields).map(([name, field]) => [field.number, { name, field }]));
  const backwards = Object.entries(fields).reverse();
  const writeBody = (writer: Writer, value: ValuesOf<F>): void => {
    for (const [name, field] of backwards) {
      const one = value[name];
      if (one !== undefined) field.write(writer, one);
    }
  };
  const readBody = (reader: Reader): ValuesOf<F> => {
    const values: Record<string, unknown> = {};
    while (!reader.done) {
      const tag = reader.varint();
      const wireType = tag % 8;
      const known = byNumber.get((tag - wireType) / 8);
      if (known === undefined) {
        reader.skip(wireType);
        continue;
      }
      if (known.field.wireType !== wireType) throw new WireError(`${known.name} has wire type ${wireType}`);
      values[known.name] = known.field.read(reader, values[known.name]);
    }
    return values as ValuesOf<F>;
  };
  return {
    wireType: 2,
    writeBody,
    readBody,
    write(writer, value) {
      const before = writer.length;
      writeBody(writer, value);
      writer.varint(writer.length - before);
    },
    read: (reader) => readBody(reader.inner()),
  };
}

export function encode<T>(kind: Message<T>, value: T): Buffer {
  const writer = new Writer();
  kind.writeBody(writer, value);
  return writer.finish();
}

/** @throws WireError */
export function decode<T>(kind: Message<T>, bytes: Buffer): T {
  return kind.readBody(new Reader(bytes));
}
