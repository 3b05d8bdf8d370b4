import { describe, expect, it } from "vitest";
import type { KbuildAnswer } from "../../../../src/kbuild/compile/ask-kbuild.js";
import { findDiffering, madeOf } from "../../../../src/kbuild/reach/build-rules.js";

const BUILD = { outDir: "/cache/out", source: "/tree" };

function answer(object: string, source: string): KbuildAnswer {
  return {
    kind: "c",
    isBuiltIn: true,
    isModular: false,
    isWholeModule: false,
    partOf: [],
    object,
    source,
    prerequisites: [],
    command: `gcc -c -o ${object} ${source}`,
  };
}

/** What kbuild tells of a directory, asked in a copy of the output directory, with another source. */
function asked(name: string, objects: readonly string[]): ReturnType<typeof madeOf> {
  const place = { outDir: `/cache/tmp/${name}`, source: `/views/${name}` };
  const tool = `${place.outDir}/tools/bpf/resolve_btfids/libsubcmd/help.o`;
  const told = [...objects.map((object) => answer(object, `${place.source}/${object.replace(".o", ".c")}`)), answer(tool, "help.c")];
  return madeOf(new Map([["fs/proc", told]]), place, BUILD);
}

describe("what kbuild makes", () => {
  it("is the same wherever it was asked, objects of tools included, which it tells with their whole path", () => {
    expect(findDiffering(asked("unpatched", ["fs/proc/loadavg.o"]), asked("patched", ["fs/proc/loadavg.o"]), [])).toEqual([]);
  });

  it("differs in the objects that the patch is about, and in no others", () => {
    expect(findDiffering(asked("unpatched", ["fs/proc/loadavg.o"]), asked("patched", ["fs/proc/load.o"]), [])).toEqual([
      "fs/proc/loadavg.o is made no more",
      "fs/proc/load.o is made anew",
    ]);
  });

  it("may be more, of files that the patch brings", () => {
    const [before, after] = [asked("unpatched", ["fs/proc/loadavg.o"]), asked("patched", ["fs/proc/loadavg.o", "fs/proc/load.o"])];
    expect(findDiffering(before, after, ["fs/proc/load.c"])).toEqual([]);
    expect(findDiffering(before, after, ["fs/proc/other.c"])).toEqual(["fs/proc/load.o is made anew"]);
  });
});
