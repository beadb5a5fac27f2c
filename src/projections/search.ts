// The text index behind the order list: words of titles and numbers, Chinese ones by their characters, however short.

import type { OrderEvent, OrderEventData, Shipment } from "../domain/events.ts";
import type { Database } from "../store/database.ts";
import type { Scope } from "./statistics.ts";
import { type Change, type View, type Writer, addChange, textRows } from "./view.ts";

/** What of an order can be searched for; it becomes words only when it is written. */
interface Searchable {
  readonly created: OrderEventData["OrderCreated"];
  readonly shipments: readonly Shipment[];
}

function fold(searchable: Searchable | undefined, event: OrderEvent): Searchable | undefined {
  if (searchable === undefined) {
    return event.type === "OrderCreated" ? { created: event.data, shipments: [] } : undefined;
  }
  return event.type === "OrderShipped" || event.type === "ShipmentCorrected"
    ? { ...searchable, shipments: event.data.shipments }
    : searchable;
}

/** Between two texts: a word that no search may name (a character of private use), so that no phrase runs from one into the next. */
const boundary = " \ue000 ";

/** The words of an order, its distinct texts one after the other. */
function wordsOf({ created, shipments }: Searchable): string {
  const texts = new Set([created.orderId, created.orderNo]);
  for (const { title, goodsId, sku } of created.lines) {
    texts.add(title);
    texts.add(goodsId);
    if (sku !== undefined) texts.add(sku);
  }
  for (const { trackingNumber } of shipments) if (trackingNumber !== undefined) texts.add(trackingNumber);
  // Each by itself: most hold no ideograph, and their kind of string is looked through in a moment.
  return Array.from(texts, (text) => spaced(alike(text))).join(boundary);
}

const ascii = /^[\0-\x7f]*$/;

/** A text in the one form of all that are compatible: full-width digits, ligatures and half-width kana as the common ones. */
function alike(text: string): string {
  return ascii.test(text) ? text : text.normalize("NFKC");
}

/** Writing systems that put no spaces between words: each of their characters is a word of its own here. */
const ideograph = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/gu;

function spaced(text: string): string {
  return text.replace(ideograph, " $& ");
}

/** A buyer or merchant as one word that no text of a shop is. */
function owner(kind: "b" | "m", id: string): string {
  return kind + Buffer.from(id).toString("hex");
}

class SearchWriter implements Writer<Searchable> {
  readonly #changes = new Map<string, Change<Searchable>>();
  readonly #insert: ReturnType<Database["prepare"]>;
  readonly #find: ReturnType<Database["prepare"]>;
  readonly #remove: ReturnType<Database["prepare"]>;
  readonly #name: ReturnType<Database["prepare"]>;

  constructor(database: Database, prefix: string) {
    this.#name = database.prepare(`INSERT INTO ${prefix}_ids (order_id) VALUES (?)`);
    this.#find = database.prepare(`SELECT id FROM ${prefix}_ids WHERE order_id = ?`);
    this.#insert = database.prepare(`INSERT INTO ${prefix} (rowid, owner, body) VALUES (?, ?, ?)`);
    this.#remove = database.prepare(`DELETE FROM ${prefix} WHERE rowid = ?`);
  }

  change(orderId: string, before: Searchable | undefined, after: Searchable | undefined): void {
    if (before === after) return;
    addChange(this.#changes, orderId, before, after);
  }

  get waiting(): number {
    return this.#changes.size;
  }

  flush(): void {
    for (const [orderId, { before, after }] of this.#changes) {
      let rowid: number;
      if (before === undefined) {
        rowid = Number(this.#name.run(orderId).lastInsertRowid);
      } else {
        rowid = (this.#find.get(orderId) as unknown as { id: number }).id;
        this.#remove.run(rowid);
      }
      if (after !== undefined) {
        const { buyerId, merchantId } = after.created;
        this.#insert.run(rowid, `${owner("b", buyerId)} ${owner("m", merchantId)}`, wordsOf(after));
      }
    }
    this.#changes.clear();
  }
}

export const searchView: View<Searchable> = {
  name: "search",
  version: 2,
  reads: { OrderCreated: true, OrderShipped: true, ShipmentCorrected: true },
  tables: (prefix) => [
    {
      name: prefix,
      sql: `CREATE VIRTUAL TABLE ${prefix} USING fts5(owner, body, tokenize = 'unicode61 remove_diacritics 2',
        content = '', contentless_delete = 1)`,
    },
    {
      name: `${prefix}_ids`,
      sql: `CREATE TABLE ${prefix}_ids (id INTEGER PRIMARY KEY, order_id TEXT NOT NULL UNIQUE)`,
    },
  ],
  fold,
  writer: (database, prefix) => new SearchWriter(database, prefix),
  *rows(database, prefix) {
    // The index lives in the database's main schema; its vocabulary can only be read through a table beside it.
    database.exec(`CREATE VIRTUAL TABLE temp.${prefix}_words USING fts5vocab(main, ${prefix}, instance)`);
    try {
      yield* textRows(
        database,
        `SELECT json_array(order_id, col, "offset", term) AS row FROM temp.${prefix}_words
         JOIN ${prefix}_ids ON id = doc ORDER BY row`,
      );
    } finally {
      database.exec(`DROP TABLE temp.${prefix}_words`);
    }
  },
};

/** A subquery that gives the ids of the orders in which every word of the text stands; undefined where the text has no word. */
export function matching(
  prefix: string,
  text: string,
  scope: Scope,
): { readonly sql: string; readonly value: string } | undefined {
  const words = alike(text)
    .split(/[\s\0\ue000]+/u)
    .map((word) => spaced(word).replaceAll('"', " ").trim())
    .filter((word) => /[\p{L}\p{N}]/u.test(word));
  if (words.length === 0) return undefined;
  // A phrase a word: characters next to each other, and the last of them may go on.
  const phrases = words.map((word) => `body : "${word}" *`);
  const owned =
    scope === "all"
      ? []
      : [`owner : ${"buyerId" in scope ? owner("b", scope.buyerId) : owner("m", scope.merchantId)}`];
  return {
    sql: `SELECT order_id FROM ${prefix}_ids WHERE id IN (SELECT rowid FROM ${prefix} WHERE ${prefix} MATCH ?)`,
    value: [...owned, ...phrases].join(" AND "),
  };
}
