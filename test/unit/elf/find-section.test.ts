import { describe, expect, it } from "vitest";
import { ElfFormatError } from "../../../src/elf/elf-format-error.js";
import { findSection } from "../../../src/elf/find-section.js";
import { writeObject } from "../../../src/elf/write-object.js";
import { makeObject, makeSection } from "../../support/elf-builder.js";

describe("one section of a file", () => {
  const bytes = writeObject(makeObject([makeSection(".data", [1, 2]), makeSection(".BTF", [3, 4, 5])], []));

  it("is found by its name, without the rest", () => {
    expect(findSection(bytes, ".BTF", "x")).toEqual(Uint8Array.of(3, 4, 5));
    expect(findSection(bytes, ".BTF.ext", "x")).toBeUndefined();
  });

  it.each([
    ["no ELF", Uint8Array.of(1, 2, 3)],
    ["a truncated one", bytes.subarray(0, bytes.length - 40)],
  ])("%s is refused by name", (_, input) => {
    expect(() => findSection(input, ".BTF", "x")).toThrow(ElfFormatError);
    expect(() => findSection(input, ".BTF", "x")).toThrow(/^x: /);
  });
});
