import { SHF_ALLOC, SHF_MERGE } from "../../elf/constants.js";
import type { ElfSection } from "../../elf/model.js";
import { EXPORT_SECTION } from "./exports.js";
import { HOOK_KINDS } from "./hook-kinds.js";

/** When the content is there: always, until the end of boot or module load (`init`), or for removing a module only (`exit`). */
export type Area = "always" | "init" | "exit";

/** How the entries of a table are laid out. One relocation of each entry names the code that owns it. */
export interface TableLayout {
  /** Entry sizes that occur, in bytes; the first that fits the section's relocations is taken. */
  readonly sizes: readonly number[];
  /** Offsets of further fields that are relocated in each entry, by its size: entries of half the size would fit, too. */
  readonly alsoRelocated?: Readonly<Record<number, readonly number[]>>;
  /** Offset in the entry of the relocated field that names the owning code. */
  readonly owner: number;
  /** Why a function counts as changed where these entries differ; undefined: they follow from the code's bytes, a difference says nothing. */
  readonly reason?: string;
  /** What the kernel took from these entries when it or the module started, in words: new ones come too late for what runs. */
  readonly takenAtStart?: string;
  /** Byte range of the entry that is not compared, by its size: line numbers. */
  readonly ignored?: Readonly<Record<number, readonly [start: number, end: number]>>;
  /** Code refers to the start of its own entries. */
  readonly isReferredTo?: true;
  /** Section whose entries go with these by index, and the size of one in bytes. */
  readonly companion?: readonly [name: string, size: number];
  /** The relocation at this offset is meaningless where the entry's last byte is 0. */
  readonly emptyIfLastByteZero?: number;
}

/** Memory that is not like other data's: written to no more once the kernel has started; not encrypted, for a hypervisor to read; not part of a hibernation image. */
export type SpecialMemory = "read-only" | "decrypted" | "not saved";

/** What the differ does with a section. docs/diff.md lists the rules in words. */
export type SectionRule =
  /** Functions, one a symbol. */
  | { readonly kind: "text"; readonly area: Area }
  /** Code without symbols that belongs to whoever refers to it. */
  | { readonly kind: "pieces" }
  /** Named objects; what has no name is compared and carried as a whole. `memory`: what is special about the memory that they lie in. */
  | {
      readonly kind: "data";
      readonly area: Area;
      readonly mutable: boolean;
      readonly perCpu?: true;
      readonly lineNumbers?: true;
      readonly memory?: SpecialMemory;
    }
  /** Merged strings and constants: only their content matters. */
  | { readonly kind: "literals" }
  /** Entries that describe code. */
  | { readonly kind: "table"; readonly layout: TableLayout }
  /** Entries that the kernel read once, when it registered them: they may be used, not changed. */
  | { readonly kind: "registered"; readonly code: string; readonly what: string }
  /** Read by their own format (exports.ts). */
  | { readonly kind: "exports" }
  /** Pointers to functions of the patch that are called when it is applied or reversed: new ones are carried, with what they name. */
  | { readonly kind: "hooks" }
  /** Neither compared nor carried. */
  | { readonly kind: "ignored" };

const text = (area: Area): SectionRule => ({ kind: "text", area });
const data = (area: Area, mutable: boolean): SectionRule => ({ kind: "data", area, mutable });
const table = (layout: TableLayout): SectionRule => ({ kind: "table", layout });
const registered = (code: string, what: string): SectionRule => ({ kind: "registered", code, what });
const IGNORED: SectionRule = { kind: "ignored" };
const EXPORTS: SectionRule = { kind: "exports" };
const PIECES: SectionRule = { kind: "pieces" };
const NO_PROBES = "the list of functions that no probe may be put into";

/**
 * One entry a section kind; the first that matches decides. Entry layouts: arch/x86/include/asm/alternative.h, bug.h, extable.h,
 * include/linux/jump_label.h, static_call_types.h, arch/x86/include/asm/orc_types.h, read in Linux 6.1 and 6.12.
 */
