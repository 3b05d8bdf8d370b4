import { describe, expect, it } from "vitest";
import { findRetoldPointers } from "../../../../src/update/create/retold-pointers.js";

describe("a pointer without a type that is taken for another struct", () => {
  const found = (pre: string, post: string): string[] =>
    findRetoldPointers([{ path: "a.c", pre, post }]).map(
      ({ user, pointer, former, label }) => `${user}: ${pointer}: ${former} -> ${label}`,
    );
  const reads = (before: string, after: string): string[] =>
    found(`int f(struct dev *dev) { ${before} }`, `int f(struct dev *dev) { ${after} }`);

  it.each<[name: string, before: string, after: string, pointer: string, types?: string]>([
    ["where it is declared", "struct a *x = drvdata(dev); return x->n;", "struct b *y = drvdata(dev); return y->n;", "drvdata ( dev )"],
    ["where it is assigned", "struct a *x; x = dev->priv; return x->n;", "struct b *x; x = dev->priv; return x->n;", "dev - > priv"],
    ["beside others", "struct a *w, *x = drvdata(dev); return 1;", "struct b *w = 0, *x = drvdata(dev); return 1;", "drvdata ( dev )"],
    ["with a cast", "struct a *x = (struct a *)dev->p; return 1;", "const struct b *x = (struct b *)dev->p; return 1;", "dev - > p"],
    [
      "for a struct without a name",
      "struct { int a; struct { int c; } b; } *x = (void *)dev->p; return 1;",
      "struct { int a; struct { long c; } b; } *x = (void *)dev->p; return 1;",
      "( void * ) dev - > p",
      "struct { int a ; struct { int c ; } b ; } -> struct { int a ; struct { long c ; } b ; }",
    ],
    ["for a union", "union a *x = dev->p; return 1;", "union b *x = dev->p; return 1;", "dev - > p", "union a -> union b"],
    ["for a type of another kind of name", "static a_t *x; x = dev->p;", "static struct a *x; x = dev->p;", "dev - > p", "a_t -> struct a"],
    ["behind a pointer to bytes", "u8 *p = dev->p; struct a *x = (struct a *)p;", "u8 *p = dev->p; struct b *x = (struct b *)p;", "p"],
    ["for a number", "int *x = dev->p; return *x;", "const u64 *x = dev->p; return *x;", "dev - > p", "int -> u64"],
    [
      "for a number of several words",
      "unsigned long *x = dev->p;",
      "unsigned int *x = dev->p;",
      "dev - > p",
      "unsigned long -> unsigned int",
    ],
    ["at an address with a cast", "u32 *x = (u32 *)&dev->n;", "u64 *x = (u64 *)&dev->n;", "& dev - > n", "u32 -> u64"],
    [
      "as what holds a timer",
      "struct a *x = from_timer(x, dev, timer); return 1;",
      "struct b *y = from_timer(y, dev, timer); return 1;",
      "container_of ( dev )",
    ],
    [
      "as what holds a timer, by another macro",
      "struct a *x; x = timer_container_of(x, dev, timer.t); return 1;",
      "struct b *x = container_of_const(dev, struct b, own.timer); return 1;",
      "container_of ( dev )",
    ],
    [
      "as what holds a member",
      "struct a *x = container_of(dev, struct a, dev); return 1;",
      "struct b *x = container_of(dev, struct b, own); return 1;",
      "container_of ( dev )",
    ],
  ])("is told %s", (_, before, after, pointer, types = "struct a -> struct b") => {
    expect(reads(before, after)).toEqual([`f: ${pointer}: ${types}`]);
  });

  it.each([
    ["what is allocated", "struct a *x = kzalloc(sizeof(*x), 1);", "struct b *x = kzalloc(sizeof(*x), 1);"],
    ["what a message holds", "struct a *x = nla_data(dev);", "struct b *x = nla_data(dev);"],
    ["NULL", "struct a *x = NULL;", "struct b *x = NULL;"],
    ["the same pointer twice", "struct a *x = drvdata(dev);", "struct a *x = drvdata(dev); struct b *y = drvdata(dev);"],
    ["another pointer", "struct a *x = drvdata(dev);", "struct b *x = other(dev);"],
    ["an address", "u16 n; u16 *x = &n;", "u32 n; u32 *x = &n;"],
    ["single bytes", "u8 *x = dev->p;", "u32 *x = dev->p;"],
    ["what leads to nothing", "void *x = dev->p;", "struct a *x = dev->p;"],
    ["a product", "return a * b(dev);", "return c * b(dev);"],
    ["the same struct", "struct a *x = drvdata(dev);", "struct a *z = drvdata(dev); use(z);"],
  ])("is not told of %s", (_, before, after) => {
    expect(reads(before, after)).toEqual([]);
  });

  it("is told where it is returned, by a function that others take it from", () => {
    const text = (type: string): string =>
      `static inline struct ${type} *priv_of(struct dev *dev) { return drvdata(dev); } int f(struct dev *dev) { struct ${type} *x = priv_of(dev); return 1; }`;
    expect(found(text("a"), text("b"))).toEqual(["priv_of: drvdata ( dev ): struct a -> struct b"]);
  });

  it.each([
    ["a member", "g(1, dev->priv)", "int f(struct dev *dev)", "dev - > priv"],
    ["an argument without a type", "g(1, arg)", "int f(void *arg)", "arg"],
  ])("is told where %s is given to a function that takes it so", (_, call, head, pointer) => {
    const text = (type: string): string => `static int g(int n, struct ${type} *x) { return n; } ${head} { return ${call}; }`;
    expect(found(text("a"), text("b"))).toEqual([`f: ${pointer}: struct a -> struct b`]);
  });

  it("is not told of a variable that is given to a function", () => {
    const text = (type: string): string =>
      `static int g(struct ${type} *x) { return 1; } int f(void) { struct ${type} x, *y = 0; struct ${type} *z[2]; return g(y) + g(z); }`;
    expect(found(text("a"), text("b"))).toEqual([]);
  });

  it("is not told of a variable or an argument that has a type itself", () => {
    const text = (type: string): string =>
      `struct ${type} *get(struct ${type} *from) { struct ${type} *x = from, *y; y = x; struct ${type} *z = kmalloc(1); return z; }`;
    expect(found(text("a"), text("b"))).toEqual([]);
  });

  it("is not told of what a function gives that returns another one with the patch", () => {
    const text = (type: string): string =>
      `struct ${type} *get(int n) { return &all_${type}[n]; } int f(int n) { struct ${type} *x = get(n); return 1; }`;
    expect(found(text("a"), text("b"))).toEqual([]);
  });
});
