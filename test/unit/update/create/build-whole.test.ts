import { expect, test } from "vitest";
import { tellNobody } from "../../../../src/events.js";
import { buildWhole, type WholeChange, type WholeRequest } from "../../../../src/update/create/build-whole.js";
import type { PatchedTree } from "../../../../src/kbuild/change/patched-tree.js";
import type { Update } from "../../../../src/update/file/update-file.js";

/** What is judged before anything is compiled looks at no more than this. */
function requestOf(targets: readonly string[], given: Partial<WholeRequest> = {}, patched: Partial<PatchedTree> = {}) {
  const diffs = targets.map((target) => ({ unit: { path: `${target}.o`, source: `${target}.c`, target }, diff: { verdict: "changed" } }));
  const change = { source: { build: {}, patched: { added: [], ...patched } }, diffs, parts: diffs.slice(0, 1) } as unknown as WholeChange;
  return [change, { id: "fix", tell: tellNobody, jobs: 1, ...given } as unknown as WholeRequest] as const;
}

const before = { manifest: { id: "first", targets: [{ name: "vmlinux" }, { name: "fat" }] } } as unknown as Update;

test.each<[string, string, Parameters<typeof requestOf>, RegExp]>([
  ["of two modules", "whole-module-targets", [["fat", "vfat"]], /changes fat, vfat/],
  ["whose other target only init code changes", "whole-module-targets", [["fat", "vmlinux"]], /changes fat, vmlinux/],
  ["of the kernel's image", "whole-module-targets", [["vmlinux"]], /changes vmlinux/],
  ["with hooks", "whole-module-hooks", [["fat"], {}, { includeDir: "kmod/include" }], /hooks/],
  ["with an object that the patch adds", "whole-module-objects", [["fat"], {}, { added: ["fat.c"] }], /adds fat\.o to fat/],
  ["with a layout that the user vouches for", "whole-module-layout", [["fat"], { allowedLayouts: ["struct fat"] }], /struct fat/],
  ["after one that changes the image, too", "whole-module-after", [["fat"], { after: [before] }], /first.*vmlinux/],
])("no whole module is built of an update %s", async (_, code, given, message) => {
  await expect(buildWhole(...requestOf(...given))).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string });
});
