import { afterAll, expect, it } from "vitest";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runHost } from "../support/run-host.js";
import { testTree, Workshop } from "../vm/support/trees.js";

/** A tree of the user's own with a changed file beside the original: kbuild is asked about it anew, which takes a minute. */

const workshop = new Workshop();
afterAll(() => {
  workshop.end();
});

it("an update is made of the files that have a further ending", async () => {
  const tree = await testTree("6.1");
  const file = "fs/pipe.c";
  const source = readFileSync(join(tree.path, file), "latin1");
  const edited = source.replace(/(?<=\npipe_release\([^{]*\{\n[^}]*?\n)(?=\t__pipe_lock\()/, '\tpr_info("pipe_release\\n");\n');
  expect(edited).not.toBe(source);
  const own = await workshop.treeWith(tree, new Map([[`${file}.debug`, edited]]));
  const created = await runHost("create", ["--diffext=.debug", "--id=debug", `--output=${join(workshop.dir, "debug.tar.gz")}`, own]);
  expect(created, created.stderr).toMatchObject({ exitCode: 0 });
  expect(created.stdout).toContain("pipe_release changed");
});
