import type { ElfObject, ElfRelocation, ElfSection } from "../elf/model.js";
import type { RunKernel } from "../run-kernel.js";
import type { ElfMachine, RelocationType } from "./machine/elf-machine.js";

/**
 * All that the rest of ksplice asks of a processor. Nothing outside of `src/arch` names a register, an opcode or a relocation type.
 *
 * To add an architecture:
 *
 * 1. `src/arch/machine/NAME.ts`: what ELF leaves to it, with every relocation type that the kernel's module loader knows; a line in `machines.ts`.
 * 2. `src/arch/NAME/`: this interface; a line in `architectures.ts`. Begin with decoding, which alone makes `ksplice diff` work; matching needs the patch
 *    sites, applying the trampoline. A kernel that was booted tells which sites there are: `ksplice match --debug` shows each function that does not match.
 * 3. `kmod/arch/NAME/`: how a trampoline is written while the machine is stopped, and how a stack is walked.
 * 4. `vm/qemu-command.ts`: the machine that the tests boot.
 */
export interface Architecture {
  /** As `uname -m` has it. */
  readonly name: string;
  readonly machine: ElfMachine;
  readonly source: ArchitectureSource;
  readonly tools: ToolNames;
  readonly memory: KernelMemory;
  readonly code: InstructionSet;
  readonly padding: PaddingRules;
  readonly sites: PatchSites;
  readonly trampoline: Trampolines;
}

/** Where the kernel's source keeps what is of one architecture. All paths but the first are from that directory. */
export interface ArchitectureSource {
  /** From the top of the source: `arch/NAME`. */
  readonly directory: string;
  /** What kbuild compiles into images of their own, not into the text of the kernel that runs. */
  readonly ownImages: readonly string[];
  /** Those of them that have run when the kernel is started, and are gone. */
  readonly startImages: readonly string[];
  /** What of these is linked into the kernel as well, under names of its own: besides what has run, it holds code that is called on. */
  readonly startCode: readonly string[];
  /** The image that boots, in the output directory. */
  readonly bootImage: string;
  /** How the names begin that the compiler calls by itself. */
  readonly thunkPrefix: string;
}

export interface ToolNames {
  /** What the names of the compiler and of binutils begin with where they are for this processor only. */
  readonly prefix: string;
  /** `ld -m` */
  readonly linkerEmulation: string;
}

/** The map of the kernel's memory. */
export interface KernelMemory {
  /** The kernel's image and its modules lie from here to the end of the address space, which is no more than 2 GB. */
  readonly kernelMapAddr: bigint;
}

/** What matching needs to know about one instruction. */
export interface DecodedInstruction {
  /** Byte offset in the decoded range. */
  readonly offset: number;
  /** Bytes; the smallest step where the bytes are no instruction. */
  readonly size: number;
  readonly isValid: boolean;
  /** For a direct branch: a jump, a call, or the condition, so that a short and a near form of the same branch are equal. Undefined for everything else. */
  readonly branch: string | undefined;
  /** Target of a direct branch as a byte offset in the decoded range (negative or past the end: outside of it). */
  readonly branchTarget: number | undefined;
}

/** An address that an instruction computes from its own. All in bytes from the start of the code. */
export interface ComputedPlace {
  /** Of the instruction. */
  readonly offset: number;
  readonly size: number;
  readonly place: number;
}

export interface DisassembledInstruction {
  /** Byte offset from the start of the bytes. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  /** As objdump writes it. */
  readonly text: string;
}

/** A place in code that refers to one of the addresses that were looked for. */
export interface FoundField {
  /** Byte offset of the field. */
  readonly offset: number;
  readonly targetAddr: bigint;
  /** True for a distance from the field, false for an address that stands in it. */
  readonly isRelative: boolean;
}

/** What may have been put over running code by others than the kernel's own patching. */
export type ForeignPatch = { readonly kind: "breakpoint" } | { readonly kind: "jump"; readonly targetAddr: bigint };

export interface InstructionSet {
  /** Bytes of the longest instruction. */
  readonly maxInstructionSize: number;
  /** Decodes linearly from `start`: `count` instructions, or up to the end. */
  decode(bytes: Uint8Array, start?: number, count?: number): DecodedInstruction[];
  /** Decodes the one instruction at `offset`; undefined past the end. */
  decodeOne(bytes: Uint8Array, offset: number): DecodedInstruction | undefined;
  /** @param addr address of the first byte, for branch targets and operands that are relative to the instruction */
  disassemble(bytes: Uint8Array, addr: bigint): DisassembledInstruction[];
  /** Bytes of the displacement at the end of a direct branch. */
  displacementSize(branch: DecodedInstruction): number;
  /** True if the relocated field at `offset` is the displacement of a direct branch. */
  isBranchField(bytes: Uint8Array, offset: number, type: RelocationType): boolean;
  /** True if the field at `offset` is an address that an instruction computes and does not access. Decodes from the start of the bytes. */
  holdsImmediate(bytes: Uint8Array, offset: number): boolean;
  /** True if the four bytes at `offset` may be a constant of an instruction of their own. Decodes from the start of the bytes. */
  mayBeConstant(bytes: Uint8Array, offset: number): boolean;
  /** True if the field at `offset` is an address that an instruction compares something with, or takes off it. Decodes from the start of the bytes. */
  comparesWith(bytes: Uint8Array, offset: number): boolean;
  /** Addresses that instructions compute from their own and do not access. Decodes from the start of the bytes. */
  findComputedPlaces(bytes: Uint8Array): ComputedPlace[];
  /**
   * Fields of instructions that may refer to an address. Some are found that are none: the caller decodes those.
   * @param addr address of the first byte
   * @param wanted addresses above `kernelMapAddr`, by their low 32 bits as a signed number
   */
  findReferences(bytes: Uint8Array, addr: bigint, wanted: ReadonlyMap<number, bigint>): FoundField[];
  /** Breakpoints and jumps that somebody may have put at `at` of running code, where the pre object has something else. */
  findForeignPatch(live: LiveCode, at: number, pre: number | undefined): ForeignPatch | undefined;
}

