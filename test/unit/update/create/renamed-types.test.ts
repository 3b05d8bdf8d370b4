import { describe, expect, it } from "vitest";
import { findRenamedTypes } from "../../../../src/update/create/renamed-types.js";

const uses = (type: string): string => `int get(${type} *x) { return x->a; }`;
const find = (pre: string, post: string): [string, readonly string[]][] => [...findRenamedTypes([{ path: "a.c", pre, post }])];

describe("a type that a patch calls otherwise", () => {
  it.each<[name: string, pre: string, post: string, expected: [string, string[]][]]>([
    [
      "a struct",
      `struct old { int a; }; ${uses("struct old")}`,
      `struct fresh { int a; }; ${uses("struct fresh")}`,
      [["struct fresh", ["struct old"]]],
    ],
    [
      "a typedef",
      `typedef struct { int a; } old; ${uses("old")}`,
      `typedef struct { int a; } fresh; ${uses("fresh")}`,
      [["fresh", ["old"]]],
    ],
    [
      "one that another type holds",
      "struct old { int a; }; struct holder { struct old *first; };",
      "struct fresh { int a; }; struct holder { struct fresh *first; };",
      [["struct fresh", ["struct old"]]],
    ],
    [
      "not one that comes beside it",
      `struct old { int a; }; ${uses("struct old")}`,
      `struct old { int a; }; struct fresh { int a; }; ${uses("struct fresh")}`,
      [],
    ],
    [
      "not one that others use",
      `struct old { int a; }; ${uses("struct old")}`,
      `struct fresh { int a; }; int other(struct fresh *x) { return x->a; }`,
      [],
    ],
  ])("%s", (_, pre, post, expected) => {
    expect(find(pre, post)).toEqual(expected);
  });
});
