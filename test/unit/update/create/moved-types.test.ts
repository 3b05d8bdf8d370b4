import { describe, expect, it } from "vitest";
import { findMovedTypes } from "../../../../src/update/create/moved-types.js";
import type { TouchedText } from "../../../../src/update/units/touched-texts.js";

const STATE = "struct state { int a; };";
const uses = (type: string, name = "get"): string => `int ${name}(${type} *x) { return x->a; }`;
const file = (path: string, pre: string, post: string): TouchedText => ({ path, pre, post });

describe("a type that leaves its file", () => {
  it.each<[name: string, texts: TouchedText[], expected: [string, string, string[]][]]>([
    [
      "with the code that uses it",
      [file("a.c", `${STATE} ${uses("struct state")}`, ""), file("b.c", "", `${STATE} ${uses("struct state")}`)],
      [["a.c", "struct state", ["struct state"]]],
    ],
    ["for a header", [file("a.c", STATE, ""), file("b.h", "", STATE)], [["a.c", "struct state", ["struct state"]]]],
    [
      "for a file that uses it by way of another type",
      [
        file("a.c", `${STATE} int get(struct user *x) { return x->state->a; }`, ""),
        file("b.c", "", `${STATE} int get(struct user *x) { return x->state->a; }`),
      ],
      [["a.c", "struct state", ["struct state"]]],
    ],
    [
      "with the code that uses it, and gets another name",
      [file("a.c", `${STATE} ${uses("struct state")}`, ""), file("b.c", "", `struct fresh { int a; }; ${uses("struct fresh")}`)],
      [["a.c", "struct state", ["struct fresh"]]],
    ],
    [
      "with the code that uses it, for a file that had one of that name",
      [file("a.c", `${STATE} ${uses("struct state")}`, ""), file("b.c", STATE, `${STATE} ${uses("struct state")}`)],
      [["a.c", "struct state", ["struct state"]]],
    ],
    [
      "and is one of a typedef",
      [
        file("a.c", `typedef struct { int a; } state_t; ${uses("state_t")}`, ""),
        file("b.c", "", `typedef struct { int a; } state_t; ${uses("state_t")}`),
      ],
      [["a.c", "state_t", ["state_t"]]],
    ],
    ["for nowhere", [file("a.c", `${STATE} ${uses("struct state")}`, ""), file("b.c", "", uses("struct other"))], []],
    ["which another file has one of its own of", [file("a.c", STATE, ""), file("b.c", STATE, `${STATE} ${uses("struct state")}`)], []],
    ["and comes nowhere: it stays", [file("a.c", STATE, `${STATE} int x;`), file("b.c", "", STATE)], []],
  ])("%s", (_, texts, expected) => {
    expect(findMovedTypes(texts).map(({ from, former, labels }) => [from, former, labels])).toEqual(expected);
  });
});
