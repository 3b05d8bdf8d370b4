import { homeSection } from "../elf/model.js";
import { decode, decodeOne } from "../arch/x86/decode.js";
import { disassemble } from "../arch/x86/disassemble.js";
import type { PreCode } from "./pre-code.js";
import type { Difference } from "./evidence.js";
import { hex } from "./relocated-field.js";
import type { RunKernel } from "../run-kernel.js";
import type { LiveCode } from "./site-rules.js";
import type { Mismatch } from "./types.js";

const INT3 = 0xcc;
const JMP = 0xe9;

/** Puts a difference into words: both instructions, what differs, and what may be the cause. */
export function describeMismatch(name: string, code: PreCode, live: LiveCode, difference: Difference, run: RunKernel): Mismatch {
  const preStart = instructionStart(code.section.data, code.start, code.start + difference.offset);
  // Where both run in step, the running instruction starts where the pre one does.
  const runStart = difference.runOffset - (code.start + difference.offset - preStart);
  const cause = likelyCause(code, live, preStart, runStart, run);
  return {
    function: name,
    addr: live.addr,
    offset: preStart - code.start,
    pre: disassemblePre(code, preStart),
    run: disassembleRun(live, Math.max(0, runStart), run),
    reason: difference.reason,
    ...(cause === undefined ? {} : { likelyCause: cause }),
  };
}

function instructionStart(bytes: Uint8Array, from: number, at: number): number {
  const before = decode(bytes.subarray(0, Math.min(bytes.length, at + 15)), from).filter(({ offset }) => offset <= at);
  return before.at(-1)?.offset ?? at;
}

function disassemblePre(code: PreCode, at: number): string {
  const { data } = code.section;
  const text = disassemble(data.subarray(at, Math.min(data.length, at + 15)), 0n)[0]?.text ?? "";
  const instruction = decodeOne(data, at);
  if (instruction === undefined) return text;
  for (let offset = at; offset < at + instruction.size; offset++) {
    const relocation = code.relocations.get(offset);
    if (relocation === undefined) continue;
    const { symbol, addend } = relocation;
    const shown = homeSection(symbol) === undefined ? symbol.name : `${symbol.name}${addend < 0 ? "-" : "+"}${hex(Math.abs(addend))}`;
    return instruction.branch === undefined ? `${text}  # ${shown}` : `${text.split(" ")[0] ?? ""} ${shown}`;
  }
  if (instruction.target === undefined) return text;
  return `${text.split(" ")[0] ?? ""} +${hex(instruction.target - code.start)}`;
}

function disassembleRun({ bytes, addr }: LiveCode, at: number, run: RunKernel): string {
  const text = disassemble(bytes.subarray(at, at + 15), addr + BigInt(at))[0]?.text ?? "";
  const instruction = decodeOne(bytes, at);
  if (instruction?.target === undefined) return text;
  return `${text.split(" ")[0] ?? ""} ${nameAddr(addr + BigInt(instruction.target), run)}`;
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
function likelyCause(code: PreCode, live: LiveCode, preStart: number, runStart: number, run: RunKernel): string | undefined {
  const runByte = live.bytes[runStart];
  const preByte = code.section.data[preStart];
  if (runByte === INT3 && preByte !== INT3) return "a kprobe or another breakpoint is set here";
  if (runByte === JMP && preByte !== JMP) {
    const displacement = new DataView(live.bytes.buffer, live.bytes.byteOffset).getInt32(runStart + 1, true);
    const target = BigInt.asUintN(64, live.addr + BigInt(runStart + 5 + displacement));
    const symbol = run.symbolAt(target);
    const owner = symbol?.module === undefined ? "" : ` (it jumps to module ${symbol.module})`;
    return `an optimised kprobe, or another tool that patches the running kernel${owner}`;
  }
  return undefined;
}

/** The cause that the number of mismatches suggests. */
export function overallCause(mismatches: number, functions: number): string {
  return mismatches * 4 > functions && mismatches > 2
    ? "the kernel was built with another compiler, other options, or from quite another source"
    : "the source is not the version that this kernel was built from, or the code was changed in memory";
}
