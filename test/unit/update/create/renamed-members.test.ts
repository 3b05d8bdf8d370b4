import { describe, expect, it } from "vitest";
import { areEnumeratorsRenamedThroughout, areRenamedThroughout } from "../../../../src/update/create/renamed-members.js";

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

const STATES = `enum state { GOING, HELD = 1, DONE };
static void hold(struct item *item) { item->state = HELD; count(HELD); }
static int shown(struct item *item) { switch (item->state) { case HELD: return 1; default: return other(item); } }
`;

describe("an enumerator that is called otherwise", () => {
  const renames = [{ before: "HELD", after: "PAUSED" }];
  it.each<[name: string, post: string, expected: boolean]>([
    ["everywhere", STATES.replaceAll("HELD", "PAUSED"), true],
    ["everywhere, while others come beside it", STATES.replaceAll("HELD", "PAUSED").replace("DONE", "DONE, LOST"), true],
    ["and something else is done elsewhere", STATES.replaceAll("HELD", "PAUSED").replace("other(item)", "another(item)"), true],
    ["and means something else to one who tells it", STATES.replaceAll("HELD", "PAUSED").replace("return 1", "return 2"), false],
    ["and is used at one place less", STATES.replace(" count(HELD);", "").replaceAll("HELD", "PAUSED"), false],
    ["and is used at one place more", `${STATES.replaceAll("HELD", "PAUSED")} int more(void) { return PAUSED; }`, false],
    ["and is put elsewhere", STATES.replaceAll("HELD", "PAUSED").replace("item->state = PAUSED", "item->next = PAUSED"), false],
  ])("%s: the same is %s", (_, post, expected) => {
    expect(areEnumeratorsRenamedThroughout(renames, [{ path: "a.c", pre: STATES, post }])).toBe(expected);
  });

  it("is nobody's where nothing used it before", () => {
    const pre = "enum state { GOING, HELD };";
    const post = "enum state { GOING, PAUSED }; int paused(int state) { return state == PAUSED; }";
    expect(areEnumeratorsRenamedThroughout(renames, [{ path: "a.c", pre, post }])).toBe(true);
  });

  it("is the same also where it is used in a file that the patch does not touch otherwise", () => {
    const users = { path: "b.c", pre: "int b(void) { return HELD; }", post: "int b(void) { return PAUSED; }" };
    const header = { path: "a.h", pre: "enum state { GOING, HELD };", post: "enum state { GOING, PAUSED };" };
    expect(areEnumeratorsRenamedThroughout(renames, [header, users])).toBe(true);
    expect(areEnumeratorsRenamedThroughout(renames, [header, { ...users, post: "int b(void) { return 0; }" }])).toBe(false);
  });
});
