// The nearest known word to a mistyped one, for refusals that want to be of use.

/**
 * The candidate with the fewest edits, at most a third of the word's length; two in a shorter word than that allows, but one where it has
 * no more than two letters. Undefined where none is near.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  // A longer word than any name of ours is no slip of the finger.
  if (word.length > 64) return undefined;
  let best: string | undefined;
  let fewest = Math.max(word.length <= 2 ? 1 : 2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const edits = distance(word.toLowerCase(), candidate.toLowerCase());
    if (edits < fewest) {
      best = candidate;
      fewest = edits;
    }
  }
  return best;
}

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const swap = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
