import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A place for all that a run puts into the temporary folder, tests, compilers and ksplice itself: it goes as a whole. */
export default function setUp(): () => void {
  const before = process.env["TMPDIR"];
  const directory = mkdtempSync(join(realpathSync(tmpdir()), "ksplice-test-"));
  process.env["TMPDIR"] = directory;
  return () => {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
    rmSync(directory, { recursive: true, force: true });
  };
}
