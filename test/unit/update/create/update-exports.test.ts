import { describe, expect, it } from "vitest";
import type { NewCode, NewCodeExport } from "../../../../src/diff/types.js";
import type { UnitPart } from "../../../../src/update/create/cut-out.js";
import { chooseExports } from "../../../../src/update/create/update-exports.js";
import { makeObject } from "../../../support/elf-builder.js";

/** A unit that defines new globals, uses names of elsewhere, and exports what its patch says. */
function part(target: string, defines: readonly string[], uses: readonly string[], exports: readonly NewCodeExport[] = []): UnitPart {
  const path = `drivers/${target}.o`;
  const newCode: NewCode = {
    unit: path,
    object: makeObject([], []),
    imports: uses.map((name) => ({ name, symbol: name })),
    functions: [],
    writes: [],
    hooks: [],
    exports,
    newGlobals: defines,
  };
  return { unit: { path, source: `drivers/${target}.c`, target }, newCode, redirects: [] } as unknown as UnitPart;
}

const names = (exports: readonly NewCodeExport[] | undefined): string[] => (exports ?? []).map(({ name }) => name);

describe("modules of one update", () => {
  it("offer each other the new symbols that the others use, and are loaded in that order", () => {
    const { order, of } = chooseExports([part("cdrom", ["probe", "own"], []), part("apple", [], ["probe", "printk"])]);
    expect(order).toEqual(["cdrom", "apple"]);
    expect(of.get("cdrom")).toEqual([{ name: "probe", symbol: "probe", isGpl: true, namespace: "" }]);
    expect(names(of.get("apple"))).toEqual([]);
  });

  it("are loaded in the order of the chain, not of the alphabet", () => {
    const parts = [part("a", ["fa"], ["fb"]), part("b", ["fb"], ["fc"]), part("c", ["fc"], [])];
    expect(chooseExports(parts).order).toEqual(["c", "b", "a"]);
  });

  it("offer what the patch exports, as it says, used or not", () => {
    const exported = { name: "shown", symbol: "drivers/a.o:shown", isGpl: false, namespace: "SPACE" };
    expect(chooseExports([part("a", [], [], [exported])]).of.get("a")).toEqual([exported]);
  });

  it("offer each other what the patch exports for modules that it names, under no such condition", () => {
    const exported = { name: "probe", symbol: "drivers/a.o:probe", isGpl: true, namespace: "module:b" };
    const kept = { ...exported, name: "other" };
    const { of } = chooseExports([part("a", ["probe", "other"], [], [exported, kept]), part("b", [], ["probe"])]);
    expect(of.get("a")).toEqual([{ ...exported, namespace: "" }, kept]);
  });

  it("are refused where two use new symbols of each other", () => {
    expect(() => chooseExports([part("a", ["fa"], ["fb"]), part("b", ["fb"], ["fa"])])).toThrow(
      expect.objectContaining({ code: "new-global-elsewhere" }),
    );
  });

  it("keep to their own where an object is part of both", () => {
    const twins = ["a", "b"].flatMap((target) => [part(target, ["fa"], []), part(target, [], ["fa"])]);
    const { of } = chooseExports(twins);
    expect([...of.values()]).toEqual([[], []]);
  });

  it("need nothing of this inside one target", () => {
    expect(names(chooseExports([part("a", ["fa"], []), part("a", [], ["fa"])]).of.get("a"))).toEqual([]);
  });
});
