/** Where the instructions of pre code are in the running code, where these do not run in step. */
export class RunOffsets {
  readonly #ranges = new Map<number, { low: number; high: number }>();

  /** Says that the pre instruction at `at` is at `low`, or anywhere up to `high` if no-ops stand in front of it. */
  note(at: number, low: number, high: number): void {
    const known = this.#ranges.get(at);
    this.#ranges.set(at, known === undefined ? { low, high } : { low: Math.min(low, known.low), high: Math.max(high, known.high) });
  }

  /** Where the pre instruction at `at` is; undefined if none starts there. */
  find(at: number): number | undefined {
    return this.#ranges.get(at)?.low;
  }

  /** True if a jump to the pre instruction at `at` may lead to `run`. */
  leadsTo(at: number, run: number): boolean {
    const range = this.#ranges.get(at);
    return range !== undefined && range.low <= run && run <= range.high;
  }

  copy(): RunOffsets {
    const copy = new RunOffsets();
    for (const [at, { low, high }] of this.#ranges) copy.note(at, low, high);
    return copy;
  }
}
