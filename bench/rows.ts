// One line of the result: a measure beside its yardstick, its floor and its aim, and how it is printed.

export interface Row {
  /** The name by which `--only` picks it. */
  readonly name: string;
  readonly measure: string;
  readonly value?: number;
  readonly unit?: string;
  /** What the ratio is taken against. */
  readonly yardstick?: { readonly name: string; readonly value: number };
  readonly ratio?: number;
  /** The lowest and highest ratio of the rounds. */
  readonly spread?: readonly [number, number];
  readonly floor?: Bound;
  readonly aim?: Bound;
  readonly notMeasured?: string;
  readonly note?: string;
}

/** At least this ratio; or, for sizes, at most this value. */
export type Bound = { readonly atLeast: number } | { readonly atMost: number };

export type Verdict = "aim met" | "met" | "NOT MET" | "shown" | "not measured";

export function verdictOf(row: Row): Verdict {
  if (row.notMeasured !== undefined) return "not measured";
  if (row.floor === undefined) return "shown";
  if (row.aim !== undefined && meets(row, row.aim)) return "aim met";
  return meets(row, row.floor) ? "met" : "NOT MET";
}

function meets({ ratio, value }: Row, bound: Bound): boolean {
  if ("atLeast" in bound) return ratio !== undefined && ratio >= bound.atLeast;
  return value !== undefined && value <= bound.atMost;
}

export function table(rows: readonly Row[]): string {
  const head = ["measure", "value", "yardstick", "ratio", "(spread)", "floor", "aim", ""];
  const cells = rows.map((row) => [
    row.measure,
    row.value === undefined ? "-" : `${figure(row.value)} ${row.unit ?? ""}`.trimEnd(),
    row.yardstick === undefined ? "-" : `${row.yardstick.name} ${figure(row.yardstick.value)}`,
    row.ratio === undefined ? "-" : figure(row.ratio),
    row.spread === undefined ? "" : `${figure(row.spread[0])}..${figure(row.spread[1])}`,
    boundText(row.floor),
    boundText(row.aim),
    row.notMeasured === undefined ? verdictOf(row) : `not measured (${row.notMeasured})`,
  ]);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...cells.map((line) => (line[column] as string).length)),
  );
  const lines = [head, ...cells].map((line) =>
    line
      .map((cell, column) =>
        column === 0 || column === line.length - 1
          ? cell.padEnd(column === 0 ? (widths[column] as number) : 0)
          : cell.padStart(widths[column] as number),
      )
      .join("  ")
      .trimEnd(),
  );
  lines.splice(1, 0, widths.map((width) => "-".repeat(width)).join("  "));
  const notes = rows.filter((row) => row.note !== undefined).map((row) => `${row.measure}: ${row.note}`);
  return [...lines, ...(notes.length > 0 ? ["", ...notes] : [])].join("\n");
}

function boundText(bound: Bound | undefined): string {
  if (bound === undefined) return "-";
  return "atLeast" in bound ? figure(bound.atLeast) : `<= ${figure(bound.atMost)}`;
}

/** Three significant digits, and whole numbers from a hundred on. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "-";
  return Math.abs(value) >= 100
    ? Math.round(value).toLocaleString("en-GB")
    : Number(value.toPrecision(3)).toString();
}