const RULES: readonly (readonly [name: RegExp, rule: SectionRule])[] = [
  // Not in memory, only read by tools, or made again when the module is linked; .no_trim_symbol has names of what a module asks for while it runs
  // (symbol_get(), include/linux/module.h, Linux 7.2), for the linker of the image.
  [/^\.debug|^\.comment$|^\.note|^\.eh_frame|^\.llvm_addrsig$|^\.stab|^\.gnu\.|^\.GCC\.|^\.BTF(\.ext)?$|^\.group$/, IGNORED],
  [/^\.discard\.|^\.modinfo$|^__versions$|^\.orc_header$|^\.printk_index$|^\.annotate\.|^__version_ext_|^\.no_trim_symbol$/, IGNORED],

  // Names, for what looks at an update as a whole.
  [/^\.ksplice_busy$/, IGNORED],
  [new RegExp(`^\\.ksplice_hooks\\.(${HOOK_KINDS.join("|")})$`), { kind: "hooks" }],

  // Tables that describe code.
  [/^\.altinstructions$/, table({ sizes: [12, 14, 13], owner: 0, reason: "alternative", emptyIfLastByteZero: 4 })],
  [/^\.altinstr_(replacement|aux)$/, PIECES],
  [/^\.parainstructions$/, table({ sizes: [16], owner: 0, reason: "paravirt call" })],
  // 16 bytes: with a format before the file (HAVE_ARCH_BUG_FORMAT in include/asm-generic/bug.h, Linux 7.2). A warning with a text hands its entry to who prints it (__WARN_bug_entry).
  [
    /^__bug_table$/,
    table({
      ...{ sizes: [16, 12, 8, 6], owner: 0, reason: "bug table", isReferredTo: true as const },
      alsoRelocated: { 16: [4, 8] },
      ignored: { 12: [8, 10], 16: [12, 14] },
    }),
  ],
  [/^__ex_table$/, table({ sizes: [12], owner: 0, reason: "exception table" })],
  [/^__jump_table$/, table({ sizes: [16], owner: 0, reason: "jump label" })],
  [/^\.static_call_sites$/, table({ sizes: [8], owner: 0, reason: "static call" })],
  [
    /^_error_injection_whitelist$/,
    table({ sizes: [16], owner: 0, takenAtStart: "the list of functions that errors may be injected into" }),
  ],
  [/^_kprobe_blacklist$/, table({ sizes: [8], owner: 0, takenAtStart: NO_PROBES })],
  [/^__mcount_loc$|^__patchable_function_entries$/, table({ sizes: [8], owner: 0 })],
  [/^\.(smp_locks|retpoline_sites|return_sites|call_sites|cfi_sites|ibt_endbr_seal|kcfi_traps)$/, table({ sizes: [4], owner: 0 })],
  [/^\.orc_unwind_ip$/, table({ sizes: [4], owner: 0, companion: [".orc_unwind", 6] })],
  [/^\.orc_unwind$/, IGNORED],
  // All constants have the same bytes in the code: only the table's name tells them apart.
  [/^runtime_(ptr|shift|mask)_/, table({ sizes: [4], owner: 0, reason: "constant set at boot" })],

  // Read once, at boot or when a module is loaded.
  [EXPORT_SECTION, EXPORTS],
  [/^\.static_call_tramp_key$/, registered("changed-static-calls", "static call definitions")],
  [/^__param$|^__modver$|^__obsparm$|^\.init\.setup$/, registered("changed-parameters", "module or boot parameters")],
  [
    /^\.initcall|^\.(con_|security_)?initcall\.init$|^\.exitcall\.exit$|^\.(init|fini)_array|^\.ctors/,
    registered("changed-initcalls", "init and exit calls"),
  ],
  [
    /^__tracepoint|^__bpf_raw_tp_map$|^_ftrace_e|^__syscalls_metadata$/,
    registered("changed-tracepoints", "tracepoints, trace events or system call metadata"),
  ],
  [/^___srcu_struct_ptrs$/, registered("changed-srcu", "SRCU structures of modules")],
  [/^\.static_call\.text$/, registered("changed-static-calls", "static call definitions")],
  [/^\.BTF_ids$/, registered("changed-btf-ids", "BTF id sets")],
  [/^__dyndbg_classes$/, registered("changed-registration", "classes of debugging messages")],
  [
    /^__\w+_sched_class$|^\.kunit_|^\.(early_)?lsm_info\.init$|^__governor_thermal_table$|^__\w+_of_table$|^\.apicdrivers$|^\.x86_cpu_dev\.init$|^\.x86_intel_mid_dev\.init$|^__earlycon_table$|^\.pci_fixup|^\.builtin_fw$|^\.dtb\.init|^\.vvar_/,
    registered("changed-registration", "tables of built-in things"),
  ],

  // Code and data.
  [/^\.(init|head|meminit|cpuinit|devinit)\.text/, text("init")],
  [/^\.(exit|memexit|cpuexit|devexit)\.text/, text("exit")],
  [
    /^\.text(\.|$)|^\.(sched|cpuidle|noinstr|spinlock|kprobes|softirqentry|irqentry|entry|ref|lock|static_call)\.text|^\.noinstr\.text|^\.fixup$/,
    text("always"),
  ],
  [/^\.(init|meminit)\.(data|rodata|bss)/, data("init", false)],
  [/^\.exit\.(data|rodata)/, data("exit", false)],
  [/^__dyndbg$/, { kind: "data", area: "always", mutable: true, lineNumbers: true }],
  // One static object a call site, each read by its function alone; the module loader registers a module's.
  [/^__trace_printk_fmt$/, data("always", false)],
  [/^\.data\.\.ro_after_init/, { kind: "data", area: "always", mutable: true, memory: "read-only" }],
  [/^\.data\.\.percpu\.\.decrypted/, { kind: "data", area: "always", mutable: true, perCpu: true, memory: "decrypted" }],
  [/^\.(data|bss)\.\.decrypted/, { kind: "data", area: "always", mutable: true, memory: "decrypted" }],
  [/^\.data\.\.nosave/, { kind: "data", area: "always", mutable: true, memory: "not saved" }],
  [/^\.data\.\.percpu/, { kind: "data", area: "always", mutable: true, perCpu: true }],
  [/^\.(rodata|data\.rel\.ro|lrodata)(\.|$)/, data("always", false)],
  [/^\.(data|bss|ref\.data|ref\.rodata|ldata|lbss|sbss|sdata)(\.|$)/, data("always", true)],
];

