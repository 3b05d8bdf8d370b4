import type { EmulatorThreads } from "./emulator-threads.js";
import { CHANNEL_TAG, HOST_TAG, SHARE_TAG } from "./guest-scripts.js";

export interface QemuSetup {
  readonly kernel: string;
  readonly initramfs: string;
  readonly memoryMiB: number;
  readonly cpus: number;
  readonly threads: EmulatorThreads;
  readonly cpuModel: string;
  readonly consoleLog: string;
  readonly agentSocket: string;
  readonly channelDir: string;
  /** Whether the guest sees the host's files. */
  readonly hostFiles: boolean;
  /** An image that is the guest's first disk; it writes to it. */
  readonly disk: string | undefined;
  /** A port of 127.0.0.1 that leads to the guest's port 22. The guest's network reaches nothing else. Default: it has none. */
  readonly sshPort?: number | undefined;
  /** A directory of the host that the guest may write. */
  readonly share: string | undefined;
  readonly appendCmdline: string;
  /** See vm/machine.ts. */
  readonly countInstructions?: boolean;
}

/**
 * Warnings go to the console from the start (level 5), the rest once the agent is up. An emulated machine on a busy
 * host stands still for seconds now and then: the watchdogs are given more time than on real hardware.
 */
const KERNEL_COMMAND_LINE =
  "console=ttyS0 loglevel=5 oops=panic panic=-1 rcupdate.rcu_cpu_stall_timeout=120 watchdog_thresh=60 tsc=nowatchdog no_timer_check";

/** All that the emulator can, but for AVX, which QEMU emulates since 7.2 only: Node's generated code would use it. */
export const DEFAULT_CPU = "max,-avx,-avx2,-fma,-f16c";

/** Arguments of qemu-system-x86_64. Software emulation only, so that results do not depend on the host's processor, nor need /dev/kvm. */
export function qemuArguments(setup: QemuSetup): string[] {
  return [
    ["-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none", "-no-reboot"],
    ["-machine", "pc", "-accel", `tcg,thread=${setup.threads}`, "-cpu", setup.cpuModel],
    // Idle time is left out; so a command that waits for the host does not wait in the guest's time.
    setup.countInstructions === true ? ["-icount", "shift=0,sleep=off"] : [],
    ["-smp", String(setup.cpus), "-m", String(setup.memoryMiB)],
    ["-kernel", setup.kernel, "-initrd", setup.initramfs],
    ["-append", `${KERNEL_COMMAND_LINE} ${setup.appendCmdline}`.trim()],
    ["-chardev", `file,id=console,path=${escapeComma(setup.consoleLog)}`, "-serial", "chardev:console"],
    ["-chardev", `socket,id=agent,path=${escapeComma(setup.agentSocket)}`, "-serial", "chardev:agent"],
    setup.disk === undefined ? [] : ["-drive", `file=${escapeComma(setup.disk)},format=raw,if=virtio`],
    setup.sshPort === undefined
      ? []
      : [
          ...["-netdev", `user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:${setup.sshPort}-:22`],
          ...["-device", "virtio-net-pci,netdev=net,romfile="],
        ],
    setup.hostFiles ? share9p(HOST_TAG, "/", "readonly=on") : [],
    share9p(CHANNEL_TAG, setup.channelDir),
    setup.share === undefined ? [] : share9p(SHARE_TAG, setup.share),
  ].flat();
}

/** multidevs=remap keeps inode numbers unique where the directory spans file systems. */
function share9p(tag: string, path: string, extra?: string): string[] {
  const options = ["local", `id=${tag}`, `path=${escapeComma(path)}`, "security_model=none", "multidevs=remap"];
  return [
    "-fsdev",
    [...options, ...(extra === undefined ? [] : [extra])].join(","),
    "-device",
    `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`,
  ];
}

/** QEMU reads two commas as one that does not separate. */
function escapeComma(path: string): string {
  return path.replaceAll(",", ",,");
}
