import { withCommand } from "../../../support/with-command.js";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { namedTypes } from "../../../../src/btf/named-types.js";
import { parseBtf } from "../../../../src/btf/parse-btf.js";
import { compileTypes, withDebugInformation } from "../../../../src/kbuild/compile/compile-types.js";
import { shadowWithPatch } from "../../../../src/kbuild/change/patch-tree.js";
import type { PreparedBuild, Unit } from "../../../../src/kbuild/types.js";
import { HAS_PAHOLE } from "../../../support/compile-types.js";
import { fakeBuild, writeFakeKernel } from "../../../support/fake-tree-source.js";
import { temporaryDirectory, writeFiles } from "../../../support/temp-dir.js";

const source = temporaryDirectory();
const cacheDir = temporaryDirectory();
let build: PreparedBuild;
beforeAll(() => {
  writeFakeKernel(source);
  writeFiles(source, {
    "net/local.h": "struct used { int a; };\nstruct unused { int b; };\n",
    "net/raw.c": '#include "local.h"\nint raw(struct used *used) { return used->a; }\n',
  });
  mkdirSync(join(cacheDir, "out"));
  build = fakeBuild(source, cacheDir);
});

const RAW: Unit = { path: "net/raw.o", source: "net/raw.c", target: "vmlinux" };
const PATCH = `--- a/net/local.h
+++ b/net/local.h
@@ -1,2 +1,2 @@
-struct used { int a; };
+struct used { int a; int more; };
 struct unused { int b; };
`;

const suite = HAS_PAHOLE ? describe : describe.skip;
suite("the types of a unit", () => {
  const sizes = (bytes: Uint8Array) => {
    const btf = parseBtf(bytes, "unit");
    return [...namedTypes(btf)].map(([label, [type]]) => `${label} ${String(btf.size(type?.id ?? 0))}`);
  };

  test("all of them before the patch, those that are used after it", async () => {
    expect(sizes(await compileTypes(build, await withCommand(build, RAW)))).toEqual(["struct used 4", "struct unused 4"]);
    for (let time = 0; time < 2; time++) {
      const patched = await shadowWithPatch(build.tree, { patch: PATCH });
      expect(sizes(await compileTypes(build, await withCommand(build, RAW), { shadow: patched }))).toEqual(["struct used 8"]);
      await patched.dispose();
    }
  });
});

test.each([
  ["-g -O2 -g0 -c x.c", "-g -O2 -c -fno-var-tracking x.c"],
  ["-gdwarf-5 -g0 x.c", "-gdwarf-5 -fno-var-tracking x.c"],
  ["-O2 -g0 x.c", "-O2 -g -fno-var-tracking x.c"],
  ["-g -gsplit-dwarf -gz=zlib -femit-struct-debug-baseonly -flto=thin x.c", "-g -fno-var-tracking x.c"],
])("%s becomes %s", (before, after) => {
  expect(withDebugInformation(before.split(" "), false).join(" ")).toBe(after);
});
