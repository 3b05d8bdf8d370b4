import { describe, expect, test } from "vitest";
import { tellNobody } from "../../../../src/events.js";
import { undoUpdate, type UndoOptions } from "../../../../src/update/apply/undo-update.js";
import { viewKernel, viewUpdateInKernel } from "../../../../src/update/apply/view-updates.js";
import type { LoadedUpdate } from "../../../../src/engine/core/ksplice-sysfs.js";
import { FakeSystem, type FakeSystemOptions } from "../../../support/fake-system.js";

const OPTIONS: UndoOptions = { tries: 1, tell: tellNobody };

/** A system with one update. */
function holding(state: Partial<LoadedUpdate>, options: FakeSystemOptions = {}): FakeSystem {
  const system = new FakeSystem(options);
  system.hold("fix", state);
  for (const name of ["ksplice", "ksplice_fix_vmlinux", "ksplice_fix_mod", "ksplice_fixes_vmlinux", "e1000e"]) system.modules.add(name);
  return system;
}

const UNLOADS = ["unload ksplice_fix_vmlinux", "unload ksplice_fix_mod", "unload ksplice"];

describe("undoing an update", () => {
  test("switches it off and unloads its modules, with the last update the core", async () => {
    const system = holding({ stage: "applied" });
    expect(await undoUpdate("fix", { ...OPTIONS, stopLimit: 5 }, system)).toEqual({
      id: "fix",
      stopNs: 1234,
      attempts: 1,
      isResident: false,
    });
    expect(system.done).toEqual(["root", "stop limit 5000 us", "reversed fix stay", ...UNLOADS]);
    expect(system.isLocked).toBe(false);
  });

  test("leaves the core where another update is left", async () => {
    const system = holding({ stage: "applied" });
    system.hold("other", { stage: "applied" });
    await undoUpdate("fix", OPTIONS, system);
    expect(system.done.slice(-2)).toEqual(UNLOADS.slice(0, 2));
  });

  test("leaves its code in memory where the kernel may have kept an address of it", async () => {
    const system = holding({ stage: "applied" }, { undone: "resident" });
    expect(await undoUpdate("fix", OPTIONS, system)).toMatchObject({ isResident: true });
    expect(system.done).toEqual(["root", "reversed fix stay"]);
  });

  test("takes it out all the same where that is asked for, also later", async () => {
    const system = holding({ stage: "applied" }, { undone: "resident" });
    expect(await undoUpdate("fix", { ...OPTIONS, unload: true }, system)).toMatchObject({ isResident: false });
    expect(system.done).toEqual(["root", "reversed fix stay", "released fix", ...UNLOADS]);
    const later = holding({ stage: "resident" });
    await undoUpdate("fix", { ...OPTIONS, unload: true }, later);
    expect(later.done).toEqual(["root", "released fix", ...UNLOADS]);
  });

  test("may leave it in memory only at the last try", async () => {
    const system = holding({ stage: "applied" }, { answers: ["code_busy", "done"] });
    await undoUpdate("fix", { ...OPTIONS, tries: 2 }, system);
    expect(system.done.slice(0, 3)).toEqual(["root", "reversed fix", "reversed fix stay"]);
  });

  test.each([
    ["that is not there", "none", {}, "unknown-update"],
    ["that a newer one uses", "fix", { stage: "applied", replacedBy: ["newer"] }, "replaced-by-newer"],
    ["that is undone already", "fix", { stage: "resident" }, "already-undone"],
  ])("one %s is refused", async (_, id, state, code) => {
    const system = holding(state);
    await expect(undoUpdate(id, OPTIONS, system)).rejects.toMatchObject({ code });
    expect(system.done).toEqual(["root"]);
  });

  test("one whose code stays in use is left as it was", async () => {
    const system = holding({ stage: "applied" }, { answers: ["code_busy"] });
    await expect(undoUpdate("fix", OPTIONS, system)).rejects.toMatchObject({ code: "code-busy" });
    expect(system.modules.has("ksplice_fix_vmlinux")).toBe(true);
  });
});

describe("what is in a kernel", () => {
  const entry = { name: "f", oldAddr: 1n, oldSize: 1, newAddr: 2n, newSize: 1, siteOffset: 0, byFtrace: false, target: "vmlinux" };
  const livepatched = [{ patch: "livepatch_x", target: "vmlinux", name: "f" }];

  test("says which functions do not run, as a livepatch stands before them", () => {
    const system = holding({ stage: "applied", functions: [entry, { ...entry, name: "g" }] }, { livepatched });
    expect(viewKernel(system)).toMatchObject([{ id: "fix", overridden: [{ name: "f", livepatch: "livepatch_x" }] }]);
  });

  test("of an update that is not applied, none", () => {
    expect(viewUpdateInKernel("fix", holding({ stage: "resident", functions: [entry] }, { livepatched }))).toMatchObject({
      overridden: [],
    });
  });

  test("an update that is not there is refused", () => {
    expect(() => viewUpdateInKernel("none", holding({}))).toThrow(expect.objectContaining({ code: "unknown-update" }) as Error);
  });
});
