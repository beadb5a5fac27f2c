// The one table of limits; parsing, deciding and the documentation read it from here.

export const limits = {
  /** Lines in one order. */
  linesPerOrder: 2_000,
  /** Charges (freight, tariff, other) in one order. */
  chargesPerOrder: 20,
  /** Shipments in one order. */
  shipmentsPerOrder: 100,
  /** Code points of a text for which nothing else is stated. */
  textLength: 1_000,
  /** Code points of a line title. */
  titleLength: 500,
  /** Code points of a buyer's remark in a review, per line (apifm: remark <= 200). */
  reviewTextLength: 200,
  /** Pictures of one line's review (apifm: 9). */
  reviewPictures: 9,
  /** Code points of a carrier's name and of a tracking number (ShopXO: 1..60). */
  waybillLength: 60,
  /** Code points of why a case is applied for, and of what is said beside it (ruling 6). */
  caseReasonLength: 180,
  caseNoteLength: 500,
  /** Code points of why a case is rejected: at least and at most (ShopXO: 2..230). */
  rejectReasonMin: 2,
  rejectReasonLength: 230,
  /** Pieces of evidence that one command may carry; the terms allow 9 of them at the most. */
  evidence: 100,
  /** Parts into which the goods of one return may fall. */
  dispositions: 100,
  /** Characters of a refund's id: a case's, and the number of the attempt. */
  refundIdLength: 160,
  /** Bytes of one command as canonical JSON in UTF-8. */
  commandBytes: 256 * 1024,
  /** Bytes of one event's stored data and metadata together. */
  eventBytes: 1024 * 1024,
  /** Characters of an id. */
  idLength: 128,
  /** Staff ids that may redeem, per merchant. */
  redeemStaff: 1_000,
  /** Reasons that a merchant offers for one type of case. */
  reasons: 100,
  /** The greatest quantity of one line. */
  quantity: 1_000_000_000,
  /** The greatest number of days or of minutes that a term may state. */
  termDays: 36_500,
  termMinutes: 52_560_000,
  /** Earliest and latest instant of a command: 1970-01-01 and 9999-12-31 (milliseconds, UTC). */
  earliest: 0,
  latest: 253_402_300_799_999,
} as const;

/** Ids are safe in file names, URLs, logs and stream names. */
export const idPattern = /^[A-Za-z0-9][A-Za-z0-9._:@|+=-]*$/;

/** Whether a text can be an id. */
export function isId(text: string): boolean {
  return text.length <= limits.idLength && idPattern.test(text);
}
