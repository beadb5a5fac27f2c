// Walks a static chart once into its frozen moves, and answers from them what is legal and which status a fact leads to.

/** One arrow of a chart. */
export interface Move<S extends string = string, O extends string = string, E extends string = string> {
  readonly from: S;
  readonly outcome: O;
  readonly records: E;
  readonly to: S;
}

/** What `movesOf` reads of a machine: its config, as it was given. */
interface Charted {
  readonly config: { readonly initial?: unknown; readonly states?: unknown };
}

/**
 * Walks a chart once into its moves, in the chart's own order.
 * @throws Error where a status cannot be reached, a transition is not a plain target with its fact, or a command of `commands` is
 * used by no transition: a chart at odds with its engine must not start.
 */
export function movesOf<S extends string, O extends string, E extends string>(
  machine: Charted,
  commands: readonly string[],
): readonly Move<S, O, E>[] {
  const states = machine.config.states as Record<
    string,
    {
      readonly on?: Record<
        string,
        { readonly target?: unknown; readonly meta?: { readonly records?: unknown } }
      >;
    }
  >;
  const moves: Move<S, O, E>[] = [];
  for (const [from, state] of Object.entries(states)) {
    for (const [outcome, transition] of Object.entries(state.on ?? {})) {
      const { target, meta } = transition;
      if (typeof target !== "string" || typeof meta?.records !== "string" || !(target in states)) {
        throw new Error(`chart: ${from} --${outcome}--> has no plain target with a recorded fact`);
      }
      moves.push(
        Object.freeze({ from, outcome, records: meta.records, to: target }) as unknown as Move<S, O, E>,
      );
    }
  }
  const reached = new Set<string>([String(machine.config.initial)]);
  for (let grown = true; grown;) {
    grown = false;
    for (const move of moves) {
      if (reached.has(move.from) && !reached.has(move.to)) {
        reached.add(move.to);
        grown = true;
      }
    }
  }
  const unreachable = Object.keys(states).filter((status) => !reached.has(status));
  if (unreachable.length > 0) throw new Error(`chart: no path leads to ${unreachable.join(", ")}`);
  const used = new Set(moves.map((move) => commandOf(move.outcome)));
  const unused = commands.filter((command) => !used.has(command));
  if (unused.length > 0) throw new Error(`chart: no status uses ${unused.join(", ")}`);
  const strange = [...used].filter((command) => !commands.includes(command));
  if (strange.length > 0) throw new Error(`chart: ${strange.join(", ")} is no command`);
  return Object.freeze(moves);
}

function commandOf(outcome: string): string {
  const slash = outcome.indexOf("/");
  return slash === -1 ? outcome : outcome.slice(0, slash);
}

/** What a chart's moves answer. */
export interface Legality<S extends string, C extends string> {
  /** Whether one of the command's outcomes leaves this status. */
  isLegal(status: S, command: C): boolean;
  /** The statuses in which a command is legal, in the chart's order. */
  statusesFor(command: C): readonly S[];
  /** The status that a fact, or where a fact can lead to several the outcome, leads to; undefined where none is recorded here. */
  after(status: S, key: string): S | undefined;
}

/** Tables of what the moves say, so that no question walks them again. */
export function legalityOf<S extends string, C extends string>(
  moves: readonly Move<S, string, string>[],
  commands: readonly C[],
): Legality<S, C> {
  const legalFrom = Object.fromEntries(
    commands.map((type) => [
      type,
      Object.fromEntries(
        moves.filter((move) => commandOf(move.outcome) === type).map((move) => [move.from, true]),
      ),
    ]),
  ) as Readonly<Record<C, Readonly<Partial<Record<S, true>>>>>;
  const targets = new Map<string, Map<string, S>>();
  for (const { from, outcome, records, to } of moves) {
    const row = targets.get(from) ?? new Map<string, S>();
    targets.set(from, row);
    row.set(outcome, to);
    const several = moves.some((move) => move.from === from && move.records === records && move.to !== to);
    if (!several) row.set(records, to);
  }
  return {
    isLegal: (status, command) => legalFrom[command][status] === true,
    statusesFor: (command) => Object.keys(legalFrom[command]) as S[],
    after: (status, key) => targets.get(status)?.get(key),
  };
}
