import { Decoder, DecoderOptions, Instruction } from "iced-x86";

/** Where an instruction lies, and where it branches to if its target is a number inside it. */
export interface InstructionLayout {
  /** Bytes from the start of the code. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  /** Target of a direct branch or call, as an offset from the start of the code; may lie outside. Relocated fields count as they stand. */
  readonly branchTarget?: number;
  /** Bytes of the branch's displacement field (1 or 4), which ends the instruction. */
  readonly branchWidth?: number;
}

/** Decodes 64-bit code from its start, instruction by instruction. Undecodable bytes count as instructions of one byte. */
export function layOutInstructions(code: Uint8Array): InstructionLayout[] {
  const decoder = new Decoder(64, code, DecoderOptions.None);
  const instruction = new Instruction();
  const base = 0x4000_0000n; // keeps backward branches out of the start of the code positive
  decoder.ip = base;
  const layout: InstructionLayout[] = [];
  try {
    let offset = 0;
    while (decoder.canDecode) {
      decoder.decodeOut(instruction);
      const size = instruction.isInvalid ? 1 : instruction.length;
      if (!instruction.isInvalid && (instruction.isJmpShortOrNear || instruction.isJccShortOrNear || instruction.isCallNear)) {
        const branchTarget = Number(BigInt.asIntN(64, instruction.nearBranchTarget - base));
        layout.push({ offset, size, branchTarget, branchWidth: isShort(instruction) ? 1 : 4 });
      } else {
        layout.push({ offset, size });
      }
      offset += size;
      if (instruction.isInvalid) {
        decoder.position = offset;
        decoder.ip = base + BigInt(offset);
      }
    }
  } finally {
    instruction.free();
    decoder.free();
  }
  return layout;
}

function isShort(instruction: Instruction): boolean {
  return instruction.isJmpShort || instruction.isJccShort;
}
