import { describe, expect, test } from "vitest";
import { changedCallbacks } from "../../../src/btf/changed-callbacks.js";
import { compareTypes } from "../../../src/btf/compare-types.js";
import { compileBtf, HAS_PAHOLE } from "../../support/compile-types.js";

const USE = " int use(struct ops *ops) { return ops->flags; }";
const OPS = `struct item; struct ops { int (*show)(struct item *item); void (*done)(int); int flags; };${USE}`;

const suite = HAS_PAHOLE ? describe : describe.skip;
suite("callbacks that change", () => {
  const findings = (post: string) => compareTypes(compileBtf(OPS, "pre"), compileBtf(post, "post")).findings;

  test.each<[string, string, string[] | undefined]>([
    ["one that takes more", OPS.replace("struct item *item", "struct item *item, int more"), ["show"]],
    ["one that returns something else", OPS.replace("int (*show)", "long (*show)"), ["show"]],
    ["two", OPS.replace("struct item *item", "long item").replace("(*done)(int)", "(*done)(void)"), ["show", "done"]],
    ["one beside a member that is renamed", OPS.replace("struct item *item", "long item").replaceAll("flags", "marks"), undefined],
    ["one beside a member that comes", OPS.replace("struct item *item", "long item").replace("int flags;", "int flags, more;"), undefined],
    [
      "one beside another that moves",
      OPS.replace(/(int \(\*show\).*?;) (void.*?;)/, "$2 $1").replace("struct item *item", "long item"),
      undefined,
    ],
    ["one that becomes another pointer", OPS.replace("int (*show)(struct item *item)", "struct ops *show"), undefined],
    ["one that becomes an array", OPS.replace("int (*show)(struct item *item); void (*done)(int)", "int (*show[2])(long)"), undefined],
  ])("%s", (_, post, expected) => {
    const [finding] = findings(post);
    if (finding === undefined) throw new Error("nothing was found");
    expect(changedCallbacks(finding)?.map(({ member }) => member)).toEqual(expected);
    expect(changedCallbacks({ ...finding, hasMoved: true })).toBeUndefined();
  });
});
