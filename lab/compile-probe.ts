import { execa } from "execa";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { packageRoot } from "../src/host/package-root.js";

/** Compiles `lab/NAME/probe.c`. @returns the program's path */
export async function compileProbe(name: string, workDir: string): Promise<string> {
  await mkdir(workDir, { recursive: true });
  const program = join(workDir, `${name}-probe`);
  await execa("gcc", ["-Wall", "-O1", "-o", program, join(packageRoot(), "lab", name, "probe.c")]);
  return program;
}
