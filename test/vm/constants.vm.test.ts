import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openUpdate, type Update } from "../../src/update/file/update-file.js";
import { bootGuest, type Guest } from "./support/guest.js";
import { seriesByDay } from "./support/series.js";
import { testTree, Workshop } from "./support/trees.js";

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
  const id = `constants${series.replace(".", "")}`;
  let guest: Guest;
  let update: Update;
  let path: string;

  beforeAll(async () => {
    const tree = await testTree(series);
    path = await workshop.createOfEdits(tree.path, id, [...REWRITTEN, ...CARRIED, ...EXPORTED]);
    update = await openUpdate(path);
    guest = await bootGuest(tree.path, { expose: [workshop.dir] });
    await guest.machine.loadModule("i2c-stub", ["chip_addr=0x10"]);
    await guest.machine.loadModule("i2c-dev");
  });
  afterAll(async () => {
    await guest.end();
  });

  const unitOf = (object: string) => update.manifest.targets.flatMap(({ units }) => units).find((unit) => unit.path === object);

  it("a constant that keeps its size is rewritten in place, without a change of code", () => {
    expect(unitOf("fs/proc/array.o")).toMatchObject({ functions: [], data: [{ name: "task_state_array", how: "rewritten" }] });
  });

  it("a table that grows is carried, its readers are replaced and pointers to it redirected", () => {
    const root = unitOf("fs/proc/root.o");
    expect(root?.changed.map(({ reasons }) => reasons)).toEqual([["constant proc_fs_parameters"]]);
    expect(root?.data).toMatchObject([{ name: "proc_fs_type", how: "redirected" }]);
  });

  it("the modules of an update know what the others export", () => {
    expect(update.manifest.targets.map(({ name, exports }) => [name, exports])).toEqual([
      ["vmlinux", ["ksplice_test_error"]],
      ["i2c_dev", []],
    ]);
  });

  it("programs see all of it once it is applied, and nothing before and once it is undone", async () => {
    const timeout = `${await workshop.probe("i2c-timeout")} /dev/i2c-0`;
    const probe = async () => ({
      state: await guest.sh("sleep 60 & sleep 1; sed -n 's/^State:\\t//p' /proc/$!/status; kill $!"),
      option: await guest.sh(
        "mkdir -p /mnt/proc && mount -t proc -o group=5 proc /mnt/proc 2>/dev/null && umount /mnt/proc && echo known || echo unknown",
      ),
      timeout: await guest.sh(timeout),
    });
    const before = await probe();
    expect(before).toMatchObject({ state: "S (sleeping)", option: "unknown" });
    await guest.mustRun("apply", "--tries=10", path);
    expect(await probe()).toEqual({ state: "S (dozing)", option: "known", timeout: "ENOMSG" });
    await guest.mustRun("undo", "--tries=10", id);
    expect(await probe()).toEqual(before);
    await guest.expectClean();
  });
});
