import { describe, expect, it } from "vitest";
import { settle } from "../../../support/settle-units.js";

describe("a pointer to memory of each processor", () => {
  const text = (pointer: string, variable = "struct stats *all;", more = ""): string => `
    #define __percpu
    struct stats { long count; };
    struct device { int state; ${pointer} };
    static ${variable}
    int outside(int);
    long read_stats(struct device *device) { ${more} return device->state + outside(all != 0); }`;
  const refused = async (before: string, after: string): Promise<string[]> =>
    (await settle({ unit: { pre: before, post: after } })).refused;
  const CHANGE = "outside(2);";

  it.each([
    ["a member", text("struct stats *stats;"), text("struct stats __percpu *stats;", undefined, CHANGE), "device.stats"],
    ["a member, no more", text("struct stats __percpu *stats;"), text("struct stats *stats;", undefined, CHANGE), "device.stats"],
    ["a variable", text(""), text("", "struct stats __percpu *all;", CHANGE), "all"],
  ])("is refused of %s that was another one before", async (_, before, after, name) => {
    expect(await refused(before, after)).toEqual([`changed-data-type ${name}`]);
  });

  it.each([
    ["stays one", text("struct stats __percpu *stats;"), text("struct stats __percpu *stats;", undefined, CHANGE)],
    ["is new", text(""), text("struct stats __percpu *stats;", undefined, CHANGE)],
  ])("passes where it %s", async (_, before, after) => {
    expect(await refused(before, after)).toEqual([]);
  });
});
