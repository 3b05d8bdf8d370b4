import type { DisassembledInstruction } from "../arch.js";
import { iced } from "./iced.js";

/**
 * Disassembles 64-bit code linearly, in AT&T syntax.
 * @param addr address of the first byte, for branch targets and RIP-relative operands
 */
export function disassemble(bytes: Uint8Array, addr: bigint): DisassembledInstruction[] {
  const { Decoder, Formatter, FormatterSyntax, Instruction } = iced();
  const decoder = new Decoder(64, bytes, 0);
  const formatter = new Formatter(FormatterSyntax.Gas);
  const instruction = new Instruction();
  const lines: DisassembledInstruction[] = [];
  try {
    decoder.ip = BigInt.asUintN(64, addr);
    formatter.uppercaseHex = false;
    formatter.spaceAfterOperandSeparator = false;
    let offset = 0;
    while (decoder.canDecode) {
      decoder.decodeOut(instruction);
      const size = Math.max(1, instruction.length);
      const text = formatter.format(instruction);
      lines.push({ offset, size, text });
      offset += size;
    }
  } finally {
    instruction.free();
    formatter.free();
    decoder.free();
  }
  return lines;
}
