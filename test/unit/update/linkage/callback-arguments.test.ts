import { describe, expect, it } from "vitest";
import { settle } from "../../../support/settle-units.js";

describe("a callback that is given another member of its object", () => {
  const text = (handler: string, setup: string, more = ""): string => `
    #define offsetof(type, member) __builtin_offsetof(type, member)
    #define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))
    #define timer_container_of(var, timer, field) container_of(timer, typeof(*var), field)
    struct timer { void (*function)(struct timer *); long expires; };
    struct delayed { struct timer timer; };
    static inline struct delayed *to_delayed(struct timer *t) { return container_of(t, struct delayed, timer); }
    ${more === "" ? "struct toy { int id; struct timer a, b; struct delayed late; };" : more}
    void timer_setup(struct timer *, void (*)(struct timer *)); void put(struct toy *); void free_toy(struct toy *);
    static void expire(struct timer *t) { ${handler} put(toy); }
    void make(struct toy *toy) { toy->id = 1; ${setup} }
    void stop(struct toy *toy) { toy->a.expires = 0; free_toy(toy); }`;
  const A = "struct toy *toy = container_of(t, struct toy, a);";
  const SETUP_A = "timer_setup(&toy->a, expire);";
  const refused = async (before: string, after: string): Promise<string[]> =>
    (await settle({ unit: { pre: before, post: after } })).refused;

  it.each([
    ["by container_of", A, "struct toy *toy = container_of(t, struct toy, b);", "timer_setup(&toy->b, expire);"],
    ["assigned later", A, "struct toy *toy; toy = container_of(t, struct toy, b);", "timer_setup(&toy->b, expire);"],
    [
      "by the macro for timers",
      "struct toy *toy = timer_container_of(toy, t, a);",
      "struct toy *toy = timer_container_of(toy, t, b);",
      "timer_setup(&toy->b, expire);",
    ],
    ["inside another", A, "struct toy *toy = container_of(to_delayed(t), struct toy, late);", "timer_setup(&toy->late.timer, expire);"],
  ])("is refused: %s", async (_, before, after, setup) => {
    expect(await refused(text(before, SETUP_A), text(after, setup))).toEqual(["callback-argument expire"]);
  });

  it("is refused in a file in which a branch of an #if holds half a block", async () => {
    const half = "\nvoid half(int a) {\n#ifdef A\nif (a) {\n#else\nif (!a) {\n#endif\n}\n}\n";
    const after = text("struct toy *toy = container_of(t, struct toy, b);", "timer_setup(&toy->b, expire);");
    expect(await refused(text(A, SETUP_A) + half, after + half)).toEqual(["callback-argument expire"]);
  });

  it("says by what way the object is found, where that is what changes", async () => {
    const toy = (members: string): string => `struct toy { int id; struct timer a, b; ${members} };`;
    const before = text(
      "struct toy *toy = container_of(t, struct toy, late);",
      "timer_setup(&toy->late, expire);",
      toy("struct timer late;"),
    );
    const after = text(
      "struct toy *toy = container_of(to_delayed(t), struct toy, late); toy->id = 7;",
      "timer_setup(&toy->late.timer, expire);",
      toy("struct delayed late;"),
    );
    const { linkage } = await settle({ unit: { pre: before, post: after } });
    expect(linkage.refusals.map(({ refusal }) => refusal.message).join()).toContain(
      "expire takes its argument for late of struct toy, through to_delayed(t), and before the patch for late of struct toy,",
    );
  });

  it("is refused where a member is filled with it", async () => {
    const after = text("struct toy *toy = container_of(t, struct toy, b);", "toy->b.function = expire;");
    expect(await refused(text(A, "toy->a.function = expire;"), after)).toEqual(["callback-argument expire"]);
  });

  const DECLARED = "struct timer; static void expire(struct timer *t);\n";
  it.each([
    ["a macro", "#define ARM(x) timer_setup(&(x)->MEMBER, expire)\n", "ARM(toy);", ""],
    [
      "a function",
      "static void arm(struct timer *t);",
      "arm(&toy->MEMBER);",
      "static void arm(struct timer *t) { timer_setup(t, expire); }",
    ],
    ["a local pointer", "", "struct timer *of = &toy->MEMBER; timer_setup(of, expire);", ""],
    ["an initial value", "", "", "struct toy first = { .MEMBER = { .function = expire } };"],
    ["a table", "", "", "const struct timer timers[] = { { expire } };"],
    ["a macro that exports it", "#define EXPORT_SYMBOL(name) void *exported_##name = &name\n", "", "EXPORT_SYMBOL(expire);"],
  ])("is refused where it is handed out by %s, with a member that cannot be seen", async (_, front, setup, back) => {
    const of = (member: string): string =>
      `${DECLARED}${front}${text(`struct toy *toy = container_of(t, struct toy, ${member});`, setup)}${back}`.replaceAll("MEMBER", member);
    expect(await refused(of("a"), of("b"))).toContain("callback-argument expire");
  });

  it("passes where it is only called, by a pointer to the member too", async () => {
    const called = (member: string): string =>
      text(`struct toy *toy = container_of(t, struct toy, ${member});`, `struct timer *of = &toy->${member}; expire(of);`);
    expect(await refused(called("a"), called("b"))).toEqual([]);
  });

  it.each([
    ["what it was wrongly taken for is mended", "struct toy *toy = container_of(t, struct toy, b);", SETUP_A],
    ["it is told by another macro", "struct toy *toy = timer_container_of(toy, t, a);", "if (toy->id) timer_setup(&toy->a, expire);"],
    ["it is prepared elsewhere too", A, "timer_setup(&toy->a, expire); toy->b.expires = 2;"],
  ])("passes where %s", async (_, after, setup) => {
    expect(await refused(text(A, SETUP_A), text(after, setup))).toEqual([]);
  });

  it("passes where the member is renamed", async () => {
    const toy = (name: string): string => `struct toy { int id; struct timer ${name}; };`;
    const of = (name: string): string =>
      text(`struct toy *toy = container_of(t, struct toy, ${name});`, `timer_setup(&toy->${name}, expire);`, toy(name)).replaceAll(
        "toy->a.",
        `toy->${name}.`,
      );
    expect(await refused(of("a"), `${of("tick")} int more;`)).toEqual([]);
  });

  it("passes where only the argument's name is another", async () => {
    const after = text(A, "if (toy->id > 2) timer_setup(&toy->b, expire);").replace(
      "*t) { struct toy *toy = container_of(t,",
      "*it) { struct toy *toy = container_of(it,",
    );
    expect(await refused(text(A, SETUP_A), after)).toEqual([]);
  });

  it("passes where the function is only called", async () => {
    const called = (member: string): string =>
      text(`struct toy *toy = container_of(t, struct toy, ${member});`, `expire(&toy->${member});`);
    expect(await refused(called("a"), called("b"))).toEqual([]);
  });
});
