import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { homeSection } from "../../src/elf/model.js";
import { parseObject } from "../../src/elf/parse-object.js";
import { patchOfEdits, type Edit } from "../support/edited-patch.js";
import { runHost } from "../support/run-host.js";
import { bootGuest, type Guest } from "./support/guest.js";
import { testTree, Workshop, type TestTree } from "./support/trees.js";
import { step } from "./support/step.js";

/** A module that is not loaded gets its update from the disk, with its next load. */

const workshop = new Workshop();
let tree: TestTree;
let guest: Guest;
let update: string;

/** What the module tells everybody, which shows that a function of it runs, and what its initialization says. */
const EDITS: readonly Edit[] = [
  { file: "net/core/pktgen.c", at: /seq_puts\(seq, version\)/, to: 'seq_printf(seq, "patched: %s", version)' },
];
const told = async () => (await guest.sh("cat /proc/net/pktgen/pgctrl")).split(":")[0];

beforeAll(async () => {
  tree = await testTree("6.1");
  update = await workshop.create(tree.path, "disk", patchOfEdits(tree.path, EDITS), "--build-modules");
  guest = await bootGuest(tree.path, { expose: [workshop.dir] });
  await guest.machine.loadModule("overlay");
  const image = join(tree.path, "ksplice/image/lib/modules", tree.release);
  const own = `/lib/modules/${tree.release}`;
  await guest.sh(`mkdir -p /tmp/lib/upper /tmp/lib/work
mount -t overlay overlay -o lowerdir=/usr/lib,upperdir=/tmp/lib/upper,workdir=/tmp/lib/work /usr/lib
mkdir -p ${own}/kernel/net/core
cp ${image}/kernel/net/core/pktgen.ko ${own}/kernel/net/core
for file in order builtin builtin.modinfo; do cp ${image}/modules.$file ${own}/ || touch ${own}/modules.$file; done
depmod ${tree.release}`);
});

afterAll(async () => {
  await guest.end();
  workshop.end();
});

test.each([
  ["read-only", "mount --bind /lib/modules /lib/modules && mount -o remount,bind,ro /lib/modules", "/lib/modules"],
  ["full", "mkdir -p $updates && mount -t tmpfs -o size=16k tmpfs $updates", "$updates"],
])("a disk that is %s takes no module, and nothing is left there", async (what, spoil, place) => {
  const own = `updates=/lib/modules/${tree.release}/updates;`;
  await guest.sh(`${own} ${spoil}`);
  const result = await guest.ksplice("apply", "--disk", update);
  const left = await guest.sh(`${own} [ ! -d $updates ] || find $updates -type f; umount ${place}`);
  expect(result).toMatchObject({ exitCode: 1 });
  expect(result.stderr).toContain(what === "full" ? "no space is left on the device" : "the file system is read-only");
  expect(left).toBe("");
});

test("a module that is not loaded gets its file alone", async () => {
  await step("a module that is not loaded is put onto the disk, and its next load brings the patched code", async () => {
    const { stdout } = await guest.mustRun("apply", "--disk", update);
    expect(stdout).toBe("disk is on the disk, in pktgen: the next load brings it\nnothing was changed in the running kernel\n");
    expect(await guest.sh("modinfo -F ksplice pktgen")).toBe("disk");
    await guest.sh("modprobe pktgen");
    expect(await told()).toBe("patched");
  });

  await step("which is seen: by view, and by an apply of the same update, which compares the code", async () => {
    expect((await guest.mustRun("view")).stdout).toBe("disk [on disk]: pktgen, loaded with it\n");
    expect((await guest.mustRun("apply", update)).stdout).toBe("disk is in this kernel already: pktgen came with it from the disk\n");
  });

  await step("an undo takes the file away; what was loaded from it stays until it is unloaded", async () => {
    const { stdout } = await guest.mustRun("undo", "disk");
    expect(stdout).toContain("pktgen is off the disk");
    expect(stdout).toContain("KEEPS it until it is unloaded");
    expect(await told()).toBe("patched");
    await guest.sh("rmmod pktgen && modprobe pktgen");
    expect(await told()).not.toBe("patched");
  });
});
test("a module that is loaded gets both: the update in memory, and the file for the next load", async () => {
  const { stdout } = await guest.mustRun("apply", "--disk", update);
  expect(stdout).toMatch(/^disk is on the disk, in pktgen.*\napplied disk: 1 function replaced/);
  expect(await told()).toBe("patched");
  await guest.mustRun("undo", "disk");
  expect(await told()).not.toBe("patched");
  expect(await guest.sh(`find /lib/modules/${tree.release}/updates -type f`)).toBe("");
  // The update's code stays: the address of its string was handed out.
  await guest.expectQuiet();
});

test("no module is built whole where the unpatched source does not give the shipped one, by object and function", async () => {
  const config = workshop.folder("config");
  const from = join(tree.path, "ksplice");
  for (const name of readdirSync(from)) if (name !== "image") symlinkSync(join(from, name), join(config, name));
  const place = join("image/lib/modules", tree.release, "kernel/net/core");
  mkdirSync(join(config, place), { recursive: true });
  cpSync(join(from, place, "pktgen.ko"), join(config, place, "pktgen.ko"));
  const path = join(config, place, "pktgen.ko");
  const bytes = readFileSync(path);
  const { symbols } = parseObject(bytes, path);
  const shown = symbols.find(({ name }) => name === "pgctrl_show");
  const code = shown === undefined ? undefined : homeSection(shown)?.data;
  if (shown === undefined || code === undefined) throw new Error("pktgen has no pgctrl_show");
  // The parsed data are views of the file.
  const last = code.byteOffset - bytes.byteOffset + shown.value + shown.size - 1;
  bytes[last] = (bytes[last] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  const patch = join(workshop.dir, "other.patch");
  writeFileSync(patch, patchOfEdits(tree.path, EDITS), "latin1");
  const result = await runHost("create", [`--patch=${patch}`, `--config=${config}`, "--build-modules", "--id=other", tree.path]);
  expect(result).toMatchObject({ exitCode: 1 });
  expect(result.stderr).toContain("the unpatched source does not give the shipped module pktgen");
  expect(result.stderr).toMatch(/net\/core\/pktgen\.o: pgctrl_show: \.text: another byte at \+0x/);
  rmSync(config, { recursive: true });
});
