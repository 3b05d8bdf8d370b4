import { spawn } from "node:child_process";

/** How a program ended that reads nothing. */
export interface Ended {
  /** Undefined where a signal ended it. */
  readonly exitCode: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  /** All that it wrote, both streams, without spaces around. */
  readonly words: string;
}

/** Runs a program that has one of our open files too, as descriptor 3. @throws Error of node's, where it cannot be started */
export async function runWithDescriptor(program: string, args: readonly string[], descriptor: number): Promise<Ended> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe", descriptor] });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => chunks.push(chunk));
  return await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode, signal) => {
      resolve({ exitCode: exitCode ?? undefined, signal: signal ?? undefined, words: Buffer.concat(chunks).toString().trim() });
    });
  });
}
