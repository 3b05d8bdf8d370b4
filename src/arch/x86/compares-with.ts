import { Decoder, FlowControl, Instruction, Mnemonic, OpKind, Register } from "iced-x86";

/** What a called function need not keep (System V ABI, 3.2.1). */
const LOST_IN_CALLS: ReadonlySet<number> = new Set([
  Register.RAX,
  Register.RCX,
  Register.RDX,
  Register.RSI,
  Register.RDI,
  Register.R8,
  Register.R9,
  Register.R10,
  Register.R11,
]);
const COMPARING: ReadonlySet<Mnemonic> = new Set([Mnemonic.Cmp, Mnemonic.Sub]);
/** What does not write to its first operand. */
const READING: ReadonlySet<Mnemonic> = new Set([Mnemonic.Cmp, Mnemonic.Test, Mnemonic.Push]);

/**
 * True if the field at `offset` is an address that something is compared with, or that is taken off something (`p == &table[2]`, `p - table`): the immediate of
 * such an instruction, or of one that loads a register which the code behind it compares with. Decodes linearly from the start of the bytes, past branches.
 */
export function comparesWith(bytes: Uint8Array, offset: number): boolean {
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
        if (COMPARING.has(instruction.mnemonic)) return true;
        if (instruction.mnemonic !== Mnemonic.Mov || instruction.op0Kind !== OpKind.Register) return false;
        holder = whole(instruction.op0Register);
        continue;
      }
      const [first, second] = [registerOf(instruction, 0), registerOf(instruction, 1)];
      if (COMPARING.has(instruction.mnemonic) && (second === holder || (first === holder && instruction.mnemonic === Mnemonic.Cmp)))
        return true;
      const isLost = instruction.flowControl === FlowControl.Call && LOST_IN_CALLS.has(holder);
      if (isLost || (first === holder && !READING.has(instruction.mnemonic))) return false;
    }
    return false;
  } finally {
    instruction.free();
    decoder.free();
  }
}

function hasImmediateAt(decoder: Decoder, instruction: Instruction, offset: number): boolean {
  const constants = decoder.getConstantOffsets(instruction);
  const isThere = constants.hasImmediate && offset === constants.immediateOffset;
  constants.free();
  return isThere;
}

function registerOf(instruction: Instruction, operand: 0 | 1): number | undefined {
  if (instruction.opCount <= operand) return undefined;
  const [kind, register] = operand === 0 ? [instruction.op0Kind, instruction.op0Register] : [instruction.op1Kind, instruction.op1Register];
  return kind === OpKind.Register ? whole(register) : undefined;
}

/** The 64-bit register that a register is, or is the low half of: `mov $table, %eax` loads RAX. */
function whole(register: Register): number {
  return register >= Register.EAX && register <= Register.R15D ? register - Register.EAX + Register.RAX : register;
}
