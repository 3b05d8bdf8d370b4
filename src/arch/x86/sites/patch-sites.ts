import { homeSection, type ElfObject, type ElfRelocation, type ElfSection } from "../../../elf/model.js";
import type { PatchSite, Replacement, RuntimeConstant } from "../../arch.js";
import {
  BRANCH_SIZE,
  CALL,
  CONDITIONAL_SIZE,
  CS_PREFIX,
  ENDBR64,
  ESCAPE,
  isNearCondition,
  JMP,
  JMP_SHORT,
  LOCK_PREFIX,
  NO_LOCK_PREFIX,
  OPERAND_SIZE_PREFIX,
} from "../opcodes.js";
import { findRuntimeConstant } from "./runtime-constants.js";

/** One set of bytes that the kernel may put over an alternative's site. */
export interface AlternativeReplacement extends Replacement {
  /** The kernel makes it a direct call of what the original calls indirectly (ALT_FLAG_DIRECT_CALL, Linux 6.8 and newer). */
  readonly isDirectCall: boolean;
}

/** A place in the text that the running kernel may have rewritten, and what it is. */
export type X86Site = PatchSite &
  (
    | { readonly kind: "fentry" }
    | { readonly kind: "return" }
    | { readonly kind: "retpoline"; readonly register: string; readonly hasPrefix: boolean; readonly isCall: boolean }
    | { readonly kind: "static-call"; readonly isCall: boolean; readonly trampoline: string | undefined }
    | { readonly kind: "alternative"; readonly replacements: readonly AlternativeReplacement[] }
    | { readonly kind: "paravirt" }
    | { readonly kind: "lock" }
    | { readonly kind: "jump-label"; readonly target: ElfRelocation; readonly targetDelta: number }
    | { readonly kind: "endbr" }
    /** An immediate operand that the kernel fills in once at boot, with the value of a variable. */
    | { readonly kind: "runtime-constant"; readonly constant: RuntimeConstant }
  );

type SiteMap = Map<ElfSection, X86Site[]>;

const ALT_FLAG_DIRECT_CALL = 2;

/**
 * All patch sites of an object, by section, sorted: outer ones before those they hold.
 * Found through the tables that the compiler's inline assembly and objtool leave, and through the targets of relocations, as objects of kernels
 * with IBT have not been through objtool.
 */
export function collectPatchSites(object: ElfObject): ReadonlyMap<ElfSection, readonly X86Site[]> {
  const sites: SiteMap = new Map();
  for (const section of object.sections) {
    TABLES.get(section.name)?.(section, sites);
    collectRuntimeConstants(section, sites);
    if (/^\.(text|[a-z]+\.text|altinstr_replacement)|\.text\./.test(section.name)) collectFromTargets(section, sites);
  }
  for (const list of sites.values()) list.sort((a, b) => a.offset - b.offset || b.size - a.size);
  return sites;
}

function add(sites: SiteMap, section: ElfSection, site: X86Site): void {
  const list = sites.get(section);
  if (list === undefined) sites.set(section, [site]);
  else if (!list.some((other) => other.offset === site.offset && other.kind === site.kind)) list.push(site);
}

/** Section → what each entry of the table describes. Entry layouts: arch/x86/include/asm/{alternative,jump_label,paravirt_types}.h, Linux 6.1 and 6.12. */
const TABLES: ReadonlyMap<string, (table: ElfSection, sites: SiteMap) => void> = new Map([
  [".altinstructions", collectAlternatives],
  [".parainstructions", collectParavirt],
  [".smp_locks", collectPointed((bytes, at) => (isLockPrefix(bytes[at]) ? ({ kind: "lock", size: 1 } as const) : undefined))],
  ["__mcount_loc", collectPointed((bytes, at) => (isFentrySite(bytes, at) ? ({ kind: "fentry", size: BRANCH_SIZE } as const) : undefined))],
  ["__jump_table", collectJumpLabels],
  [".static_call_sites", collectStaticCalls],
]);

/** The place that a table's relocation points to. */
function pointed(relocation: ElfRelocation | undefined): { section: ElfSection; offset: number } | undefined {
  if (relocation === undefined) return undefined;
  const section = homeSection(relocation.symbol);
  return section === undefined ? undefined : { section, offset: relocation.symbol.value + relocation.addend };
}

function collectPointed(describe: (bytes: Uint8Array, at: number) => { kind: "lock" | "fentry"; size: number } | undefined) {
  return (table: ElfSection, sites: SiteMap): void => {
    for (const relocation of table.relocations) {
      const site = pointed(relocation);
      const description = site === undefined ? undefined : describe(site.section.data, site.offset);
      if (site !== undefined && description !== undefined) add(sites, site.section, { offset: site.offset, ...description });
    }
  };
}

/** Where the table points at another prefix, as at the 66 that the assembler puts before a lock prefix, the kernel leaves the code alone. */
function isLockPrefix(byte: number | undefined): boolean {
  return byte === LOCK_PREFIX || byte === NO_LOCK_PREFIX;
}

function isFentrySite(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === CALL || (bytes[at] === ESCAPE && bytes[at + 1] === 0x1f && bytes[at + 2] === 0x44);
}

function relocationsByOffset(table: ElfSection): ReadonlyMap<number, ElfRelocation> {
  return new Map(table.relocations.map((relocation) => [relocation.offset, relocation]));
}

/** Entry size of a table whose every entry has `perEntry` relocations. */
function strideOf(table: ElfSection, perEntry: number): number {
  const entries = table.relocations.length / perEntry;
  return entries >= 1 ? Math.floor(table.size / entries) : table.size;
}

