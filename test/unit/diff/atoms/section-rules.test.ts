import { describe, expect, it } from "vitest";
import { findSectionRule } from "../../../../src/diff/atoms/section-rules.js";
import * as elf from "../../../../src/elf/constants.js";
import type { ElfSection } from "../../../../src/elf/model.js";

function section(name: string, flags = elf.SHF_ALLOC, entsize = 0): ElfSection {
  return { name, type: elf.SHT_PROGBITS, flags, align: 1, entsize, data: new Uint8Array(4), size: 4, relocations: [] };
}

describe("each section kind has one rule", () => {
  it.each([
    [".text", "text"],
    [".text.unlikely.f", "text"],
    [".sched.text", "text"],
    [".noinstr.text", "text"],
    [".init.text", "text"],
    [".static_call.text", "registered"],
    [".altinstr_aux", "pieces"],
    [".altinstructions", "table"],
    [".smp_locks", "table"],
    [".orc_unwind_ip", "table"],
    [".orc_unwind", "ignored"],
    [".ibt_endbr_seal", "table"],
    ["__patchable_function_entries", "table"],
    ["runtime_ptr_USER_PTR_MAX", "table"],
    ["runtime_mask___futex_mask", "table"],
    [".no_trim_symbol", "ignored"],
    ["___ksymtab_gpl+f", "exports"],
    ["___kcrctab+f", "exports"],
    [".export_symbol", "exports"],
    ["__param", "registered"],
    [".initcall6.init", "registered"],
    ["__tracepoints_ptrs", "registered"],
    ["_ftrace_events", "registered"],
    [".data..percpu..shared_aligned", "data"],
    [".data..once", "data"],
    [".bss.x", "data"],
    [".rodata.x", "data"],
    [".init.data", "data"],
    ["__dyndbg", "data"],
    [".discard.addressable", "ignored"],
    [".printk_index", "ignored"],
    [".modinfo", "ignored"],
    [".note.gnu.property", "ignored"],
    [".debug_info", "ignored"],
  ])("%s: %s", (name, kind) => {
    expect(findSectionRule(section(name))?.kind).toBe(kind);
  });

  it("merged strings and constants count by content", () => {
    const flags = elf.SHF_ALLOC | elf.SHF_MERGE | elf.SHF_STRINGS;
    expect(findSectionRule(section(".rodata.f.str1.8", flags, 1))?.kind).toBe("literals");
    expect(findSectionRule(section(".rodata.cst16", elf.SHF_ALLOC | elf.SHF_MERGE, 16))?.kind).toBe("literals");
  });

  it("a section in memory that nothing is known about has none; one outside of memory does not matter", () => {
    expect(findSectionRule(section("strange_things"))).toBeUndefined();
    expect(findSectionRule(section("strange_things", 0))?.kind).toBe("ignored");
  });
});
