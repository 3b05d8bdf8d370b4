import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { PatchedTree } from "../../../../src/kbuild/change/patched-tree.js";
import { findForeignMentions } from "../../../../src/kbuild/reach/foreign-mentions.js";
import type { PreparedBuild } from "../../../../src/kbuild/types.js";
import { temporaryDirectory, writeFiles } from "../../../support/temp-dir.js";

test("a tree of which not everything can be read is refused: what was not may have the words", async () => {
  const root = temporaryDirectory();
  writeFiles(root, { "net/raw.c": "int raw;\n" });
  symlinkSync("nowhere", join(root, "net/lost.c"));
  const found = findForeignMentions({} as PreparedBuild, { root } as PatchedTree, [], { names: ["wanted"], inOffsets: [] });
  await expect(found).rejects.toMatchObject({ code: "tree-not-searched", message: expect.stringContaining("lost.c") as string });
});
