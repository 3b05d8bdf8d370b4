import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseObject } from "../../src/elf/parse-object.js";
import type { ManifestWrite } from "../../src/update/file/manifest.js";
import { makeUpdate, openUpdate, packUpdate, requireFile } from "../../src/update/file/update-file.js";
import { bootGuest, type Guest } from "./support/guest.js";
import { seriesByDay } from "./support/series.js";
import { testTree, Workshop } from "./support/trees.js";

/**
 * An update that overwrites data and changes no function: a constant with a pointer to new code, a pointer in data that may change, and a
 * variable. Its writes are put into the manifest by hand, over an update that brings the new bytes.
 */

const workshop = new Workshop();
afterAll(() => {
  workshop.end();
});

/** The export is what leads to the new code: without one it would be refused, as nothing would call it. */
const NEW_DATA = `$&

#include <linux/export.h>

static char *ksplice_test_dname(struct dentry *dentry, char *buffer, int buflen)
{
	return dynamic_dname(buffer, buflen, "patched:[%lu]", d_inode(dentry)->i_ino);
}

const struct dentry_operations ksplice_test_ops = { .d_dname = ksplice_test_dname };
EXPORT_SYMBOL_GPL(ksplice_test_ops);
const char *const ksplice_test_name = "patchedfs";
const unsigned int ksplice_test_limit = 2097152;
`;
const UNIT = "pre/fs/pipe.o";

async function createWithWrites(tree: string): Promise<string> {
  const made = await openUpdate(
    await workshop.createOfEdits(tree, "data", [{ file: "fs/pipe.c", at: /^fs_initcall\(init_pipe_fs\);$/m, to: NEW_DATA }]),
  );
  const pre = parseObject(requireFile(made, UNIT), UNIT);
  const write = (preSymbol: string, newSymbol: string, more: Partial<ManifestWrite>): ManifestWrite => {
    const size = pre.symbols.find(({ name }) => name === preSymbol)?.size ?? 0;
    return { name: preSymbol, preSymbol, offset: 0, size, newSymbol, newOffset: 0, isConstant: false, ...more };
  };
  const writes = [
    write("pipefs_dentry_operations", "ksplice_test_ops", { isConstant: true }),
    write("pipe_fs_type", "ksplice_test_name", { size: 8 }),
    write("pipe_max_size", "ksplice_test_limit", {}),
  ];
  const data = writes.map(({ name, isConstant }) => ({ name, how: isConstant ? ("rewritten" as const) : ("redirected" as const) }));
  const targets = made.manifest.targets.map((target) => ({ ...target, units: target.units.map((unit) => ({ ...unit, writes, data })) }));
  const path = join(workshop.dir, "data.tar.gz");
  writeFileSync(path, await packUpdate(makeUpdate({ ...made.manifest, targets }, made.files)));
  return path;
}

describe.each([...seriesByDay("6.1")])("an update of data only, on a %s kernel", (series) => {
  let guest: Guest;
  let update: string;
  const limit = () => guest.sh("cat /proc/sys/fs/pipe-max-size");
  const data = async () => [
    (await guest.sh("echo | readlink /proc/self/fd/0")).replace(/\d+/, "N"),
    await guest.sh("grep -c patchedfs /proc/filesystems || true"),
    await limit(),
  ];
  const OLD = ["pipe:[N]", "0", "1048576"];

  beforeAll(async () => {
    const tree = await testTree(series);
    update = await createWithWrites(tree.path);
    guest = await bootGuest(tree.path, { expose: [workshop.dir] });
  });
  afterAll(async () => {
    await guest.end();
  });

  it("is refused where the running data is not what the source says, and told where", async () => {
    await guest.sh("echo 524288 >/proc/sys/fs/pipe-max-size");
    const result = await guest.ksplice("apply", update);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("pipe_max_size+0x2: the contents of pipe_max_size differ at offset 0x2");
    expect(result.stderr).toMatch(/expected: 10 00\n\s+running: {2}08 00/);
    await guest.sh("echo 1048576 >/proc/sys/fs/pipe-max-size");
    await guest.expectClean();
  });

  it("is applied and listed, not undone while its data holds something else, and undone", async () => {
    expect(await data()).toEqual(OLD);
    expect((await guest.mustRun("apply", update)).stdout).toContain("0 functions and 3 data objects replaced");
    expect(await data()).toEqual(["patched:[N]", "1", "2097152"]);
    const { stdout } = await guest.mustRun("view", "--id=data");
    expect(stdout).toMatch(/^data:\n {2}vmlinux: pipefs_dentry_operations, \d+ bytes at 0xffffffff[0-9a-f]{8}$/m);
    expect(stdout).not.toContain("functions:");
    await guest.sh("echo 4194304 >/proc/sys/fs/pipe-max-size");
    const result = await guest.ksplice("undo", "--raw-errors", "data");
    expect(result.stderr).toMatch(/^no_match\n/);
    expect(await guest.sh("dmesg | grep ksplice: | tail -1")).toContain("the bytes of pipe_max_size at ");
    await guest.sh("echo 2097152 >/proc/sys/fs/pipe-max-size");
    await guest.mustRun("undo", "data");
    expect(await data()).toEqual(OLD);
    await guest.expectClean();
  });
});
