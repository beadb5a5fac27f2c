// The JSON form of what became of a command: its receipt, or its refusal with the words for it.

import type { Receipt } from "../commands/handle.ts";
import { type Rejection, describeRejection } from "../domain/refusals.ts";

/** A receipt as plain data: the events by their types, or whole. */
export function receiptDocument(receipt: Receipt, whole = false): object {
  const { revision, events } = receipt;
  return {
    ...receipt,
    revision: revision.toString(),
    events: whole ? events : events.map(({ type }) => type),
  };
}

/** The same as one text; ids, types and numbers hold nothing that JSON would escape, and this is what costs least. */
export function receiptJson(receipt: Receipt, whole: boolean): string {
  const { orderId, commandId, revision, position, events, replayed } = receipt;
  let recorded = "";
  if (whole) recorded = JSON.stringify(events);
  else {
    for (const { type } of events) recorded += recorded === "" ? `["${type}"` : `,"${type}"`;
    recorded = recorded === "" ? "[]" : `${recorded}]`;
  }
  return `{"orderId":"${orderId}","commandId":"${commandId}","revision":"${revision}","position":${JSON.stringify(position)},"events":${recorded},"replayed":${replayed}}`;
}

export function refusalDocument(rejection: Rejection): object {
  return { ...rejection, message: describeRejection(rejection) };
}
