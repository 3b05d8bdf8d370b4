import { atomSize, equalBytes, type Atom } from "../atoms/atom.js";

/** The twins of two objects: the atom of the pre object for each of the post object that has one. */
export type Twins = ReadonlyMap<Atom, Atom>;

/** Atoms of both objects that have one name but for the compiler's numbers. */
export interface Group {
  readonly text: boolean;
  pre: Atom[];
  post: Atom[];
}

/** Content without what relocations refer to. */
export function isLike(a: Atom, b: Atom): boolean {
  return (
    atomSize(a) === atomSize(b) &&
    a.relocations.length === b.relocations.length &&
    equalBytes(a.data, b.data) &&
    a.relocations.every((relocation, index) => {
      const other = b.relocations[index];
      return relocation.offset === other?.offset && relocation.type === other.type;
    })
  );
}

/** Takes the pairs for which `fits` holds out of the group, in order. */
export function pairWhere(group: Group, twins: Map<Atom, Atom>, fits: (pre: Atom, post: Atom) => boolean): void {
  group.post = group.post.filter((post) => {
    const index = group.pre.findIndex((pre) => fits(pre, post));
    const [pre] = index < 0 ? [] : group.pre.splice(index, 1);
    if (pre === undefined) return true;
    twins.set(post, pre);
    return false;
  });
}
