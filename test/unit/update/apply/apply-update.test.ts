import { describe, expect, test } from "vitest";
import { tellNobody } from "../../../../src/events.js";
import { applyUpdate, type ApplyOptions } from "../../../../src/update/apply/apply-update.js";
import { matchUpdate } from "../../../../src/update/match/match-update.js";
import { makeUpdate } from "../../../../src/update/file/update-file.js";
import { prelinkUpdate } from "../../../../src/update/prelink/prelink-update.js";
import { collect } from "../../../support/collect-events.js";
import { FakeSystem } from "../../../support/fake-system.js";
import { sampleUpdate } from "../../../support/sample-fit.js";

const OPTIONS: ApplyOptions = { partial: false, tries: 1, tell: tellNobody };
const UPDATE = sampleUpdate();
const MODULES = ["ksplice_fix_vmlinux", "ksplice_fix_mod"];
const LOADS = ["load ksplice", ...MODULES.map((name) => `load ${name}`)];
const UNLOADS = [...MODULES.map((name) => `unload ${name}`), "unload ksplice"];

async function apply(system: FakeSystem, options: Partial<ApplyOptions> = {}): ReturnType<typeof applyUpdate> {
  return await applyUpdate(UPDATE, { ...OPTIONS, ...options }, system);
}

describe("applying an update", () => {
  test("loads the core, then the new code, then asks for the switch", async () => {
    const system = new FakeSystem();
    const result = await apply(system, { stopLimit: 20 });
    expect(system.done).toEqual(["root", "load ksplice", "stop limit 20000 us", ...LOADS.slice(1), "applied fix"]);
    expect(result).toMatchObject({ id: "fix", stopNs: 1234, attempts: 1, skippedTargets: [], verification: undefined });
    expect(result.functions).toEqual([
      { target: "vmlinux", name: "entry" },
      { target: "mod", name: "mod_entry" },
    ]);
    expect(system.isLocked).toBe(false);
  });

  test("says what it does, in order", async () => {
    const stages: string[] = [];
    await apply(new FakeSystem(), { tell: collect(stages, "stage") });
    expect(stages).toEqual([
      "matching against the running kernel",
      "resolving symbols",
      ...MODULES.map((name) => `loading ${name}`),
      "applying fix",
    ]);
  });

  test("does not load the core where it is loaded", async () => {
    const system = new FakeSystem();
    system.coreVersion = (await coreOf()) ?? 0;
    await apply(system);
    expect(system.done).not.toContain("load ksplice");
  });

  test("tries again while the code is in use", async () => {
    const system = new FakeSystem({ answers: ["code_busy", "unexpected_running_task", "done"] });
    expect(await apply(system, { wait: 10, nudge: true })).toMatchObject({ attempts: 3 });
    expect(system.done.slice(-3)).toEqual(Array(3).fill("applied fix nudge"));
  });
});

describe("an update that was made after others", () => {
  const { manifest, files } = UPDATE;
  const stacked = makeUpdate({ ...manifest, after: ["first", "second"] }, files);
  const applyStacked = async (system: FakeSystem, replace?: string): ReturnType<typeof applyUpdate> =>
    await applyUpdate(stacked, { ...OPTIONS, ...(replace === undefined ? {} : { replace }) }, system);

  test("is applied where these are there, applied or in a module from the disk", async () => {
    const system = new FakeSystem({ marks: { mod: ["second"] } });
    system.modules.add("mod");
    system.hold("first", { stage: "applied" });
    await applyStacked(system);
    expect(system.done).toContain("applied fix");
  });

  test("is refused where one is not: its code may rely on that one's, whatever it has in common with it", async () => {
    const system = new FakeSystem();
    system.hold("first", { stage: "applied" });
    system.hold("second", { stage: "resident" });
    await expect(applyStacked(system)).rejects.toMatchObject({
      code: "needs-missing",
      message: "fix was made after second, which is not applied: this kernel is not what its source says",
    });
    expect(system.done.filter((step) => step.startsWith("load"))).toEqual([]);
  });

  test("cannot replace one of these", async () => {
    const system = new FakeSystem();
    system.hold("first", { stage: "applied" });
    system.hold("second", { stage: "applied" });
    await expect(applyStacked(system, "second")).rejects.toMatchObject({ code: "needs-missing" });
  });
});

