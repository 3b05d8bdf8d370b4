import { describe, expect, it } from "vitest";
import { coreTree } from "./support/core-kernels.js";
import { withCoreBuild } from "./support/core-modules.js";
import { seriesByDay } from "./support/series.js";

/** The core compiles for kernels that lack what it makes use of: Debian's own headers, with options taken back. */

interface Lack {
  readonly options: readonly string[];
  /** What a kernel without them does not have. */
  readonly names: RegExp;
}

const LACKING: Readonly<Record<string, Lack>> = {
  "ftrace and livepatch": {
    options: [
      ...["LIVEPATCH", "FTRACE", "FUNCTION_TRACER", "FUNCTION_GRAPH_TRACER", "DYNAMIC_FTRACE", "DYNAMIC_FTRACE_WITH_ARGS"],
      ...["DYNAMIC_FTRACE_WITH_REGS", "DYNAMIC_FTRACE_WITH_DIRECT_CALLS", "KPROBES_ON_FTRACE"],
    ],
    names: /ftrace|klp/,
  },
  kprobes: { options: ["KPROBES", "KPROBES_ON_FTRACE", "OPTPROBES", "KRETPROBES", "RETHOOK", "KRETPROBE_ON_RETHOOK"], names: /kprobe/ },
  "jump labels": { options: ["JUMP_LABEL"], names: /jump_label/ },
  "reliable stacks": { options: ["HAVE_RELIABLE_STACKTRACE", "STACKTRACE"], names: /stack_trace/ },
};

describe.each(seriesByDay("6.1"))("the core's source, on %s", (series) => {
  it.each(Object.entries(LACKING))("compiles without %s", async (_, { options, names }) => {
    const files = {
      "lacks.h": options.map((option) => `#undef CONFIG_${option}\n`).join(""),
      Kbuild: "subdir-ccflags-y := -include $(src)/lacks.h\nobj-m := kmod/\n",
    };
    const said = await withCoreBuild(await coreTree(series), { arguments: ["W=1"], files }, (_directory, words) => Promise.resolve(words));
    const needed = Array.from(said.matchAll(/modpost: "(\w+)" \S+ undefined/g), ([, name = ""]) => name);
    expect(needed).toContain("text_mutex");
    expect(needed.filter((name) => names.test(name))).toEqual([]);
  });
});
