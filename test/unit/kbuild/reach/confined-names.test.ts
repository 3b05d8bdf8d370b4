import { expect, it } from "vitest";
import { openReachIndex } from "../../../../src/kbuild/reach/words/build-reach-index.js";
import { confinedNames } from "../../../../src/kbuild/reach/words/confined-names.js";
import { temporaryDirectory, writeFiles } from "../../../support/temp-dir.js";

const H = "include/h.h";

async function confined(header: string, other = ""): Promise<string[] | undefined> {
  const root = temporaryDirectory();
  writeFiles(root, { [H]: header, "include/other.h": other });
  const index = await openReachIndex([root], [H, "include/other.h"], undefined);
  const names = confinedNames(index, new Map([[H, new Set(["foo"])]]));
  return names === undefined ? undefined : [...names].sort();
}

const USES = "static inline int g(void)\n{\n\treturn BAR(1);\n}\n";

it.each<[what: string, header: string, other: string, names: string[] | undefined]>([
  ["nothing else", "int foo(int);\nint bar(int);\n", "int baz(int);\n", ["foo"]],
  ["what calls it", "int foo(int);\nstatic inline int g(void)\n{\n\treturn foo(1);\n}\nint h(int);\n", "", ["foo", "g"]],
  ["what uses it by another header's macro", `int foo(int);\n${USES}`, "#define BAR(x) foo(x)\n", ["foo", "g"]],
  ["what uses it by a macro that puts it together", `int foo(int);\n${USES}`, "#define BAR(x) fo##o(x)\n", ["foo", "g"]],
  [
    "what another header has of it, which it would mention",
    "int foo(int);\n",
    "static inline int g(void)\n{\n\treturn foo(1);\n}\n",
    ["foo"],
  ],
  ["nothing that can be told, where the header has data of its own", "int foo(int);\nint (*const p)(int) = foo;\n", "", undefined],
])("a header's changed name is confined to it, with %s", async (_, header, other, names) => {
  expect(await confined(header, other)).toEqual(names);
});
