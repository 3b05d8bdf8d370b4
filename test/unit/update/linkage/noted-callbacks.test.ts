import { describe, expect, it } from "vitest";
import { settle } from "../../../support/settle-units.js";

describe("a callback of which objects note that there is none", () => {
  const text = (type: string, members: string): string => `
    struct ${type} { int (*open)(int), (*permission)(int), (*llseek)(int), (*d_delete)(int), (*direct_IO)(int), (*store)(int); };
    int one(int), other(int); void use(const struct ${type} *);
    static const struct ${type} ops = { ${members} };
    void start(void) { use(&ops); }`;
  const refused = async (type: string, before: string, after: string): Promise<string[]> =>
    (await settle({ unit: { pre: text(type, before), post: text(type, after) } })).refused;

  it.each([
    ["inode_operations", ".open = one", ".open = one, .permission = other"],
    ["file_operations", ".open = one, .llseek = 0", ".open = one, .llseek = other"],
    ["dentry_operations", ".open = one", ".d_delete = other, .open = one"],
    ["address_space_operations", ".open = one", ".open = one, .direct_IO = other"],
    ["sysfs_ops", ".open = one", ".open = one, .store = other"],
  ])("is refused where it comes to struct %s: %s, with the patch %s", async (type, before, after) => {
    expect(await refused(type, before, after)).toEqual(["noted-callback ops"]);
  });

  it.each([
    ["inode_operations", ".open = one, .permission = one", ".open = one, .permission = other"],
    ["inode_operations", ".permission = one", ".permission = one, .open = other"],
    ["other_operations", ".open = one", ".open = one, .permission = other"],
  ])("passes where it is another one, or of another table, struct %s: %s, with the patch %s", async (type, before, after) => {
    expect(await refused(type, before, after)).toEqual([]);
  });

  it.each([
    [
      "a macro defines the table under a name that it pastes",
      "#define OPS(n) static const struct inode_operations n ## _ops = { .open = one, \\\n MORE }\nOPS(x);",
      ["x_ops"],
    ],
    ["a macro stands for a part of the table", "static const struct inode_operations ops = { .open = one, MORE };", ["ops"]],
    ["a macro stands for all of it", "#define ALL { .open = one, MORE }\nstatic const struct inode_operations ops = ALL;", ["ops"]],
    ["another element has it already", "static const struct inode_operations ops[] = { { .permission = one }, { MORE } };", ["ops"]],
    [
      "the table is inside of another structure",
      "static const struct { int number; struct inode_operations inner; } ops = { .number = 1, .inner = { .open = one, MORE } };",
      ["ops"],
    ],
  ])("is refused where %s", async (_, table, [name = ""]) => {
    const source = (more: string): string => `
      struct inode_operations { int (*open)(int), (*permission)(int), (*get_link)(int); };
      int one(int), other(int); void use(const struct inode_operations *);
      #define MORE ${more}
      ${table}
      void start(void) { use(&${name}${table.includes("[]") ? "[1]" : table.includes(".inner") ? ".inner" : ""}); }`;
    const callback = table.includes(".inner") ? ".get_link" : ".permission";
    const { refused: found } = await settle({
      unit: { pre: source(".open = other,"), post: source(`.open = other, ${callback} = other,`) },
    });
    expect(found).toEqual([`noted-callback ${name}`]);
  });
});
