import { expect, test } from "vitest";
import { findLineEnds } from "../../../src/source/line-ends.js";

/** Each line with + if a directive may follow it, - if not. */
const marked = (lines: readonly string[]): string[] =>
  findLineEnds(`${lines.join("\n")}\n`).map((end, index) => `${end.safe ? "+" : "-"}${lines[index] ?? ""}`);

test.each<[what: string, lines: string[]]>([
  [
    "statements",
    ["+int a;", "+void f(void)", "+{", "+\ta = 1;", "+}"].map((line) => (line.includes("void f") ? `-${line.slice(1)}` : line)),
  ],
  ["an argument list over lines", ["-\tfoo(a,", "-\t    b", "+\t);"]],
  ["a macro whose arguments may follow", ["-\tFOO", "+\t(x);"]],
  ["comments", ["+int a;", "-/* one", "-   ; two", "+   three */", "+// four;", "+int b;"]],
  ["a directive that continues", ["-#define X \\", "-\ta; \\", "+\tb"]],
  ["strings", ['-char *a = "x; \\', '+y";', "+char c = '\"';", "+int d;"]],
  ["initialisers", ["+int t[] = {", "+\t1,", "-\t2", "+};"]],
  ["labels", ["+out:", "+\treturn;"]],
  ["branches that both open the same parenthesis", ["+#ifdef A", "-if (foo(", "+#else", "-if (bar(", "-#endif", "-  x))", "+  y();"]],
])("%s", (_, expected) => {
  expect(marked(expected.map((line) => line.slice(1)))).toEqual(expected);
});

test("conditions are counted and branches named", () => {
  const ends = findLineEnds("#if A\nint a;\n#elif B\n# else\n#ifdef C\n#endif\n#endif\n");
  expect(ends.map(({ conditions, branch }) => `${conditions}${branch === undefined ? "" : ` ${branch}`}`)).toEqual([
    "1",
    "1",
    "1 else",
    "1 else",
    "2",
    "1 endif",
    "0 endif",
  ]);
});
