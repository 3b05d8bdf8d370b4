import { describe, expect, it } from "vitest";
import { settle } from "../../../support/settle-units.js";

describe("a constant that says how large objects are", () => {
  const text = (members: string): string => `
    struct small { long a; }; struct large { long a, b; };
    struct ops { int (*run)(int); unsigned int size, obj_size, key_len, limit; };
    int outside(int); void use(const struct ops *);
    static int run(int x) { return outside(x); }
    static const struct ops ops = { .run = run, ${members} };
    void start(void) { use(&ops); }`;
  const refused = async (before: string, after: string): Promise<string[]> =>
    (await settle({ unit: { pre: text(before), post: text(after) } })).refused;

  it.each([
    [".size = sizeof(struct small)", ".size = sizeof(struct large)"],
    [".limit = 3", ".limit = 3, .obj_size = sizeof(struct small)"],
    [".key_len = sizeof(struct large), .limit = 1", ".key_len = 8, .limit = 1"],
    [".size = 8 + (sizeof(struct small)), .limit = 1", ".size = 8 + 2 * (sizeof(struct small)), .limit = 1"],
  ])("is refused where it goes from %s to %s", async (before, after) => {
    expect(await refused(before, after)).toEqual(["changed-object-size ops"]);
  });

  it.each([
    [".limit = 3, .size = sizeof(struct small)", ".limit = 4, .size = sizeof(struct small)"],
    [".limit = sizeof(struct small)", ".limit = sizeof(struct large)"],
    [".size = 16", ".size = 32"],
  ])("passes where it goes from %s to %s", async (before, after) => {
    expect(await refused(before, after)).toEqual([]);
  });
});
