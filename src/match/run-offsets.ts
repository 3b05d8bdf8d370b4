/** Where the instructions of pre code are in the running code, where these do not run in step. */
export class RunOffsets {
  readonly #offsets = new Map<number, number[]>();

  /** Says that the pre instruction at `at` is at `run`. If only the running code has no-ops in front of it, it is noted before and behind them. */
  note(at: number, run: number): void {
    const known = this.#offsets.get(at);
    if (known === undefined) this.#offsets.set(at, [run]);
    else if (known.at(-1) !== run) this.#offsets.set(at, [...known, run]);
  }

  /** Where the pre instruction at `at` is, behind any no-ops; undefined if none starts there. */
  find(at: number): number | undefined {
    return this.#offsets.get(at)?.at(-1);
  }

  /** True if a jump to the pre instruction at `at` may lead to `run`. */
  leadsTo(at: number, run: number): boolean {
    return this.#offsets.get(at)?.includes(run) === true;
  }

  copy(): RunOffsets {
    const copy = new RunOffsets();
    for (const [at, runs] of this.#offsets) for (const run of runs) copy.note(at, run);
    return copy;
  }
}