/** What stands between instructions without doing anything. */
export interface PaddingRules {
  /** Compilers align jump targets to no less. Bytes. */
  readonly leastAlignment: bigint;
  /** The most no-ops that alignment puts inside of a function. Bytes. */
  readonly maxSize: number;
  /** Length of the run of no-ops that starts at `offset` and ends by `limit` at the latest; 0 if there is none. */
  nopRunLength(bytes: Uint8Array, offset: number, limit?: number): number;
  /** True if the bytes from `start` to `end` do nothing, as the kernel fills up its patch sites. An empty range is filler, too. */
  isFiller(bytes: Uint8Array, start: number, end: number): boolean;
  /** Length of what stands between functions, from `start` on. */
  paddingLength(bytes: Uint8Array, start: number): number;
  /** Bytes that trap and stand at `at`, up to `limit`: the kernel fills up the room of a jump that it made shorter. */
  trapLength(bytes: Uint8Array, at: number, limit: number): number;
}

/** Bytes of the running kernel from `addr` on. */
export interface LiveCode {
  readonly bytes: Uint8Array;
  readonly addr: bigint;
}

/** A constant that the kernel writes into its own code once at boot, where the compiler left a placeholder in an immediate operand. */
export interface RuntimeConstant {
  /** Section whose entries, 4 bytes each, point to the immediates: each holds the distance from itself to one. */
  readonly table: string;
  /** The kernel's variable that has the same value. */
  readonly variable: string;
  /** Bytes of an immediate. It holds the low ones of the value, little-endian. */
  readonly size: number;
}

/** A place in the text that the running kernel may have rewritten. The architecture has more to say of each kind. */
export interface PatchSite {
  readonly kind: string;
  readonly offset: number;
  readonly size: number;
  /** For an immediate operand that the kernel fills in at boot. */
  readonly constant?: RuntimeConstant;
}

/** One set of bytes that the kernel may put over a site. */
export interface Replacement {
  readonly section: ElfSection;
  readonly offset: number;
  /** Bytes; 0 for nothing but no-ops. */
  readonly size: number;
}

/** A branch of the pre object. */
export interface PreBranch {
  /** Byte offset of the branch in its section. */
  readonly offset: number;
  readonly target: ElfRelocation;
  /** What is added to the target's symbol. */
  readonly targetDelta: number;
}

/** What a rule may ask of the comparison that it is part of. All offsets are in the live bytes. */
export interface SiteContext {
  readonly run: RunKernel;
  readonly live: LiveCode;
  /** True if the pre object's own bytes of this site stand at `at`, padded with no-ops to the site's size. Keeps the evidence then. */
  matchesOriginal(site: PatchSite, at: number): boolean;
  /** True if this replacement stands at `at`, padded with no-ops to `size` bytes. Keeps the evidence then. */
  matchesReplacement(replacement: Replacement, at: number, size: number): boolean;
  /** True if the live branch target is where the pre object's branch leads. */
  leadsTo(branch: PreBranch, target: bigint): boolean;
}

export interface PatchSites {
  /** All patch sites of an object, by section, sorted: outer ones before those they hold. */
  collect(object: ElfObject): ReadonlyMap<ElfSection, readonly PatchSite[]>;
  /** The site at the very beginning of a function that starts at `offset`, if it has one. */
  atEntry(section: ElfSection, offset: number): PatchSite | undefined;
  /** True if these are the first bytes of running code that must not be branched to by an address. */
  isSealedEntry(bytes: Uint8Array): boolean;
  /** How many live bytes the site takes up at `at`; 0 if what stands there does not belong there. */
  apply(context: SiteContext, site: PatchSite, at: number): number;
  /** What a kind of site is called, in words. */
  nameOf(site: PatchSite): string;
  /** The constant that a section lists the immediates of; undefined for any other section. */
  findRuntimeConstant(sectionName: string): RuntimeConstant | undefined;
  /** True if calls of `func` go to `addr`, in the padding before it, first. */
  isEntryThunk(run: RunKernel, addr: bigint, func: bigint): boolean;
}

/** Where a function is redirected. */
export interface TrampolineSite {
  /** A jump is written there; or ftrace redirects the function from its call, which ends there. */
  readonly kind: "jump" | "ftrace";
  /** Byte offset from the start of the running function. */
  readonly offset: number;
  /** What the jump is written over; empty for ftrace. */
  readonly bytes: Uint8Array;
}

export interface Trampolines {
  /** Bytes. */
  readonly size: number;
  /**
   * The site in a function at `addr` of `runSize` bytes. Where there is no room for a jump, or where the kernel may rewrite what stands there at any time, ftrace
   * redirects it; undefined if that cannot be either.
   * @param code the pre function: its start in the section, and the patch sites in it
   */
  findSite(
    run: RunKernel,
    code: { readonly start: number; readonly sites: readonly PatchSite[] },
    addr: bigint,
    runSize: number,
  ): TrampolineSite | undefined;
}
