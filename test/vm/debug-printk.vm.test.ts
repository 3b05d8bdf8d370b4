import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bootGuest, type Guest } from "./support/guest.js";
import { testTree, Workshop } from "./support/trees.js";
import { step } from "./support/step.js";

/** Debugging a live kernel: a printk goes in, shows up in dmesg, and comes out again. */

const workshop = new Workshop();
let guest: Guest;
let update: string;

beforeAll(async () => {
  const tree = await testTree("6.1");
  update = await workshop.createOfEdits(tree.path, "debug", [
    {
      file: "fs/pipe.c",
      at: /(?<=^pipe_release\([^{]*\{\n[^}]*?\n)(?=\t__pipe_lock\()/m,
      to: '\tpr_info("pipe_release by %s\\n", current->comm);\n',
    },
    // Begins with a tracepoint: there is no place for a trampoline.
    { file: "kernel/module/main.c", at: /(?<=\ttrace_module_free\(mod\);\n)/, to: '\tpr_info("free_module of %s\\n", mod->name);\n' },
  ]);
  guest = await bootGuest(tree.path, { expose: [workshop.dir] });
});

afterAll(async () => {
  await guest.end();
  workshop.end();
});

const makeAPipe = "echo x | cat >/dev/null";
const countLines = "dmesg | grep -c 'pipe_release by' || true";

describe("a printk in pipe_release", () => {
  it("comes and goes with the update", async () => {
    await step("prints once applied, and not before", async () => {
      await guest.sh(makeAPipe);
      expect(await guest.sh(countLines)).toBe("0");
      await guest.mustRun("apply", update);
      await guest.sh(makeAPipe);
      expect(Number(await guest.sh(countLines))).toBeGreaterThan(0);
      expect(await guest.sh("dmesg | grep 'pipe_release by cat' | head -n 1")).toContain("pipe_release by cat");
    });

    await step("prints in a function that only ftrace can redirect, at each call, with its tracepoint on and off", async () => {
      expect(await guest.sh("cat /sys/kernel/ksplice/debug/functions")).toMatch(/^free_module .* ftrace$/m);
      for (const enable of [0, 1]) {
        await guest.sh(`echo ${enable} >/sys/kernel/tracing/events/module/module_free/enable`);
        await guest.machine.loadModule("i2c-dev");
        await guest.sh("rmmod i2c-dev");
      }
      expect(await guest.sh("dmesg | grep -c 'free_module of i2c_dev'")).toBe("2");
      const verified = await guest.ksplice("", "verify", update);
      expect(verified, verified.stderr).toMatchObject({ exitCode: 0 });
      await guest.sh("echo 0 >/sys/kernel/tracing/events/module/module_free/enable");
    });

    await step("is silent once undone", async () => {
      await guest.mustRun("undo", "debug");
      await guest.sh("dmesg -c >/dev/null");
      await guest.sh(makeAPipe);
      expect(await guest.sh(countLines)).toBe("0");
      await guest.machine.loadModule("i2c-dev");
      expect(await guest.sh("rmmod i2c-dev; dmesg | grep -c 'free_module of' || true")).toBe("0");
      await guest.expectClean();
    });
  });
});
