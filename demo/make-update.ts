import { execa } from "execa";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { commandLine } from "../src/host/program-paths.js";
import type { Example } from "./examples.js";

export interface MadeUpdate {
  readonly example: Example;
  readonly tarball: string;
}

/**
 * Runs `ksplice-create` on one example after another, until one is made.
 * @param refused is told of each that is not
 * @throws Error if none is
 */
export async function makeUpdate(
  examples: readonly Example[],
  tree: string,
  workDir: string,
  refused: (example: Example, reason: string) => void,
): Promise<MadeUpdate> {
  const patchFile = join(workDir, "example.patch");
  const tarball = join(workDir, "ksplice-demo.tar.gz");
  const [node, create] = commandLine("create");
  for (const example of examples) {
    await writeFile(patchFile, example.patch, "latin1");
    const args = [create, "--quiet", "--id=demo", `--patch=${patchFile}`, `--output=${tarball}`, tree];
    const { exitCode, stderr } = await execa(node, args, { reject: false });
    if (exitCode === 0) return { example, tarball };
    refused(example, stderr.split("\n")[0] ?? "");
  }
  throw new Error("ksplice-create made an update of none of these changes");
}
