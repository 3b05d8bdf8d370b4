import { expect, it } from "vitest";
import { readSemanticNotes } from "../../../../src/update/create/read-semantic-notes.js";
import { diffsOf } from "../../../support/settle-units.js";
import { temporaryDirectory, writeFiles } from "../../../support/temp-dir.js";

/** A header that gives a state another number, and a file that puts it into objects and that the patch does not touch. */
const HEADER = (failed: number): string => `#define TOY_FAILED ${String(failed)}\n`;
const CODE = "\nstruct toy {\n\tint status;\n};\nvoid toy_fail(struct toy *toy)\n{\n\ttoy->status = TOY_FAILED;\n}\n";

it("notes a constant of a header that only files hold which the patch does not touch", async () => {
  const root = temporaryDirectory();
  writeFiles(root, { "toy.c": `#include "toy.h"${CODE}` });
  const parts = diffsOf({ toy: { pre: HEADER(2) + CODE, post: HEADER(3) + CODE } });
  const texts = [{ path: "toy.h", pre: HEADER(2), post: HEADER(3) }];
  expect(await readSemanticNotes(root, texts, parts)).toMatchObject([
    { kind: "changed-constant", function: "TOY_FAILED", file: "toy.h", line: 1 },
  ]);
  expect(await readSemanticNotes(root, [], parts)).toEqual([]);
});
