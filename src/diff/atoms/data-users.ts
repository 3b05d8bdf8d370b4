import { isText, type Atom, type Target } from "./atom.js";
import { normalName, sourceFunction, staticLocalName } from "./names.js";
import type { SplitObject } from "./split-object.js";

/** Who refers to a data atom, and what else is referred to near by: the traces that a static local leaves whatever its number is. */
export interface DataUse {
  /** Names of the source functions (or objects) that refer to it. */
  readonly users: ReadonlySet<string>;
  /** Bytes from the start of the first user to the first reference. */
  readonly firstOffset: number;
  /** What the references before and behind its own mean (strings, called functions, other objects), each with its distance. Only for static locals. */
  readonly context: ReadonlySet<string>;
}

/** References before and behind that count as near. */
const NEAR = 2;

/** Of each object that code or other data refers to: by whom, and beside what. */
export function findDataUses(split: SplitObject): ReadonlyMap<Atom, DataUse> {
  const uses = new Map<Atom, { users: Set<string>; firstOffset: number; context: Set<string> }>();
  for (const owner of split.atoms) {
    const name = normalName(sourceFunction(owner.symbol?.name ?? ""));
    const targets = owner.relocations.map((relocation) => split.target(relocation, owner));
    targets.forEach((target, index) => {
      if (target.kind !== "atom" || target.atom === owner || isText(target.atom)) return;
      let use = uses.get(target.atom);
      if (use === undefined)
        uses.set(target.atom, (use = { users: new Set(), firstOffset: owner.relocations[index]?.offset ?? 0, context: new Set() }));
      use.users.add(name);
      if (staticLocalName(target.atom.symbol?.name ?? "") === undefined) return;
      for (let distance = -NEAR; distance <= NEAR; distance++) {
        const near = targets[index + distance];
        if (near !== undefined && distance !== 0) use.context.add(`${distance} ${meaningOf(near)}`);
      }
    });
  }
  return uses;
}

/** A word for a target that is the same in both objects. */
function meaningOf(target: Target): string {
  switch (target.kind) {
    case "outside":
      return target.symbol.name;
    case "literal":
      return String.fromCharCode(...target.bytes.subarray(0, 64));
    case "entry":
      return target.entry.section.name;
    case "atom":
      return normalName(target.atom.symbol?.name ?? target.atom.section.name);
  }
}

/** True if some function uses both. */
export function sharesUser(a: DataUse | undefined, b: DataUse | undefined): boolean {
  return a !== undefined && b !== undefined && [...a.users].some((name) => b.users.has(name));
}

/** How much two contexts have in common. */
export function sharedContext(a: DataUse | undefined, b: DataUse | undefined): number {
  if (a === undefined || b === undefined) return 0;
  return [...a.context].filter((meaning) => b.context.has(meaning)).length;
}
