import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Status } from "../../src/service/status/status-schema.js";
import { bootGuest, type Guest } from "../vm/support/guest.js";
import { RAW_FIX, testTree, Workshop } from "../vm/support/trees.js";

/**
 * A machine with an update in service, from boot to boot: its store is a directory of the host, and lasts. systemd does not run in it, so that this calls what
 * the units call.
 */

const workshop = new Workshop();
/** Survives the machine. */
const store = mkdtempSync(join(tmpdir(), "ksplice-store-"));
let tree: Awaited<ReturnType<typeof testTree>>;
let update: string;
let guest: Guest;

beforeAll(async () => {
  tree = await testTree("6.1");
  update = await workshop.createOfEdits(tree.path, "inservice", RAW_FIX);
});

afterAll(() => {
  workshop.end();
  rmSync(store, { recursive: true });
});

async function boot(appendCmdline = ""): Promise<void> {
  guest = await bootGuest(tree.path, { share: store, expose: [workshop.dir], appendCmdline });
  await guest.sh(`mount -t tmpfs -o mode=755 tmpfs /var/lib && mkdir -m 700 /var/lib/ksplice && mount --bind ${store} /var/lib/ksplice`);
}

/** As the unit does it; an emulated machine needs longer stops. */
async function service(...args: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  return await guest.ksplice("", "service", ...args, "--stop-limit=1000");
}

async function status(): Promise<{ exitCode: number; status: Status }> {
  const { exitCode, stdout } = await guest.ksplice("", "status", "--json");
  return { exitCode, status: JSON.parse(stdout) as Status };
}

const marks = (): string[] => readdirSync(join(store, tree.release)).filter((name) => name.endsWith(".mark"));

describe("a machine with an update in service", () => {
  it("has it in the store, and applies it when it boots", async () => {
    await boot();
    expect(await guest.ksplice("", "install", update)).toMatchObject({ exitCode: 0 });
    expect(await status()).toMatchObject({
      exitCode: 10,
      status: { state: "not-applied", updates: [{ id: "inservice", state: "not-applied" }] },
    });
    expect(await service("start")).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("1 of 1 updates in service") as string });
    const now = await status();
    expect(now).toMatchObject({
      exitCode: 0,
      status: { state: "in-order", kernel: { release: tree.release, effective: `${tree.release}+ksplice.1` } },
    });
    expect(now.status.kernel.package).toBe(tree.version);
    expect(await guest.sh("cat /sys/kernel/ksplice/inservice/stage")).toBe("applied");
    expect(await guest.sh("cat /run/motd.d/ksplice")).toContain("has 1 live update");
    expect(marks()).toEqual(["inservice.mark"]);
    await guest.expectQuiet();
  });

  it("leaves it out after the machine went down without a word, until it is put back", async () => {
    // No `ksplice service stop`: as if it had crashed.
    await guest.end();
    await boot();
    expect(await service("start")).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("0 of 1 updates in service") as string });
    expect(await guest.sh("ls -d /sys/kernel/ksplice 2>/dev/null || echo none")).toBe("none");
    const now = await status();
    expect(now).toMatchObject({ exitCode: 11, status: { state: "failed", updates: [{ state: "failed" }] } });
    expect(now.status.reasons[0]).toContain("the machine went down soon after it was applied");
    expect((await guest.ksplice("", "list")).stdout).toContain("left out after a crash");
    expect(await service("clear", "inservice")).toMatchObject({ exitCode: 0 });
    expect(await service("start")).toMatchObject({ exitCode: 0 });
    expect(await status()).toMatchObject({ exitCode: 0 });
  });

  it("applies it again after an orderly shutdown; ksplice.disable keeps it out", async () => {
    expect(await service("stop")).toMatchObject({ exitCode: 0 });
    expect(marks()).toEqual([]);
    await guest.end();
    await boot("ksplice.disable");
    expect(await service("start")).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("all updates are kept out") as string });
    expect(await status()).toMatchObject({ exitCode: 10, status: { disabledBy: "ksplice.disable on the kernel's command line" } });
    await guest.end();
  });
});
