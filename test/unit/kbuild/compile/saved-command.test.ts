import { describe, expect, test } from "vitest";
import { redirectCommand } from "../../../../src/kbuild/compile/redirect-command.js";
import { valueOfDefine, parseDependencyRule, parseSavedCommand } from "../../../../src/kbuild/compile/saved-command.js";

const DEPENDENCIES = `
source_net/x.o := /src/net/x.c

deps_net/x.o := \\
    $(wildcard include/config/NET) \\
  /src/include/linux/x.h \\
  include/generated/y.h \\

net/x.o: $(deps_net/x.o)
`;

describe("a kbuild command file", () => {
  test.each(["cmd_net/x.o", "savedcmd_net/x.o"])("is read in the spelling %s", (name) => {
    const text = `${name} := gcc-12 -DA='"x$$y"' -c -o net/x.o /src/net/x.c   ; ./tools/objtool/objtool --orc net/x.o\n${DEPENDENCIES}`;
    expect(parseSavedCommand(text)).toEqual({
      compile: ["gcc-12", '-DA="x$y"', "-c", "-o", "net/x.o", "/src/net/x.c"],
      objtool: ["./tools/objtool/objtool", "--orc"],
      dependencies: ["/src/net/x.c", "/src/include/linux/x.h", "include/generated/y.h"],
    });
  });

  test("may hold no objtool", () => {
    expect(parseSavedCommand("savedcmd_x.o := gcc -c -o x.o x.c \n")?.objtool).toBeUndefined();
  });

  test.each(["", "cmd_x.o := ld -r -o x.o a.o b.o\n"])("without a compile command is none: %j", (text) => {
    expect(parseSavedCommand(text)).toBeUndefined();
  });
});

test("a dependency rule of the compiler gives its prerequisites", () => {
  expect(parseDependencyRule("unit.o: /src/a.c /src/with\\ blank.h \\\n include/../b.h\n\nb.h:\n")).toEqual([
    "/src/a.c",
    "/src/with blank.h",
    "include/../b.h",
  ]);
});

test("a definition is found without its quotes", () => {
  expect(valueOfDefine(["gcc", '-DKBUILD_MODNAME="i2c_dev"'], "KBUILD_MODNAME")).toBe("i2c_dev");
  expect(valueOfDefine(["gcc"], "KBUILD_MODNAME")).toBeUndefined();
});

test("a command is redirected to another tree and output, and to nothing else", () => {
  const compile = [
    "gcc-12",
    "-Wp,-MMD,net/.x.o.d",
    "-I/src/include",
    "-I./include",
    "-I",
    "/src/net",
    "-include",
    "/src/include/a.h",
    "-fmacro-prefix-map=/src/=",
    '-DPATH="/srcs/x"',
    "-c",
    "-o",
    "net/x.o",
    "/src/net/x.c",
  ];
  expect(redirectCommand(compile, { from: "/src", to: "/shadow", object: "/tmp/x.o", rule: "/tmp/x.d" })).toEqual([
    "gcc-12",
    "-I/shadow/include",
    "-I./include",
    "-I",
    "/shadow/net",
    "-include",
    "/shadow/include/a.h",
    "-fmacro-prefix-map=/shadow/=",
    '-DPATH="/srcs/x"',
    "-c",
    "/shadow/net/x.c",
    "-Wp,-MMD,/tmp/x.d",
    "-o",
    "/tmp/x.o",
  ]);
});
