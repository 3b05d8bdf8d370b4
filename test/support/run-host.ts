import { execa } from "execa";
import { commandLine } from "../../src/host/program-paths.js";

export interface HostResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** Runs one of our programs on the host, compiled, as a user would. Never throws for its exit status. */
export async function runHost(
  name: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<HostResult> {
  const [node, program] = commandLine(name);
  const result = await execa(node, [program, ...args], { reject: false, ...options });
  return { stdout: result.stdout, stderr: result.stderr, exitCode: result.exitCode ?? -1 };
}
