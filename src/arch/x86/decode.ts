import type { Instruction } from "iced-x86";
import type { ComputedPlace, DecodedInstruction } from "../arch.js";
import { iced } from "./iced.js";

/** Made once: that takes longer than decoding into it. Nothing of one call is read by the next. */
// eslint-disable-next-line no-restricted-syntax -- no state, see above
let scratch: Instruction | undefined;

/**
 * Decodes 64-bit code from `start`: `count` instructions, or up to the end.
 * Decoding is linear; kernel functions hold no data between instructions.
 */
export function decode(bytes: Uint8Array, start = 0, count = Number.POSITIVE_INFINITY): DecodedInstruction[] {
  const { Decoder, Instruction } = iced();
  const decoder = new Decoder(64, start === 0 ? bytes : bytes.subarray(start), 0);
  const instruction = (scratch ??= new Instruction());
  const decoded: DecodedInstruction[] = [];
  try {
    decoder.ip = BigInt(start);
    while (decoder.canDecode && decoded.length < count) {
      decoder.decodeOut(instruction);
      decoded.push(describe(instruction));
    }
  } finally {
    decoder.free();
  }
  return decoded;
}

/** Decodes the one instruction at `offset`; undefined past the end. */
export function decodeOne(bytes: Uint8Array, offset: number): DecodedInstruction | undefined {
  return decode(bytes.subarray(0, offset + MAX_INSTRUCTION_SIZE), offset, 1)[0];
}

/** Bytes; 1 is the smallest step where bytes are no instruction. */
export const MAX_INSTRUCTION_SIZE = 15;

/**
 * True if the field at `offset` is an address that an instruction computes and does not access: the displacement of `lea`, or an immediate. Decodes linearly
 * from the start of the bytes.
 */
export function holdsImmediate(bytes: Uint8Array, offset: number): boolean {
  const { Decoder, Instruction, Mnemonic } = iced();
  const decoder = new Decoder(64, bytes, 0);
  const instruction = (scratch ??= new Instruction());
  try {
    for (let at = 0; decoder.canDecode; at += Math.max(1, instruction.length)) {
      decoder.decodeOut(instruction);
      if (offset >= at + instruction.length) continue;
      if (instruction.mnemonic === Mnemonic.Lea) return true;
      const constants = decoder.getConstantOffsets(instruction);
      const isImmediate = constants.hasImmediate && offset - at === constants.immediateOffset;
      constants.free();
      return isImmediate;
    }
    return false;
  } finally {
    decoder.free();
  }
}

/**
 * True if the four bytes at `offset` may be a constant of an instruction of their own: an immediate or a displacement. Decodes linearly from the start of the
 * bytes; where that meets what is no instruction, it says nothing of what follows, and they may be one.
 */
export function mayBeConstant(bytes: Uint8Array, offset: number): boolean {
  const { Decoder, Instruction } = iced();
  const decoder = new Decoder(64, bytes, 0);
  const instruction = (scratch ??= new Instruction());
  try {
    for (let at = 0; decoder.canDecode; at += instruction.length) {
      decoder.decodeOut(instruction);
      if (instruction.isInvalid) return true;
      if (offset >= at + instruction.length) continue;
      const constants = decoder.getConstantOffsets(instruction);
      const isConstant =
        (constants.hasImmediate && constants.immediateSize === 4 && constants.immediateOffset === offset - at) ||
        (constants.hasDisplacement && constants.displacementSize === 4 && constants.displacementOffset === offset - at);
      constants.free();
      return isConstant;
    }
    return true;
  } finally {
    decoder.free();
  }
}

/** What `lea` computes from the place of the instruction. */
export function findComputedPlaces(bytes: Uint8Array): ComputedPlace[] {
  const { Decoder, Instruction, Mnemonic } = iced();
  const decoder = new Decoder(64, bytes, 0);
  const instruction = (scratch ??= new Instruction());
  const places: ComputedPlace[] = [];
  try {
    while (decoder.canDecode) {
      decoder.decodeOut(instruction);
      if (instruction.mnemonic !== Mnemonic.Lea || !instruction.isIpRelMemoryOperand) continue;
      const place = Number(BigInt.asIntN(64, instruction.ipRelMemoryAddress));
      places.push({ offset: Number(instruction.ip), size: instruction.length, place });
    }
  } finally {
    decoder.free();
  }
  return places;
}

/** The branch is `jmp`, `call`, or the condition (`e`, `ne`, …; `loop` and friends by their name). */
function describe(instruction: Instruction): DecodedInstruction {
  const branch = branchOf(instruction);
  return {
    offset: Number(instruction.ip),
    size: Math.max(1, instruction.length),
    isValid: !instruction.isInvalid,
    branch,
    branchTarget: branch === undefined ? undefined : Number(BigInt.asIntN(64, instruction.nearBranchTarget)),
  };
}

/** `vmcall`, `vmmcall`, `syscall` and their like are calls to the decoder, too: of somebody who is not named. */
function branchOf(instruction: Instruction): string | undefined {
  const { ConditionCode, FlowControl, Mnemonic, OpKind } = iced();
  if (instruction.op0Kind !== OpKind.NearBranch64) return undefined;
  const flow = instruction.flowControl;
  if (flow === FlowControl.UnconditionalBranch) return "jmp";
  if (flow === FlowControl.Call) return "call";
  if (flow !== FlowControl.ConditionalBranch) return undefined;
  const condition = instruction.conditionCode;
  return condition === ConditionCode.None ? Mnemonic[instruction.mnemonic].toLowerCase() : ConditionCode[condition];
}
