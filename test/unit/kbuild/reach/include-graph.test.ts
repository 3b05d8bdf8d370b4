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
  "fs/one/trace.h": "#define TRACE_SYSTEM other\n#define TRACE_INCLUDE_FILE trace\n",
  "fs/two/trace.h": "#define TRACE_SYSTEM two\n#define TRACE_INCLUDE_FILE trace\n",
  "fs/other.h": "",
  "fs/one/one.c": '#include "trace.h"\n',
  "fs/three/sched.h": "#define TRACE_SYSTEM sched\n",
  "include/trace/events/sched.h": "#define TRACE_SYSTEM sched\n",
  "include/linux/up.h": "",
  "include/linux/smp.h": "",
  "include/linux/spin.h": "#ifdef CONFIG_SMP\n# include <linux/smp.h>\n#else\n# include <linux/up.h>\n#endif\n",
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
    // Most headers of trace events name themselves.
    ["fs/two/trace.h", []],
    ["fs/one/trace.h", ["fs/one/one.c"]],
    ["fs/other.h", []],
    ["include/trace/events/sched.h", ["fs/three/sched.h"]],
    ["include/linux/up.h", ["include/linux/spin.h"]],
    ["include/linux/kconfig.h", ["arch/x86/lib/l.S", "drivers/z/z.c", "fs/one/one.c", "fs/y.c", "kernel/w.c", "net/magic.c", "net/x.c"]],
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

  test.each([
    ["CONFIG_SMP=y\n", ["smp"]],
    ["# CONFIG_SMP is not set\n", ["up"]],
    // Something else may define it.
    ["", ["smp", "up"]],
  ])("as %j has it built: %j", async (config, expected) => {
    const graph = (await IncludeGraph.ofTree(source)).asBuilt(config);
    const found: string[] = [];
    for (const name of ["smp", "up"]) if ((await graph.includersOf([`include/linux/${name}.h`])).size > 0) found.push(name);
    expect(found).toEqual(expected);
  });

  test("what stands in a branch that is left out and in another one is included", async () => {
    const tree = temporaryDirectory();
    writeFiles(tree, {
      "include/linux/both.h": "",
      "include/linux/named.h": "",
      "include/linux/spin.h":
        "#ifdef CONFIG_SMP\n#include <linux/both.h>\n#else\n#include <linux/both.h>\n#include <linux/named.h>\n#endif\n" +
        "#define LATER <linux/named.h>\n",
      "arch/x86/none.c": "",
    });
    const graph = (await IncludeGraph.ofTree(tree)).asBuilt("CONFIG_SMP=y\n");
    for (const name of ["both", "named"])
      expect([...(await graph.includersOf([`include/linux/${name}.h`]))], name).toEqual(["include/linux/spin.h"]);
  });

  test("an option that some file sets for itself is not taken as settled", async () => {
    const tree = temporaryDirectory();
    writeFiles(tree, {
      "include/linux/up.h": "",
      "include/linux/spin.h": "#ifndef CONFIG_SMP\n#include <linux/up.h>\n#endif\n",
      "kernel/own.c": "#undef CONFIG_SMP\n#include <linux/spin.h>\n",
      "arch/x86/none.c": "",
    });
    const graph = (await IncludeGraph.ofTree(tree)).asBuilt("CONFIG_SMP=y\n");
    expect([...(await graph.includersOf(["include/linux/up.h"]))].sort()).toEqual(["include/linux/spin.h", "kernel/own.c"]);
  });
});
