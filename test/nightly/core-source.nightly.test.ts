import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { beforeAll, describe, expect, it } from "vitest";
import { packageRoot } from "../../src/host/package-root.js";
import { withCoreBuild } from "../vm/support/core-modules.js";
import { coreTree, type CoreKernel } from "../vm/support/core-kernels.js";
import { ALL_SERIES } from "../vm/support/series.js";

/** What the kernel's own checkers say of the core's source. */

/** What checkpatch takes for a fault, and why it is none. */
const NOT_MEANT = {
  COMPLEX_MACRO: "loops and definitions by macro: parentheses around them would not compile",
  SPACING: "in macros that get a type, its `*` is taken for a multiplication, and the `:` of _Generic for that of a condition",
  SIZEOF_ADDRESS: "that a name is a function is checked by the size of its address",
} as const;

describe.each<CoreKernel>([...ALL_SERIES, "backports"])("the core's source, on %s", (series) => {
  let tree: string;
  beforeAll(async () => {
    tree = await coreTree(series);
  });

  it("leaves sparse nothing to say", async () => {
    expect(await sparseFindings(tree)).toEqual([]);
  });

  it("is read by sparse, which sees what is put into it", async () => {
    const wrong = "int ksplice_wrong(const int __user *place);\nint ksplice_wrong(const int __user *place)\n{\n\treturn *place;\n}\n";
    expect((await sparseFindings(tree, { "kmod/wrong.c": wrong })).join("\n")).toContain("kmod/wrong.c:4");
  });

  // That of the newest wants what older kernels do not have: kzalloc_obj(), constant attributes.
  it.runIf(series !== "backports")("is as checkpatch wants it", async () => {
    const root = join(packageRoot(), "kmod");
    const files = (await readdir(root, { recursive: true })).filter((file) => /\.[ch]$/.test(file)).map((file) => join(root, file));
    const words = ["--no-tree", "--root", tree, "--terse", "--show-types", "--max-line-length=150", "-f", ...files];
    const { stdout } = await execa("perl", [join(tree, "scripts/checkpatch.pl"), ...words], { reject: false });
    const found = stdout.split("\n").filter((line) => /: (?:ERROR|WARNING|CHECK):/.test(line));
    const kindOf = (line: string): string => /: (?:ERROR|WARNING|CHECK):(\w+):/.exec(line)?.[1] ?? line;
    expect(found.filter((line) => !Object.hasOwn(NOT_MEANT, kindOf(line)))).toEqual([]);
    // It has looked, and no exception is one for nothing.
    expect([...new Set(found.map(kindOf))].sort()).toEqual(Object.keys(NOT_MEANT).sort());
  });
});

/** What sparse says of the core and the test modules. What it says of the kernel's own headers is not ours to mend. */
async function sparseFindings(tree: string, files: Readonly<Record<string, string>> = {}): Promise<string[]> {
  return await withCoreBuild(tree, { arguments: ["C=2"], files }, (directory, said) =>
    Promise.resolve(said.split("\n").filter((line) => line.startsWith(`${directory}/`) && /: (?:warning|error):/.test(line))),
  );
}
