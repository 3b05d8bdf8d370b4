import { expect, test } from "vitest";
import { hasInterpreter } from "../../../vm/initramfs.js";
import { requireProgram } from "../../../vm/programs.js";
import { qemuArguments } from "../../../vm/qemu-command.js";
import { readFileSync } from "node:fs";

const setup = {
  kernel: "/boot/vmlinuz",
  initramfs: "/t/initramfs",
  memoryMiB: 512,
  cpus: 3,
  cpuModel: "max",
  consoleLog: "/t/console,1.log",
  agentSocket: "/t/agent.sock",
  channelDir: "/t/channel",
  share: undefined,
  appendCmdline: "",
};

test("is software emulation, and shares the host's files read-only", () => {
  const words = qemuArguments(setup);
  expect(words).toContain("tcg,thread=multi");
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

test("a missing program is refused with its Debian package", () => {
  expect(requireProgram("xz")).toMatch(/\/xz$/);
  expect(() => requireProgram("qemu-system-x86_64", "/nowhere", [])).toThrow(
    expect.objectContaining({ code: "vm-missing-program", hint: "apt-get install qemu-system-x86" }),
  );
});

test("static and dynamic executables are told apart", () => {
  expect(hasInterpreter(readFileSync(process.execPath))).toBe(true);
  expect(hasInterpreter(readFileSync(requireProgram("busybox")))).toBe(false);
});
