import { describe, expect, it } from "vitest";
import { parseBuildId } from "../../../src/elf/notes.js";

/** One ELF note: sizes, type, name and content, each padded to 4 bytes. */
function note(name: string, type: number, content: readonly number[]): number[] {
  const word = (value: number): number[] => [value & 255, (value >> 8) & 255, 0, 0];
  const padded = (bytes: readonly number[]): number[] => [...bytes, ...Array.from({ length: (4 - (bytes.length % 4)) % 4 }, () => 0)];
  const nameBytes = [...new TextEncoder().encode(`${name}\0`)];
  return [...word(nameBytes.length), ...word(content.length), ...word(type), ...padded(nameBytes), ...padded(content)];
}

describe("the build id in a sequence of notes", () => {
  it.each([
    ["alone", note("GNU", 3, [0xab, 0x01]), "ab01"],
    ["behind another note", [...note("Xen", 6, [1, 2, 3]), ...note("GNU", 3, [0xcd])], "cd"],
    ["not there", note("GNU", 1, [0xab]), undefined],
    ["of another vendor", note("Linux", 3, [0xab]), undefined],
    ["cut off", note("GNU", 3, [1, 2, 3, 4, 5, 6, 7, 8]).slice(0, 20), undefined],
  ])("%s", (_, bytes, expected) => {
    expect(parseBuildId(Uint8Array.from(bytes))).toBe(expected);
  });
});
