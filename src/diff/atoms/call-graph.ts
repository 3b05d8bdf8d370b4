import { isText } from "./atom.js";
import { normalName, sourceFunction } from "./names.js";
import type { SplitObject } from "./split-object.js";

/** Which functions of an object refer to which others of it, by the names that they have in the source: clones and cold pieces count as their function. */
export class CallGraph {
  readonly #callees = new Map<string, Set<string>>();

  constructor(split: SplitObject) {
    for (const owner of split.atoms) {
      if (!isText(owner) || owner.symbol === undefined) continue;
      const name = nameOf(owner.symbol.name);
      const callees = this.#callees.get(name) ?? new Set<string>();
      this.#callees.set(name, callees);
      for (const relocation of owner.relocations) {
        const target = split.target(relocation, owner);
        if (target.kind === "atom" && isText(target.atom) && target.atom.symbol !== undefined) callees.add(nameOf(target.atom.symbol.name));
      }
    }
  }

  /** True for a function that the object has code of its own for. */
  has(name: string): boolean {
    return this.#callees.has(name);
  }

  /** True if `from` refers to `to`, itself or through functions that are let `through`. */
  reaches(from: string, to: string, through: (name: string) => boolean): boolean {
    const seen = new Set<string>([from]);
    for (const name of seen)
      for (const callee of this.#callees.get(name) ?? []) {
        if (callee === to) return true;
        if (through(callee)) seen.add(callee);
      }
    return false;
  }
}

function nameOf(symbol: string): string {
  return normalName(sourceFunction(symbol));
}

/**
 * True if one function's body stands in the other's on one side only: `inner` has code of its own in `apart` and is reached there from `outer`, and none
 * in `together`, where `outer` holds it.
 */
export function isInlined(inner: string, outer: string, apart: CallGraph, together: CallGraph): boolean {
  if (together.has(inner) || !together.has(outer) || !apart.has(inner)) return false;
  return apart.reaches(outer, inner, (name) => !together.has(name));
}
