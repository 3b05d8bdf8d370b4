import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { parseLineChanges, restoreLineNumbers } from "../../../src/source/line-directives.js";

const directory = mkdtempSync(join(tmpdir(), "ksplice-test-"));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

function restore(pre: string, post: string): string {
  writeFileSync(join(directory, "pre.c"), pre);
  writeFileSync(join(directory, "post.c"), post);
  const diff = spawnSync("diff", ["pre.c", "post.c"], { cwd: directory, encoding: "utf8" }).stdout;
  return restoreLineNumbers(post, parseLineChanges(diff));
}

test("diff's three kinds of change are read", () => {
  expect(parseLineChanges("7a8,9\n> x\n> y\n4d3\n< z\n3,5c3\n")).toEqual([
    { preStart: 8, preEnd: 8, postStart: 8, postEnd: 10 },
    { preStart: 4, preEnd: 5, postStart: 4, postEnd: 4 },
    { preStart: 3, preEnd: 6, postStart: 3, postEnd: 4 },
  ]);
});

describe("a #line is put", () => {
  test("behind added lines", () => {
    expect(restore("a;\nb;\nc;\n", "a;\nx;\nb;\nc;\n")).toBe("a;\nx;\n#line 2\nb;\nc;\n");
  });

  test("behind removed lines", () => {
    expect(restore("a;\nb;\nc;\n", "a;\nc;\n")).toBe("a;\n#line 3\nc;\n");
  });

  test("nowhere if no line is shifted", () => {
    expect(restore("a;\nb;\nc;\n", "a;\nx;\nc;\n")).toBe("a;\nx;\nc;\n");
  });

  test("only where a directive may stand", () => {
    expect(restore("f(a,\n  b);\nc;\n", "f(x,\n  a,\n  b);\nc;\n")).toBe("f(x,\n  a,\n  b);\n#line 3\nc;\n");
  });

  test("again in each branch and behind all, for one of them is not compiled", () => {
    expect(restore("#if A\na;\n#else\nb;\n#endif\nc;\n", "#if A\nx;\na;\n#else\nb;\n#endif\nc;\n")).toBe(
      "#if A\nx;\n#line 2\na;\n#else\n#line 4\nb;\n#endif\n#line 6\nc;\n",
    );
  });
});

/** Pieces of C with traps for whoever puts a line between; every use of __LINE__ shows in the output. */
const PIECES = [
  "mark(__LINE__);",
  "two(1,\n\t__LINE__,\n\t2);",
  "/* a comment;\n   that goes on { */",
  "#ifdef NOT\nmark(__LINE__);\n#else\nmark(__LINE__);\n#endif",
  "#if 1\nmark(__LINE__);\n#endif",
  '"string; with \\" quote\\\n and more"; mark(__LINE__);',
  "#define M(x) \\\n\tmark(x)",
  "{\n\tmark(__LINE__);\n}",
  "FUNCTION_LIKE\n(__LINE__);",
];

test("whatever is added, the preprocessor sees the old numbers in all old code", () => {
  const preprocess = (text: string): string => {
    const result = spawnSync("gcc", ["-E", "-P", "-x", "c", "-"], { input: text, encoding: "utf8" });
    expect(result.stderr).toBe("");
    return result.stdout.replaceAll(/added;\s*/g, "");
  };
  fc.assert(
    fc.property(
      fc.array(fc.record({ piece: fc.constantFrom(...PIECES), added: fc.integer({ min: 0, max: 2 }) }), { minLength: 1, maxLength: 8 }),
      (parts) => {
        const head = "#define FUNCTION_LIKE(x) fl(x)\n";
        const pre = `${head}${parts.map(({ piece }) => `${piece}\nend;\n`).join("")}`;
        const post = `${head}${parts.map(({ piece, added }) => `${"added;\n".repeat(added)}${piece}\nend;\n`).join("")}`;
        expect(preprocess(restore(pre, post))).toBe(preprocess(pre));
      },
    ),
    { numRuns: 60 },
  );
});
