import { homeSection } from "../elf/model.js";
import type { Architecture, LiveCode } from "../arch/arch.js";
import type { PreCode } from "./pre-code.js";
import type { Difference } from "./evidence.js";
import { hex } from "./relocated-field.js";
import type { RunKernel } from "../run-kernel.js";
import type { Mismatch } from "./types.js";

/** Pre code, running code, and where they differ. */
interface Compared {
  readonly code: PreCode;
  readonly live: LiveCode;
  readonly difference: Difference;
}

/** Puts a difference into words: both instructions, what differs, and what may be the cause. */
export function describeMismatch(name: string, { code, live, difference }: Compared, run: RunKernel, arch: Architecture): Mismatch {
  const preStart = instructionStart(code.section.data, code.start, code.start + difference.offset, arch);
  // Where both run in step, the running instruction starts where the pre one does.
  const runStart = difference.runOffset - (code.start + difference.offset - preStart);
  const cause = likelyCause(code, live, preStart, runStart, run, arch);
  return {
    function: name,
    addr: live.addr,
    offset: preStart - code.start,
    pre: disassemblePre(code, preStart, arch),
    run: disassembleRun(live, Math.max(0, runStart), run, arch),
    reason: difference.reason,
    ...(cause === undefined ? {} : { likelyCause: cause }),
  };
}

function instructionStart(bytes: Uint8Array, from: number, at: number, { code }: Architecture): number {
  const before = code
    .decode(bytes.subarray(0, Math.min(bytes.length, at + code.maxInstructionSize)), from)
    .filter(({ offset }) => offset <= at);
  return before.at(-1)?.offset ?? at;
}

function disassemblePre(code: PreCode, at: number, arch: Architecture): string {
  const { data } = code.section;
  const text = arch.code.disassemble(data.subarray(at, Math.min(data.length, at + arch.code.maxInstructionSize)), 0n)[0]?.text ?? "";
  const instruction = arch.code.decodeOne(data, at);
  if (instruction === undefined) return text;
  for (let offset = at; offset < at + instruction.size; offset++) {
    const relocation = code.relocations.get(offset);
    if (relocation === undefined) continue;
    const { symbol, addend } = relocation;
    const shown = homeSection(symbol) === undefined ? symbol.name : `${symbol.name}${addend < 0 ? "-" : "+"}${hex(Math.abs(addend))}`;
    return instruction.branch === undefined ? `${text}  # ${shown}` : `${text.split(" ")[0] ?? ""} ${shown}`;
  }
  if (instruction.branchTarget === undefined) return text;
  return `${text.split(" ")[0] ?? ""} +${hex(instruction.branchTarget - code.start)}`;
}

function disassembleRun({ bytes, addr }: LiveCode, at: number, run: RunKernel, { code }: Architecture): string {
  const text = code.disassemble(bytes.subarray(at, at + code.maxInstructionSize), addr + BigInt(at))[0]?.text ?? "";
  const instruction = code.decodeOne(bytes, at);
  if (instruction?.branchTarget === undefined) return text;
  return `${text.split(" ")[0] ?? ""} ${nameAddr(addr + BigInt(instruction.branchTarget), run)}`;
}

/** `0xffffffff81000000 <name+0x12>` */
function nameAddr(addr: bigint, run: RunKernel): string {
  const wrapped = BigInt.asUintN(64, addr);
  const symbol = run.symbolAt(wrapped);
  if (symbol === undefined) return hex(wrapped);
  const module = symbol.module === undefined ? "" : ` [${symbol.module}]`;
  return `${hex(wrapped)} <${symbol.name}+${hex(wrapped - symbol.addr)}${module}>`;
}

/** What the bytes themselves suggest. */
function likelyCause(
  code: PreCode,
  live: LiveCode,
  preStart: number,
  runStart: number,
  run: RunKernel,
  arch: Architecture,
): string | undefined {
  const patch = arch.code.findForeignPatch(live, runStart, code.section.data[preStart]);
  if (patch === undefined) return undefined;
  if (patch.kind === "breakpoint") return "a kprobe or another breakpoint is set here";
  const symbol = run.symbolAt(patch.targetAddr);
  const owner = symbol?.module === undefined ? "" : ` (it jumps to module ${symbol.module})`;
  return `an optimised kprobe, or another tool that patches the running kernel${owner}`;
}

/** The cause that the number of mismatches suggests. */
export function overallCause(mismatches: number, functions: number): string {
  return mismatches * 4 > functions && mismatches > 2
    ? "the kernel was built with another compiler, with other options, or from quite different source"
    : "the source is not the version that this kernel was built from, or the code was changed in memory";
}
