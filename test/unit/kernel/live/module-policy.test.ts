import { join } from "node:path";
import { expect, test } from "vitest";
import { readModulePolicy } from "../../../../src/kernel/live/module-policy.js";
import { temporaryDirectory, writeFiles } from "../../../support/temp-dir.js";

const ENFORCE = "sys/module/module/parameters/sig_enforce";
const LOCKDOWN = "sys/kernel/security/lockdown";

test.each<[string, Record<string, string>, RegExp | undefined]>([
  ["checks signatures and does not insist", { [ENFORCE]: "N\n", [LOCKDOWN]: "[none] integrity confidentiality\n" }, undefined],
  ["has no lockdown", { [ENFORCE]: "N\n" }, undefined],
  ["insists", { [ENFORCE]: "Y\n", [LOCKDOWN]: "[none] integrity confidentiality\n" }, /sig_enforce/],
  ["is locked down", { [ENFORCE]: "N\n", [LOCKDOWN]: "none [integrity] confidentiality\n" }, /locked down \(integrity\)/],
  ["is locked down, and knows nothing of signatures", { [LOCKDOWN]: "none [integrity] confidentiality\n" }, undefined],
])("of a kernel that %s", (name, files, reason) => {
  const root = join(temporaryDirectory(), name);
  writeFiles(root, files);
  const { wantsSignature, isClosed } = readModulePolicy(root);
  if (reason === undefined) expect(wantsSignature).toBeUndefined();
  else expect(wantsSignature).toMatch(reason);
  expect(isClosed).toBe(false);
});

test("of a kernel that takes no modules any more", () => {
  const root = temporaryDirectory();
  writeFiles(root, { "proc/sys/kernel/modules_disabled": "1\n" });
  expect(readModulePolicy(root)).toEqual({ wantsSignature: undefined, isClosed: true });
});
