import { describe, expect, it } from "vitest";
import { expandedFrom } from "../../../../src/kbuild/compile/preprocessed.js";

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
    const { ownNames, names } = expandedFrom(TEXT);
    expect([...ownNames].sort()).toEqual(["raw", "second"]);
    expect(names).toEqual(expect.arrayContaining(["of_header", "raw", "second", "word"]));
    expect(names).not.toContain("net");
  });

  it("is the same where only headers, places and empty lines differ", () => {
    const { own } = expandedFrom(TEXT);
    expect(expandedFrom(TEXT.replace("of_header", "other").replace("# 3", "\n# 4")).own).toBe(own);
    expect(expandedFrom(TEXT.replace("second", "third")).own).not.toBe(own);
  });
});