describe("a kernel that may not tell where its variables are", () => {
  const { manifest, files } = UPDATE;
  const bringing = makeUpdate(manifest, new Map([...files, ["System.map", new Uint8Array(1)]]));

  test("is read with the System.map that the update brings, and so it is for verifying", async () => {
    const system = new FakeSystem();
    await expect(applyUpdate(bringing, { ...OPTIONS, verify: true }, system)).rejects.toThrow();
    expect(system.systemMaps).toEqual(["System.map of update fix", "System.map of update fix"]);
  });

  test("is read with the one that was named", async () => {
    const system = new FakeSystem();
    await applyUpdate(bringing, { ...OPTIONS, systemMap: { path: "mine", bytes: new Uint8Array(1) } }, system);
    expect(system.systemMaps).toEqual(["mine"]);
  });

  test("is read as it is where there is none", async () => {
    const system = new FakeSystem();
    await apply(system);
    expect(system.systemMaps).toEqual([undefined]);
  });
});

async function coreOf(): Promise<number | undefined> {
  const system = new FakeSystem();
  await apply(system);
  return system.coreVersion;
}

describe("an update that cannot be applied leaves nothing behind", () => {
  test("where its code stays in use", async () => {
    const system = new FakeSystem({ answers: ["code_busy"] });
    await expect(apply(system)).rejects.toMatchObject({
      code: "code-busy",
      message: expect.stringContaining("cat (pid 7) is inside entry, asleep in do_wait") as string,
    });
    expect(system.done).toEqual(["root", ...LOADS, "applied fix", ...UNLOADS]);
    expect([system.modules.size, system.updates.size, system.isLocked]).toEqual([0, 0, false]);
  });

  test("where the core refuses it at once, which is not asked again", async () => {
    const system = new FakeSystem({ answers: ["no_match"] });
    await expect(apply(system, { tries: 5 })).rejects.toMatchObject({ abortCause: "no_match" });
    expect(system.done).toEqual(["root", ...LOADS, "applied fix", ...UNLOADS]);
  });

  test("where a module of it cannot be loaded", async () => {
    const system = new FakeSystem({ unloadable: ["ksplice_fix_mod"] });
    await expect(apply(system)).rejects.toThrow("ksplice_fix_mod cannot be loaded");
    expect(system.done).toEqual(["root", ...LOADS, "unload ksplice_fix_vmlinux", "unload ksplice"]);
  });

  test("where it is interrupted between the steps", async () => {
    const interruption = new AbortController();
    const system = new FakeSystem();
    const work = apply(system, {
      interruption: interruption.signal,
      tell: (_, message) => {
        if (message === "loading ksplice_fix_vmlinux") interruption.abort();
      },
    });
    await expect(work).rejects.toMatchObject({ code: "interrupted" });
    expect(system.done).toEqual(["root", ...LOADS.slice(0, 2), "unload ksplice_fix_vmlinux", "unload ksplice"]);
  });

  test("where it is for another kernel: nothing is looked at", async () => {
    const system = new FakeSystem({ facts: { release: "6.1.0-48-amd64" } });
    await expect(apply(system)).rejects.toMatchObject({ code: "wrong-kernel" });
    expect(system.done).toEqual([]);
  });

  test("where another version of the core is loaded", async () => {
    const system = new FakeSystem();
    system.coreVersion = 1;
    await expect(apply(system)).rejects.toMatchObject({ code: "core-version" });
    expect(system.done).toEqual(["root"]);
  });
});

