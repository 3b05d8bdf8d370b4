import { expect, test } from "vitest";
import { hasInterpreter } from "../../../vm/initramfs.js";
import { requireProgram } from "../../../vm/programs.js";
import { threadsOf } from "../../../vm/emulator-threads.js";
import { qemuArguments, type QemuSetup } from "../../../vm/qemu-command.js";
import { readFileSync } from "node:fs";

const setup: QemuSetup = {
  kernel: "/boot/vmlinuz",
  initramfs: "/t/initramfs",
  memoryMiB: 512,
  cpus: 3,
  threads: "single",
  cpuModel: "max",
  consoleLog: "/t/console,1.log",
  agentSocket: "/t/agent.sock",
  channelDir: "/t/channel",
  hostFiles: true,
  disk: undefined,
  share: undefined,
  appendCmdline: "",
};

test("is software emulation, and shares the host's files read-only", () => {
  const words = qemuArguments(setup);
  expect(words).toContain("tcg,thread=single");
  expect(words.join(" ")).not.toContain("kvm");
  expect(words.find((word) => word.includes("path=/,"))).toContain("readonly=on");
  expect(words.filter((word) => word === "-fsdev")).toHaveLength(2);
});

test("commas in paths are doubled", () => {
  expect(qemuArguments(setup)).toContain("file,id=console,path=/t/console,,1.log");
});

test("a share is a third directory, and the command line is added to", () => {
  const words = qemuArguments({ ...setup, share: "/s", appendCmdline: "nokaslr" });
  expect(words.filter((word) => word === "-fsdev")).toHaveLength(3);
  expect(words[words.indexOf("-append") + 1]).toMatch(/ panic=-1 .* nokaslr$/);
});

test("a machine with a disk of its own sees no files of the host but the channel", () => {
  const words = qemuArguments({ ...setup, hostFiles: false, disk: "/t/a,b.img" });
  expect(words).toContain("file=/t/a,,b.img,format=raw,if=virtio");
  expect(words.filter((word) => word === "-fsdev")).toHaveLength(1);
  expect(words.join(" ")).not.toContain("path=/,");
});

test("instructions are counted where that is asked for", () => {
  expect(qemuArguments(setup)).not.toContain("-icount");
  expect(qemuArguments({ ...setup, countInstructions: true }).join(" ")).toContain("-icount shift=0");
});

test("a missing program is refused with its Debian package", () => {
  expect(requireProgram("setpriv")).toMatch(/\/setpriv$/);
  expect(() => requireProgram("qemu-system-x86_64", "/nowhere", [])).toThrow(
    expect.objectContaining({ code: "vm-missing-program", hint: "apt-get install qemu-system-x86" }),
  );
});

test("static and dynamic executables are told apart", () => {
  expect(hasInterpreter(readFileSync(process.execPath))).toBe(true);
  expect(hasInterpreter(readFileSync(requireProgram("busybox")))).toBe(false);
});

test.each([
  ["QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)", "single"],
  ["QEMU emulator version 8.0.5", "single"],
  ["QEMU emulator version 8.1.0", "multi"],
  ["QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2)", "multi"],
  ["", "single"],
])("processors of %s have threads of their own only where that is safe: %s", (words, threads) => {
  expect(threadsOf(words)).toBe(threads);
});
