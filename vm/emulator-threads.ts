import { execa } from "execa";

/** How the emulated processors run: each in a thread of its own, or all of them in turns in one. */
export type EmulatorThreads = "multi" | "single";

/**
 * Before QEMU 8.1 a processor translates guest code while another may write to the same page, and goes on with what was there before (fixed by commit
 * deba78709a, "accel/tcg: Always lock pages before translation"). The guest then runs wrong instructions: with two processors in threads of their own one start of
 * Node in sixteen crashed, in turns none of 84. No feature tells; so the version has to.
 */
export async function emulatorThreads(qemu: string): Promise<EmulatorThreads> {
  const { stdout } = await execa(qemu, ["--version"], { reject: false });
  return threadsOf(stdout);
}

/** @param words what `qemu-system-x86_64 --version` prints; in turns where they are not understood */
export function threadsOf(words: string): EmulatorThreads {
  const [, major = "0", minor = "0"] = /version (\d+)\.(\d+)/.exec(words) ?? [];
  return Number(major) > 8 || (Number(major) === 8 && Number(minor) >= 1) ? "multi" : "single";
}
