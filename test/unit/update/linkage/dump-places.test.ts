import { describe, expect, it } from "vitest";
import { settle } from "../../../support/settle-units.js";

describe("a place of a dump that is under way", () => {
  const text = (body: string): string => `
    struct netlink_callback { long args[6]; }; struct toy { int id; };
    void put(struct toy *); struct toy *find(long), *next(void);
    int dump(struct netlink_callback *cb) { ${body} return 0; }`;
  const NUMBER = "put(find(cb->args[1])); cb->args[1] = next()->id;";
  const POINTER = "put((struct toy *)cb->args[1]); cb->args[1] = (long)next();";
  const refused = async (before: string, after: string): Promise<string[]> =>
    (await settle({ unit: { pre: text(before), post: text(after) } })).refused;

  it("is refused where it is taken for a pointer, and was a number", async () => {
    expect(await refused(NUMBER, POINTER)).toEqual(["changed-data-type dump"]);
  });

  it.each([
    ["it was one before", POINTER, `${POINTER} cb->args[0]++;`],
    ["it is a number with the patch", POINTER, NUMBER],
    ["nothing was there before", "cb->args[0]++;", `cb->args[0]++; if (cb->args[1]) ${POINTER}`],
    ["only another place is", `${POINTER} cb->args[0]++;`, `cb->args[0] += 2; ${POINTER}`],
  ])("passes where %s", async (_, before, after) => {
    expect(await refused(before, after)).toEqual([]);
  });
});
