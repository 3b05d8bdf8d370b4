/** Finds the shapes that fit a word: text, `*` for any word or none, `#` for a number. */
export class Shapes<T> {
  readonly #exact = new Map<string, T[]>();
  readonly #byStart = new Map<string, [RegExp, T][]>();
  readonly #byEnd = new Map<string, [RegExp, T][]>();
  readonly #open: [RegExp, T][] = [];

  constructor(entries: Iterable<readonly [shape: string, value: T]>) {
    for (const [shape, value] of entries) {
      const parts = shape.split(/[*#]/);
      const [start = "", end = ""] = [parts[0], parts.at(-1)];
      if (parts.length === 1) push(this.#exact, shape, value);
      else if (start !== "") push(this.#byStart, start, [patternOf(shape), value] as [RegExp, T]);
      else if (end !== "") push(this.#byEnd, end, [patternOf(shape), value] as [RegExp, T]);
      else this.#open.push([patternOf(shape), value]);
    }
  }

  matching(word: string): T[] {
    const found = [...(this.#exact.get(word) ?? [])];
    const test = (list: readonly [RegExp, T][] | undefined): void => {
      for (const [pattern, value] of list ?? []) if (pattern.test(word)) found.push(value);
    };
    for (let length = 1; length <= word.length; length++) {
      test(this.#byStart.get(word.slice(0, length)));
      test(this.#byEnd.get(word.slice(-length)));
    }
    test(this.#open);
    return found;
  }
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

function patternOf(shape: string): RegExp {
  return new RegExp(`^${shape.replaceAll("*", "\\w*").replaceAll("#", "(?:0[xX][\\da-fA-F]+|\\d+)[uUlL]*")}$`);
}

/** Words, so that those which fit a shape are found without trying each. */
export class SortedWords {
  readonly #words: readonly string[];
  #mirrored: readonly string[] | undefined;

  constructor(words: Iterable<string>) {
    this.#words = [...words].sort();
  }

  matching(shape: string): string[] {
    const parts = shape.split(/[*#]/);
    const [start = "", end = ""] = [parts[0], parts.at(-1)];
    if (parts.length === 1) return withStart(this.#words, shape).filter((word) => word === shape);
    const candidates = start !== "" || end === "" ? withStart(this.#words, start) : this.#withEnd(end);
    const pattern = patternOf(shape);
    return candidates.filter((word) => pattern.test(word));
  }

  #withEnd(end: string): string[] {
    this.#mirrored ??= this.#words.map(mirror).sort();
    return withStart(this.#mirrored, mirror(end)).map(mirror);
  }
}

/** @param words sorted */
function withStart(words: readonly string[], start: string): string[] {
  let [low, high] = [0, words.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((words[middle] ?? "") < start) low = middle + 1;
    else high = middle;
  }
  const found: string[] = [];
  for (let at = low; words[at]?.startsWith(start) === true; at++) found.push(words[at] ?? "");
  return found;
}

function mirror(word: string): string {
  let mirrored = "";
  for (const letter of word) mirrored = letter + mirrored;
  return mirrored;
}
