import { expect, test } from "vitest";
import { findCves } from "../../../../src/kbuild/change/find-cves.js";
import { readChange } from "../../../../src/kbuild/change/read-change.js";
import { temporaryDirectory, writeFiles } from "../../../support/temp-dir.js";

test("the ids that texts name, each once", () => {
  expect(findCves(["fixes CVE-2026-4321 and cve-2025-123456", undefined, "CVE-2026-4321; CVE-1-2, XCVE-2026-9999"])).toEqual([
    "CVE-2025-123456",
    "CVE-2026-4321",
  ]);
});

test("of a patch: what it says about itself, not what its lines mention", async () => {
  const source = temporaryDirectory();
  writeFiles(source, { "net/raw.c": "int a;\n" });
  const patch =
    "CVE-2026-4321: a is wrong\n\n--- a/net/raw.c\n+++ b/net/raw.c\n@@ -1 +1 @@\n-int a;\n+int a = 1; /* see CVE-2019-1111 */\n";
  expect((await readChange(source, { patch })).cves).toEqual(["CVE-2026-4321"]);
});
