// Proves that the kept views are what the events say: each is rebuilt into nothing, and the two are compared row by row.

/** Where a kept view and a rebuilt one differ; equal where `differences` is empty. */
export interface Comparison {
  readonly view: string;
  readonly rows: number;
  /** The first few rows that stand on one side only. */
  readonly differences: readonly {
    readonly kept: string | undefined;
    readonly rebuilt: string | undefined;
  }[];
  /** All of them. */
  readonly different: number;
}

const mostShown = 10;

/** Compares the rows of two generations of one view; both give them in ascending order of their bytes. */
export function compare(view: string, kept: Iterable<string>, rebuilt: Iterable<string>): Comparison {
  const differences: { kept: string | undefined; rebuilt: string | undefined }[] = [];
  let different = 0;
  let rows = 0;
  const note = (a: string | undefined, b: string | undefined): void => {
    different += 1;
    if (differences.length < mostShown) differences.push({ kept: a, rebuilt: b });
  };
  const left = kept[Symbol.iterator]();
  const right = rebuilt[Symbol.iterator]();
  let a = left.next();
  let b = right.next();
  while (a.done !== true || b.done !== true) {
    rows += 1;
    if (a.done === true) {
      note(undefined, b.value as string);
      b = right.next();
    } else if (b.done === true) {
      note(a.value, undefined);
      a = left.next();
    } else if (a.value === b.value) {
      a = left.next();
      b = right.next();
    } else if (Buffer.compare(Buffer.from(a.value), Buffer.from(b.value)) < 0) {
      note(a.value, undefined);
      a = left.next();
    } else {
      note(undefined, b.value);
      b = right.next();
    }
  }
  return { view, rows, differences, different };
}
