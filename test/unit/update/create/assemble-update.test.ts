import { expect, test } from "vitest";
import { tellNobody } from "../../../../src/events.js";
import { assembleUpdate } from "../../../../src/update/create/assemble-update.js";
import { findSystemMap } from "../../../../src/update/file/update-file.js";

test.each<[string, Uint8Array | undefined]>([
  ["brings the kernel's System.map where the kernel does not tell where its variables are", Uint8Array.of(1, 2)],
  ["brings none for all others", undefined],
])("an update %s", async (_, systemMap) => {
  const bytes = new Uint8Array(1);
  const update = await assembleUpdate(
    {
      ...{ id: "fix", description: "a fix", created: new Date(0), kernel: { release: "6.1", compiler: "gcc" } },
      ...{
        after: [],
        cves: [],
        patch: bytes,
        notes: [],
        layouts: [],
        together: [],
        wholeModules: [],
        modules: { core: bytes, template: bytes },
      },
      systemMap,
      link: async () => await Promise.resolve(bytes),
    },
    [],
    tellNobody,
  );
  expect(findSystemMap(update)?.bytes).toEqual(systemMap);
  expect(Object.keys(update.manifest.files).includes("System.map")).toBe(systemMap !== undefined);
});
