import { describe, expect, it } from "vitest";
import { tellNobody } from "../../../../src/events.js";
import { parseObject } from "../../../../src/elf/parse-object.js";
import type { UpdateFacts } from "../../../../src/kernel/live/kernel-facts.js";
import { makeUpdate } from "../../../../src/update/file/update-file.js";
import { matchUpdate } from "../../../../src/update/match/match-update.js";
import { prelinkUpdate } from "../../../../src/update/prelink/prelink-update.js";
import { read } from "../../../support/prelink-samples.js";
import { asLive, FACTS, sampleKernel, sampleUpdate } from "../../../support/sample-fit.js";

const held = (id: string, stage: UpdateFacts["stage"]): UpdateFacts => ({ id, stage, functions: [], writtenTargets: [] });
const module = (name: string) => ({ name, addr: 0xffffffffc0800000n, size: 4096, refcount: 0, state: "Live" });

/** What the first part holds where it is: names of modules. */
function pinsOf(after: readonly string[]): string[] {
  const { manifest, files } = sampleUpdate();
  const update = makeUpdate({ ...manifest, after: [...after] }, files);
  const modules = [...FACTS.modules, module("ksplice_first_vmlinux"), module("ksplice_gone_vmlinux"), module("ksplice_aside_vmlinux")];
  const updates = [held("first", "applied"), held("gone", "resident"), held("aside", "applied")];
  const kernel = asLive(sampleKernel(), { modules, updates });
  const match = matchUpdate(update, kernel, { partial: false, tell: tellNobody });
  if (match.kind !== "matched") throw new Error(match.kind);
  const [part] = prelinkUpdate(update, match, kernel);
  const ko = parseObject(part?.bytes ?? new Uint8Array(0), "part.ko");
  const { data } = read(ko, ".ksplice_strings").section;
  const { relocations } = read(ko, ".ksplice_pins").section;
  return relocations.map(({ addend }) => new TextDecoder().decode(data.subarray(addend, data.indexOf(0, addend))));
}

describe("an update that was made after others", () => {
  it("keeps those that are applied from being undone before it, whatever code they have in common", () => {
    expect(pinsOf(["first", "gone"])).toContain("ksplice_first_vmlinux");
    expect(pinsOf(["first", "gone"])).not.toContain("ksplice_gone_vmlinux");
  });

  it("has nothing to do with any other", () => {
    expect(pinsOf(["first"])).not.toContain("ksplice_aside_vmlinux");
    expect(pinsOf([]).filter((name) => name.startsWith("ksplice_"))).toEqual([]);
  });
});
