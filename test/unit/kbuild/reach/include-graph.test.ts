import { describe, expect, test } from "vitest";
import { IncludeGraph } from "../../../../src/kbuild/reach/include-graph.js";
import { temporaryDirectory, writeFiles } from "../../../support/temp-dir.js";

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
  "include/uapi/asm-generic/told.h": "",
  "include/linux/magic.h": "#include MAGIC_FILE\n",
  "include/linux/magic_api.h": "#define MAGIC_FILE <linux/magic_what.h>\n",
  "include/linux/magic_what.h": "",
  "include/linux/kconfig.h": "",
  "net/magic.c": "#include <linux/magic_api.h>\n",
  "net/trace/shown_trace.h": "",
  "net/trace/own.h": "#define TRACE_SYSTEM x\n#define TRACE_INCLUDE_FILE shown_trace\n",
  "arch/x86/lib/l.S": "#include <asm/told.h>\n#include <asm/own.h>\n",
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
    ["arch/x86/include/asm/own.h", ["arch/x86/lib/l.S", "fs/y.c"]],
    ["include/uapi/asm-generic/told.h", ["arch/x86/lib/l.S"]],
    ["include/linux/magic_what.h", ["include/linux/magic_api.h", "net/magic.c"]],
    ["net/trace/shown_trace.h", ["net/trace/own.h"]],
    ["include/linux/kconfig.h", ["arch/x86/lib/l.S", "drivers/z/z.c", "fs/y.c", "kernel/w.c", "net/magic.c", "net/x.c"]],
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
