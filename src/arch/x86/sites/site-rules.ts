import type { RunKernel } from "../../../run-kernel.js";
import type { LiveCode, PatchSite, SiteContext } from "../../arch.js";
import { KERNEL_MAP_ADDR } from "../memory.js";
import { isFiller } from "../nops.js";
import {
  CALL,
  CONDITIONAL_SIZE,
  CS_PREFIX,
  ENDBR64,
  ESCAPE,
  INT3,
  isNearCondition,
  JMP,
  JMP_SHORT,
  LOCK_PREFIX,
  NO_LOCK_PREFIX,
} from "../opcodes.js";
import { isCallDepthThunk } from "./call-depth.js";
import type { AlternativeReplacement, X86Site } from "./patch-sites.js";

/** How many live bytes the site takes up at `at`; 0 if what stands there is nothing that the kernel would put there. */
type SiteRule<Kind extends X86Site["kind"]> = (context: SiteContext, site: X86Site & { kind: Kind }, at: number) => number;

const NOP5 = [0x0f, 0x1f, 0x44, 0x00, 0x00];
const NOP2 = [0x66, 0x90];
const RET_INT3 = [0xc3, 0xcc, 0xcc, 0xcc, 0xcc];
const LFENCE = [0x0f, 0xae, 0xe8];
const UD2 = [0x0f, 0x0b];
/** `xor %eax,%eax` in five bytes: before and since Linux 5.17 or so (arch/x86/kernel/static_call.c). */
const XOR5 = [
  [0x2e, 0x2e, 0x2e, 0x31, 0xc0],
  [0x66, 0x66, 0x48, 0x31, 0xc0],
];
/** What stands in place of a call of these functions (__static_call_transform(), arch/x86/kernel/static_call.c, Linux 7.3): `ud1 (%edx),%rdi`, and `movb $0,(%rdi)` behind two prefixes. */
const IN_PLACE_OF_CALL: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ["__WARN_trap", [0x67, 0x48, 0x0f, 0xb9, 0x3a]],
  ["__raw_callee_save___native_queued_spin_unlock", [0x3e, 0x3e, 0xc6, 0x07, 0x00]],
];
/** What an endbr64 becomes that nothing may jump to: gen_endbr_poison(), arch/x86/include/asm/ibt.h, Linux 6.12, and the one of 6.15. */
const SEALED_ENDBR = [
  [0x66, 0x0f, 0x1f, 0x00],
  [0x0f, 0x1f, 0x40, 0xd6],
];
/** True if the bytes are what the kernel writes over an endbr64 that nobody may jump to. */
export function isSealedEntry(bytes: Uint8Array): boolean {
  return SEALED_ENDBR.some((sealed) => sealed.every((byte, index) => bytes[index] === byte));
}

const LOCK_PREFIXES = [LOCK_PREFIX, NO_LOCK_PREFIX];
/** Operations of a processor without a hypervisor that the kernel writes in place of paravirt calls (arch/x86/kernel/paravirt.c, paravirt_patch.c). */
const NATIVE_OPERATIONS = [
  [], // nothing at all
  [0xfa], // cli
  [0xfb], // sti
  [0x9c, 0x58], // pushf; pop %rax
  [0x48, 0x89, 0xf8], // mov %rdi,%rax
  [0x0f, 0x20, 0xd0], // mov %cr2,%rax
  [0x0f, 0x20, 0xd8], // mov %cr3,%rax
  [0x0f, 0x22, 0xdf], // mov %rdi,%cr3
  [0x0f, 0x09], // wbinvd
  [0x31, 0xc0], // xor %eax,%eax
  [0xc6, 0x07, 0x00], // movb $0,(%rdi)
  UD2,
];
const REGISTERS = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"];

/** What each kind of site may hold. */
export const SITE_RULES: { readonly [Kind in X86Site["kind"]]: SiteRule<Kind> } = {
  fentry: (context, _site, at) =>
    holds(context, at, NOP5) || isBranchToCode(context, at, CALL) || isJumpToBpfTrampoline(context, at) ? 5 : 0,
  return: (context, _site, at) => (holds(context, at, RET_INT3) || isReturnThunk(context, at) ? 5 : 0),
  retpoline: (context, site, at) => (holdsIndirectBranch(context, site, at) ? site.size : 0),
  "static-call": staticCall,
  alternative: (context, site, at) => {
    const { size } = site;
    const found =
      site.replacements.some((replacement) => holdsReplacement(context, replacement, at, size)) || context.matchesOriginal(site, at);
    return found ? size : 0;
  },
  paravirt: (context, site, at) => {
    const { bytes } = context.live;
    const isNative = NATIVE_OPERATIONS.some(
      (operation) => holds(context, at, operation) && isFiller(bytes, at + operation.length, at + site.size),
    );
    return isNative || isDirectCall(context, at, site.size) || context.matchesOriginal(site, at) ? site.size : 0;
  },
  lock: ({ live }, _site, at) => (LOCK_PREFIXES.includes(live.bytes[at] ?? 0) ? 1 : 0),
  "jump-label": (context, site, at) => {
    if (holds(context, at, NOP2)) return 2;
    if (holds(context, at, NOP5)) return 5;
    const branch = readJump(context.live, at);
    return branch !== undefined && context.leadsTo(site, branch.target) ? branch.size : 0;
  },
  endbr: (context, _site, at) => (holds(context, at, ENDBR64) || SEALED_ENDBR.some((bytes) => holds(context, at, bytes)) ? 4 : 0),
  "runtime-constant": (context, { constant, size }, at) => (holdsVariable(context, constant.variable, at, size) ? size : 0),
};