describe("what an earlier command has left", () => {
  test("is unloaded first", async () => {
    const system = new FakeSystem();
    system.hold("fix", { stage: "loaded" });
    system.modules.add("ksplice_fix_mod");
    await apply(system);
    expect(system.done).toEqual(["root", "unload ksplice_fix_mod", ...LOADS, "applied fix"]);
  });

  test("is switched on again where it is the same code, in memory since an undo", async () => {
    // Nothing is loaded, so that nothing needs a signature.
    const system = new FakeSystem({ policy: { wantsSignature: "it says so" } });
    holdResident(system, (digest) => digest);
    await apply(system);
    expect(system.done).toEqual(["root", "applied fix"]);
  });

  test("is refused where it is other code", async () => {
    const system = new FakeSystem();
    holdResident(system, () => "0");
    await expect(apply(system)).rejects.toMatchObject({ code: "resident-differs" });
    expect(system.done).toEqual(["root"]);
  });
});

/** The update's own modules, as if they had stayed behind an undo. */
function holdResident(system: FakeSystem, digestOf: (digest: string) => string): void {
  const kernel = system.openKernel();
  const match = matchUpdate(UPDATE, kernel, OPTIONS);
  if (match.kind !== "matched") throw new Error(match.kind);
  const parts = prelinkUpdate(UPDATE, match, kernel);
  system.hold("fix", {
    stage: "resident",
    parts: parts.map(({ name, digest }) => ({ module: name, target: "vmlinux", digest: digestOf(digest), isUnloadable: false })),
  });
}

describe("an update in place of another", () => {
  test("comes with its undo, and the other is unloaded", async () => {
    const system = new FakeSystem();
    system.hold("old", { stage: "applied" });
    system.modules.add("ksplice_old_vmlinux");
    expect(await apply(system, { replace: "old" })).toMatchObject({ replaced: "old" });
    expect(system.done).toEqual(["root", ...LOADS, "applied fix stay replace old", "unload ksplice_old_vmlinux"]);
  });

  test.each([
    ["is itself", "fix", {}, "usage"],
    ["is not there", "none", {}, "unknown-update"],
    ["is not applied", "old", { stage: "resident" }, "not-applied"],
    ["is used by a newer one", "old", { stage: "applied", replacedBy: ["newer"] }, "replaced-by-newer"],
  ])("is refused where that %s", async (_, replace, state, code) => {
    const system = new FakeSystem();
    system.hold("old", state);
    await expect(apply(system, { replace })).rejects.toMatchObject({ code });
    expect(system.done).toEqual(["root"]);
  });

  describe("with a variable that both bring", () => {
    const counting = sampleUpdate({ variables: ["count"] });
    const symbols = ["__this_module", "count"].map((name) => ({ name, addr: 0n, type: "d", module: "ksplice_old_vmlinux" }));
    const replaceWith = async (system: FakeSystem, options: Partial<ApplyOptions>): ReturnType<typeof applyUpdate> => {
      system.hold("old", { stage: "applied" });
      return await applyUpdate(counting, { ...OPTIONS, replace: "old", ...options }, system);
    };

    test("is refused before anything is loaded", async () => {
      const system = new FakeSystem({ symbols });
      await expect(replaceWith(system, {})).rejects.toMatchObject({
        code: "left-behind",
        message: "fix cannot come in place of old, as it brings anew what that has brought: what old keeps in count stays behind",
        hint: expect.stringMatching(/--leave-behind count$/) as string,
      });
      expect(system.done).toEqual(["root"]);
    });

    test("is refused where something else is said not to matter", async () => {
      await expect(replaceWith(new FakeSystem({ symbols }), { leaveBehind: ["list"] })).rejects.toMatchObject({ code: "left-behind" });
    });

    test("comes where that is said not to matter", async () => {
      const told: string[] = [];
      await replaceWith(new FakeSystem({ symbols }), { leaveBehind: ["count"], tell: collect(told, "detail") });
      expect(told).toContain("what old keeps in count stays behind");
    });
  });
});
