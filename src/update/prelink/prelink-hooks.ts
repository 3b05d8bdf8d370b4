import { ElfFormatError } from "../../elf/elf-format-error.js";
import { isPointer } from "../../arch/machine/elf-machine.js";
import { HOOK_KINDS, HOOK_SECTION_PREFIX } from "../../diff/atoms/hook-kinds.js";
import { homeSection, type ElfObject, type ElfSection } from "../../elf/model.js";
import type { PartHook } from "../../engine/core/part-section.js";

/** Bytes of an entry: a pointer to the function (kmod/include/ksplice-patch.h). */
const ENTRY_SIZE = 8;

/** Makes a table of the sections that hold the patch's hooks, in the order that they were linked in, and takes them out of the module. */
export function takeHooks(ko: ElfObject): PartHook[] {
  const hooks: PartHook[] = [];
  const taken = new Set<unknown>();
  for (const kind of HOOK_KINDS) {
    for (const section of ko.sections.filter(({ name }) => name === `${HOOK_SECTION_PREFIX}${kind}`)) {
      checkEntries(ko, section);
      taken.add(section);
      for (const { symbol, addend } of section.relocations) hooks.push({ kind, function: { symbol, offset: addend } });
    }
  }
  ko.sections = ko.sections.filter((section) => !taken.has(section));
  ko.symbols = ko.symbols.filter((symbol) => !taken.has(homeSection(symbol)));
  return hooks;
}

function checkEntries(ko: ElfObject, { name, size, relocations }: ElfSection): void {
  const areWhole = size === relocations.length * ENTRY_SIZE;
  if (!areWhole || relocations.some(({ offset, type }, index) => !isPointer(type) || offset !== index * ENTRY_SIZE))
    throw new ElfFormatError(ko.fileName, `${name} holds something else than pointers to functions`);
}
