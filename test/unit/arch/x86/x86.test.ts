import { describe, expect, it } from "vitest";
import { decode, decodeOne } from "../../../../src/arch/x86/decode.js";
import { disassemble } from "../../../../src/arch/x86/disassemble.js";
import { isFiller, nopLength, nopRunLength, paddingLength } from "../../../../src/arch/x86/nops.js";

const bytes = (...list: number[]): Uint8Array => Uint8Array.from(list);

describe("no-ops", () => {
  it.each([
    [[0x90], 1],
    [[0x66, 0x90], 2],
    [[0x0f, 0x1f, 0x00], 3],
    [[0x0f, 0x1f, 0x40, 0x00], 4],
    [[0x0f, 0x1f, 0x44, 0x00, 0x00], 5],
    [[0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00], 6],
    [[0x0f, 0x1f, 0x80, 0, 0, 0, 0], 7],
    [[0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0], 8],
    [[0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0], 11],
    [[0xf3, 0x90], 0], // pause
    [[0x0f, 0x1f, 0x41, 0x00], 0], // nobody writes this one
    [[0x0f, 0x1f, 0x44, 0x00], 0], // cut short
    [[0xc3], 0],
    [[], 0],
  ])("%j takes %d bytes", (code, length) => {
    expect(nopLength(Uint8Array.from(code), 0)).toBe(length);
  });

  it("run up to a limit", () => {
    const code = bytes(0xc3, 0x90, 0x66, 0x90, 0x90, 0xc3);
    expect([nopRunLength(code, 1), nopRunLength(code, 1, 3), nopRunLength(code, 0)]).toEqual([4, 1, 0]);
  });

  it.each([
    ["nothing", [], true],
    ["no-ops", [0x66, 0x90, 0x90], true],
    ["a jump to the end over traps", [0xeb, 0x02, 0xcc, 0xcc], true],
    ["a near jump to the end over traps", [0xe9, 0x01, 0, 0, 0, 0xcc], true],
    ["a jump past the end", [0xeb, 0x03, 0xcc, 0xcc], false],
    ["a jump over code", [0xeb, 0x02, 0x31, 0xc0], false],
    ["traps alone", [0xcc], false],
  ])("as filler: %s", (_name, code, expected) => {
    expect(isFiller(Uint8Array.from(code), 0, code.length)).toBe(expected);
  });

  it("and traps are what stands between functions", () => {
    expect(paddingLength(bytes(0xc3, 0xcc, 0x66, 0x90, 0xcc, 0xc3), 1)).toBe(4);
    expect(paddingLength(bytes(0xc3), 0)).toBe(0);
  });
});

describe("decoding", () => {
  it("tells branches by their condition, whatever their width", () => {
    const code = bytes(0x74, 0x05, 0x0f, 0x84, 1, 0, 0, 0, 0xeb, 0xfe, 0xe9, 0, 0, 0, 0, 0xe8, 0xff, 0xff, 0xff, 0xff, 0xe3, 0x00, 0xc3);
    expect(decode(code).map(({ offset, size, branch, branchTarget: target }) => [offset, size, branch, target])).toEqual([
      [0, 2, "e", 7],
      [2, 6, "e", 9],
      [8, 2, "jmp", 8],
      [10, 5, "jmp", 15],
      [15, 5, "call", 19],
      [20, 2, "jrcxz", 22],
      [22, 1, undefined, undefined],
    ]);
  });

  it.each([
    ["vmcall", [0x0f, 0x01, 0xc1]],
    ["vmmcall", [0x0f, 0x01, 0xd9]],
    ["syscall", [0x0f, 0x05]],
    ["call *%rax", [0xff, 0xd0]],
    ["jmp *%rax", [0xff, 0xe0]],
  ])("%s leads to no place that it names", (_, code) => {
    const [instruction] = decode(bytes(...code));
    expect(instruction).toMatchObject({ size: code.length, isValid: true, branch: undefined, branchTarget: undefined });
  });

  it("starts anywhere and stops at the end", () => {
    const code = bytes(0x48, 0x89, 0xd8, 0x0f);
    expect(decodeOne(code, 1)).toMatchObject({ offset: 1, size: 2, isValid: true });
    expect(decodeOne(code, 3)).toMatchObject({ offset: 3, isValid: false });
    expect(decodeOne(code, 4)).toBeUndefined();
  });
});

describe("disassembling", () => {
  it("writes AT&T syntax with absolute branch targets", () => {
    const code = bytes(0xe8, 0xfb, 0x0f, 0, 0, 0x48, 0x8b, 0x07, 0x06);
    expect(disassemble(code, 0xffffffff81000000n)).toEqual([
      { offset: 0, size: 5, text: "call 0xffffffff81001000" },
      { offset: 5, size: 3, text: "mov (%rdi),%rax" },
      { offset: 8, size: 1, text: "(bad)" },
    ]);
  });
});