/** True if the bytes are the low ones of the variable's value; also if there is no symbol to look the value up by. */
function holdsVariable({ live, run }: SiteContext, name: string, at: number, size: number): boolean {
  if (at + size > live.bytes.length) return false;
  const variables = run.symbolsNamed(name).filter(({ module }) => module === undefined);
  return (
    variables.length === 0 || variables.some(({ addr }) => run.read(addr, size)?.every((byte, index) => byte === live.bytes[at + index]))
  );
}

/** How many live bytes the site takes up at `at`; 0 if what stands there does not belong there. */
export function applySiteRule(context: SiteContext, site: PatchSite, at: number): number {
  const own = site as X86Site; // collectPatchSites() makes no others
  const rule = SITE_RULES[own.kind] as SiteRule<X86Site["kind"]>;
  return rule(context, own, at);
}

const SITE_NAMES: Record<X86Site["kind"], string> = {
  fentry: "ftrace call",
  return: "function return",
  retpoline: "indirect branch",
  "static-call": "static call",
  alternative: "alternative",
  paravirt: "paravirt call",
  lock: "lock prefix",
  "jump-label": "jump label",
  endbr: "endbr64",
  "runtime-constant": "constant set at boot",
};

/** What a site is called in messages. */
export function nameOfSite(site: PatchSite): string {
  return SITE_NAMES[(site as X86Site).kind];
}

function holds({ live }: SiteContext, at: number, bytes: readonly number[]): boolean {
  return bytes.every((byte, index) => live.bytes[at + index] === byte);
}

function readJump({ bytes, addr }: LiveCode, at: number): { size: number; target: bigint } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes[at] === JMP_SHORT && at + 2 <= bytes.length) return { size: 2, target: addr + BigInt(at + 2 + view.getInt8(at + 1)) };
  if (bytes[at] === JMP && at + 5 <= bytes.length) return { size: 5, target: rel32Target({ bytes, addr }, at + 1) };
  return undefined;
}

/** Target of the branch whose rel32 stands at `field`. */
function rel32Target({ bytes, addr }: LiveCode, field: number): bigint {
  const displacement = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getInt32(field, true);
  return BigInt.asUintN(64, addr + BigInt(field + 4 + displacement));
}

/** Target of the five-byte branch at `at` with this opcode, if it leads to kernel code. */
function branchTarget({ live, run }: SiteContext, at: number, opcode: number): bigint | undefined {
  if (live.bytes[at] !== opcode || at + 5 > live.bytes.length) return undefined;
  const target = rel32Target(live, at + 1);
  return target >= KERNEL_MAP_ADDR && run.read(target, 1) !== undefined ? target : undefined;
}

function isBranchToCode(context: SiteContext, at: number, opcode: number): boolean {
  return branchTarget(context, at, opcode) !== undefined;
}

/**
 * With CONFIG_DYNAMIC_FTRACE_WITH_JMP the trampoline of a BPF program that is also called when the function returns is jumped to; it calls the function behind this site
 * (BPF_TRAMP_F_CALL_ORIG in kernel/bpf/trampoline.c, Linux 7.3). A jump elsewhere is somebody's who replaces the function.
 */
function isJumpToBpfTrampoline(context: SiteContext, at: number): boolean {
  const target = branchTarget(context, at, JMP);
  const symbol = target === undefined ? undefined : context.run.symbolAt(target);
  return symbol?.module === "bpf" && symbol.name.startsWith("bpf_trampoline_");
}

function isReturnThunk(context: SiteContext, at: number, opcode = JMP): boolean {
  const target = branchTarget(context, at, opcode);
  if (target === undefined) return false;
  // Each mitigation brings its own: __x86_return_thunk, retbleed_return_thunk, srso_return_thunk, its_return_thunk, zen_untrain_ret, …
  const symbol = context.run.symbolAt(target);
  return symbol !== undefined && /return|thunk|_ret/.test(symbol.name);
}

function isDirectCall(context: SiteContext, at: number, size: number): boolean {
  return isBranchToCode(context, at, CALL) && isFiller(context.live.bytes, at + 5, at + size);
}

function holdsReplacement(context: SiteContext, replacement: AlternativeReplacement, at: number, size: number): boolean {
  if (!replacement.isDirectCall) return context.matchesReplacement(replacement, at, size);
  // A direct call of what pv_ops holds, or nothing if that is nop_func.
  return isDirectCall(context, at, size) || isFiller(context.live.bytes, at, at + size);
}

