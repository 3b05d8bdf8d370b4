import { STB_LOCAL } from "../../elf/constants.js";
import type { ElfRelocation } from "../../elf/model.js";
import type { Atom, TableEntry } from "../atoms/atom.js";
import type { DataWrite } from "./changed-constants.js";
import type { OriginChooser } from "./choose-origin.js";
import { companionOf, type CodeTables } from "../atoms/code-tables.js";
import type { Hook } from "./hooks.js";
import type { SplitObject } from "../atoms/split-object.js";

/** What an update starts from: code that replaces, hooks, new contents of existing data. */
export interface Beginnings {
  readonly post: SplitObject;
  readonly postTables: CodeTables;
  readonly twins: ReadonlyMap<Atom, Atom>;
  readonly included: ReadonlySet<Atom>;
  readonly hooks: readonly Hook[];
  readonly writes: readonly DataWrite[];
}

/** All atoms that the update carries, in the post object's order: the included code, the hooks and, from there, whatever is not in the running kernel. */
export function collectCarried(beginnings: Beginnings, chooser: OriginChooser, preNames: ReadonlySet<string>): Set<Atom> {
  const { post, postTables, included, hooks, twins } = beginnings;
  const found = new Set<Atom>([...included, ...hooks.map(({ entry }) => entry)]);
  for (const { post: object, pointer } of beginnings.writes) {
    if (pointer === undefined) {
      found.add(object);
      continue;
    }
    const target = post.target(pointer, object);
    if (target.kind === "atom") found.add(target.atom);
  }
  for (const atom of post.atoms) {
    // Other units of the update may use a new global object that this one only defines.
    const isNewGlobal = atom.symbol !== undefined && atom.symbol.bind !== STB_LOCAL && !preNames.has(atom.symbol.name);
    if (isNewGlobal && !twins.has(atom) && atom.rule.kind === "data" && atom.rule.area === "always") found.add(atom);
  }
  const visit = (relocations: readonly ElfRelocation[], owner: Atom | undefined): void => {
    for (const relocation of relocations.filter(isMeant)) {
      const target = post.target(relocation, owner);
      if (target.kind === "atom" && chooser.choose(target.atom, target.offset, relocation, owner) === "new") found.add(target.atom);
    }
  };
  // A set iterates over what is added to it meanwhile.
  for (const atom of found) {
    visit(atom.relocations, atom);
    for (const entry of postTables.entriesOf.get(atom) ?? []) visit(allRelocations(post, entry), undefined);
  }
  return new Set(post.atoms.filter((atom) => found.has(atom)));
}

/** Where objtool took a relocation away, it leaves one that writes nothing. */
export function isMeant({ type }: ElfRelocation): boolean {
  return type.size > 0;
}

function allRelocations(post: SplitObject, entry: TableEntry): readonly ElfRelocation[] {
  return [...entry.relocations, ...(companionOf(post, entry)?.relocations ?? [])];
}
