import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { join } from "node:path";
import { packageRoot } from "../../src/host/package-root.js";
import { bootGuest, type Guest } from "./support/guest.js";
import { testTree, Workshop } from "./support/trees.js";
import { step } from "./support/step.js";

/** Functions that always have a sleeper, those of the write that asks for the change, and one update in place of another. */

const workshop = new Workshop();
let guest: Guest;
const updates: Record<string, string> = {};

beforeAll(async () => {
  const { path } = await testTree("6.1");
  const make = async (id: string, edits: Parameters<Workshop["createOfEdits"]>[2]): Promise<void> => {
    updates[id] = await workshop.createOfEdits(path, id, edits);
  };
  await make("write", [
    {
      file: "fs/read_write.c",
      at: /^ssize_t vfs_write\([^)]*\)\n\{\n\tssize_t ret;\n/m,
      to: "$&\n\tif (count == 4242)\n\t\treturn -EDOM;\n",
    },
    { file: "fs/read_write.c", at: /^ssize_t ksys_write\([^)]*\)\n\{\n(?:\t.*;\n)+/m, to: "$&\n\tif (count == 4243)\n\t\tcount = 1;\n" },
    {
      file: "fs/kernfs/file.c",
      at: /^static ssize_t kernfs_fop_write_iter\([^)]*\)\n\{\n(?:\t.*;\n)+/m,
      to: "$&\n\tif (len == 4244)\n\t\treturn -EDOM;\n",
    },
  ]);
  await make("poll", [
    {
      file: "fs/eventpoll.c",
      at: /^static int ep_poll\([^{]*\{\n(?:\t.*;\n)+\n\tlockdep_assert_irqs_enabled\(\);\n/m,
      to: "$&\tif (maxevents == 4242)\n\t\treturn -EDOM;\n",
    },
  ]);
  await make("futex", [
    {
      file: "kernel/futex/waitwake.c",
      at: /^int futex_wait\([^{]*\{\n(?:\t.*;\n)+/m,
      to: "#include <ksplice-patch.h>\nksplice_allow_busy(futex_wait);\n\n$&\n\tif (val == 0x4242)\n\t\treturn -EDOM;\n",
    },
  ]);
  const banner = (word: string) => [{ file: "fs/proc/version.c", at: /utsname\(\)->sysname/, to: `utsname()->${word}` }];
  await make("node", banner("nodename"));
  await make("cumulative", [
    ...banner("domainname"),
    { file: "fs/proc/uptime.c", at: /seq_printf\(m, "(?=%lu)/, to: 'seq_printf(m, "up ' },
  ]);
  const counting = (word: string) => [
    { file: "fs/proc/version.c", at: /^static int version_proc_show/m, to: "static int readers;\n\n$&" },
    { file: "fs/proc/version.c", at: /utsname\(\)->sysname/, to: `(++readers > 2 ? "many" : utsname()->${word})` },
  ];
  await make("counting", counting("nodename"));
  await make("recounting", counting("domainname"));
  const ticking = (seconds: number) => [
    {
      file: "fs/proc/version.c",
      at: /^static int version_proc_show[^{]*\{\n/m,
      to: `#include <linux/timer.h>\nstatic void tick(struct timer_list *unused) { pr_debug("tick"); }\nstatic DEFINE_TIMER(ticker, tick);\n\n$&\tmod_timer(&ticker, jiffies + ${seconds} * HZ);\n`,
    },
  ];
  await make("ticking", ticking(3000));
  await make("reticking", ticking(4000));
  guest = await bootGuest(path, { expose: [workshop.dir] });
});

afterAll(async () => {
  await guest.end();
  workshop.end();
});

/**
 * Nothing of the update runs, and the kernel has nothing to complain about. It may stay in memory: threads sleep with what earlier calls have left on their
 * stacks, those of the test's own among them.
 */
const expectUndone = async (id: string): Promise<void> => {
  expect(await guest.sh(`cat /sys/kernel/ksplice/${id}/stage 2>/dev/null || true`)).toMatch(/^(resident)?$/);
  await guest.expectQuiet();
};

const update = (id: string): string => updates[id] ?? "";
const python = async (program: string): Promise<string> => await guest.sh(`python3 - <<'END'\nimport ctypes, select\n${program}\nEND`);

describe("the functions of the write that asks for the change", () => {
  const write = async (size: number): Promise<string> =>
    (await guest.machine.run(`dd if=/dev/zero of=/tmp/written bs=${size} count=1 2>&1`)).stdout;

  it("are replaced, and brought back", async () => {
    await guest.mustRun("apply", "--wait=60", update("write"));
    expect(await write(4242)).toContain("out of domain");
    expect(await write(4243)).toContain("\n1 byte");
    await guest.mustRun("undo", "--wait=60", "write");
    expect(await write(4242)).toContain("\n4242 bytes");
    await expectUndone("write");
  });
});

describe("a function in which programs always sleep, ours among them", () => {
  const poll = () => python("try:\n  select.epoll().poll(0, 4242)\n  print('polled')\nexcept OSError as error:\n  print(error.strerror)");

  it("is refused with who sleeps there and what can be done", async () => {
    const { exitCode, stderr } = await guest.ksplice("apply", "--wait=2", update("poll"));
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/code is in use \(.*, pid \d+, is inside (ep_poll|do_epoll_wait)\), trying for another [12] s/);
    expect(stderr).toMatch(/pid \d+\) is inside (ep_poll|do_epoll_wait), asleep in \w+/);
    expect(stderr).toContain("hint: wake these programs with --nudge, give it more time with --wait=SECONDS, or");
    expect(stderr).toContain("ksplice create --allow-busy=FUNCTION");
    await expectUndone("poll");
  });

  it("is left alone where waiting is interrupted", async () => {
    const program = join(packageRoot(), "dist/cli/ksplice-apply.cjs");
    const waiting = guest.machine.start(`exec ${process.execPath} ${program} --wait=300 ${update("poll")} 2>/tmp/words`);
    await guest.machine.run("until grep -q 'code is in use' /tmp/words; do sleep 0.1; done", { timeoutMs: 300_000 });
    await guest.sh(`kill -INT $(pgrep -f 'ksplice-apply.cjs --wait=300' | head -1)`);
    expect((await waiting.finished).exitCode).toBe(130);
    expect(await guest.sh("tail -1 /tmp/words")).toContain("interrupted; nothing was changed");
    await expectUndone("poll");
  });

  it("is replaced once they are nudged, and so it is brought back", async () => {
    expect(await poll()).toBe("polled");
    await guest.mustRun("apply", "--nudge", "--wait=60", update("poll"));
    expect(await poll()).toContain("out of domain");
    await guest.mustRun("undo", "--nudge", "--wait=60", "poll");
    expect(await poll()).toBe("polled");
    await expectUndone("poll");
  });
});

describe("a function in which threads may stay, as the patch says", () => {
  const wait = () =>
    python(
      "libc = ctypes.CDLL(None, use_errno=True)\nword = ctypes.c_int(0)\nlibc.syscall(202, ctypes.byref(word), 0, 0x4242, None, None, 0)\nprint(ctypes.get_errno())",
    );

  it("is replaced at once, while others go on in it", async () => {
    const sleeper = guest.machine.start(
      "python3 -c 'import threading\ngo = threading.Event()\nthreading.Timer(25, go.set).start()\ngo.wait()\nprint(\"woken\")'",
    );
    await guest.sh("sleep 2");
    expect(await wait()).toBe("11");
    await guest.mustRun("apply", "--tries=1", update("futex"));
    expect(await wait()).toBe("33");
    expect((await sleeper.finished).stdout).toBe("woken\n");
    await guest.mustRun("undo", "--nudge", "--wait=60", "futex");
    expect(await wait()).toBe("11");
    await expectUndone("futex");
  });
});

describe("an update in place of another, made of the kernel below it", () => {
  const banner = () => guest.sh("cut -d' ' -f1 /proc/version");
  const isUp = () => guest.sh("cut -c-2 /proc/uptime");

  it("needs one that is applied", async () => {
    for (const [id, words] of [
      ["nobody", "there is no update nobody"],
      ["cumulative", "--replace names cumulative, which is the update itself"],
    ] as const) {
      const result = await guest.ksplice("apply", `--replace=${id}`, update("cumulative"));
      expect(result.exitCode).not.toBe(0);
      expect(result.stderr).toContain(words);
    }
    await expectUndone("cumulative");
  });

  it("takes its place, and gives way to the unpatched kernel", async () => {
    await step("takes its place in one stop", async () => {
      await guest.sh("hostname vm; echo a.domain >/proc/sys/kernel/domainname");
      await guest.mustRun("apply", update("node"));
      expect(await banner()).toBe("vm");
      expect((await guest.ksplice("apply", update("cumulative"))).stderr).toContain(
        "the running kernel is not what fs/proc/version.o was compiled from",
      );
      const { stdout } = await guest.mustRun("apply", "--verify", "--replace=node", update("cumulative"));
      expect(stdout).toContain("applied cumulative in place of node: 2 functions replaced");
      expect([await banner(), await isUp()]).toEqual(["a.domain", "up"]);
      await expectUndone("node");
    });

    await step("the unpatched kernel is back when it is undone", async () => {
      await guest.mustRun("undo", "--wait=30", "cumulative");
      expect([await banner(), await isUp()]).toEqual(["Linux", expect.not.stringContaining("up")]);
      await expectUndone("node");
      await expectUndone("cumulative");
    });
  });

  it("is refused where what the other has counted would be forgotten, unless that is said to be well", async () => {
    await guest.mustRun("apply", update("counting"));
    expect([await banner(), await banner(), await banner()]).toEqual(["vm", "vm", "many"]);
    const refused = await guest.ksplice("apply", "--replace=counting", update("recounting"));
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("what counting keeps in readers stays behind");
    expect(refused.stderr).toContain("--leave-behind readers");
    expect(await banner()).toBe("many");
    await guest.mustRun("apply", "--replace=counting", "--leave-behind=readers", update("recounting"));
    expect([await banner(), await banner(), await banner()]).toEqual(["a.domain", "a.domain", "many"]);
    await guest.mustRun("undo", "--wait=30", "recounting");
    await expectUndone("counting");
    await expectUndone("recounting");
  });
});

describe("an update that brings what another one has handed out", () => {
  const said = "objects of the kernel may hold the address of tick, ticker, and go on with that of ticking";

  it("does not come in its place: a timer goes on with the other's function", async () => {
    await guest.mustRun("apply", update("ticking"));
    await guest.sh("cat /proc/version");
    const refused = await guest.ksplice("apply", "--replace=ticking", update("reticking"));
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain(said);
    expect(await guest.sh("ls -d /sys/kernel/ksplice/reticking /sys/module/ksplice_reticking* 2>/dev/null || true")).toBe("");
    expect(await guest.sh("cat /sys/kernel/ksplice/ticking/stage")).toBe("applied");
  });

  it("comes where the other was undone, and says so", async () => {
    expect((await guest.mustRun("undo", "--wait=30", "ticking")).stdout).toContain("stays in memory");
    expect((await guest.mustRun("apply", update("reticking"))).stderr).toContain(said);
    await guest.mustRun("undo", "--wait=30", "reticking");
    await guest.expectQuiet();
  });
});

describe("a program of a command that was killed, which changes modules still", () => {
  it("is waited for before anything is loaded", async () => {
    const holder = guest.machine.start(
      "mkdir -p /run/ksplice; exec 9>>/run/ksplice/tools.lock; flock 9; touch /tmp/held; until [ -e /tmp/go ]; do sleep 0.2; done",
    );
    await guest.sh("until [ -e /tmp/held ]; do sleep 0.2; done");
    const program = join(packageRoot(), "dist/cli/ksplice-apply.cjs");
    const waiting = guest.machine.start(`exec ${process.execPath} ${program} ${update("node")}`);
    await guest.machine.run("until pgrep -x flock >/dev/null; do sleep 0.2; done; sleep 3", { timeoutMs: 120_000 });
    expect(await guest.sh("ls -d /sys/kernel/ksplice/node /sys/module/ksplice_node* 2>/dev/null || true")).toBe("");
    expect((await guest.ksplice("apply", update("cumulative"))).stderr).toContain("another ksplice command");
    await guest.sh("touch /tmp/go");
    expect((await holder.finished).exitCode).toBe(0);
    expect((await waiting.finished).exitCode).toBe(0);
    expect(await guest.sh("cat /sys/kernel/ksplice/node/stage")).toBe("applied");
    await guest.mustRun("undo", "--wait=30", "node");
    await expectUndone("node");
  });
});
