import { expect, test } from "vitest";
import { addMark, MARK_SECTION, readMark } from "../../../src/elf/module-mark.js";
import { findSection } from "../../../src/elf/find-section.js";
import { noteHeader } from "../../../src/elf/notes.js";
import { writeObject } from "../../../src/elf/write-object.js";
import { makeObject, makeSection } from "../../support/elf-builder.js";

test.each([[["abcd1234"]], [["a", "abc12", "x".repeat(24)]]])("a module says that it holds %j", (ids) => {
  const module = makeObject([makeSection(".text", [0xc3])], []);
  addMark(module, ids);
  const section = findSection(writeObject(module), MARK_SECTION, "module");
  expect(readMark(section ?? new Uint8Array())).toEqual(ids);
});

test("notes of others, and what is cut off, are no marks", () => {
  const other = Buffer.concat([noteHeader("GNU", 1, 4), Buffer.from("abcd")]);
  expect(readMark(other)).toEqual([]);
  expect(readMark(noteHeader("ksplice", 1, 400))).toEqual([]);
  expect(readMark(Uint8Array.of(1, 2, 3))).toEqual([]);
});
