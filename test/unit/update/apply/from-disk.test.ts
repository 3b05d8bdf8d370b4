import { expect, test } from "vitest";
import { tellNobody } from "../../../../src/events.js";
import { writeObject } from "../../../../src/elf/write-object.js";
import { applyUpdate } from "../../../../src/update/apply/apply-update.js";
import { makeUpdate, type Update } from "../../../../src/update/file/update-file.js";
import { makeFunction, makeObject, makeSection } from "../../../support/elf-builder.js";
import { FakeSystem } from "../../../support/fake-system.js";
import { sampleUpdate } from "../../../support/sample-fit.js";

const OPTIONS = { partial: false, tries: 1, tell: tellNobody } as const;

/** An update of the module alone. @param post what its patched source gives; default: what the sample's kernel runs */
function ofModule(post?: Uint8Array): Update {
  const { manifest, files } = sampleUpdate();
  const targets = manifest.targets.filter(({ name }) => name === "mod");
  const units = targets.flatMap((target) => target.units);
  const objects = units.map((unit) => [unit.post, post ?? files.get(unit.pre) ?? new Uint8Array()] as const);
  return makeUpdate({ ...manifest, targets }, new Map([...files, ...objects]));
}

function objectOfOtherCode(): Uint8Array {
  const text = makeSection(".text.mod_entry", [0x90, 0x90, 0xc3], { flags: 6 });
  return writeObject(makeObject([text], [makeFunction("mod_entry", text, { bind: 1 })]));
}

test("an update whose module came with it is compared, and nothing is loaded", async () => {
  const system = new FakeSystem({ marks: { mod: ["fix"] } });
  const result = await applyUpdate(ofModule(), OPTIONS, system);
  expect(result).toMatchObject({ id: "fix", fromDisk: ["mod"], functions: [], attempts: 0 });
  expect(result.matching.functions).toBeGreaterThan(0);
  expect(system.done).toEqual(["root"]);
});

test("a mark is no proof: where the code is not that of the patched source, the update is refused", async () => {
  const system = new FakeSystem({ marks: { mod: ["fix"] } });
  await expect(applyUpdate(ofModule(objectOfOtherCode()), OPTIONS, system)).rejects.toMatchObject({ code: "marked-module-differs" });
  expect(system.done).toEqual(["root"]);
});

test("code that a later update in the same file has changed again is not compared", async () => {
  const system = new FakeSystem({ marks: { mod: ["fix", "next"] } });
  const result = await applyUpdate(ofModule(objectOfOtherCode()), OPTIONS, system);
  expect(result).toMatchObject({ fromDisk: ["mod"], matching: { functions: 0 } });
});

test("an update of which other targets did not come with it is not done", async () => {
  const system = new FakeSystem({ marks: { mod: ["fix"] } });
  const result = await applyUpdate(sampleUpdate(), OPTIONS, system);
  expect(result.fromDisk).toBeUndefined();
  expect(system.done).toContain("applied fix");
});
