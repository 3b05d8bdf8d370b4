import { R_X86_64_PC32, R_X86_64_PLT32, SHF_EXECINSTR } from "../../elf/constants.js";
import { homeSection, type ElfRelocation, type ElfSection } from "../../elf/model.js";
import type { RedirectedFunction } from "../../kernel/ksplice-sysfs.js";
import { isDescription, type Place, type PreObject } from "../../match/pre-object.js";
import type { AppliedKernel } from "./applied-kernel.js";
import type { Finding } from "./findings.js";
import type { PatchedUnit } from "./patched-unit.js";

/**
 * A function that was taken out stops the kernel when it is called. So the patched source must not use it, no code that stays may call it, and its
 * address must never have been given to anybody.
 * @param redirections of this update
 */
export function checkTraps(redirections: readonly RedirectedFunction[], units: readonly PatchedUnit[], kernel: AppliedKernel): Finding[] {
  return redirections
    .filter(({ newAddr }) => newAddr === 0n)
    .flatMap((trap) => units.flatMap((unit) => [...findUses(trap, unit, kernel), ...findCallers(trap, unit, redirections)]));
}

function findUses({ oldAddr, oldSize }: RedirectedFunction, unit: PatchedUnit, kernel: AppliedKernel): Finding[] {
  return [...unit.match.symbols]
    .filter(([, addr]) => addr >= oldAddr && addr < oldAddr + BigInt(Math.max(1, oldSize)))
    .map(([symbol]) => ({
      unit: unit.path,
      symbol,
      kind: "trap-in-use",
      message: `the patched source still uses it, and it stops the kernel at ${kernel.nameOf(oldAddr)} when it is called`,
    }));
}

/** What the unpatched object says of the old code, which goes on to run where it is not redirected. */
function findCallers(
  trap: RedirectedFunction,
  { path, target, pre, post }: PatchedUnit,
  redirections: readonly RedirectedFunction[],
): Finding[] {
  // What the patched source uses is found by that.
  if (trap.target !== target || pre === post) return [];
  const redirected = new Set(redirections.filter((entry) => entry.target === target).map(({ name }) => name));
  const finding = (message: string): Finding => ({ unit: path, symbol: trap.name, kind: "trap-in-use", message });
  return pre.object.sections
    .filter((section) => !isDescription(section))
    .flatMap((section) =>
      section.relocations.filter((relocation) => isOf(pre, relocation, trap.name)).map((relocation) => ({ section, relocation })),
    )
    .flatMap(({ section, relocation }): Finding[] => {
      const user = pre.placeAt(section, relocation.offset);
      if (!isBranch(section, relocation))
        return [finding(`its address was given to whoever uses ${user?.name ?? section.name}, and it stops the kernel when it is called`)];
      if (user === undefined || pre.discarded.includes(user) || redirected.has(mainName(user))) return [];
      return [finding(`${user.name} stays as it was and calls it, and it stops the kernel when it is called`)];
    });
}

function isOf(object: PreObject, { symbol, addend, type }: ElfRelocation, name: string): boolean {
  const section: ElfSection | undefined = homeSection(symbol);
  if (section === undefined) return symbol.name === name;
  const place = object.placeOf(symbol) ?? object.placeAt(section, symbol.value + addend + (PC_RELATIVE.has(type) ? 4 : 0));
  return place?.isFunction === true && place.symbols.some((candidate) => candidate.name === name);
}

const PC_RELATIVE: ReadonlySet<number> = new Set([R_X86_64_PC32, R_X86_64_PLT32]);

/** True for the field of a `call`, `jmp` or `jcc` with 32 bits; anything else takes an address. */
function isBranch({ flags, data }: ElfSection, { type, offset }: ElfRelocation): boolean {
  const before = data[offset - 2] ?? 0;
  const opcode = data[offset - 1] ?? 0;
  const isJump = opcode === 0xe8 || opcode === 0xe9 || (before === 0x0f && opcode >= 0x80 && opcode <= 0x8f);
  return (flags & SHF_EXECINSTR) !== 0 && PC_RELATIVE.has(type) && isJump;
}

/** Of a piece that was split off the function that it belongs to. */
function mainName({ name }: Place): string {
  return name.replace(/\.cold(\.\d+)?$/, "");
}
