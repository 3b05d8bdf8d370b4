import { describe, expect, it } from "vitest";
import { settle } from "../../../support/settle-units.js";

describe("a callback of which objects note that there is none", () => {
  const text = (type: string, members: string): string => `
    struct ${type} { int (*open)(int), (*permission)(int), (*llseek)(int), (*d_delete)(int); };
    int one(int), other(int); void use(const struct ${type} *);
    static const struct ${type} ops = { ${members} };
    void start(void) { use(&ops); }`;
  const refused = async (type: string, before: string, after: string): Promise<string[]> =>
    (await settle({ unit: { pre: text(type, before), post: text(type, after) } })).refused;

  it.each([
    ["inode_operations", ".open = one", ".open = one, .permission = other"],
    ["file_operations", ".open = one, .llseek = 0", ".open = one, .llseek = other"],
    ["dentry_operations", ".open = one", ".d_delete = other, .open = one"],
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
});
