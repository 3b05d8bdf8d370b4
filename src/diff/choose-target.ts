import * as elf from "../elf/constants.js";
import type { ElfRelocation } from "../elf/model.js";
import type { Analysis } from "./analyse.js";
import { atomName, isText, type Atom } from "./atom.js";
import { groupPieces } from "./compare-code.js";

/** Where new code gets what it refers to: `new` is carried in the update, `old` is the running kernel's. */
export type Origin = "new" | "old";

/** Static call trampolines and keys: unique in the whole kernel, and known to it by these names (include/linux/static_call_types.h, Linux 6.1). */
const STATIC_CALL_NAME = /^__SC[TK]__/;

export function hasPlainName(name: string): boolean {
  return STATIC_CALL_NAME.test(name);
}

/** Decides for each reference of the new code whether it means the new copy or the running kernel's. */
export class TargetChooser {
  readonly #mainOf = new Map<Atom, Atom>();

  constructor(readonly analysis: Analysis) {
    for (const [main, pieces] of groupPieces(analysis.post.atoms)) for (const atom of [main, ...pieces]) this.#mainOf.set(atom, main);
  }

  /**
   * @param owner what the relocation is in; undefined for a table that describes code, where addresses are those of the new code itself
   * @param offset bytes from the start of the target, the addend as it stands
   */
  choose(target: Atom, offset: number, relocation: ElfRelocation, owner: Atom | undefined): Origin {
    const { included, replaced, twins } = this.analysis;
    if (isText(target)) {
      if (owner?.rule.kind === "hooks") return "new";
      if (!included.has(target)) return this.#old(target, owner);
      if (owner === undefined || !twins.has(target)) return "new";
      if (isBranch(owner, relocation)) return "new";
      const isStart = offset + (isPcRelative(relocation) ? 4 : 0) === (target.symbol?.value ?? 0) - target.start;
      const isOwn = this.#mainOf.get(owner) === this.#mainOf.get(target);
      // A label inside the function: new code jumps on in new code. Its address as a value is the old one's, which callers know.
      return !isStart && (isOwn || !isText(owner)) ? "new" : this.#mainOf.get(target) === target ? "old" : "new";
    }
    if (target.symbol === undefined) return "new";
    if (twins.has(target) && !replaced.has(target)) return isFunctionName(target) ? "new" : "old";
    return target.rule.kind === "registered" ? this.#old(target, owner) : "new";
  }

  #old(target: Atom, owner: Atom | undefined): Origin {
    if (this.analysis.twins.has(target)) return "old";
    throw new Error(`${owner === undefined ? "a table" : atomName(owner)} refers to ${atomName(target)}, which is neither old nor carried`);
  }
}

/** A function's name as a string, `__func__`: a copy is as good, and the old one may be where nothing leads to that matching follows. */
function isFunctionName({ symbol, rule }: Atom): boolean {
  return rule.kind === "data" && !rule.mutable && /^__(func|FUNCTION|PRETTY_FUNCTION)__\.\d+$/.test(symbol?.name ?? "");
}

function isPcRelative(relocation: ElfRelocation): boolean {
  return elf.RELOCATION_KINDS.get(relocation.type)?.pcRelative === true;
}

/** True for the displacement of a direct call, jmp or jcc: no other instruction has these opcode bytes before a PC-relative field. */
export function isBranch(owner: Atom, relocation: ElfRelocation): boolean {
  if (owner.rule.kind !== "text" && owner.rule.kind !== "pieces") return false;
  if (!isPcRelative(relocation)) return false;
  const opcode = owner.data[relocation.offset - 1] ?? 0;
  const escape = owner.data[relocation.offset - 2] ?? 0;
  if (relocation.type === elf.R_X86_64_PC8) return true;
  return opcode === 0xe8 || opcode === 0xe9 || (escape === 0x0f && opcode >= 0x80 && opcode <= 0x8f);
}
