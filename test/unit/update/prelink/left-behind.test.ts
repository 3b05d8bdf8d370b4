import { describe, expect, it } from "vitest";
import { SHF_ALLOC, SHF_WRITE, STT_OBJECT } from "../../../../src/elf/constants.js";
import { writeObject } from "../../../../src/elf/write-object.js";
import type { RunSymbol } from "../../../../src/run-kernel.js";
import { findLeftBehind, type FormerUpdate } from "../../../../src/update/prelink/left-behind.js";
import { makeFunction, makeObject, makeSection } from "../../../support/elf-builder.js";
import { symbol } from "../../../support/prelink-samples.js";

const OLD = "ksplice_old_vmlinux";
const held = (name: string, type = "b", module = OLD): RunSymbol => ({ ...symbol(name, 0x1000n, module), type });
/** Where data of modules can be seen, each has it. */
const ITSELF = held("__this_module", "d");
const REPLACED: FormerUpdate = { id: "old", isReplaced: true, isUnloadable: false };
const UNDONE: FormerUpdate = { ...REPLACED, isReplaced: false };

interface Brought {
  readonly names?: readonly string[];
  readonly taken?: readonly string[];
  /** Of the section that the variables are in. */
  readonly flags?: number;
}

/** What is left behind when an update brings `names` in a section, and takes the addresses of `taken`. */
function left({ names = [], taken = [], flags = SHF_ALLOC | SHF_WRITE }: Brought, there: readonly RunSymbol[], former = REPLACED): unknown {
  const data = makeSection(".data", new Uint8Array(8 * names.length), { flags });
  const variables = names.map((name, index) => makeFunction(name, data, { type: STT_OBJECT, value: 8 * index, size: 8 }));
  const part = {
    name: "ksplice_new_vmlinux",
    bytes: writeObject(makeObject([data], variables, "new.ko")),
    digest: "",
    takenAddresses: taken,
  };
  return findLeftBehind([part], there, [former])[0];
}

describe("a variable that an update brings anew", () => {
  it.each([
    ["of the file", ["count"], held("count"), ["count"]],
    ["of a function, under another number", ["list.7"], held("list.3", "d"), ["list"]],
    ["of one function, where another has none", ["list.7", "count"], held("list.312", "b"), ["list"]],
  ])("is left behind where the one that is replaced has it: %s", (_, names, there, expected) => {
    expect(left({ names }, [ITSELF, there])).toEqual({ former: "old", variables: expected, held: [] });
  });

  it.each([
    ["another update's", ["count"], held("count", "b", "ksplice_older_vmlinux")],
    ["the kernel's", ["count"], symbol("count", 0x1000n)],
    ["a function of that name", ["count"], held("count", "t")],
    ["a flag that keeps a message back", ["__already_done.5"], held("__already_done.5")],
    ["the module's own structure", ["__this_module"], ITSELF],
  ])("is not: %s", (_, names, there) => {
    expect(left({ names }, [ITSELF, there])).toBeUndefined();
  });

  it("is not where it is a constant", () => {
    expect(left({ names: ["table"], flags: SHF_ALLOC }, [ITSELF, held("table", "d")])).toBeUndefined();
  });

  it("is not where the other was undone: the kernel has been without it", () => {
    expect(left({ names: ["count"] }, [ITSELF, held("count")], UNDONE)).toBeUndefined();
  });

  it("is where the kernel does not tell what variables a module has", () => {
    expect(left({ names: ["count", "_rs.1"] }, [held("f", "t")])).toEqual({ former: "old", variables: ["count"], held: [] });
  });
});

describe("what an update takes the address of", () => {
  it.each([REPLACED, UNDONE])("is left behind with whoever has been given the other's: %j", (former) => {
    const there = [ITSELF, held("expire.isra.0", "t"), held("ops", "r"), held("list", "d"), held("only_called", "t")];
    const taken = ["expire.ksplice_new", "list", "ops.4", "other", ".rodata.str1.1", "__func__.2"];
    expect(left({ taken }, there, former)).toEqual({ former: "old", variables: [], held: ["expire", "list", "ops"] });
  });

  it("is not where nobody can have got an address of the other", () => {
    expect(left({ taken: ["ops"] }, [ITSELF, held("ops", "r")], { ...REPLACED, isUnloadable: true })).toBeUndefined();
  });

  it("is, of data, where the kernel does not tell what data a module has", () => {
    const taken = ["expire.ksplice_new", "ops"];
    expect(left({ taken }, [held("start", "t")], UNDONE)).toEqual({ former: "old", variables: [], held: ["ops"] });
  });
});

it("nothing is looked for where there is no update before", () => {
  const symbols: Iterable<RunSymbol> = {
    [Symbol.iterator]: () => {
      throw new Error("all symbols of the kernel are read");
    },
  };
  expect(findLeftBehind([], symbols, [])).toEqual([]);
});
