import type { ElfRelocation } from "../../elf/model.js";
import { isFunctionName, isText, type Atom } from "../atoms/atom.js";
import { isBranch } from "../atoms/branches.js";
import { groupPieces } from "./changed-code.js";
import type { Twins } from "./group.js";
import type { SplitObject } from "../atoms/split-object.js";

/** Where new code gets what it refers to: `new` is carried in the update, `old` is the running kernel's. */
export type Origin = "new" | "old";

/** Static call trampolines and keys: unique in the whole kernel, and known to it by these names (include/linux/static_call_types.h, Linux 6.1). */
const STATIC_CALL_NAME = /^__SC[TK]__/;

/** True for a name that means the same in every unit, so that imports of it need no unit in front. */
export function hasPlainName(name: string): boolean {
  return STATIC_CALL_NAME.test(name);
}

/** What of a post object is new, and what the running kernel has. */
export interface Newness {
  readonly post: SplitObject;
  readonly twins: Twins;
  /** Code that goes into the update. */
  readonly included: ReadonlySet<Atom>;
  /** Constants that are carried although the running kernel has others in their place. */
  readonly replaced: ReadonlySet<Atom>;
  /** Objects that the running kernel has in another unit. */
  readonly elsewhere?: ReadonlySet<Atom>;
}

/** Decides for each reference of the new code whether it means the new copy or the running kernel's. */
export class OriginChooser {
  readonly #mainOf = new Map<Atom, Atom>();

  constructor(readonly newness: Newness) {
    for (const [main, pieces] of groupPieces(newness.post.atoms)) for (const atom of [main, ...pieces]) this.#mainOf.set(atom, main);
  }

  /**
   * @param owner what the relocation is in; undefined for a table that describes code, where addresses are those of the new code itself
   * @param offset bytes from the start of the target, the addend as it stands
   */
  choose(target: Atom, offset: number, relocation: ElfRelocation, owner: Atom | undefined): Origin {
    const { included, replaced, twins, elsewhere } = this.newness;
    if (isText(target)) {
      if (owner?.rule.kind === "hooks") return "new";
      if (!included.has(target)) return "old";
      if (owner === undefined || !twins.has(target)) return "new";
      if (isBranch(this.newness.post, owner, relocation)) return "new";
      const isStart = offset + (relocation.type.pcRelative ? 4 : 0) === (target.symbol?.value ?? 0) - target.start;
      const isOwn = this.#mainOf.get(owner) === this.#mainOf.get(target);
      // A label inside the function: new code jumps on in new code. Its address as a value is the old one's, which callers know.
      return !isStart && (isOwn || !isText(owner)) ? "new" : this.#mainOf.get(target) === target ? "old" : "new";
    }
    if (target.symbol === undefined) return "new";
    if (twins.has(target) && !replaced.has(target)) return isFunctionName(target) ? "new" : "old";
    return target.rule.kind === "registered" || elsewhere?.has(target) === true ? "old" : "new";
  }
}
