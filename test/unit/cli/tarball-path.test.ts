import { join } from "node:path";
import { expect, test } from "vitest";
import { tarballPath } from "../../../src/cli/tarball-path.js";
import { temporaryDirectory } from "../../support/temp-dir.js";

const directory = temporaryDirectory();

test.each<[given: string | undefined, path: string]>([
  [undefined, "ksplice-fix.tar.gz"],
  [directory, join(directory, "ksplice-fix.tar.gz")],
  [`${directory}/`, join(directory, "ksplice-fix.tar.gz")],
  [join(directory, "other.tar.gz"), join(directory, "other.tar.gz")],
  ["missing/other.tar.gz", "missing/other.tar.gz"],
])("an update that goes to %s is written there: %s", (given, path) => {
  expect(tarballPath(given, "fix")).toBe(path);
});
