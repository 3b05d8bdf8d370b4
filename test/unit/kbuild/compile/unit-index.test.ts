import { expect, test } from "vitest";
import { parseAnswers } from "../../../../src/kbuild/compile/ask-kbuild.js";
import { indexObjects } from "../../../../src/kbuild/compile/unit-index.js";

/** What kbuild says of `drm/xe/OBJECT`. @param lists of modules' objects, of modules; names of what it is part of */
function targetsOf(object: string, lists: string, modname: string): readonly string[] | undefined {
  const path = `drm/xe/${object}`;
  const told = `cc_o_c||${lists.replaceAll("@", path)}|${path}|/src/drm/${object.replace(".o", ".c")}||gcc -DMODULE -DKBUILD_MODNAME='"${modname}"' -c x.c\n`;
  return indexObjects(new Map([["drm/xe", parseAnswers(told)]]), { source: "/src" })[0]?.targets;
}

test.each([
  ["a part of a module", "part.o", "@||xe", "xe", ["xe"]],
  ["a part by a rule of the makefile's own, which kbuild names like a module of its own", "i915-display/part.o", "@||xe", "part", ["xe"]],
  ["a part of several", "part.o", "@||liquid-io liquid-io-vf", "liquid_io:liquid_io_vf", ["liquid_io", "liquid_io_vf"]],
  ["a module of its own", "one-file.o", "@|@|", "one_file", ["one_file"]],
  ["a module of its own and a part of another", "both.o", "@|@|xe", "xe", ["both", "xe"]],
  ["one of a kernel whose lists do not say it", "part.o", "@||", "xe", ["xe"]],
])("%s is known by the modules that have it", (_, object, lists, modname, targets) => {
  expect(targetsOf(object, lists, modname)).toEqual(targets);
});

test.each([
  ["by absolute paths", "/src/extra/greeter/lib/words", "/src/extra/greeter", undefined],
  ["beside its source, as since Linux 6.13", "lib/words", ".", "extra/greeter"],
])("an external module's objects are known that kbuild names %s", (_, stem, owner, directory) => {
  const told = `cc_o_c||${stem}.o||greeter|${stem}.o|${stem}.c|include/made.h|gcc -DMODULE -DKBUILD_MODNAME='"greeter"' -c x.c\n`;
  const external = { name: "greeter", directory: "extra/greeter", builtIn: "/build" };
  const [object] = indexObjects(new Map([[owner, parseAnswers(told)]]), { source: "/src", external });
  expect(object).toMatchObject({
    path: "extra/greeter/lib/words.o",
    object: `${stem}.o`,
    source: "extra/greeter/lib/words.c",
    targets: ["greeter"],
    generated: [],
  });
  expect(object?.directory).toBe(directory);
});