/** Sections of code whose range of addresses the kernel reads something from (kernel/kprobes.c, kernel/sched/core.c, kernel/stacktrace.c, lib/nmi_backtrace.c, Linux 6.1). */
const TEXT_WITH_MEANING: readonly (readonly [name: RegExp, what: string])[] = [
  [/^\.(?:kprobes|noinstr|entry)\.text/, NO_PROBES],
  [/^\.(?:sched|spinlock|lock)\.text/, "the list of functions by which threads wait for others"],
  [/^\.(?:irqentry|softirqentry)\.text/, "the list of functions that interrupts come in by"],
  [/^\.cpuidle\.text/, "the list of functions in which a processor is idle"],
];

/** What the kernel takes a function for by the section that it lies in, in words. */
export function meaningOfText(section: string): string | undefined {
  return TEXT_WITH_MEANING.find(([name]) => name.test(section))?.[1];
}

/** What a section that no rule is known for is read as, so that the rest can be compared; it is refused all the same. */
export const UNKNOWN_SECTION_RULE: SectionRule = data("always", true);

const LITERALS: SectionRule = { kind: "literals" };

/** For tests: which entry of the table decides about a section, and how many there are. */
export function ruleIndex(name: string): number {
  return RULES.findIndex(([pattern]) => pattern.test(name));
}

export const RULE_COUNT = RULES.length;

/** The rule for a section; undefined for one in memory that nothing is known about, which must be refused by name. */
export function findSectionRule(section: ElfSection): SectionRule | undefined {
  const rule = RULES.find(([name]) => name.test(section.name))?.[1];
  if (rule?.kind === "data" && (section.flags & SHF_MERGE) !== 0 && section.entsize > 0) return LITERALS;
  if (rule === undefined && (section.flags & SHF_ALLOC) === 0) return IGNORED;
  return rule;
}
