import type { MacroEffects } from "./macro-effects.js";
import type { Macro } from "./macro-text.js";
import { bareShape, hasParameter, mayBeCalled, PastedNames, shapeOf, type PastedData } from "./pasted-names.js";
import { Shapes } from "./shapes.js";
import { codeTokens } from "../../../source/top-level-items.js";
import { type HeaderText } from "./header-items.js";
import { isName } from "../../../source/words.js";

/** Headers, as far as a change can spread through them. Plain data, so that it can be kept. */
export interface ReachData {
  /** Those that have items, by their paths from the top of the tree. */
  readonly files: readonly string[];
  /** All words, sorted. */
  readonly words: readonly string[];
  /** The file of each item. */
  readonly itemFiles: Int32Array;
  /** Where the names of each item begin in `names`; −1 where all that includes its file counts. One more at the end. */
  readonly nameStarts: Int32Array;
  readonly nameless: Uint8Array;
  readonly names: Int32Array;
  /** Where the items that mention each word begin in `mentions`. One more at the end. */
  readonly mentionStarts: Int32Array;
  readonly mentions: Int32Array;
  /** Items by the shapes of the names that they put together from parts. */
  readonly formed: readonly (readonly [shape: string, items: readonly number[]])[];
  /** Macros by the shapes of the names that they put together from their arguments. */
  readonly pasting: readonly (readonly [shape: string, macros: readonly string[]])[];
  /** The files that define each macro of `pasting`. */
  readonly definedIn: ReadonlyMap<string, readonly number[]>;
  readonly pasted: PastedData;
}

/** Collects the items of all headers. */
export class ReachIndexBuilder {
  readonly #files: string[] = [];
  readonly #wordIds = new Map<string, number>();
  readonly #itemFiles: number[] = [];
  readonly #itemNames: (readonly number[] | undefined)[] = [];
  readonly #pairs = new Pairs();
  readonly #formed = new Map<string, Set<number>>();
  readonly #definedIn = new Map<string, Set<number>>();

  add(path: string, { items, macros: all }: HeaderText, pasted: PastedNames, effects: MacroEffects): void {
    if (items.length === 0 && all.length === 0) return;
    const file = this.#files.push(path) - 1;
    for (const { name } of all) {
      const files = this.#definedIn.get(name);
      if (files === undefined) this.#definedIn.set(name, new Set([file]));
      else files.add(file);
    }
    for (const { names: own, text, isUse, macros } of items) {
      const tokens = [...codeTokens(text)];
      const names = isUse === true ? effects.namesOf(tokens) : own;
      const item = this.#itemFiles.push(file) - 1;
      this.#itemNames.push(names?.map((name) => this.#idOf(name)));
      for (const word of new Set(tokens)) if (isName(word)) this.#pairs.push(this.#idOf(word), item);
      const isMacro = macros.length > 0 && names?.length === 1 && macros.every(({ name }) => name === names[0]);
      if (!isMacro) this.#addFormed(pasted.formedBy(tokens), item);
      for (const { name } of macros) {
        this.#addFormed(pasted.fixedShapes(name), item);
      }
    }
  }

