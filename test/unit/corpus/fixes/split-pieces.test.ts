import { describe, expect, it } from "vitest";
import { splitPieces, type SplitFile } from "../../../../corpus/fixes/split-pieces.js";
import { linesOf } from "../../../../corpus/fixes/lines-of.js";
import { parseLineChanges } from "../../../../src/source/line-directives.js";
import { plainDiff } from "../../../../src/kbuild/change/diff-texts.js";

async function split(pre: string, post: string, path = "a.c"): Promise<SplitFile> {
  return splitPieces({ path, pre, post, changes: parseLineChanges(await plainDiff(path, pre, post)) });
}

/** Each piece as the lines that it takes away and brings. */
async function piecesOf(pre: string, post: string, path?: string): Promise<string[][]> {
  const { pieces } = await split(pre, post, path);
  const [before, after] = [linesOf(pre), linesOf(post)];
  return pieces.map(({ hunks }) =>
    hunks.flatMap((hunk) => [
      ...before.slice(hunk.preStart - 1, hunk.preEnd - 1).map((line) => `-${line.trim()}`),
      ...after.slice(hunk.postStart - 1, hunk.postEnd - 1).map((line) => `+${line.trim()}`),
    ]),
  );
}

const F = "int f(int x)\n{\n\tint y = x;\n\ty++;\n\ty += 2;\n\ty += 3;\n\treturn y;\n}\n";
const G = "int g(void)\n{\n\treturn 1;\n}\n";
const TABLE = "static const int table[] = {\n\t1,\n\t2,\n\t3,\n\t4,\n\t5,\n};\n";

describe("a file's difference is taken apart", () => {
  it.each<[name: string, pre: string, post: string, pieces: string[][]]>([
    ["nothing", F, F, []],
    [
      "all changes of one function are a piece",
      `${F}\n${G}`,
      `${F.replace("int y = x", "int y = x + 1").replace("return y", "return -y")}\n${G}`,
      [["-int y = x;", "+int y = x + 1;", "-return y;", "+return -y;"]],
    ],
    [
      "two functions are two",
      `${F}\n${G}`,
      `${F.replace("return y", "return -y")}\n${G.replace("1", "2")}`,
      [
        ["-return y;", "+return -y;"],
        ["-return 1;", "+return 2;"],
      ],
    ],
    [
      "the comment before a function is part of it",
      `/* old */\n${F}`,
      `/* new */\n${F.replace("return y", "return -y")}`,
      [["-/* old */", "+/* new */", "-return y;", "+return -y;"]],
    ],
    [
      "new functions side by side are a piece each",
      F,
      `${F}\nint a(void)\n{\n\treturn 1;\n}\n\nint b(void)\n{\n\treturn 2;\n}\n`,
      [
        ["+", "+int a(void)", "+{", "+return 1;", "+}"],
        ["+", "+int b(void)", "+{", "+return 2;", "+}"],
      ],
    ],
    [
      "a new function before one that ends alike is told whole",
      `int a(void)\n{\n\treturn 1;\n}\n\nint c(void)\n{\n\treturn 3;\n}\n`,
      `int a(void)\n{\n\treturn 1;\n}\n\nint b(void)\n{\n\treturn 2;\n}\n\nint c(void)\n{\n\treturn 3;\n}\n`,
      [["+int b(void)", "+{", "+return 2;", "+}", "+"]],
    ],
    [
      "entries of a table that are apart",
      TABLE,
      TABLE.replace("1,\n", "10,\n").replace("5,\n", "50,\n"),
      [
        ["-1,", "+10,"],
        ["-5,", "+50,"],
      ],
    ],
    ["and those that are not", TABLE, TABLE.replace("1,\n", "10,\n").replace("3,\n", "30,\n"), [["-1,", "+10,", "-3,", "+30,"]]],
    [
      "members of a structure that are apart",
      "struct s {\n\tint a;\n\tint b;\n\tint c;\n\tint d;\n};\n",
      "struct s {\n\tint new_a;\n\tint a;\n\tint b;\n\tint c;\n\tint d;\n\tint new_d;\n};\n",
      [["+int new_a;"], ["+int new_d;"]],
    ],
    [
      "a macro of several lines is one",
      "#define M(x) do { \\\n\ta(x); \\\n\tb(x); \\\n\tc(x); \\\n\td(x); \\\n} while (0)\n",
      "#define M(x) do { \\\n\ta(x + 1); \\\n\tb(x); \\\n\tc(x); \\\n\td(x + 1); \\\n} while (0)\n",
      [["-a(x); \\", "+a(x + 1); \\", "-d(x); \\", "+d(x + 1); \\"]],
    ],
    [
      "a condition and its end belong together",
      `${F}\nint a;\nint b;\n\n${G}`,
      `${F}\n#ifdef CONFIG_X\nint a;\nint b;\n#endif\n\n${G}`,
      [["+#ifdef CONFIG_X", "+#endif"]],
    ],
    [
      "half a block in two branches does no harm",
      `#ifdef A\nint f(int x)\n{\n#else\nint f(long x)\n{\n#endif\n\treturn x;\n}\n\n${G}`,
      `#ifdef A\nint f(int x)\n{\n#else\nint f(long x)\n{\n#endif\n\treturn -x;\n}\n\n${G.replace("1", "2")}`,
      [
        ["-return x;", "+return -x;"],
        ["-return 1;", "+return 2;"],
      ],
    ],
    ["a file without a last line end", "int a;\nint b;", "int a;\nint c;", [["-int b;", "+int c;"]]],
  ])("%s", async (_, pre, post, pieces) => {
    expect(await piecesOf(pre, post)).toEqual(pieces);
  });

  it("a makefile by lines", async () => {
    expect(await piecesOf("a\nobj-y += x.o\nb\nc\n", "a\nobj-y += x.o y.o\nb\nd\n", "net/Makefile")).toEqual([
      ["-obj-y += x.o", "+obj-y += x.o y.o"],
      ["-c", "+d"],
    ]);
  });

  it("a new file is one piece", () => {
    const changes = [{ preStart: 1, preEnd: 1, postStart: 1, postEnd: 9 }];
    const { pieces } = splitPieces({ path: "n.c", pre: undefined, post: `${F}${G}`, changes });
    expect(pieces).toEqual([{ id: "n.c#0", path: "n.c", hunks: changes }]);
  });
});
