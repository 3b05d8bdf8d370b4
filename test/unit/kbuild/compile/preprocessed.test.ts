import { describe, expect, it } from "vitest";
import { expandedFrom, SEVERAL } from "../../../../src/kbuild/compile/preprocessed.js";

/** What gcc -E writes of a unit that includes one header between its own lines. */
const TEXT = `# 0 "net/raw.c"
# 1 "include/linux/x.h" 1
extern int of_header;
# 3 "net/raw.c" 2
int raw(void) { return sizeof("word"); }
  int second;
`;

describe("what a unit comes to behind the preprocessor", () => {
  it("has its own names apart from those of headers, and no words of strings among them", () => {
    const { ownNames, names } = expandedFrom(TEXT, "/top");
    expect([...ownNames].sort()).toEqual(["raw", "second"]);
    expect(names).toEqual(expect.arrayContaining(["of_header", "raw", "second", "word"]));
    expect(names).not.toContain("net");
  });

  it("tells of each name which file has it, from the top of the source, or that several have", () => {
    const text = '# 1 "/top/net/../include/a.h" 1\nint x; int y;\n# 1 "./include/b.h" 1\nint y;\n# 2 "/top/net/raw.c" 2\nint z;\n';
    const { names, homes, files } = expandedFrom(text, "/top");
    const home = (name: string): string | undefined => files[homes[names.indexOf(name)] ?? SEVERAL];
    expect({ x: home("x"), y: home("y"), z: home("z") }).toEqual({ x: "include/a.h", y: undefined, z: "net/raw.c" });
  });

  it("is the same where only headers, places and empty lines differ", () => {
    const { own } = expandedFrom(TEXT, "/top");
    expect(expandedFrom(TEXT.replace("of_header", "other").replace("# 3", "\n# 4"), "/top").own).toBe(own);
    expect(expandedFrom(TEXT.replace("second", "third"), "/top").own).not.toBe(own);
  });
});
