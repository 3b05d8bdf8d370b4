import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../../src/host/package-root.js";
import { CORE_EXPORTS } from "../../../src/update/prelink/prelink.js";

test("what is left to the kernel's loader is what the core exports", () => {
  const kmod = join(packageRoot(), "kmod");
  const files = readdirSync(kmod, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".c"));
  const exported = files.flatMap((name) =>
    [...readFileSync(join(kmod, name), "utf8").matchAll(/^EXPORT_SYMBOL_GPL\((\w+)\);$/gm)].map((match) => match[1]),
  );
  expect(exported.sort()).toEqual([...CORE_EXPORTS].sort());
});
