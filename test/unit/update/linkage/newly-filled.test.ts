import { describe, expect, it } from "vitest";
import { settle } from "../../../support/settle-units.js";

const INIT = '__attribute__((section(".init.text"))) int start(void)';
const HOOK = 'void fill(void); void (*hook)(void) __attribute__((used, section(".ksplice_hooks.pre_apply"))) = fill;';

/** A variable that was there before: what the file has besides, what initialization code does, and what others do. */
const text = (also: string, init: string, body: string): string =>
  `void *make(int); void use(void *); void fill_it(void **); static void *cache; static int count, level = 3;
   void set(void *x) { cache = x; level++; count++; } int get(void) { return level + count; } void *held(void) { return cache; } ${also}
   ${INIT} { use(0); ${init} return 0; }
   void run(int x) { use(0); ${body} }`;
const refused = async (pre: string, post: string): Promise<string[]> => (await settle({ unit: { pre, post } })).refused;
const PRE = text("", "", "");

describe("a variable of the running kernel that other code uses newly, and initialization code", () => {
  it.each([
    ["sets newly", "", "cache = make(1);", "use(cache);"],
    ["hands on newly, to what fills it", "", "fill_it(&cache);", "use(cache);"],
    [
      "sets by a function of its own",
      "\n#define noinline __attribute__((noinline))\nstatic noinline void prepare(void) { cache = make(2); }",
      "prepare();",
      "use(cache);",
    ],
    ["adds to newly", "", "level += 4;", "use(level > 5 ? 0 : cache);"],
  ])("%s: it has not been filled", async (_, also, init, body) => {
    expect(await refused(PRE, text(also, init, body))).toContainEqual(expect.stringMatching(/^filled-by-init (cache|level)$/));
  });

  it("a hook fills it", async () => {
    const post = text(`${HOOK} void fill(void) { if (!cache) cache = make(1); }`, "cache = make(1);", "use(cache);");
    expect(await refused(PRE, post)).toEqual([]);
  });

  it.each<[string, string, string]>([
    ["fills as before", text("", "cache = make(1);", ""), text("", "cache = make(1);", "use(cache);")],
    ["only reads newly", PRE, text("", "use(cache);", "use(cache);")],
    ["compares newly", PRE, text("", "if (level == 4) use(0);", "if (level == 5) use(cache);")],
    ["fills newly, while all use it as before", PRE, text("", "cache = make(1);", "make(x);")],
  ])("%s: nothing is missing", async (_, pre, post) => {
    expect(await refused(pre, post)).toEqual([]);
  });
});
