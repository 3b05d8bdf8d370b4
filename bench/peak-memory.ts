import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

export interface MeasuredRun {
  readonly milliseconds: number;
  /** Peak resident memory of the process itself, without its children, in MiB. */
  readonly peakMiB: number;
  readonly stdout: string;
}

const POLL_MS = 5;

/**
 * Runs a program to its end and watches its peak resident memory, the kernel's own high-water mark (VmHWM in /proc/PID/status).
 * @throws Error with its stderr if it fails
 */
export async function measureRun(program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<MeasuredRun> {
  const started = performance.now();
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env });
  let peakKiB = 0;
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const timer = setInterval(() => {
    peakKiB = Math.max(peakKiB, highWaterMark(child.pid));
  }, POLL_MS);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  clearInterval(timer);
  if (status !== 0) throw new Error(`${[program, ...args].join(" ")} ended with status ${String(status)}:\n${stderr}`);
  return { milliseconds: performance.now() - started, peakMiB: peakKiB / 1024, stdout };
}

function highWaterMark(pid: number | undefined): number {
  try {
    return Number(/^VmHWM:\s*(\d+)/m.exec(readFileSync(`/proc/${String(pid)}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0; // it has just ended
  }
}