function collectAlternatives(table: ElfSection, sites: SiteMap): void {
  const stride = strideOf(table, 2);
  const relocations = relocationsByOffset(table);
  const view = new DataView(table.data.buffer, table.data.byteOffset, table.data.byteLength);
  // s32 instr, s32 replacement, then u16 cpuid, in 14-byte entries u16 flags, and u8 instrlen, u8 replacementlen at the end.
  const groups = new Map<ElfSection, Map<number, { size: number; replacements: AlternativeReplacement[] }>>();
  for (let at = 0; at + stride <= table.size; at += stride) {
    const site = pointed(relocations.get(at));
    const replacement = pointed(relocations.get(at + 4));
    if (site === undefined || replacement === undefined) continue;
    const size = view.getUint8(at + stride - 2);
    let group = groups.get(site.section);
    if (group === undefined)
      groups.set(site.section, (group = new Map<number, { size: number; replacements: AlternativeReplacement[] }>()));
    let alternative = group.get(site.offset);
    if (alternative === undefined) group.set(site.offset, (alternative = { size: 0, replacements: [] }));
    alternative.size = Math.max(alternative.size, size);
    alternative.replacements.push({
      ...replacement,
      size: view.getUint8(at + stride - 1),
      isDirectCall: stride === 14 && (view.getUint16(at + 10, true) & ALT_FLAG_DIRECT_CALL) !== 0,
    });
  }
  for (const [section, group] of groups)
    for (const [offset, { size, replacements }] of group) add(sites, section, { kind: "alternative", offset, size, replacements });
}

function collectParavirt(table: ElfSection, sites: SiteMap): void {
  // u8 *instr, u8 type, u8 len, padded to 16
  for (const relocation of table.relocations) {
    const site = pointed(relocation);
    const size = table.data[relocation.offset + 9];
    if (site !== undefined && size !== undefined) add(sites, site.section, { kind: "paravirt", offset: site.offset, size });
  }
}

function collectJumpLabels(table: ElfSection, sites: SiteMap): void {
  const relocations = relocationsByOffset(table);
  for (let at = 0; at + 16 <= table.size; at += 16) {
    // s32 code, s32 target, s64 key, each relative to itself
    const site = pointed(relocations.get(at));
    const target = relocations.get(at + 4);
    if (site === undefined || target === undefined) continue;
    const opcode = site.section.data[site.offset];
    const size = opcode === JMP_SHORT || opcode === OPERAND_SIZE_PREFIX ? 2 : BRANCH_SIZE;
    add(sites, site.section, { kind: "jump-label", offset: site.offset, size, target, targetDelta: target.addend });
  }
}

function collectStaticCalls(table: ElfSection, sites: SiteMap): void {
  for (const relocation of table.relocations) {
    const site = relocation.offset % 8 === 0 ? pointed(relocation) : undefined;
    if (site !== undefined) add(sites, site.section, staticCallSite(site.section, site.offset));
  }
}

function collectRuntimeConstants(table: ElfSection, sites: SiteMap): void {
  const constant = findRuntimeConstant(table.name);
  if (constant === undefined) return;
  for (const relocation of table.relocations) {
    const site = pointed(relocation);
    if (site !== undefined) add(sites, site.section, { kind: "runtime-constant", offset: site.offset, size: constant.size, constant });
  }
}

function staticCallSite(section: ElfSection, offset: number): X86Site {
  const opcode = section.data[offset];
  // jcc rel32 has two bytes of opcode
  const size = opcode === ESCAPE ? CONDITIONAL_SIZE : BRANCH_SIZE;
  const trampoline = section.relocations.find((relocation) => relocation.offset === offset + size - 4)?.symbol.name;
  return { kind: "static-call", offset, size, isCall: opcode === CALL, trampoline };
}

/** Start of the branch instruction whose rel32 is at `field`; undefined if no branch ends there. */
function branchStart(bytes: Uint8Array, field: number): number | undefined {
  const opcode = bytes[field - 1];
  if (opcode === CALL || opcode === JMP) return field - 1;
  return bytes[field - 2] === ESCAPE && opcode !== undefined && isNearCondition(opcode) ? field - 2 : undefined;
}

const INDIRECT_THUNK = "__x86_indirect_thunk_";

function collectFromTargets(section: ElfSection, sites: SiteMap): void {
  const bytes = section.data;
  for (const { offset, symbol } of section.relocations) {
    const name = symbol.name;
    if (!name.startsWith("__")) continue;
    const start = branchStart(bytes, offset);
    if (start === undefined) continue;
    const size = offset + 4 - start;
    if (name === "__fentry__") add(sites, section, { kind: "fentry", offset: start, size });
    else if (name === "__x86_return_thunk") add(sites, section, { kind: "return", offset: start, size });
    else if (name.startsWith("__SCT__")) add(sites, section, staticCallSite(section, start));
    else if (name.startsWith(INDIRECT_THUNK)) {
      const register = name.slice(INDIRECT_THUNK.length);
      // gcc puts a cs prefix before calls through r8-r15, to give the kernel room (-mindirect-branch-cs-prefix).
      const hasPrefix = size === BRANCH_SIZE && /^r\d/.test(register) && bytes[start - 1] === CS_PREFIX;
      add(sites, section, {
        kind: "retpoline",
        offset: hasPrefix ? start - 1 : start,
        size: hasPrefix ? 6 : size,
        register,
        hasPrefix,
        isCall: bytes[start] === CALL,
      });
    }
  }
}

/** The endbr64 site of a function that starts at `offset`, if it has one. */
export function endbrSite(section: ElfSection, offset: number): X86Site | undefined {
  return ENDBR64.every((byte, index) => section.data[offset + index] === byte) ? { kind: "endbr", offset, size: 4 } : undefined;
}
