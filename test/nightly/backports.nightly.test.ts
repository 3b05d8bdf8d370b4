import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UNDEFINED } from "../../src/elf/model.js";
import { parseObject } from "../../src/elf/parse-object.js";
import { parseVersions } from "../../src/elf/module-versions.js";
import type { Rehearsal } from "../../src/rehearse/rehearsal.js";
import { openUpdate } from "../../src/update/file/update-file.js";
import { patchOfEdits, type Edit } from "../support/edited-patch.js";
import { runHost } from "../support/run-host.js";
import { backportsTree, type TestTree, UPTIME_FIX, Workshop } from "../vm/support/trees.js";

/** The newest kernel of Debian 13's backports: split packages, Rust, no symbol versions, lazy preemption. */

const workshop = new Workshop();
let tree: TestTree;
beforeAll(async () => {
  tree = await backportsTree();
}, 1_200_000);
afterAll(() => {
  workshop.end();
});

async function rehearse(update: string, ...options: string[]): Promise<Rehearsal> {
  const rehearsed = await runHost("", ["rehearse", update, "--tree", tree.path, "--expose", workshop.dir, "--json", ...options]);
  expect(rehearsed, rehearsed.stderr).toMatchObject({ exitCode: 0 });
  return JSON.parse(rehearsed.stdout) as Rehearsal;
}

const I2C: readonly Edit[] = [{ file: "drivers/i2c/i2c-dev.c", at: /(?<=i2cdev_write\(struct file[^]*?)count > 8192/, to: "count > 4096" }];
/** Two functions of which the warnings have texts, in files with many such. */
const WARNINGS: readonly Edit[] = [
  { file: "fs/proc/generic.c", at: /already registered/, to: "is there already" },
  { file: "fs/sysfs/file.c", at: /OOB write or bad count/, to: "out of bounds, or bad count" },
];
/** The kernel prints the text that the new entry names, whoever reads the file. */
const SPEAKING: readonly Edit[] = [
  { file: "fs/proc/uptime.c", at: /\tidle_nsec = 0;/, to: '\tWARN(m->private == NULL, "speaks of %d and %s\\n", 42, "fish");\n$&' },
];

describe("an update of Debian 13's backported kernel", { timeout: 1_200_000 }, () => {
  it("of the image does what it says, is what runs, and can be undone", async () => {
    const update = await workshop.createOfEdits(tree.path, "uptime", UPTIME_FIX);
    const result = await rehearse(update, "--probe", "cut -d' ' -f3 /proc/uptime");
    expect(result).toMatchObject({ ok: true, problems: [], leftovers: [], verification: { findings: [] } });
    expect(result.matching.skippedBytes).toBe(0);
    const said = (["before", "applied", "undone"] as const).map((state) => result.probes?.[state].stdout.trim());
    expect(said).toEqual(["", "patched", ""]);
  });

  it("of code that warns with a text matches, and is what runs", async () => {
    const result = await rehearse(await workshop.createOfEdits(tree.path, "warnings", WARNINGS));
    expect(result).toMatchObject({ ok: true, problems: [], leftovers: [], verification: { findings: [] } });
  });

  it("warns with the text of the new code", async () => {
    const update = await workshop.createOfEdits(tree.path, "speaking", SPEAKING);
    const said = "dmesg | grep -c 'speaks of 42 and fish'";
    const args = [
      "rehearse",
      update,
      "--tree",
      tree.path,
      "--expose",
      workshop.dir,
      "--json",
      "--probe",
      `cat /proc/uptime >/dev/null; ${said}`,
    ];
    // A warning is what a rehearsal fails on.
    const result = JSON.parse((await runHost("", args)).stdout) as Rehearsal;
    expect(result.verification).toMatchObject({ findings: [] });
    expect([result.probes?.before.stdout.trim(), result.probes?.undone.stdout]).toEqual(["0", result.probes?.applied.stdout]);
    expect(Number(result.probes?.applied.stdout)).toBeGreaterThan(0);
  });

  it("of a module is what runs, and leaves exports to the kernel's loader", async () => {
    const update = await workshop.createOfEdits(tree.path, "i2c", I2C);
    const result = await rehearse(update);
    expect(result).toMatchObject({ ok: true, problems: [], leftovers: [], verification: { findings: [] } });
    expect(result.matching.skippedBytes).toBe(0);

    const { manifest, files } = await openUpdate(update);
    const [target] = manifest.targets;
    const module = parseObject(files.get(target?.file ?? "") ?? new Uint8Array(), "i2c.ko");
    const undefinedNames = module.symbols.filter(({ home }) => home === UNDEFINED).map(({ name }) => name);
    expect([...parseVersions(module).keys()].filter((name) => undefinedNames.includes(name)).length).toBeGreaterThan(0);
  });

  it("brings the whole module, made as the shipped one is", async () => {
    const update = await workshop.create(tree.path, "whole", patchOfEdits(tree.path, I2C), "--build-modules");
    const { files } = await openUpdate(update);
    expect([...files.keys()].filter((path) => path.startsWith("whole/"))).toEqual(["whole/i2c_dev.ko"]);
  });

  it("that changes what Rust code knows of C is refused, and one of Rust code itself", async () => {
    const refusal = async (edits: readonly Edit[], id: string): Promise<string> => {
      const file = join(workshop.dir, `${id}.patch`);
      writeFileSync(file, patchOfEdits(tree.path, edits));
      return (await runHost("create", [`--patch=${file}`, "--quiet", tree.path])).stderr;
    };
    const macro: Edit = {
      file: "include/linux/auxiliary_bus.h",
      at: /__auxiliary_device_add\(auxdev, KBUILD_MODNAME\)/,
      to: '__auxiliary_device_add(auxdev, "x")',
    };
    expect(await refusal([macro], "macro")).toMatch(/rust\/bindings\/bindings_helper\.h[^]*auxiliary_device_add/);
    expect(await refusal([{ file: "rust/kernel/time.rs", at: /NSEC_PER_USEC as i64/, to: "NSEC_PER_USEC as i64 + 0" }], "rs")).toContain(
      "rust/kernel/time.rs",
    );
  });
});
