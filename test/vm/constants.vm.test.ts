import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openUpdate } from "../../src/update/file/update-file.js";
import { bootGuest, type Guest } from "./support/guest.js";
import { seriesByDay } from "./support/series.js";
import { testTree, Workshop, type TestTree } from "./support/trees.js";

/** What the differ makes of constants and exports, seen from a program: before, applied, undone. */

const workshop = new Workshop();
afterAll(() => {
  workshop.end();
});

/** A table of the same size, with another string: rewritten in place. Its readers stay as they are. */
const REWRITTEN = [{ file: "fs/proc/array.c", at: /"S \(sleeping\)"/, to: '"S (dozing)"' }];

/** A table that grows: carried; a function reads it, and data that may change points to it. */
const CARRIED = [{ file: "fs/proc/root.c", at: /fsparam_u32\("gid",\s*Opt_gid\),/, to: '$&\n\tfsparam_u32("group", Opt_gid),' }];

/** A new function of the kernel that a module calls: the modules of one update are linked to each other. */
const EXPORTED = [
  {
    file: "lib/cmdline.c",
    at: /^EXPORT_SYMBOL\(get_options\);$/m,
    to: "$&\n\nint ksplice_test_error(void);\nint ksplice_test_error(void)\n{\n\treturn -ENOMSG;\n}\nEXPORT_SYMBOL_GPL(ksplice_test_error);",
  },
  {
    file: "drivers/i2c/i2c-dev.c",
    at: /(case I2C_TIMEOUT:)/,
    to: "$1\n\t\tif (arg == INT_MAX)\n\t\t\treturn ksplice_test_error();",
  },
  { file: "drivers/i2c/i2c-dev.c", at: /^static long i2cdev_ioctl\(/m, to: "int ksplice_test_error(void);\n$&" },
];

describe.each([...seriesByDay("6.12")])("on a %s kernel", (series) => {
  let tree: TestTree;
  let guest: Guest;

  beforeAll(async () => {
    tree = await testTree(series);
    guest = await bootGuest(tree.path, { expose: [workshop.dir] });
    await guest.machine.loadModule("i2c-stub", ["chip_addr=0x10"]);
    await guest.machine.loadModule("i2c-dev");
  });
  afterAll(async () => {
    await guest.end();
  });

  const name = (what: string): string => `${what}${series.replace(".", "")}`;

  /** What `probe` says before, while the update is applied, and once it is undone. */
  async function observe(id: string, update: string, probe: () => Promise<string>): Promise<string[]> {
    const seen = [await probe()];
    await guest.mustRun("apply", "--tries=10", update);
    seen.push(await probe());
    await guest.mustRun("undo", "--tries=10", id);
    seen.push(await probe());
    await guest.expectClean();
    return seen;
  }

  it("a constant that keeps its size is rewritten in place", async () => {
    const id = name("rewritten");
    const update = await workshop.createOfEdits(tree.path, id, REWRITTEN);
    const [unit] = (await openUpdate(update)).manifest.targets[0]?.units ?? [];
    expect(unit?.functions).toEqual([]);
    expect(unit?.data).toMatchObject([{ name: "task_state_array", how: "rewritten" }]);
    const probe = () => guest.sh("sleep 60 & sleep 1; sed -n 's/^State:\\t//p' /proc/$!/status; kill $!");
    expect(await observe(id, update, probe)).toEqual(["S (sleeping)", "S (dozing)", "S (sleeping)"]);
  });

  it("a table that grows is carried, its readers are replaced and pointers to it redirected", async () => {
    const id = name("carried");
    const update = await workshop.createOfEdits(tree.path, id, CARRIED);
    const [unit] = (await openUpdate(update)).manifest.targets[0]?.units ?? [];
    expect(unit?.changed.map(({ reasons }) => reasons)).toEqual([["constant proc_fs_parameters"]]);
    expect(unit?.data).toMatchObject([{ name: "proc_fs_type", how: "redirected" }]);
    const mount =
      "mkdir -p /mnt/proc && mount -t proc -o group=5 proc /mnt/proc 2>/dev/null && umount /mnt/proc && echo known || echo unknown";
    expect(await observe(id, update, () => guest.sh(mount))).toEqual(["unknown", "known", "unknown"]);
  });

  it("a module's new code calls a function that the patch adds to the kernel", async () => {
    const id = name("exported");
    const update = await workshop.createOfEdits(tree.path, id, EXPORTED);
    const { targets } = (await openUpdate(update)).manifest;
    expect(targets.map(({ name: target, exports }) => [target, exports])).toEqual([
      ["vmlinux", ["ksplice_test_error"]],
      ["i2c_dev", []],
    ]);
    const probe = `${await workshop.probe("i2c-timeout")} /dev/i2c-0`;
    const [before, applied, undone] = await observe(id, update, () => guest.sh(probe));
    expect(applied).toBe("ENOMSG");
    expect(undone).toBe(before);
  });
});
