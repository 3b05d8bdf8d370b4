import { vi } from "vitest";
import { runToEnd } from "../../src/cli/common.js";
import { umbrella } from "../../src/cli/umbrella.js";
import type { HostResult } from "./run-host.js";

/**
 * Runs `ksplice ARGS` in this process: as {@link runHost} without starting Node, which takes longer than most commands. The last line's end is taken off, as there.
 * @param options.cwd where relative paths count from
 */
export async function runCommand(args: readonly string[], options: { readonly cwd?: string } = {}): Promise<HostResult> {
  const written = { stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).map((stream) =>
    vi.spyOn(process[stream], "write").mockImplementation((text) => {
      written[stream] += String(text);
      return true;
    }),
  );
  const before = process.cwd();
  try {
    if (options.cwd !== undefined) process.chdir(options.cwd);
    const exitCode = await runToEnd(umbrella(), [process.execPath, "ksplice", ...args]);
    return { stdout: written.stdout.replace(/\n$/, ""), stderr: written.stderr.replace(/\n$/, ""), exitCode };
  } finally {
    process.chdir(before);
    process.exitCode = undefined;
    for (const spy of spies) spy.mockRestore();
  }
}
