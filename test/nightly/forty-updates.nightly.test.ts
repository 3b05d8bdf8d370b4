import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packageRoot } from "../../src/host/package-root.js";
import { shuffled } from "../../corpus/shuffled.js";
import { bootGuest, type Guest } from "../vm/support/guest.js";
import { archivePatches, testTree, Workshop } from "../vm/support/trees.js";

/** Many updates in one kernel at once: applied one after another under load, undone in another order. */

/** Files that Debian changed in a point release, and the module that each is part of; each becomes an update of its own. */
const FILES: readonly (readonly [file: string, module?: string])[] = [
  ["kernel/futex/requeue.c"],
  ["kernel/signal.c"],
  ["kernel/pid.c"],
  ["kernel/auditsc.c"],
  ["kernel/cgroup/cpuset.c"],
  ["kernel/time/time.c"],
  ["kernel/trace/ring_buffer.c"],
  ["mm/huge_memory.c"],
  ["mm/page_alloc.c"],
  ["block/blk-cgroup.c"],
  ["kernel/taskstats.c"],
  ["io_uring/timeout.c"],
  ["fs/userfaultfd.c"],
  ["fs/fcntl.c"],
  ["net/core/rtnetlink.c"],
  ["net/core/skbuff.c"],
  ["net/ipv4/raw.c"],
  ["net/ipv4/udp.c"],
  ["net/ipv4/nexthop.c"],
  ["net/ipv6/exthdrs.c"],
  ["net/unix/af_unix.c"],
  ["net/netlink/af_netlink.c"],
  ["drivers/i2c/i2c-dev.c", "i2c-dev"],
  ["crypto/af_alg.c", "af_alg"],
  ["drivers/md/dm-ioctl.c", "dm-mod"],
  ["drivers/net/macvlan.c", "macvlan"],
  ["drivers/net/vxlan/vxlan_core.c", "vxlan"],
  ["drivers/net/tun.c", "tun"],
  ["drivers/net/vrf.c", "vrf"],
  ["fs/fuse/dev.c", "fuse"],
  ["net/sched/sch_netem.c", "sch_netem"],
  ["fs/ext4/xattr.c", "ext4"],
  ["fs/btrfs/inode.c", "btrfs"],
  ["net/l2tp/l2tp_core.c", "l2tp_core"],
  ["drivers/nvme/host/pci.c", "nvme"],
  ["net/netfilter/nf_tables_api.c", "nf_tables"],
  ["fs/erofs/dir.c", "erofs"],
  ["fs/xfs/xfs_buf.c", "xfs"],
  ["drivers/cdrom/cdrom.c", "cdrom"],
  ["drivers/infiniband/core/iwpm_msg.c", "iw_cm"],
];

/** Order of undoing. Another one: KSPLICE_TEST_SEED=N. */
const SEED = Number(process.env["KSPLICE_TEST_SEED"] ?? 20261124);

/** System calls, memory, files, processes, pipes, timers: at the lowest priority, for in an emulated machine the commands would starve. */
const LOAD =
  "nice -n 19 stress-ng --quiet --timeout 3h --temp-path /tmp --fork 1 --pipe 1 --timer 1 --timer-freq 100 --hdd 1 --hdd-bytes 8m --mmap 1 --mmap-bytes 8m --sock 1 --epoll 1 --get 1 --dentry 1 --dentries 100 --futex 1";

const workshop = new Workshop();
let guest: Guest;
const updates = new Map<string, string>();
const ids = FILES.map((_, index) => `u${String(index + 1).padStart(2, "0")}`);

beforeAll(async () => {
  const tree = await testTree("6.1");
  const patches = await archivePatches(
    tree,
    FILES.map(([file]) => file),
  );
  for (const [index, [file]] of FILES.entries()) {
    const id = ids[index] ?? "";
    updates.set(id, await workshop.create(tree.path, id, patches.get(file) ?? ""));
  }
  guest = await bootGuest(tree.path, { cpus: 2, memoryMiB: 3072, expose: [workshop.dir, packageRoot()] });
  // What others want at their start without depending on it.
  await guest.machine.loadModule("crc32c_generic");
  for (const module of new Set(FILES.flatMap(([, name]) => name ?? []))) await guest.machine.loadModule(module);
});

afterAll(async () => {
  await guest.end();
  workshop.end();
});

/** Kilobytes of unreclaimable slab and of vmalloc space in use. */
async function memoryInUse(): Promise<{ slab: number; vmalloc: number }> {
  const text = await guest.sh("cat /proc/meminfo");
  const of = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1]);
  return { slab: of("SUnreclaim"), vmalloc: of("VmallocUsed") };
}

describe(`${String(FILES.length)} updates in one kernel, under load`, () => {
  it("are applied one after another, undone in random order, and leave nothing behind", async () => {
    expect(FILES.length).toBeGreaterThanOrEqual(40);
    const load = guest.machine.start(LOAD);
    const failures: string[] = [];
    const before = await memoryInUse();
    for (const [id, path] of updates) {
      const result = await guest.ksplice("apply", "--tries=30", path);
      if (result.exitCode !== 0) failures.push(`apply ${id}: ${result.stderr}`);
      await guest.expectQuiet();
    }
    const listed = JSON.parse((await guest.mustRun("view", "--json")).stdout) as { id: string; stage: string }[];
    expect(failures).toEqual([]);
    expect(listed.filter(({ stage }) => stage === "applied").map(({ id }) => id)).toEqual(ids);

    // What a newer update builds on goes last; the rest as the dice fall.
    let left = shuffled(ids, SEED);
    for (let round = 0; left.length > 0 && round < ids.length; round++) {
      const waiting: string[] = [];
      for (const id of left) {
        const result = await guest.ksplice("undo", "--tries=30", id);
        if (result.exitCode !== 0 && result.stderr.includes("newer update")) waiting.push(id);
        else expect(result, `undo ${id}: ${result.stderr}`).toMatchObject({ exitCode: 0 });
        await guest.expectQuiet();
      }
      left = waiting;
    }
    const ended = await Promise.race([load.finished.then(() => true), Promise.resolve(false)]);
    load.kill();
    expect(ended, "the load ended by itself").toBe(false);
    await guest.sh("sync; sleep 5");
    const after = await memoryInUse();
    expect(after.vmalloc - before.vmalloc).toBeLessThan(1024);
    expect(after.slab - before.slab).toBeLessThan(16_384);
    await guest.expectClean();
  });
});
