import { describe, expect, it } from "vitest";
import { areRenamedThroughout } from "../../../../src/update/create/renamed-members.js";

const PRE = `struct foo {
	unsigned short old; /* shown */
};
int show(struct foo *foo) { print("%d", foo->old); return offsetof(struct foo, old); }
void set(struct foo *foo, int old) { foo->old = old; other(old); }
`;

describe("a member that is called otherwise", () => {
  const renames = [{ before: "old", after: "fresh" }];
  it.each<[name: string, post: string, expected: boolean]>([
    ["everywhere", PRE.replaceAll("->old", "->fresh").replace("old; /", "fresh; /").replace(", old)", ", fresh)"), true],
    [
      "and has another type",
      PRE.replaceAll("->old", "->fresh").replace("unsigned short old", "u16 fresh").replace(", old)", ", fresh)"),
      true,
    ],
    ["and is written otherwise", PRE.replaceAll("->old", "->fresh").replace("fresh = old", "fresh++"), false],
    [
      "and is used at one place more",
      `${PRE.replaceAll("->old", "->fresh").replace(", old)", ", fresh)")} int more(struct foo *foo) { return foo->fresh; }`,
      false,
    ],
    ["and whose old uses go", PRE.replace('print("%d", foo->old); ', "").replaceAll("->old", "->fresh"), false],
  ])("%s: the same is %s", (_, post, expected) => {
    expect(areRenamedThroughout(renames, [{ path: "a.c", pre: PRE, post }])).toBe(expected);
  });
});