function staticCall(context: SiteContext, site: X86Site & { kind: "static-call" }, at: number): number {
  const { bytes } = context.live;
  if (site.size === CONDITIONAL_SIZE) {
    // A conditional tail call keeps its condition.
    const condition = bytes[at + 1] ?? 0;
    const isConditional = bytes[at] === ESCAPE && isNearCondition(condition);
    return isConditional && (isStaticCallBranch(context, site, at + 1, condition) || isReturnThunk(context, at + 1, condition)) ? 6 : 0;
  }
  const isKnown = site.isCall
    ? holds(context, at, NOP5) ||
      XOR5.some((form) => holds(context, at, form)) ||
      isStaticCallBranch(context, site, at, CALL) ||
      isInPlaceOfCall(context, site, at)
    : holds(context, at, RET_INT3) || isStaticCallBranch(context, site, at, JMP) || isReturnThunk(context, at);
  return isKnown ? 5 : 0;
}

/** A branch to the call's trampoline, or to where that leads now. */
function isStaticCallBranch(context: SiteContext, { trampoline }: { trampoline: string | undefined }, at: number, opcode: number): boolean {
  const target = branchTarget(context, at, opcode);
  if (target === undefined) return false;
  const trampolines = trampoline === undefined ? [] : context.run.symbolsNamed(trampoline);
  return trampolines.length === 0 || trampolines.some(({ addr }) => addr === target || isStaticCallTarget(context.run, addr, target));
}

/** What the kernel writes where the call's trampoline leads to one of a few functions. */
function isInPlaceOfCall(context: SiteContext, { trampoline }: { trampoline: string | undefined }, at: number): boolean {
  const [name] = IN_PLACE_OF_CALL.find(([, bytes]) => holds(context, at, bytes)) ?? [];
  if (name === undefined || trampoline === undefined) return false;
  const { run } = context;
  return run
    .symbolsNamed(trampoline)
    .some(({ addr }) => run.symbolsNamed(name).some((meant) => meant.module === undefined && isStaticCallTarget(run, addr, meant.addr)));
}

function isStaticCallTarget(run: RunKernel, trampoline: bigint, target: bigint): boolean {
  const bytes = run.read(trampoline, 5);
  const func = bytes === undefined ? undefined : readJump({ bytes, addr: trampoline }, 0)?.target;
  return func !== undefined && (func === target || isCallDepthThunk(run, target, func));
}

/** patch_retpoline() and __emit_trampoline() in arch/x86/kernel/alternative.c, Linux 6.1 and 6.12. */
function holdsIndirectBranch(context: SiteContext, site: X86Site & { kind: "retpoline" }, at: number): boolean {
  const { bytes } = context.live;
  const register = REGISTERS.indexOf(site.register);
  if (register < 0) return false;
  const end = at + site.size;
  if (site.size === CONDITIONAL_SIZE && !site.hasPrefix) {
    // jcc thunk, or jncc over a jmp
    const thunk = bytes[at] === ESCAPE && isThunkBranch(context, at + 1, bytes[at + 1] ?? 0, register);
    return thunk || (((bytes[at] ?? 0) & 0xf0) === 0x70 && bytes[at + 1] === 4 && isInlineBranch(context, site, at + 2, end, register));
  }
  const start = bytes[at] === CS_PREFIX && site.hasPrefix ? at + 1 : at;
  return isThunkBranch(context, start, site.isCall ? CALL : JMP, register) || isInlineBranch(context, site, at, end, register);
}

function isInlineBranch(context: SiteContext, { isCall }: { isCall: boolean }, at: number, end: number, register: number): boolean {
  const start = holds(context, at, LFENCE) ? at + LFENCE.length : at;
  const branch = indirectBranch(isCall ? 0xd0 : 0xe0, register);
  const after = start + branch.length;
  if (after > end || !holds(context, start, branch)) return false;
  const isTrapped = !isCall && after < end && context.live.bytes[after] === INT3;
  return isFiller(context.live.bytes, isTrapped ? after + 1 : after, end);
}

/** `call *%reg` (ModRM d0) or `jmp *%reg` (e0). */
function indirectBranch(modrm: number, register: number): number[] {
  return [...(register >= 8 ? [0x41] : []), 0xff, modrm + (register & 7)];
}

function isThunkBranch(context: SiteContext, at: number, opcode: number, register: number): boolean {
  const target = branchTarget(context, at, opcode);
  if (target === undefined) return false;
  const accounting = opcode === CALL ? "__x86_indirect_call_thunk_" : "__x86_indirect_jump_thunk_";
  const isNamed = ["__x86_indirect_thunk_", accounting].some((prefix) =>
    context.run.symbolsNamed(`${prefix}${REGISTERS[register] ?? ""}`).some((symbol) => symbol.addr === target),
  );
  if (isNamed) return true;
  // Indirect target selection: a thunk made at run time that is nothing but `jmp *%reg; int3`.
  const thunk = indirectBranch(0xe0, register);
  const bytes = context.run.read(target, thunk.length);
  return bytes !== undefined && thunk.every((byte, index) => bytes[index] === byte);
}
