import { describe, expect, it } from "vitest";
import { readTopLevel, splitHead, topLevelItems, type TopLevelItem } from "../../../src/source/top-level-items.js";

const functions = (items: readonly TopLevelItem[] | undefined): string[] | undefined =>
  items?.filter(({ kind }) => kind === "function").map(({ head }) => splitHead(head)?.name ?? "?");
const last = "int last(void) { return 2; }\n";

describe("a source of which a branch of an #if holds half a block", () => {
  it.each([
    ["an if that has two conditions", "int f(int a)\n{\n#ifdef A\n\tif (a) {\n#else\n\tif (!a) {\n#endif\n\t\tg(a);\n\t}\n}\n"],
    [
      "a condition that is there in one configuration",
      "int f(int a)\n{\n#ifdef A\n\tif (a)\n\t{\n#endif\n\t\tg(a);\n#ifdef A\n\t}\n#endif\n}\n",
    ],
    ["two heads", "#ifdef A\nint f(int a)\n{\n#else\nint f(void)\n{\n\tint a = 1;\n#endif\n\tg(a);\n}\n"],
    [
      "a parenthesis",
      "int f(int a)\n{\n\treturn (a ||\n#ifdef A\n\t\tg(a));\n#elif defined(B)\n\t\tg(1));\n#else\n\t\tg(0));\n#endif\n}\n",
    ],
    ["a branch that is never closed", "int f(int a)\n{\n#ifdef A\n\tif (a) {\n#endif\n\t\tg(a);\n}\n"],
  ])("is not taken apart where nothing may be missed, and is where rules look for something: %s", (_, source) => {
    expect(readTopLevel(source + last)).toBeUndefined();
    const items = topLevelItems(source + last);
    expect(functions(items)).toEqual(["f", "last"]);
    expect(items.find(({ kind }) => kind === "function")?.body).toContain("g ( ");
  });

  it("is read as far as it goes", () => {
    expect(functions(topLevelItems("int f(void) { if (1) {"))).toEqual(["f"]);
    expect(functions(topLevelItems(`}\n)\n#endif\n#else\n${last}`))).toEqual(["last"]);
  });

  it("has the words of all branches", () => {
    const [item] = topLevelItems("int f(int a)\n{\n#ifdef A\n\tif (one(a)) {\n#else\n\tif (two(a)) {\n#endif\n\t}\n}\n");
    expect(item?.body).toContain("one ( a )");
    expect(item?.body).toContain("two ( a )");
  });
});

describe("any other source", () => {
  it.each([
    "int a;\nint f(void)\n{\n}\n",
    "#ifdef A\nint f(void) { return 0; }\n#else\nint f(void) { return 1; }\n#endif\n",
    "struct s { int a; }\n;",
  ])("is read the same either way: %j", (source) => {
    expect(readTopLevel(source)).toBeDefined();
    expect(topLevelItems(source)).toEqual(readTopLevel(source));
  });
});

describe("what only C++ sees", () => {
  it.each(["#if defined(__cplusplus)", "#ifdef __cplusplus", "#if defined __cplusplus", "# ifdef  __cplusplus"])(
    "does not count: %s",
    (line) => {
      const source = `${line}\nextern "C" {\n#endif\nstruct s { int a; };\n${line}\n}\n#endif\n`;
      expect(
        readTopLevel(source)
          ?.filter(({ kind }) => kind !== "directive")
          .map(({ head }) => head),
      ).toEqual(["struct s { int a ; } ;"]);
    },
  );

  it("its other branch does", () => {
    const source = '#ifdef __cplusplus\nextern "C" {\n#else\nint only_in_c;\n#endif\n';
    expect(readTopLevel(source)?.map(({ head }) => head)).toContain("int only_in_c ;");
  });
});