  #addFormed(shapes: Iterable<string>, item: number): void {
    for (const shape of shapes) {
      const items = this.#formed.get(shape);
      if (items === undefined) this.#formed.set(shape, new Set([item]));
      else items.add(item);
    }
  }

  #idOf(word: string): number {
    const known = this.#wordIds.get(word);
    if (known !== undefined) return known;
    const id = this.#wordIds.size;
    this.#wordIds.set(word, id);
    return id;
  }

  finish(pasted: PastedNames): ReachData {
    const words = [...this.#wordIds.keys()].sort();
    const order = new Int32Array(words.length);
    words.forEach((word, index) => {
      order[this.#wordIds.get(word) ?? 0] = index;
    });
    const nameStarts = new Int32Array(this.#itemNames.length + 1);
    const nameless = new Uint8Array(this.#itemNames.length);
    const names: number[] = [];
    this.#itemNames.forEach((list, item) => {
      nameStarts[item] = names.length;
      if (list === undefined) nameless[item] = 1;
      else for (const id of list) names.push(order[id] ?? 0);
    });
    nameStarts[this.#itemNames.length] = names.length;
    const { starts, values } = this.#pairs.group(words.length, order);
    const pasting = new Map<string, Set<string>>();
    for (const [name, pattern] of pasted.patterns()) {
      if (!hasParameter(pattern)) continue;
      const shape = shapeOf(pattern);
      const list = pasting.get(shape);
      if (list === undefined) pasting.set(shape, new Set([name]));
      else list.add(name);
    }
    return {
      files: this.#files,
      words,
      itemFiles: Int32Array.from(this.#itemFiles),
      nameStarts,
      nameless,
      names: Int32Array.from(names),
      mentionStarts: starts,
      mentions: values,
      formed: Array.from(this.#formed, ([shape, items]) => [shape, [...items]] as const),
      pasting: Array.from(pasting, ([shape, list]) => [shape, [...list]] as const),
      definedIn: new Map(
        [...pasting.values()].flatMap((list) => Array.from(list, (name) => [name, [...(this.#definedIn.get(name) ?? [])]] as const)),
      ),
      pasted: pasted.toData(),
    };
  }
}

/** Pairs of numbers, millions of them, to be grouped by the first. */
class Pairs {
  #data = new Int32Array(1 << 20);
  #length = 0;

  push(key: number, value: number): void {
    if (this.#length + 2 > this.#data.length) {
      const larger = new Int32Array(this.#data.length * 2);
      larger.set(this.#data);
      this.#data = larger;
    }
    this.#data[this.#length++] = key;
    this.#data[this.#length++] = value;
  }

  /** @param order the new number of each key */
  group(keys: number, order: Int32Array): { starts: Int32Array; values: Int32Array } {
    const starts = new Int32Array(keys + 1);
    const keyAt = (at: number): number => order[this.#data[at] ?? 0] ?? 0;
    for (let at = 0; at < this.#length; at += 2) {
      const key = keyAt(at) + 1;
      starts[key] = (starts[key] ?? 0) + 1;
    }
    for (let key = 0; key < keys; key++) starts[key + 1] = (starts[key + 1] ?? 0) + (starts[key] ?? 0);
    const next = starts.slice();
    const values = new Int32Array(this.#length / 2);
    for (let at = 0; at < this.#length; at += 2) {
      const key = keyAt(at);
      const place = next[key] ?? 0;
      values[place] = this.#data[at + 1] ?? 0;
      next[key] = place + 1;
    }
    return { starts, values };
  }
}

/** The index at work. */
export class ReachIndex {
  readonly #formed: ByShape<number>;
  readonly #pasting: ByShape<string>;

  /** What the headers' macros form names of. */
  readonly pasted: PastedNames;
  readonly #formedIn = new Map<string, ReadonlySet<string>>();

  constructor(private readonly data: ReachData) {
    this.pasted = PastedNames.ofData(data.pasted);
    this.#formed = shapesOf(data.formed);
    this.#pasting = shapesOf(data.pasting);
  }

  /** The shapes of the names that a file which is no header puts together. It is read once. @param text the file's, in tokens and macros */
  formedIn(path: string, text: () => { tokens: readonly string[]; macros: readonly Macro[] }): ReadonlySet<string> {
    let shapes = this.#formedIn.get(path);
    if (shapes === undefined) {
      const { tokens, macros } = text();
      this.#formedIn.set(path, (shapes = this.pasted.formedBy(tokens, macros)));
    }
    return shapes;
  }

  get fileCount(): number {
    return this.data.files.length;
  }

  pathOf(file: number): string {
    return this.data.files[file] ?? "";
  }

  fileOf(item: number): number {
    return this.data.itemFiles[item] ?? 0;
  }

  /** Undefined where all that includes the item's file counts. */
  namesOf(item: number): string[] | undefined {
    if (this.data.nameless[item] === 1) return undefined;
    const { names, nameStarts, words } = this.data;
    return Array.from(names.subarray(nameStarts[item], nameStarts[item + 1]), (id) => words[id] ?? "");
  }

  /** Items that have the word. */
  itemsWith(word: string): Int32Array {
    const { words, mentions, mentionStarts } = this.data;
    let [low, high] = [0, words.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((words[middle] ?? "") < word) low = middle + 1;
      else high = middle;
    }
    return words[low] === word ? mentions.subarray(mentionStarts[low], mentionStarts[low + 1]) : new Int32Array();
  }

  /** Items that put the word together from parts. @param called only where a parenthesis may follow, as the word is a macro with parameters */
  itemsForming(word: string, called = false): number[] {
    return (called ? this.#formed.called : this.#formed.all).matching(word).flat();
  }

  /** The files that define a macro of {@link macrosFor}. */
  filesDefining(macro: string): readonly number[] {
    return this.data.definedIn.get(macro) ?? [];
  }

  /** Macros that form the word if they are given the right arguments. @param called as above */
  macrosFor(word: string, called = false): string[] {
    return (called ? this.#pasting.called : this.#pasting.all).matching(word).flat();
  }
}

interface ByShape<T> {
  readonly all: Shapes<readonly T[]>;
  readonly called: Shapes<readonly T[]>;
}

function shapesOf<T>(entries: readonly (readonly [shape: string, values: readonly T[]])[]): ByShape<T> {
  const plain = (list: typeof entries): Shapes<readonly T[]> => new Shapes(list.map(([shape, values]) => [bareShape(shape), values]));
  return { all: plain(entries), called: plain(entries.filter(([shape]) => mayBeCalled(shape))) };
}
