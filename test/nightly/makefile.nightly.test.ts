import { afterAll, beforeAll, expect, it } from "vitest";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Rehearsal } from "../../src/rehearse/rehearsal.js";
import { openUpdate } from "../../src/update/file/update-file.js";
import { patchOfEdits, type Edit } from "../support/edited-patch.js";
import { runHost } from "../support/run-host.js";
import { testTree, Workshop, type TestTree } from "../vm/support/trees.js";

/** Patches of a makefile: kbuild is asked anew how the objects of its folder are made, which takes a minute. */

const workshop = new Workshop();
let tree: TestTree;
beforeAll(async () => {
  tree = await testTree("6.1");
});
afterAll(() => {
  workshop.end();
});

const NEW_FILE = `#include <linux/seq_file.h>

void ksplice_say(struct seq_file *m);
void ksplice_say(struct seq_file *m)
{
	static int said;

	seq_printf(m, "said %d\\n", ++said);
}
`;

const added = (path: string, text: string): string => {
  const lines = text.trimEnd().split("\n");
  return `--- /dev/null\n+++ b/${path}\n@@ -0,0 +1,${lines.length} @@\n${lines.map((line) => `+${line}\n`).join("")}`;
};

const VERSION: readonly Edit[] = [
  { file: "fs/proc/version.c", at: /static int version_proc_show\(/, to: "void ksplice_say(struct seq_file *m);\n$&" },
  { file: "fs/proc/version.c", at: /(?<=\n)\treturn 0;\n\}\n(?=\nstatic int __init proc_version_init)/, to: "\tksplice_say(m);\n$&" },
  { file: "fs/proc/Makefile", at: /proc-y\t\+= version\.o\n/, to: "$&proc-y\t+= ksplice_say.o\n" },
];

it("a C file that the patch brings, and the line that has it compiled, are an update with that object, which does what it says, and can be patched again", async () => {
  const patch = patchOfEdits(tree.path, VERSION) + added("fs/proc/ksplice_say.c", NEW_FILE);
  const update = await workshop.create(tree.path, "fresh", patch);
  const { manifest } = await openUpdate(update);
  expect(manifest.targets.flatMap(({ units }) => units.map(({ path, new: names }) => [path, names]))).toEqual([
    ["fs/proc/ksplice_say.o", ["ksplice_say"]],
    ["fs/proc/version.o", []],
  ]);

  const args = ["rehearse", update, "--tree", tree.path, "--probe", "cat /proc/version", "--expose", workshop.dir, "--json"];
  const rehearsed = await runHost("", args);
  expect(rehearsed, rehearsed.stderr).toMatchObject({ exitCode: 0 });
  const { failures, probes } = JSON.parse(rehearsed.stdout) as Rehearsal;
  expect(failures).toEqual([]);
  const said = (state: "before" | "applied" | "undone"): string[] => probes?.[state].stdout.split("\n").slice(1) ?? ["no probe"];
  expect([said("before"), said("applied")[0], said("undone")]).toEqual([[], expect.stringMatching(/^said \d+$/) as string, []]);

  const again =
    '--- a/fs/proc/ksplice_say.c\n+++ b/fs/proc/ksplice_say.c\n@@ -7,3 +7,3 @@\n \n-\tseq_printf(m, "said %d\\n", ++said);\n+\tseq_printf(m, "said %d times\\n", ++said);\n }\n';
  const upper = await workshop.create(tree.path, "again", again, "--after", update);
  const second = await openUpdate(upper);
  expect(second.manifest.targets.flatMap(({ units }) => units.map(({ path, changed }) => [path, changed.map(({ name }) => name)]))).toEqual(
    [["fs/proc/ksplice_say.o", ["ksplice_say"]]],
  );

  const alone = await runHost("", ["rehearse", upper, "--tree", tree.path, "--json"]);
  expect(alone.exitCode).not.toBe(0);
  expect(alone.stdout).toContain("needs-missing");
  const probe = "sed -n '2s/[0-9]/N/gp' /proc/version";
  const stacked = await runHost("", [...["rehearse", upper, "--after", update], ...args.slice(2, 4), "--probe", probe, ...args.slice(6)]);
  expect(stacked, stacked.stderr).toMatchObject({ exitCode: 0 });
  const onTop = JSON.parse(stacked.stdout) as Rehearsal;
  expect([onTop.failures, onTop.viewed.toSorted()]).toEqual([[], ["again", "fresh"]]);
  const state = (of: "before" | "applied" | "undone"): string | undefined => onTop.probes?.[of].stdout;
  expect([state("before"), state("applied"), state("undone")]).toEqual(["said N", "said N times", "said N"]);
});

it("with --build-modules a C file is refused: a whole module is made of the objects that the shipped one has", async () => {
  const patch =
    patchOfEdits(tree.path, [
      { file: "net/8021q/vlan_netlink.c", at: /static int vlan_validate\(/, to: "void ksplice_more(void);\n$&" },
      { file: "net/8021q/vlan_netlink.c", at: /(?<=static int vlan_validate\([^{]*\{\n[^}]*?\n)(?=\n\tif)/, to: "\n\tksplice_more();\n" },
      { file: "net/8021q/Makefile", at: /:= vlan\.o/, to: "$& ksplice_more.o" },
    ]) +
    added(
      "net/8021q/ksplice_more.c",
      '#include <linux/printk.h>\n\nvoid ksplice_more(void);\nvoid ksplice_more(void)\n{\n\tpr_info_once("more\\n");\n}\n',
    );
  const file = join(workshop.dir, "more.patch");
  writeFileSync(file, patch);
  const result = await runHost("create", [
    `--patch=${file}`,
    "--build-modules",
    `--output=${join(workshop.dir, "more.tar.gz")}`,
    tree.path,
  ]);
  expect(result.exitCode).toBe(1);
  expect(result.stderr).toContain("the patch adds net/8021q/ksplice_more.o to 8021q");
});

it("a flag for every object of a folder is refused, and the makefile named", async () => {
  const file = join(workshop.dir, "flag.patch");
  writeFileSync(file, patchOfEdits(tree.path, [{ file: "fs/Makefile", at: /\nobj-y :=/, to: "\nccflags-y += -DX$&" }]));
  const result = await runHost("create", [`--patch=${file}`, `--output=${join(workshop.dir, "flag.tar.gz")}`, tree.path]);
  expect(result.exitCode).toBe(1);
  expect(result.stderr).toContain("fs/Makefile");
});
