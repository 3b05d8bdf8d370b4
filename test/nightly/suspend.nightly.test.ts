import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildPackages } from "../../packaging/build-packages.js";
import { defaultCacheDir } from "../../src/host/cache-dir.js";
import { findProblems } from "../../vm/console-log.js";
import { InstalledSystem } from "../support/installed-system.js";
import { testTree, Workshop } from "../vm/support/trees.js";

/**
 * A machine that sleeps, and one whose memory goes to a disk and comes back, with an update in its kernel. The kernel's own tests of both are used: a suspend that stops all but the
 * last processor and wakes by itself (PM_DEBUG), and a hibernation that reads its image into the machine that wrote it.
 */

/** A word for each state that the machine comes to, and what is in it; the files that the harness shares with a machine do not outlive its sleep, so all is one command. The kernel's log has the words: after the emulated machine has woken, who writes to its serial port waits for ever. */
const SCRIPT = `
say() { echo "sleeper: $*" >/dev/kmsg; }
look() {
	ksplice verify update.tar.gz >/dev/null 2>&1 && words=verified || words="not verified"
	say "$1: $(head -n 1 /proc/version | cut -c1-7), $words, $(cat /sys/kernel/ksplice/sleeper/stage 2>/dev/null || echo gone)"
}
suspend() { echo core >/sys/power/pm_test && echo mem >/sys/power/state || say "no suspend"; }
hibernate() { echo none >/sys/power/pm_test && echo disk >/sys/power/state || say "no hibernation"; }
dmesg -n 8
modprobe zram && echo 1G >/sys/block/zram0/disksize && mkswap -q /dev/zram0 && swapon /dev/zram0 || say "no swap"
echo deep >/sys/power/mem_sleep
echo test_resume >/sys/power/disk
echo 0 >/sys/power/image_size
ksplice apply --stop-limit=1000 update.tar.gz || say "not applied"
look applied
suspend
look suspended
hibernate
look hibernated
ksplice undo --stop-limit=1000 --tries=20 sleeper || say "not undone"
look undone
hibernate
look "hibernated again"
say "slept: $(dmesg | grep -c 'suspend debug: Waiting for\\|Image restored\\|PM: hibernation: hibernation exit')"
sync
echo o >/proc/sysrq-trigger
`;

const workshop = new Workshop();
let system: InstalledSystem;

beforeAll(async () => {
  const tree = await testTree("6.12", "trixie");
  const { debs } = await buildPackages({ outputDir: workshop.dir, cacheDir: defaultCacheDir(process.env), compression: "none" });
  const update = await workshop.createOfEdits(tree.path, "sleeper", [
    { file: "fs/proc/version.c", at: /static int version_proc_show\([^)]*\)\s*\{/, to: '$&\n\tseq_puts(m, "patched\\n");' },
  ]);
  const script = join(workshop.dir, "script.sh");
  writeFileSync(script, SCRIPT);
  system = await InstalledSystem.make(
    "trixie",
    tree.release,
    [],
    [...debs.filter((file) => !file.includes("ksplice-build")), script, update],
  );
  // The second one is taken off before the machine sleeps, and put back.
  await system.boot(undefined, 2);
  await system.sh("apt-get -q -y install ./ksplice_*.deb 2>&1 && mv ksplice-sleeper.tar.gz update.tar.gz");
});

afterAll(async () => {
  await system.end();
  workshop.end();
});

it("an update stays in through suspend and hibernation, and what was undone does not come back", async () => {
  const text = await system.crash("cd /root && sh script.sh </dev/null >/dev/null 2>&1");
  const said = [...text.matchAll(/sleeper: (.*?)\r?$/gm)].map(([, words]) => words);
  expect(said, text.slice(-5000)).toEqual([
    "applied: patched, verified, applied",
    "suspended: patched, verified, applied",
    "hibernated: patched, verified, applied",
    expect.stringMatching(/^undone: Linux v, not verified, (gone|resident)$/),
    expect.stringMatching(/^hibernated again: Linux v, not verified, (gone|resident)$/),
    "slept: 3",
  ]);
  expect(findProblems(text)).toEqual([]);
});
