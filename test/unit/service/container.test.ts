import { existsSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { applyGuarded, undoNoted } from "../../../src/service/apply-guarded.js";
import { armConfirm, confirmUpdate } from "../../../src/service/confirm.js";
import { applyFromStore, installUpdate, removeUpdate } from "../../../src/service/in-service.js";
import { applyOnDisk, undoEverywhere } from "../../../src/service/on-disk.js";
import type { Service } from "../../../src/service/service.js";
import { startService } from "../../../src/service/start.js";
import { publishStatus } from "../../../src/service/status/publish.js";
import { readStatus } from "../../../src/service/status/read-status.js";
import { tellNobody } from "../../../src/events.js";
import { packUpdate } from "../../../src/update/file/update-file.js";
import { FakeMachine } from "../../support/fake-service.js";
import { sampleUpdate } from "../../support/sample-fit.js";
import { temporaryDirectory, writeFiles } from "../../support/temp-dir.js";

const top = temporaryDirectory();
const UPDATE = sampleUpdate({ targets: ["vmlinux"] });
const HOW = { partial: false, tries: 1, tell: tellNobody };
let count = 0;
let machine: FakeMachine;
let release: string;

beforeEach(() => {
  machine = new FakeMachine(join(top, `machine-${++count}`));
  release = machine.system.identity().release;
});

/** What the mount table of a process says of its root. */
const mountedAtRoot = (id: number, device: string, from: string, where = "/"): string =>
  `${id} 1 ${device} ${from} ${where} rw,relatime - ext4 /dev/vda1 rw\n${id + 1} ${id} 0:22 / /sys rw - sysfs sysfs rw\n`;

describe("what is a container, and what is none", () => {
  const FIRST = "pid:[4026531836]";
  const CASES: readonly (readonly [what: string, files: Readonly<Record<string, string>>, namespace: string | undefined, kind?: string])[] =
    [
      ["a machine", {}, FIRST],
      ["a machine whose /proc does not say", {}, undefined],
      ["a machine whose file system was made out of an image", { ".dockerenv": "", "run/.containerenv": "" }, FIRST],
      ["the same, with a kernel that has no namespaces of processes", { ".dockerenv": "", "proc/self/ns/mnt": "" }, undefined],
      ["what systemd runs as a machine", { "run/systemd/container": "lxc\n" }, "pid:[4026532345]", "lxc"],
      ["what systemd-nspawn runs", { "run/host/container-manager": "systemd-nspawn\n" }, "pid:[4026532345]", "systemd-nspawn"],
      ["what podman and lxc run", { "proc/1/environ": "A=b\0container=lxc\0" }, "pid:[4026532345]", "lxc"],
      ["what docker runs", { ".dockerenv": "" }, "pid:[4026532345]", "docker"],
      ["what podman runs", { "run/.containerenv": "" }, undefined, "podman"],
      ["what containerd runs, which leaves no sign", {}, "pid:[4026532345]", "with a process namespace of its own"],
      [
        "docker's with the machine's processes",
        {
          ".dockerenv": "",
          "proc/1/mountinfo": mountedAtRoot(30, "254:1", "/"),
          "proc/self/mountinfo": mountedAtRoot(800, "0:77", "/"),
        },
        FIRST,
        "docker",
      ],
      [
        "one of a directory, with the machine's processes",
        { "proc/1/mountinfo": mountedAtRoot(30, "254:1", "/"), "proc/self/mountinfo": mountedAtRoot(800, "254:1", "/srv/image") },
        FIRST,
        "with a root and mounts of its own",
      ],
      [
        "a service with mounts of its own",
        { "proc/1/mountinfo": mountedAtRoot(30, "254:1", "/"), "proc/self/mountinfo": mountedAtRoot(800, "254:1", "/") },
        FIRST,
      ],
      [
        "a chroot to a mount of the machine's",
        {
          "proc/1/mountinfo": `${mountedAtRoot(30, "0:2", "/")}${mountedAtRoot(40, "0:40", "/", "/host")}`,
          "proc/self/mountinfo": mountedAtRoot(40, "0:40", "/"),
        },
        FIRST,
      ],
      [
        "a chroot to a directory",
        { "proc/1/mountinfo": mountedAtRoot(30, "254:1", "/"), "proc/self/mountinfo": mountedAtRoot(50, "0:50", "/", "/proc") },
        FIRST,
      ],
    ];
  for (const [what, files, namespace, kind] of CASES)
    test(what, () => {
      writeFiles(machine.root, { ...files, "proc/self/ns/x": "" });
      if (namespace !== undefined) symlinkSync(namespace, machine.path("proc/self/ns/pid"));
      expect(machine.facts.container()).toBe(kind);
    });
});

describe("in a container on a machine with an update", () => {
  /** As a privileged one sees it: the kernel's directory is the machine's, nothing else is. */
  const enter = async (): Promise<Service> => {
    await applyGuarded(machine.service, UPDATE, {}, HOW);
    for (const name of ["run/ksplice", "var/lib/ksplice"]) rmSync(machine.path(name), { recursive: true, force: true });
    machine.system.done.length = 0;
    machine.events.length = 0;
    mkdirSync(machine.path("run"), { recursive: true });
    writeFiles(machine.root, { "run/host/container-manager": "systemd-nspawn\n" });
    return machine.service;
  };
  const incoming = async () => ({ update: UPDATE, tarball: await packUpdate(UPDATE) });

  const REFUSED: Readonly<Record<string, (service: Service) => Promise<unknown>>> = {
    apply: async (service) => await applyGuarded(service, sampleUpdate({ manifest: { id: "other" }, targets: ["vmlinux"] }), {}, HOW),
    "apply --disk": async (service) => await applyOnDisk(service, UPDATE, {}, HOW, true),
    "apply --confirm": async (service) => {
      await armConfirm(service, "other", 300, undefined);
    },
    confirm: async (service) => {
      await confirmUpdate(service, "fix");
    },
    undo: async (service) => await undoEverywhere(service, "fix", HOW),
    "undo, as a watch or a health command would have it": async (service) => await undoNoted(service, "fix", HOW),
    "service start": async (service) => await startService(service, { tries: 1, resume: false }),
    "service resume": async (service) => await startService(service, { tries: 1, resume: true }),
    "install --now": async (service) => await applyFromStore(service, "fix", release, { tries: 1 }),
    "remove --now": async (service) => {
      await installUpdate(service, await incoming(), { partial: false, allowOlder: false, now: machine.time }, false);
      machine.events.length = 0;
      try {
        return await removeUpdate(service, release, "fix", HOW);
      } finally {
        // What is in service stays what it was, too.
        expect((await service.store.list(release)).length).toBe(1);
      }
    },
  };
  test.each(Object.entries(REFUSED))("%s is refused by name, and changes nothing", async (_, command) => {
    const service = await enter();
    await expect(command(service)).rejects.toMatchObject({
      code: "in-container",
      message: "this is a container (systemd-nspawn): it has no kernel of its own",
    });
    expect(machine.system.updates.get("fix")?.stage).toBe("applied");
    expect([...machine.system.updates.keys()]).toEqual(["fix"]);
    expect(machine.system.done.filter((line) => line !== "root")).toEqual([]);
    expect(machine.events).toEqual([]);
    expect(machine.later).toEqual([]);
    expect(existsSync(machine.path("run/ksplice"))).toBe(false);
  });

  test("the kernel is not supported, whatever it has; nobody is told at a login", async () => {
    const service = await enter();
    expect(await readStatus(service)).toMatchObject({
      state: "unsupported-kernel",
      reasons: ["this is a container (systemd-nspawn), and has no kernel of its own"],
    });
    await publishStatus(service);
    expect(existsSync(machine.path("run/motd.d"))).toBe(false);
  });

  test("an update is put in service, as in an image that is being made, and out; that it comes to nothing here is said", async () => {
    const service = await enter();
    await installUpdate(service, await incoming(), { partial: false, allowOlder: false, now: machine.time }, false);
    expect(machine.said).toContain(
      "this is a container (systemd-nspawn): nothing of it is applied here, only where this system boots a kernel of its own",
    );
    expect(await removeUpdate(service, release, "fix", undefined)).toMatchObject({ undone: false });
    expect(await service.store.list(release)).toEqual([]);
    expect(machine.system.updates.get("fix")?.stage).toBe("applied");
  });
});
