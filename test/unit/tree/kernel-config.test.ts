import { expect, test } from "vitest";
import { findConfigVersion, findDefinedString, findSourceVersion, parseConfig } from "../../../src/tree/kernel-config.js";

test("options are read, unset ones are absent, strings are unquoted", () => {
  const config = parseConfig('CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=m\nCONFIG_D="a \\"b\\""\nCONFIG_E=14\n');
  expect([...config]).toEqual([
    ["A", "y"],
    ["C", "m"],
    ["D", 'a "b"'],
    ["E", "14"],
  ]);
});

test("the version stands in the first comment", () => {
  expect(findConfigVersion("#\n# Automatically generated file; DO NOT EDIT.\n# Linux/x86 6.1.170 Kernel Configuration\n#\n")).toBe(
    "6.1.170",
  );
  expect(findConfigVersion("CONFIG_A=y\n")).toBeUndefined();
});

test.each([
  ["VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 170\nEXTRAVERSION =\nNAME = Curry Ramen\n", "6.1.170"],
  ["VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 0\nEXTRAVERSION = -rc1\n", "6.12.0-rc1"],
  ["all:\n\techo hello\n", undefined],
])("the source version of %j is %s", (makefile, version) => {
  expect(findSourceVersion(makefile)).toBe(version);
});

test("a defined string is found by its name", () => {
  expect(findDefinedString('#define A "x"\n#define UTS_RELEASE "6.1.0-47-amd64"\n', "UTS_RELEASE")).toBe("6.1.0-47-amd64");
});
