import { join } from "node:path";
import { expect, test } from "vitest";
import { openKernelTree } from "../../../src/tree/open-tree.js";
import { readNeededMap } from "../../../src/tree/system-map.js";
import { collect } from "../../support/collect-events.js";
import { temporaryDirectory, writeFiles } from "../../support/temp-dir.js";

const TREE = { Makefile: "VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 7\nEXTRAVERSION =\n", "scripts/Makefile.build": "" };
const ALL = "CONFIG_KALLSYMS_ALL=y\n";
const FUNCTIONS = "# CONFIG_KALLSYMS_ALL is not set\n";

test.each<[string, Record<string, string>, string | undefined, number]>([
  ["none for a kernel that tells all", { ".config": ALL, "System.map": "map" }, undefined, 0],
  ["that of the tree for one that does not", { ".config": FUNCTIONS, "System.map": "map" }, "map", 0],
  ["none where the tree has none, which is said", { ".config": FUNCTIONS }, undefined, 1],
  ["none where it has the kernel's own table only", { ".config": FUNCTIONS, kallsyms: "table" }, undefined, 1],
])("an update brings %s", async (_, files, map, warnings) => {
  const top = temporaryDirectory();
  writeFiles(top, TREE);
  writeFiles(join(top, "ksplice"), files);
  const said: string[] = [];
  const found = await readNeededMap(await openKernelTree(top), collect(said, "warning"));
  expect(found === undefined ? undefined : Buffer.from(found).toString()).toBe(map);
  expect(said.length).toBe(warnings);
  for (const words of said) expect(words).toContain(join(top, "ksplice/System.map"));
});
