import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defaultCacheDir } from "../../src/host/cache-dir.js";
import { makeKernel, MODULE_FLAGS } from "../../src/kbuild/make.js";
import { prepareBuild } from "../../src/kbuild/prepare-build.js";
import type { Rehearsal } from "../../src/rehearse/rehearsal.js";
import { openKernelTree } from "../../src/tree/open-tree.js";
import { openUpdate } from "../../src/update/file/update-file.js";
import { patchOfEdits, type Edit } from "../support/edited-patch.js";
import { runHost } from "../support/run-host.js";
import { writeFiles } from "../support/temp-dir.js";
import { backportsTree, testTree, Workshop } from "../vm/support/trees.js";

/** A module that is no part of the kernel's source, as an administrator builds it: of two files, with a header of its own. */
const SOURCE: Readonly<Record<string, string>> = {
  Makefile: "obj-m := greeter.o\ngreeter-y := main.o words.o\nccflags-y := -I$(src)/include\n",
  "include/words.h": '#define GREETED 1\n#define OPENING "hello"\nconst char *greeting(int count);\n',
  "words.c": `#include <linux/module.h>
#include "words.h"
static int served;
noinline const char *greeting(int count)
{
	served += count;
	WARN_ON_ONCE(count > 1000);
	pr_debug("greeted %d of %s\\n", served, __FILE__);
	return served > 1000 ? "again" : OPENING;
}
`,
  "main.c": `#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include "words.h"
static int show(struct seq_file *m, void *v)
{
	seq_printf(m, "%s of %s\\n", greeting(GREETED), kbasename(__FILE__));
	return 0;
}
static int __init greeter_init(void)
{
	return proc_create_single("greeter", 0, NULL, show) ? 0 : -ENOMEM;
}
static void __exit greeter_exit(void)
{
	remove_proc_entry("greeter", NULL);
}
module_init(greeter_init);
module_exit(greeter_exit);
MODULE_DESCRIPTION("greets");
MODULE_LICENSE("GPL");
`,
};

const READ = "cat /proc/greeter";
const WORDS: readonly Edit[] = [{ file: "words.c", at: /"again"/, to: '"once more"' }];
/** Its header alone, which both files include and one uses. */
const HEADER: readonly Edit[] = [{ file: "include/words.h", at: /"hello"/, to: '"good day"' }];

const workshop = new Workshop();
afterAll(() => {
  workshop.end();
});

describe.each([
  ["6.1", () => testTree("6.1")],
  ["Debian 13's", () => testTree("6.12", "trixie")],
  ["the backports'", () => backportsTree()],
] as const)("a module that is no part of the kernel, %s", { timeout: 1_200_000 }, (name, treeOf) => {
  const folder = workshop.folder(name.replaceAll(/\W/g, ""));
  const module = join(folder, "greeter");
  const tree = join(folder, "tree");
  let kernel: string;

  beforeAll(async () => {
    kernel = (await treeOf()).path;
    writeFiles(module, SOURCE);
    const build = await prepareBuild(await openKernelTree(kernel), { cacheDir: defaultCacheDir(process.env) });
    const args = [`M=${module}`, "CONFIG_DEBUG_INFO_BTF_MODULES=", "modules"];
    const made = await makeKernel({ ...build, source: build.tree.source }, args, MODULE_FLAGS);
    expect(made, made.stderr).toMatchObject({ exitCode: 0 });
    const prepared = await runHost("", ["prepare", "--module", module, "--kernel-source", kernel, tree]);
    expect(prepared, prepared.stderr).toMatchObject({ exitCode: 0 });
  }, 1_200_000);

  async function rehearse(update: string, ...options: string[]): Promise<Rehearsal> {
    const rehearsed = await runHost("", ["rehearse", update, "--tree", tree, "--json", "--module", "greeter", "--probe", READ, ...options]);
    expect(rehearsed, rehearsed.stderr).toMatchObject({ exitCode: 0 });
    return JSON.parse(rehearsed.stdout) as Rehearsal;
  }

  it("is patched as it runs, by a change of its header", async () => {
    const update = await workshop.create(tree, `header${name.length}`, patchOfEdits(module, HEADER));
    const result = await rehearse(update);
    expect(result).toMatchObject({ ok: true, problems: [], leftovers: [], verification: { findings: [] } });
    expect(result.matching.skippedBytes).toBe(0);
    const said = (["before", "applied", "undone"] as const).map((state) => result.probes?.[state].stdout.trim());
    expect(said).toEqual(["hello of main.c", "good day of main.c", "hello of main.c"]);
  });

  it("is built from, and its source is left as it is", () => {
    const files = readdirSync(module).filter((file) => !/\.(?:o|ko|mod|mod\.c|cmd|order|symvers)$|^\./.test(file));
    expect(files.sort()).toEqual(["Makefile", "include", "main.c", "words.c"]);
    expect(readFileSync(join(module, "words.c"), "utf8")).toBe(SOURCE["words.c"]);
  });

  it("takes one update after another", async () => {
    const first = await workshop.create(tree, `first${name.length}`, patchOfEdits(module, WORDS));
    const after = await workshop.create(tree, `second${name.length}`, patchOfEdits(module, HEADER), `--after=${first}`);
    const { manifest } = await openUpdate(after);
    expect(manifest).toMatchObject({ after: [`first${name.length}`], targets: [{ name: "greeter" }] });
  });

  it("takes a file that the patch brings", async () => {
    const main = patchOfEdits(module, [
      { file: "main.c", at: /static int show/, to: "const char *more(void);\n$&" },
      { file: "main.c", at: /greeting\(GREETED\)/, to: "more()" },
      { file: "Makefile", at: /words\.o/, to: "words.o more.o" },
    ]);
    const lines = ["#include <linux/module.h>", "const char *more(void);", "const char *more(void)", "{", '\treturn "more";', "}"];
    const added = ["--- /dev/null", "+++ b/more.c", `@@ -0,0 +1,${lines.length} @@`, ...lines.map((line) => `+${line}`), ""].join("\n");
    const result = await rehearse(await workshop.create(tree, `more${name.length}`, main + added));
    expect(result).toMatchObject({ ok: true, verification: { findings: [] } });
    expect(result.probes?.applied.stdout.trim()).toBe("more of main.c");
  });

  it("is refused where the source is not what runs", async () => {
    const other = join(folder, "other");
    cpSync(module, other, { recursive: true });
    const words = readFileSync(join(other, "words.c"), "utf8");
    writeFileSync(join(other, "words.c"), words.replace("served > 1000", "served > 2000"));
    const prepared = await runHost("", ["prepare", "--module", other, "--kernel-source", kernel, join(folder, "other-tree")]);
    expect(prepared, prepared.stderr).toMatchObject({ exitCode: 0 });
    const update = await workshop.create(join(folder, "other-tree"), `other${name.length}`, patchOfEdits(other, WORDS));
    const rehearsed = await runHost("", ["rehearse", update, "--tree", tree, "--module", "greeter"]);
    expect(rehearsed.exitCode).not.toBe(0);
    expect(rehearsed.stderr).toContain("the running kernel is not what extra/greeter/words.o was compiled from");
  });
});
