/**
 * Blocks of a file by number, the latest used of them. Two generations: once the younger holds half of the limit it becomes the elder, and what
 * the elder held and nobody asked for meanwhile is dropped. As good as a list in order of use, without the cost of keeping one at every read.
 */
export class BlockCache {
  readonly #limit: number;
  #young = new Map<number, Uint8Array>();
  #elder = new Map<number, Uint8Array>();
  #youngBytes = 0;

  /** @param limit bytes that it holds at most */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get(number: number): Uint8Array | undefined {
    const block = this.#young.get(number);
    if (block !== undefined) return block;
    const elder = this.#elder.get(number);
    if (elder !== undefined) this.set(number, elder);
    return elder;
  }

  set(number: number, block: Uint8Array): void {
    if (this.#youngBytes + block.length > this.#limit / 2) {
      this.#elder = this.#young;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    this.#young.set(number, block);
    this.#youngBytes += block.length;
  }
}
