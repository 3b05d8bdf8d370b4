import { defaultCacheDir } from "../../src/host/cache-dir.js";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findRehearsalKernel } from "../../src/rehearse/rehearsal-kernel.js";
import { bootMachine, type Machine } from "../../vm/machine.js";
import { testTree } from "./support/trees.js";

describe.each(["6.1", "6.12"] as const)("a virtual machine with a %s kernel", (series) => {
  const directory = mkdtempSync(join(tmpdir(), "ksplice machine,"));
  const share = join(directory, "share");
  const shown = join(directory, "shown");
  let machine: Machine;
  let expectedRelease: string;

  beforeAll(async () => {
    mkdirSync(share);
    mkdirSync(shown);
    writeFileSync(join(shown, "file"), "shown\n");
    const { release, ...image } = await findRehearsalKernel((await testTree(series)).path, defaultCacheDir(process.env));
    expectedRelease = release;
    machine = await bootMachine({ ...image, consoleLog: join(directory, "console.log"), share, expose: [shown] });
  });

  afterAll(async () => {
    await machine.powerOff();
    rmSync(directory, { recursive: true });
  });

  test("runs the kernel it was given, as root, alone", async () => {
    const facts = await machine.run("uname -r; id -u; hostname; nproc; cat /sys/class/net/lo/operstate; ls /sys/class/net");
    expect(facts.stdout).toBe(`${expectedRelease}\n0\nksplice-vm\n2\nunknown\nlo\n`);
  });

  test("hands back output, errors and exit status as they are", async () => {
    const result = await machine.run("printf 'a\\0\\377\\r\\n'; echo no >&2; exit 3");
    expect([...result.stdoutBytes]).toEqual([0x61, 0, 0xff, 0x0d, 0x0a]);
    expect([result.stderr, result.exitCode]).toEqual(["no\n", 3]);
    expect((await machine.run(["printf", "%s|", "a  b", "$HOME"])).stdout).toBe("a  b|$HOME|");
    expect((await machine.run(["cat"], { input: "from the host" })).stdout).toBe("from the host");
    expect((await machine.run("kill -9 $$")).exitCode).toBe(137);
  });

  test("large output arrives whole", async () => {
    const { stdoutBytes } = await machine.run("head -c 3000000 /dev/zero");
    expect(stdoutBytes).toHaveLength(3_000_000);
  });

  test("several commands at once; one that takes too long is killed with what it started", async () => {
    const slow = machine.start("echo begun; sleep 1000");
    await expect(machine.run("sleep 1000 & sleep 1000", { timeoutMs: 2000 })).rejects.toMatchObject({ code: "vm-command-timeout" });
    expect(slow.outputSoFar()).toBe("begun\n");
    expect((await machine.run("pgrep -cx sleep")).stdout).toBe("1\n");
    slow.kill();
    expect((await machine.run("while pgrep -x sleep; do :; done", { timeoutMs: 20_000 })).exitCode).toBe(0);
  });

  test("the host's files are there, and cannot be written", async () => {
    expect((await machine.run(["cat", "/etc/os-release"])).stdout).toBe(readFileSync("/etc/os-release", "utf8"));
    const forbidden = "/etc/ksplice-must-not-exist";
    expect((await machine.run(["touch", forbidden])).exitCode).not.toBe(0);
    expect(existsSync(forbidden)).toBe(false);
    expect((await machine.run(["cat", join(shown, "file")])).stdout).toBe("shown\n");
    expect((await machine.run(["touch", join(shown, "other")])).exitCode).not.toBe(0);
    expect((await machine.run("touch /tmp/a /run/b /var/tmp/c && ls /tmp/a")).stdout).toBe("/tmp/a\n");
  });

  test("the share can be written, from both sides", async () => {
    writeFileSync(join(share, "host"), "1");
    expect((await machine.run(`cat host; echo 2 >guest`, { cwd: share })).stdout).toBe("1");
    expect(readFileSync(join(share, "guest"), "utf8")).toBe("2\n");
  });

  test("loads a module of the image with what it depends on", async () => {
    await machine.loadModule("i2c-stub", ["chip_addr=0x1c"]);
    await machine.loadModule("i2c-dev");
    await machine.loadModule("i2c-dev");
    expect((await machine.run("ls /dev/i2c-0; cat /sys/module/i2c_stub/initstate")).stdout).toBe("/dev/i2c-0\nlive\n");
    await expect(machine.loadModule("no-such-module")).rejects.toMatchObject({ code: "vm-no-module" });
    await expect(machine.loadModule("i2c-smbus", ["no=1"])).resolves.toBeUndefined();
  });

  test("a crash is an error with the console's end, and a problem", async () => {
    expect(await machine.problems()).toEqual([]);
    const waiting = machine.start("sleep 1000");
    await expect(machine.run("echo c >/proc/sysrq-trigger")).rejects.toMatchObject({
      code: "vm-stopped",
      message: expect.stringContaining("Kernel panic") as string,
    });
    await expect(waiting.finished).rejects.toMatchObject({ code: "vm-stopped" });
    await expect(machine.run("true")).rejects.toMatchObject({ code: "vm-stopped" });
    expect(await machine.problems()).toContainEqual(expect.stringContaining("Kernel panic"));
  });

  test("powering off leaves the console log and nothing else", async () => {
    await machine.powerOff();
    expect(readdirSync(directory).sort()).toEqual(["console.log", "share", "shown"]);
  });
});
