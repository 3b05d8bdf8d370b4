import { describe, expect, it } from "vitest";
import { parseFunctions, parseIdentifiers, parseMissingHeaders } from "../../../corpus/compiler-words.js";

describe("the compiler's words", () => {
  it("name identifiers in quotes, without what it suggests and without C's own words", () => {
    const words =
      "a.c: In function 'f':\na.c:1: error: 'struct foo' has no member named 'bar'; did you mean 'baz'?\n    1 |  set_bar(f, 2);\nnoise 'x'\n" +
      "a.h:2: note: in expansion of macro 'container_of'\na.h:3: note: in expansion of macro 'to_bar'\n" +
      "a.h:9: error: conflicting types for 'get_bar'; have 'size_t(struct bar *)'";
    expect(parseIdentifiers(words)).toEqual({
      errors: ["foo", "bar", "get_bar"],
      notes: ["to_bar"],
      conflicts: ["get_bar"],
      source: ["set_bar"],
    });
  });

  it("name headers as the source spells them", () => {
    expect(parseMissingHeaders("a.c:3:10: fatal error: ../linux/x.h: No such file or directory")).toEqual(["linux/x.h"]);
  });

  it("name the functions that it stopped in", () => {
    expect(parseFunctions("a.c: In function 'f':\na.c:1: error: x\nb.c: In function ‘g’:")).toEqual(["f", "g"]);
  });
});
