import type { RunKernel } from "../../../run-kernel.js";
import type { PatchSite, TrampolineSite } from "../../arch.js";
import { MAX_INSTRUCTION_SIZE } from "../decode.js";
import { paddingLength } from "../nops.js";
import { BRANCH_SIZE, LOCK_PREFIX } from "../opcodes.js";
import type { X86Site } from "./patch-sites.js";

/** A `jmp` with a displacement of 4 bytes. */
export const TRAMPOLINE_SIZE = BRANCH_SIZE;
const STORE_SIZE = 16n;
/** Sites that the kernel rewrites long after boot: a trampoline over one would be torn, or the kernel would find bytes it does not expect and stop. */
const REWRITTEN_LATER: ReadonlySet<string> = new Set(["jump-label", "static-call"]);

/** A pre function: where it starts in its section, and the sites in it. */
interface Code {
  readonly start: number;
  readonly sites: readonly PatchSite[];
}

/** What the core uses of ftrace. Kernels that are built without it lack them. */
const FTRACE_INTERFACE = ["register_ftrace_function", "ftrace_set_filter_ip"] as const;

/**
 * Where the trampoline of a function goes: behind endbr64 and the ftrace call, so that ftrace goes on working. (Over the ftrace call itself it cannot
 * go: ftrace would find bytes that it does not expect once somebody traces the function, and switch itself off.) If there is no room, or if what stands there
 * is a site that the kernel may rewrite at any time, ftrace has to redirect the function: a call takes longer then, as with livepatch.
 */
export function findTrampolineSite(run: RunKernel, code: Code, addr: bigint, runSize: number): TrampolineSite | undefined {
  const siteAt = (kind: X86Site["kind"], offset: number): PatchSite | undefined =>
    code.sites.find((site) => site.kind === kind && site.offset === code.start + offset);
  const entry = siteAt("endbr", 0)?.size ?? 0;
  const fentry = siteAt("fentry", entry);
  const offset = entry + (fentry?.size ?? 0);
  const bytes = run.read(addr + BigInt(offset), TRAMPOLINE_SIZE);
  if (bytes === undefined) return undefined;
  if (liesInOneBlock(addr + BigInt(offset)) && !isRewrittenLater(code, offset, bytes) && hasRoom(run, addr, offset, runSize))
    return { kind: "jump", offset, bytes };
  return fentry !== undefined && hasFtrace(run) ? { kind: "ftrace", offset, bytes: new Uint8Array(0) } : undefined;
}

function hasFtrace(run: RunKernel): boolean {
  return FTRACE_INTERFACE.every((name) => run.symbolsNamed(name).some(({ module }) => module === undefined));
}

/** The core writes the jump by one store of at most 16 bytes (kmod/arch/x86/text.c). Functions marked cold are not aligned, and may have their site across two. */
function liesInOneBlock(siteAddr: bigint): boolean {
  return siteAddr / STORE_SIZE === (siteAddr + BigInt(TRAMPOLINE_SIZE - 1)) / STORE_SIZE;
}

/**
 * Lock prefixes are taken out only where the kernel was started for one processor, and put back only there; it keeps no list of them otherwise
 * (alternatives_smp_module_add() and alternative_instructions() in arch/x86/kernel/alternative.c, Linux 6.1 and 6.12). One that is there stays.
 */
function isRewrittenLater(code: Code, offset: number, bytes: Uint8Array): boolean {
  const start = code.start + offset;
  return code.sites.some((site) => {
    if (site.offset >= start + TRAMPOLINE_SIZE || start >= site.offset + site.size) return false;
    return REWRITTEN_LATER.has(site.kind) || (site.kind === "lock" && bytes[site.offset - start] !== LOCK_PREFIX);
  });
}

/** True if the trampoline fits into the function and the padding behind it. */
function hasRoom(run: RunKernel, addr: bigint, offset: number, runSize: number): boolean {
  const end = offset + TRAMPOLINE_SIZE;
  if (end <= runSize) return true;
  const next = run.symbolAt(addr + BigInt(end - 1));
  if (next !== undefined && next.addr > addr) return false;
  // A no-op may reach further than the trampoline.
  const padding = run.read(addr + BigInt(runSize), end - runSize + MAX_INSTRUCTION_SIZE);
  return padding !== undefined && paddingLength(padding, 0) >= end - runSize;
}
