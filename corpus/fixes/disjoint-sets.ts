/** Sets of the numbers below a count, each in a set of its own at first. */
export class DisjointSets {
  readonly #parents: number[];

  constructor(count: number) {
    this.#parents = Array.from({ length: count }, (_, index) => index);
  }

  find(index: number): number {
    let root = index;
    for (let parent = this.#parents[root] ?? root; parent !== root; parent = this.#parents[root] ?? root) root = parent;
    this.#parents[index] = root;
    return root;
  }

  /** Makes one of two sets. */
  join(a: number, b: number): void {
    const [low, high] = [this.find(a), this.find(b)].sort((x, y) => x - y) as [number, number];
    this.#parents[high] = low;
  }

  /** The sets in the order of their first members, which are in order too. */
  groups(): number[][] {
    const groups = new Map<number, number[]>();
    this.#parents.forEach((_, index) => {
      const root = this.find(index);
      groups.set(root, [...(groups.get(root) ?? []), index]);
    });
    return [...groups.values()];
  }
}
