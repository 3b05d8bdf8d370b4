import { expect, test } from "vitest";
import { findReferences } from "../../../../src/arch/x86/find-references.js";

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
