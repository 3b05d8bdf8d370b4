import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

const PREFIX = "ksplice-test-";

/** A place for all that a run puts into the temporary folder, tests, compilers and ksplice itself: it goes as a whole. */
export default function setUp(): () => void {
  const before = process.env["TMPDIR"];
  // Each project of a run calls this; one place is enough for all of them.
  if (before !== undefined && basename(before).startsWith(PREFIX)) return () => undefined;
  const directory = mkdtempSync(join(realpathSync(tmpdir()), PREFIX));
  process.env["TMPDIR"] = directory;
  return () => {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
    rmSync(directory, { recursive: true, force: true });
  };
}
