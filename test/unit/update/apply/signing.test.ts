import { expect, test } from "vitest";
import { tellNobody } from "../../../../src/events.js";
import { appendSignature, hasSignature } from "../../../../src/signing/module-signature.js";
import { applyUpdate, type ApplyOptions } from "../../../../src/update/apply/apply-update.js";
import type { ModuleSigner } from "../../../../src/signing/module-signer.js";
import { FakeSystem } from "../../../support/fake-system.js";
import { sampleUpdate } from "../../../support/sample-fit.js";

const STRICT = { policy: { wantsSignature: "it says so" } };
const NAMES = ["ksplice", "ksplice_fix_vmlinux", "ksplice_fix_mod"];

/** Writes down what it signs. */
function signerInto(names: string[], failing?: string): ModuleSigner {
  return {
    sign: async (module, name) => {
      names.push(name);
      if (name === failing) throw new Error(`no signature for ${name}`);
      return await Promise.resolve(appendSignature(module, Uint8Array.of(0x30, 0)));
    },
  };
}

async function apply(system: FakeSystem, options: Partial<ApplyOptions> = {}): Promise<void> {
  await applyUpdate(sampleUpdate(), { partial: false, tries: 1, tell: tellNobody, ...options }, system);
}

test("the core and the new code are signed before the first of them is loaded", async () => {
  const system = new FakeSystem(STRICT);
  const signed: string[] = [];
  const loaded: boolean[] = [];
  const load = system.engine.loadModule.bind(system.engine);
  system.engine.loadModule = async (object, name) => {
    expect(signed).toEqual(NAMES);
    loaded.push(hasSignature(object));
    await load(object, name);
  };
  await apply(system, { signer: signerInto(signed) });
  expect(loaded).toEqual([true, true, true]);
});

test("a kernel that wants signatures gets nothing without", async () => {
  const system = new FakeSystem(STRICT);
  await expect(apply(system)).rejects.toMatchObject({
    code: "signature-required",
    message: expect.stringContaining("it says so") as string,
  });
  expect(system.done).toEqual(["root"]);
});

test("a kernel that takes no modules any more gets none", async () => {
  const system = new FakeSystem({ policy: { isClosed: true } });
  await expect(apply(system, { signer: signerInto([]) })).rejects.toMatchObject({ code: "modules-disabled" });
  expect(system.done).toEqual(["root"]);
});

test("where one cannot be signed, none is loaded", async () => {
  for (const failing of NAMES) {
    const system = new FakeSystem(STRICT);
    await expect(apply(system, { signer: signerInto([], failing) })).rejects.toThrow(`no signature for ${failing}`);
    expect([system.done, system.isLocked]).toEqual([["root"], false]);
  }
});

test.each([
  ["goes on", "signed"],
  ["fails of it", "failed"],
])("an interrupted signer that %s leaves nothing behind", async (_, how) => {
  const system = new FakeSystem(STRICT);
  const interruption = new AbortController();
  const signer: ModuleSigner = {
    sign: async (module) => {
      interruption.abort();
      if (how === "failed") throw new Error("ended with SIGINT");
      return await Promise.resolve(module);
    },
  };
  await expect(apply(system, { signer, interruption: interruption.signal })).rejects.toMatchObject({ code: "interrupted" });
  expect(system.done).toEqual(["root"]);
});
