import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, it } from "vitest";
import { packageRoot } from "../../../../src/host/package-root.js";

/** Files that a source file imports values from, itself included, however indirectly. Types leave nothing behind when a program runs. */
function reachable(start: string): Set<string> {
  const found = new Set([start]);
  for (const file of found) {
    const text = readFileSync(file, "utf8");
    for (const [, path = ""] of text.matchAll(/^import (?!type )[^;]*?from "(\.[^"]+)\.js";$/gms))
      found.add(join(dirname(file), `${path}.ts`));
  }
  return found;
}

it("verifying shares no code with what makes an update, nor with what links it on the target", () => {
  const src = join(packageRoot(), "src");
  const files = [...reachable(join(src, "update/verify/verify-update.ts"))].map((file) => relative(src, file));
  expect(files).toContain("match/match-unit.ts");
  const makers = files.filter((file) =>
    /^(diff|kbuild|btf|distro)\/|^engine\/core\/part-section|^update\/(create|linkage|match|prelink|units)\//.test(file),
  );
  // A list of words, for the manifest's schema.
  expect(makers).toEqual(["diff/atoms/hook-kinds.ts"]);
});
