import { describe, expect, it } from "vitest";
import { settle } from "../../../support/settle-units.js";

describe("a member that is put and taken back in place of another one", () => {
  const text = (
    put: string,
    take: string,
    more = "struct toy { int id; struct head a, b; struct { struct head head; } late; };",
  ): string => `
    #define list_for_each_entry(pos, list, member) for (pos = (void *)(list)->next; &pos->member != (list); pos = (void *)pos->member.next)
    struct head { struct head *next; }; ${more}
    void list_add(struct head *, struct head *); void list_del(struct head *); void use(struct toy *);
    int request_irq(int, void *, void *); void free_irq(int, void *); void kfree(void *);
    struct head toys;
    void make(struct toy *toy) { toy->id = 1; ${put} }
    void drop(struct toy *toy) { ${take} toy->id = 0; }
    void all(void) { struct toy *toy; list_for_each_entry(toy, &toys, a) use(toy); }`;
  const A = ["list_add(&toy->a, &toys);", "list_del(&toy->a);"] as const;
  const refused = async (before: string, after: string): Promise<string[]> =>
    (await settle({ unit: { pre: before, post: after } })).refused;

  it.each([
    ["of a list", A, "list_add(&toy->b, &toys);", "list_del(&toy->b);"],
    ["within another", A, "list_add(&toy->late.head, &toys);", "list_del(&toy->late.head);"],
    [
      "of a handler, a cookie",
      ["request_irq(1, use, &toy->a);", "free_irq(1, &toy->a);"],
      "request_irq(1, use, &toy->b);",
      "free_irq(1, &toy->b);",
    ],
  ] as const)("is refused: %s", async (_, [put, take], putNow, takeNow) => {
    expect(await refused(text(put, take), text(putNow, takeNow))).toEqual(["taken-back-elsewhere drop"]);
  });

  it("is refused where another file gets a member of the same name", async () => {
    const sides = { pre: text(...A), post: text("list_add(&toy->b, &toys);", "list_del(&toy->b);") };
    const other = (more: string): string => `struct box { int id; ${more} }; int of(struct box *box) { return box->id + ${more.length}; }`;
    const { linkage } = await settle({ unit: sides, aside: { pre: other(""), post: other("int b;") } });
    expect(linkage.refusals.map(({ refusal }) => `${refusal.code} ${refusal.symbol}`)).toContain("taken-back-elsewhere drop");
  });

  it("is refused where a list is walked along it", async () => {
    const after = text("list_add(&toy->b, &toys);", A[1]).replace("&toys, a)", "&toys, b)");
    expect(await refused(text(...A), after)).toEqual(["taken-back-elsewhere all"]);
  });

  it.each([
    ["the wrong one was taken back", A[0], "list_del(&toy->b);"],
    ["it was put to the wrong one", "list_add(&toy->b, &toys);", A[1]],
    ["another one is put and taken back, too", `${A[0]} list_add(&toy->b, &toys);`, `${A[1]} list_del(&toy->b);`],
    ["it is put twice", `${A[0]} if (toy->id > 2) list_add(&toy->b, &toys);`, A[1]],
  ])("passes where %s", async (_, put, take) => {
    expect(await refused(text(...A), text(put, take))).toEqual([]);
  });

  it("passes where it is renamed", async () => {
    const renamed = text("list_add(&toy->node, &toys);", "list_del(&toy->node);", "struct toy { int id; struct head node, b; };");
    const before = text(...A, "struct toy { int id; struct head a, b; };");
    expect(await refused(before, renamed.replace("&toys, a)", "&toys, node)"))).toEqual([]);
  });

  it("passes where the struct that it is in is pointed to", async () => {
    const before = text(
      "list_add(&toy->late.head, &toys);",
      "list_del(&toy->late.head);",
      "struct inner { struct head head; }; struct toy { int id; struct head a, b; struct inner late; };",
    );
    const after = before
      .replaceAll("&toy->late.head", "&inner->head")
      .replaceAll("void make(struct toy *toy) {", "$& struct inner *inner = &toy->late;")
      .replaceAll("void drop(struct toy *toy) {", "$& struct inner *inner = &toy->late;");
    expect(await refused(before, after)).toEqual([]);
  });

  it("passes where what holds it goes by another name", async () => {
    const after = text("struct toy *it = toy; list_add(&it->a, &toys);", "struct toy *it = toy; list_del(&it->a);");
    expect(await refused(text(...A), after)).toEqual([]);
  });
});
