import { expect, test } from "vitest";
import { findReferences } from "../../../../src/arch/x86/find-references.js";

import { mayBeConstant } from "../../../../src/arch/x86/decode.js";

const START = 0xffffffff81000000n;

/** What is found in code at START that leads to the address behind it. */
const leadingOut = (hex: string) => {
  const bytes = Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
  const end = START + BigInt(bytes.length);
  return findReferences(bytes, START, new Map([[Number(BigInt.asIntN(32, end)), end]])).map(({ offset, isRelative }) => ({
    offset,
    isRelative,
  }));
};

test.each([
  ["call", "e8 00 00 00 00", 1],
  ["jmp", "e9 00 00 00 00", 1],
  ["jo, the lowest of the conditional branches", "0f 80 00 00 00 00", 2],
  ["jg, the highest", "0f 8f 00 00 00 00", 2],
  ["lea of rip", "48 8d 05 00 00 00 00", 3],
])("%s is a reference", (_, code, offset) => {
  expect(leadingOut(code)).toEqual([{ offset, isRelative: true }]);
});

test.each([
  ["seven", "0f 1f 80 00 00 00 00"],
  ["eight", "0f 1f 84 00 00 00 00 00"],
  ["nine", "66 0f 1f 84 00 00 00 00 00"],
  ["ten", "66 2e 0f 1f 84 00 00 00 00 00"],
])("a nop of %s bytes before a function does not refer to it", (_, code) => {
  expect(leadingOut(code)).toEqual([]);
});

test.each<[name: string, code: string, offset: number, may: boolean]>([
  ["a call's displacement", "90 e8 00 00 00 00", 2, true],
  ["a conditional branch's", "0f 84 00 00 00 00 c3", 2, true],
  ["that of an operand that is relative to rip", "48 8d 05 00 00 00 00 c3", 3, true],
  ["one with an immediate behind it", "48 c7 05 11 11 11 11 22 22 22 22", 3, true],
  ["an immediate behind a displacement", "48 c7 05 11 11 11 11 22 22 22 22", 7, true],
  ["four bytes across two instructions", "b8 00 00 e8 00 48 89 c3", 4, false],
  ["four bytes in the middle of a constant of eight", "48 b8 00 00 e8 00 00 00 00 00 c3", 5, false],
  ["an opcode and part of its displacement", "e8 e8 00 00 00 c3", 2, false],
  ["what follows that which is no instruction", "06 b8 00 00 e8 00 48 89 c3", 5, true],
  ["what follows the last instruction", "90 90", 2, true],
])("%s: whether it may be a constant of its own", (_, code, offset, may) => {
  expect(mayBeConstant(Uint8Array.from(Buffer.from(code.replaceAll(" ", ""), "hex")), offset)).toBe(may);
});
