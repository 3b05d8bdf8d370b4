import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bootGuest, type Guest } from "./support/guest.js";
import { testTree, Workshop } from "./support/trees.js";
import { step } from "./support/step.js";

/** What the kernel has kept of an update that was undone: here a timer, with a function that the patch brought. */

const workshop = new Workshop();
let guest: Guest;
let bell: string;
let otherBell: string;

const SECONDS = 10;

beforeAll(async () => {
  const tree = await testTree("6.1");
  const create = async (id: string, words: string): Promise<string> =>
    await workshop.createOfEdits(tree.path, id, [
      {
        file: "fs/pipe.c",
        at: /^int create_pipe_files\(struct file \*\*res, int flags\)\n\{\n(?:\t.*;\n)+/m,
        // Every new pipe puts the bell off.
        to: `static void ring(struct timer_list *timer)
{
	pr_info("${words}\\n");
}
static DEFINE_TIMER(bell, ring);

$&
	mod_timer(&bell, jiffies + ${SECONDS} * HZ);
`,
      },
    ]);
  bell = await create("bell", "the bell rings");
  otherBell = await create("other", "another bell rings");
  guest = await bootGuest(tree.path, { expose: [workshop.dir] });
});

afterAll(async () => {
  await guest.end();
  workshop.end();
});

const stage = async (id: string) => await guest.sh(`cat /sys/kernel/ksplice/${id}/stage`);
const rings = async (words: string) => Number(await guest.sh(`dmesg >/tmp/log; grep -c '] ${words}' /tmp/log || true`));
const untilItRings = () => guest.sh(`sleep ${SECONDS + 1}`);

describe("an update of which the kernel has kept an address", () => {
  it("is there until it is told to go", async () => {
    await step("stays in memory when it is undone, and says so", async () => {
      await guest.mustRun("apply", bell);
      const pipes = guest.machine.start("while :; do echo | cat; sleep 0.2; done");
      await guest.sh("sleep 1");
      const { stdout } = await guest.mustRun("undo", "--tries=20", "bell");
      pipes.kill();
      expect(stdout).toContain("its code stays in memory");
      expect(await stage("bell")).toBe("resident");
      expect(await rings("the bell rings")).toBe(0);
    });

    await step("so that nothing happens when the kernel comes to it", async () => {
      await untilItRings();
      expect(await rings("the bell rings")).toBe(1);
      await guest.sh("echo | cat");
      await untilItRings();
      expect(await rings("the bell rings")).toBe(1);
      await guest.expectQuiet();
    });

    await step("is listed, and held", async () => {
      expect((await guest.mustRun("view", "--id=bell")).stdout).toContain("stage:       resident: undone");
      expect((await guest.mustRun("view")).stdout).toContain("bell [resident]");
      expect((await guest.machine.run("rmmod ksplice_bell_vmlinux")).stderr).toContain("in use");
      await guest.expectClean();
    });

    await step("is not undone twice", async () => {
      const result = await guest.ksplice("undo", "bell");
      expect(result).toMatchObject({ exitCode: 1 });
      expect(result.stderr).toContain("ksplice undo --unload bell");
    });

    await step("does not stand in the way of another update of the same function, whose code is not taken for the kernel's", async () => {
      await guest.mustRun("apply", "--verify", otherBell);
      const result = await guest.ksplice("apply", bell);
      expect(result).toMatchObject({ exitCode: 1 });
      await guest.mustRun("undo", "--tries=20", "other");
    });

    await step("is applied again by way of the code that is there; a probe of the function's name goes on working", async () => {
      const place = () => guest.sh("sed -n 's/^ksplice_bell_vmlinux .* //p' /proc/modules");
      const loaded = await place();
      await guest.mustRun("apply", "--verify", bell);
      expect(await place()).toBe(loaded);
      expect(await guest.sh("grep -c ' ring.ksplice_bell' /proc/kallsyms")).toBe("1");
      const tracing = "/sys/kernel/tracing";
      await guest.sh(
        `echo p:pipes create_pipe_files >${tracing}/kprobe_events; echo 1 >${tracing}/events/kprobes/pipes/enable; echo | cat`,
      );
      const hits = Number((await guest.sh(`cat ${tracing}/kprobe_profile`)).trim().split(/\s+/)[1]);
      await guest.sh(`echo 0 >${tracing}/events/kprobes/pipes/enable; echo >${tracing}/kprobe_events`);
      expect(hits).toBeGreaterThan(0);
      await untilItRings();
      expect(await rings("the bell rings")).toBeGreaterThan(1);
    });

    await step("goes out of memory by request", async () => {
      await guest.mustRun("undo", "--tries=20", "bell");
      await untilItRings();
      await guest.mustRun("undo", "--tries=20", "--unload", "bell");
      expect(await guest.sh("ls /sys/kernel/ksplice")).toBe("other\nversion");
      await guest.mustRun("undo", "--unload", "other");
      expect(await guest.sh("ls -d /sys/kernel/ksplice /sys/module/ksplice* 2>/dev/null || true")).toBe("");
      await guest.expectClean();
    });
  });
});
