import type { Decoder, Instruction, Mnemonic, Register } from "iced-x86";
import { iced } from "./iced.js";

/**
 * True if the field at `offset` is an address that something is compared with, or that is taken off something (`p == &table[2]`, `p - table`): the immediate of
 * such an instruction, or of one that loads a register which the code behind it compares with. Decodes linearly from the start of the bytes, past branches.
 */
export function comparesWith(bytes: Uint8Array, offset: number): boolean {
  const { Decoder, FlowControl, Instruction, Mnemonic: M, OpKind } = iced();
  const isComparison = (mnemonic: Mnemonic): boolean => mnemonic === M.Cmp || mnemonic === M.Sub;
  // What does not write to its first operand.
  const onlyReads = (mnemonic: Mnemonic): boolean => [M.Cmp, M.Test, M.Push].includes(mnemonic);
  const decoder = new Decoder(64, bytes, 0);
  const instruction = new Instruction();
  try {
    /** The register that holds the address. */
    let holder: number | undefined;
    for (let at = 0; decoder.canDecode; at += Math.max(1, instruction.length)) {
      decoder.decodeOut(instruction);
      if (offset >= at + instruction.length) continue;
      if (holder === undefined) {
        if (!hasImmediateAt(decoder, instruction, offset - at)) return false;
        if (isComparison(instruction.mnemonic)) return true;
        if (instruction.mnemonic !== M.Mov || instruction.op0Kind !== OpKind.Register) return false;
        holder = whole(instruction.op0Register);
        continue;
      }
      const [first, second] = [registerOf(instruction, 0), registerOf(instruction, 1)];
      if (isComparison(instruction.mnemonic) && (second === holder || (first === holder && instruction.mnemonic === M.Cmp))) return true;
      const isLost = instruction.flowControl === FlowControl.Call && isLostInCalls(holder);
      if (isLost || (first === holder && !onlyReads(instruction.mnemonic))) return false;
    }
    return false;
  } finally {
    instruction.free();
    decoder.free();
  }
}

/** What a called function need not keep (System V ABI, 3.2.1). */
function isLostInCalls(register: number): boolean {
  const { RAX, RCX, RDX, RSI, RDI, R8, R9, R10, R11 } = iced().Register;
  const lost: readonly number[] = [RAX, RCX, RDX, RSI, RDI, R8, R9, R10, R11];
  return lost.includes(register);
}

function hasImmediateAt(decoder: Decoder, instruction: Instruction, offset: number): boolean {
  const constants = decoder.getConstantOffsets(instruction);
  const isThere = constants.hasImmediate && offset === constants.immediateOffset;
  constants.free();
  return isThere;
}

function registerOf(instruction: Instruction, operand: 0 | 1): number | undefined {
  if (instruction.opCount <= operand) return undefined;
  const { OpKind } = iced();
  const [kind, register] = operand === 0 ? [instruction.op0Kind, instruction.op0Register] : [instruction.op1Kind, instruction.op1Register];
  return kind === OpKind.Register ? whole(register) : undefined;
}

/** The 64-bit register that a register is, or is the low half of: `mov $table, %eax` loads RAX. */
function whole(register: Register): number {
  const { EAX, R15D, RAX } = iced().Register;
  return register >= EAX && register <= R15D ? register - EAX + RAX : register;
}
