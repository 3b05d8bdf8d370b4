import { KERNEL_ARCHITECTURE } from "../../../arch/architectures.js";
import { memoized } from "../../../memoized.js";
import type { Include, IncludeGraph } from "../include-graph.js";
import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** A set of units, by their numbers. */
export type UnitSet = Uint32Array;

/** Adds what is in `more`. @returns true if that is more than there was */
export function addAll(set: UnitSet, more: UnitSet): boolean {
  let grown = false;
  for (let at = 0; at < set.length; at++) {
    const joined = ((set[at] ?? 0) | (more[at] ?? 0)) >>> 0;
    if (joined === set[at]) continue;
    set[at] = joined;
    grown = true;
  }
  return grown;
}

/** What is in both; undefined where that is nothing. */
export function common(one: UnitSet, other: UnitSet): UnitSet | undefined {
  let found: UnitSet | undefined;
  for (let at = 0; at < one.length; at++) {
    const both = ((one[at] ?? 0) & (other[at] ?? 0)) >>> 0;
    if (both === 0) continue;
    found ??= new Uint32Array(one.length);
    found[at] = both;
  }
  return found;
}

/** What is not in `others`; undefined where that is nothing. */
export function withoutAll(set: UnitSet, others: UnitSet): UnitSet | undefined {
  const rest = set.map((bits, at) => bits & ~(others[at] ?? 0));
  return rest.some((bits) => bits !== 0) ? rest : undefined;
}

/** True if the set holds the unit of this number. */
export function has(set: UnitSet, unit: number): boolean {
  return (((set[unit >> 5] ?? 0) >>> (unit & 31)) & 1) === 1;
}

/** For each file that some units are made of, which these are. */
export class UnitSets {
  readonly #ofFile = new Map<string, UnitSet>();

  private constructor(
    /** The units, C files; their place is their number. */
    readonly units: readonly string[],
  ) {}

  empty(): UnitSet {
    return new Uint32Array((this.units.length + 31) >> 5);
  }

  /** The units of which something is true. */
  where(isTrue: (unit: string) => boolean): UnitSet {
    const set = this.empty();
    for (const [unit, path] of this.units.entries()) if (isTrue(path)) set[unit >> 5] = (set[unit >> 5] ?? 0) | (1 << (unit & 31));
    return set;
  }

  /** The units that are made of a file, directly or not; undefined where none is. */
  of(file: string): UnitSet | undefined {
    return this.#ofFile.get(file);
  }

  files(): IterableIterator<string> {
    return this.#ofFile.keys();
  }

  /**
   * @param headers all headers of the tree
   * @param always those that every unit includes
   */
  static of(graph: IncludeGraph, source: string, units: readonly string[], headers: Iterable<string>, always: readonly string[]): UnitSets {
    const sets = new UnitSets(units);
    const known = finderOf(graph);
    const finder = (known.finder ??= new IncludedFiles(graph, source, headers));
    /** Files by number, what each includes, and the unit that came by last. */
    const paths: string[] = [];
    const ids = new Map<string, number>();
    const included: (readonly number[] | undefined)[] = [];
    const bits: UnitSet[] = [];
    const seen: number[] = [];
    const idOf = (path: string): number => {
      const known = ids.get(path);
      if (known !== undefined) return known;
      const id = paths.push(path) - 1;
      ids.set(path, id);
      bits.push(sets.empty());
      seen.push(-1);
      return id;
    };
    for (const [unit, path] of units.entries()) {
      const queue: number[] = [];
      const visit = (file: number): void => {
        if (seen[file] === unit) return;
        seen[file] = unit;
        queue.push(file);
      };
      for (const start of [path, ...always]) visit(idOf(start));
      for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
        const set = bits[file] ?? sets.empty();
        set[unit >> 5] = (set[unit >> 5] ?? 0) | (1 << (unit & 31));
        for (const next of (included[file] ??= finder.of(paths[file] ?? "").map(idOf))) visit(next);
      }
    }
    for (const [id, path] of paths.entries()) sets.#ofFile.set(path, bits[id] ?? sets.empty());
    return sets;
  }
}

/** What is looked up once for a tree serves for all its headers. */
const finderOf = memoized<IncludeGraph, { finder?: IncludedFiles }>(() => ({}));

/** What each file includes, as far as the text tells: of two files that an #include may mean, both. */
class IncludedFiles {
  readonly #includes = new Map<string, Include[]>();
  readonly #byName = new Map<string, string[]>();
  readonly #meant = new Map<string, readonly string[]>();

  constructor(
    private readonly graph: IncludeGraph,
    private readonly source: string,
    headers: Iterable<string>,
  ) {
    for (const include of graph.includes()) push(this.#includes, include.from, include);
    const files = new Set([...headers, ...this.#includes.keys()]);
    for (const path of files) push(this.#byName, baseName(path), path);
  }

  of(file: string): readonly string[] {
    const found = new Set<string>();
    for (const include of this.#includes.get(file) ?? [])
      if (!this.graph.isDead(include)) for (const path of this.#meanings(include)) found.add(path);
    return [...found];
  }

  #meanings(include: Include): readonly string[] {
    const key = `${include.quoted ? dirname(include.from) : ""}\0${include.spec}`;
    const known = this.#meant.get(key);
    if (known !== undefined) return known;
    const found: string[] = [];
    for (const path of this.#byName.get(baseName(include.spec)) ?? []) if (this.graph.mayMean(include, path)) found.push(path);
    // Text that is no header by its name.
    if (!include.spec.endsWith(".h"))
      for (const directory of [dirname(include.from), `${KERNEL_ARCHITECTURE.source.directory}/include`, "include", "."]) {
        const path = normalize(join(directory, include.spec));
        if (!found.includes(path) && existsSync(join(this.source, path))) found.push(path);
      }
    this.#meant.set(key, found);
    return found;
  }
}

function push<K, T>(map: Map<K, T[]>, key: K, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
