/** A row of one list beside its twin in the other; undefined where it has none. */
export interface AlignedRow<T> {
  readonly old: T | undefined;
  readonly now: T | undefined;
}

/** What would need a table larger than this is not compared: all of one side stands before all of the other. */
const MOST_CELLS = 4_000_000;

/** Puts two lists into one, with as many twins as there can be in this order (their longest common subsequence). */
export function alignRows<T>(old: readonly T[], now: readonly T[], keyOf: (row: T) => string): AlignedRow<T>[] {
  const [oldKeys, nowKeys] = [old.map(keyOf), now.map(keyOf)];
  let start = 0;
  while (start < old.length && start < now.length && oldKeys[start] === nowKeys[start]) start++;
  let end = 0;
  while (end < old.length - start && end < now.length - start && oldKeys.at(-1 - end) === nowKeys.at(-1 - end)) end++;

  const twins = (from: number, offset: number, count: number): AlignedRow<T>[] =>
    old.slice(from, from + count).map((row, index) => ({ old: row, now: now[from + offset + index] }));
  const middle = alignMiddle(old.slice(start, old.length - end), now.slice(start, now.length - end), keyOf);
  return [...twins(0, 0, start), ...middle, ...twins(old.length - end, now.length - old.length, end)];
}

function alignMiddle<T>(old: readonly T[], now: readonly T[], keyOf: (row: T) => string): AlignedRow<T>[] {
  const only = (rows: readonly T[], side: "old" | "now"): AlignedRow<T>[] =>
    rows.map((row) => (side === "old" ? { old: row, now: undefined } : { old: undefined, now: row }));
  if (old.length * now.length > MOST_CELLS) return [...only(old, "old"), ...only(now, "now")];

  const [oldKeys, nowKeys] = [old.map(keyOf), now.map(keyOf)];
  const width = now.length + 1;
  /** How many twins the rests of both lists have, by where the rests begin. */
  const twins = new Uint32Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i--)
    for (let j = now.length - 1; j >= 0; j--)
      twins[i * width + j] =
        oldKeys[i] === nowKeys[j]
          ? (twins[(i + 1) * width + j + 1] ?? 0) + 1
          : Math.max(twins[(i + 1) * width + j] ?? 0, twins[i * width + j + 1] ?? 0);

  const rows: AlignedRow<T>[] = [];
  let [i, j] = [0, 0];
  while (i < old.length && j < now.length) {
    if (oldKeys[i] === nowKeys[j]) rows.push({ old: old[i++], now: now[j++] });
    else if ((twins[(i + 1) * width + j] ?? 0) >= (twins[i * width + j + 1] ?? 0)) rows.push({ old: old[i++], now: undefined });
    else rows.push({ old: undefined, now: now[j++] });
  }
  return [...rows, ...only(old.slice(i), "old"), ...only(now.slice(j), "now")];
}
