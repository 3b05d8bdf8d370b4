import { describe, expect, test } from "vitest";
import { IncludeGraph } from "../../../src/kbuild/include-graph.js";
import { temporaryDirectory, writeFiles } from "./temp-dir.js";

const source = temporaryDirectory();
writeFiles(source, {
  "include/linux/a.h": "",
  "include/linux/b.h": "#include <linux/a.h>\n",
  "include/asm-generic/gen.h": "",
  "arch/x86/include/asm/own.h": "",
  "include/asm-generic/own.h": "",
  "net/internal.h": "",
  "fs/internal.h": "",
  "net/x.c": '# include "internal.h"\n#include <linux/b.h>\n',
  "fs/y.c": '#include "internal.h"\n#include <asm/gen.h>\n#include <asm/own.h>\n',
  "drivers/z/z.c": '#include <z/odd.h>\n  #  include "../../fs/internal.h"\n',
  "drivers/z/include/z/odd.h": "",
  "kernel/w.c": '#include "w_inc.c"\n// #include <linux/a.h>\n',
  "kernel/w_inc.c": "",
  "tools/t.c": "#include <linux/a.h>\n",
  "arch/arm/t.c": "#include <linux/a.h>\n",
});

describe("who includes", () => {
  test.each([
    ["include/linux/a.h", ["include/linux/b.h", "net/x.c"]],
    ["net/internal.h", ["net/x.c"]],
    ["fs/internal.h", ["drivers/z/z.c", "fs/y.c"]],
    ["include/asm-generic/gen.h", ["fs/y.c"]],
    ["include/asm-generic/own.h", []],
    ["arch/x86/include/asm/own.h", ["fs/y.c"]],
    ["drivers/z/include/z/odd.h", ["drivers/z/z.c"]],
    ["kernel/w_inc.c", ["kernel/w.c"]],
  ])("%s: %j", async (file, expected) => {
    const graph = await IncludeGraph.ofTree(source);
    expect([...(await graph.includersOf([file]))].sort()).toEqual(expected);
  });

  test("within one directory", async () => {
    const graph = await IncludeGraph.ofDirectory(source, "kernel");
    expect([...(await graph.includersOf(["kernel/w_inc.c"]))]).toEqual(["kernel/w.c"]);
  });
});
