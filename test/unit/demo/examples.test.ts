import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { archiveExamples, ownExample } from "../../../demo/examples.js";

let top: string;
let tree: string;
let cacheDir: string;

function write(path: string, text: string): void {
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
}

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), "ksplice-demo-test-"));
  tree = join(top, "tree");
  cacheDir = join(top, "cache");
  write(join(tree, "fs/proc/version.c"), "static int version_proc_show(void)\n{\n\tshow();\n\treturn 0;\n}\n");
});

afterEach(() => {
  rmSync(top, { recursive: true });
});

test("the example of our own adds the line that its probe looks for", async () => {
  const example = await ownExample(tree);
  expect(example.patch).toContain('\n+\tseq_puts(m, "patched while it ran: an example\\n");\n \treturn 0;\n');
  expect(example.expected).toEqual({ unpatched: "", patched: "patched while it ran: an example" });
});

test("of the fixes in the archive's next source, the smallest comes first; files that did not change, or that this series lacks, are no fix", async () => {
  // As the cache holds what was read of a source before.
  const next = (file: string, text: string): void => {
    write(join(cacheDir, "source-files/6.1.2-1", file), text);
  };
  for (const file of ["kernel/pid.c", "kernel/signal.c", "mm/memory.c"]) write(join(tree, file), "a\nb\nc\n");
  next("kernel/pid.c", "a\nfixed in two\nplaces\nc\n");
  next("kernel/signal.c", "a\nx\nc\n");
  next("mm/memory.c", "a\nb\nc\n");
  const examples = await archiveExamples(tree, "6.1.1-1", "6.1.2-1", { cacheDir });
  expect(examples.map(({ expected }) => expected.patched)).toEqual([
    "patched while it ran: kernel/signal.c of 6.1.2-1",
    "patched while it ran: kernel/pid.c of 6.1.2-1",
  ]);
  expect(examples[0]?.title).toContain("kernel/signal.c between 6.1.1-1 and 6.1.2-1");
  expect(examples[0]?.patch).toMatch(/^--- a\/kernel\/signal\.c[^]*^--- a\/fs\/proc\/version\.c/m);
});
