// What `aftersale show --explain` adds: which event set each field, and what every command would come to, for people and as a document.

import type { Explanation, FieldOrigin, Verdict } from "../audit/explain.ts";
import { describeRejection } from "../domain/refusals.ts";
import { clip, instantText, table, toJson } from "./output.ts";
import { refusalDocument } from "./receipt.ts";

/** An explanation as plain data: decisions as `accepted` with what would be recorded, or with the error. */
export function explanationDocument({ commands, cases, ...explanation }: Explanation): object {
  return {
    ...explanation,
    commands: commands.map(verdictDocument),
    cases: cases.map((one) => ({ ...one, commands: one.commands.map(verdictDocument) })),
  };
}

function verdictDocument({ command, actor, decision }: Verdict): object {
  const { type, ...asked } = command;
  return decision._tag === "Right"
    ? { command: type, actor, accepted: true, records: decision.right.map((event) => event.type), asked }
    : { command: type, actor, accepted: false, error: refusalDocument(decision.left), asked };
}

/** The sections of an explanation, each a title and its text. */
export function explanationSections(
  { now, fields, commands, cases }: Explanation,
  wide: number,
): readonly (readonly [title: string, text: string])[] {
  const headed = (what: string): string => `${what} at ${instantText(now)}`;
  return [
    ["Fields, and what set them", fieldsTable(fields, wide)],
    [headed("Commands to the order"), verdictsTable(commands, wide)],
    ...cases.map((one): readonly [string, string] => [
      headed(`Commands to case ${one.caseId}`),
      verdictsTable(one.commands, wide),
    ]),
  ];
}

function fieldsTable(fields: readonly FieldOrigin[], wide: number): string {
  return table(
    [
      { title: "field" },
      { title: "value" },
      { title: "rev", align: "right" },
      { title: "event" },
      { title: "at" },
      { title: "who" },
      { title: "command" },
    ],
    fields.map(({ field, value, revision, event, at: when, actor, commandId }) => [
      field,
      value === undefined ? "(gone)" : clip(typeof value === "string" ? value : toJson(value), wide),
      String(revision),
      event,
      instantText(when),
      `${actor.role} ${actor.id}`,
      commandId,
    ]),
    { indent: "  " },
  );
}

interface Row {
  readonly command: string;
  readonly asked: string;
  readonly answer: string;
  readonly why: string;
}

/** One row for all who get the same answer to the same command. */
function verdictsTable(verdicts: readonly Verdict[], wide: number): string {
  const rows = new Map<string, { readonly row: Row; readonly roles: string[] }>();
  for (const verdict of verdicts) {
    const row = rowOf(verdict, wide);
    const key = toJson(row);
    const known = rows.get(key);
    if (known === undefined) rows.set(key, { row, roles: [verdict.actor.role] });
    else if (!known.roles.includes(verdict.actor.role)) known.roles.push(verdict.actor.role);
  }
  return table(
    [{ title: "command" }, { title: "for" }, { title: "asked with" }, { title: "now" }, { title: "why" }],
    [...rows.values()].map(({ row, roles }) => [
      row.command,
      roles.join(", "),
      row.asked,
      row.answer,
      row.why,
    ]),
    { indent: "  " },
  );
}

function rowOf({ command, decision }: Verdict, wide: number): Row {
  const { type } = command;
  if (decision._tag === "Right") {
    const records = decision.right.map((event) => event.type).join(", ");
    const why = records === "" ? "done already" : `records ${records}`;
    return { command: type, asked: clip(askedWith(command), wide), answer: "accepted", why };
  }
  const { also, ...first } = decision.left;
  const { code } = first;
  // Where the status does not allow it, what else the example would break says nothing.
  const byStatus = code === "orderStatusNotEligible" || code === "caseStatusNotEligible";
  const why = `${describeRejection(byStatus || also === undefined ? first : decision.left)} (${code})`;
  return { command: type, asked: byStatus ? "" : clip(askedWith(command), wide), answer: "refused", why };
}

/** What a command says beside its type and whom it is about. */
function askedWith({ type: _type, orderId: _orderId, ...body }: Verdict["command"]): string {
  return Object.entries(body)
    .filter(([field]) => field !== "caseId")
    .map(([field, value]) => `${field} ${typeof value === "string" ? value : toJson(value)}`)
    .join(", ");
}
