import { readdirSync } from "node:fs";
import { basename, join } from "node:path";

/** A kernel to test with: a directory that `ksplice prepare` filled. */
export interface TestTree {
  readonly directory: string;
  readonly release: string;
  /** Path of the vmlinuz. */
  readonly kernel: string;
  /** `lib/modules/RELEASE` of the image package. */
  readonly modulesDir: string;
}

/** The kernels that KSPLICE_TEST_TREES names, separated by colons; none if it is not set. */
export function testTrees(): TestTree[] {
  const directories = (process.env["KSPLICE_TEST_TREES"] ?? "").split(":").filter((directory) => directory !== "");
  return directories.map((directory) => {
    const boot = join(directory, "ksplice/image/boot");
    const vmlinuz = readdirSync(boot).find((name) => name.startsWith("vmlinuz-"));
    if (vmlinuz === undefined) throw new Error(`no vmlinuz in ${boot}`);
    const release = basename(vmlinuz).slice("vmlinuz-".length);
    return { directory, release, kernel: join(boot, vmlinuz), modulesDir: join(directory, "ksplice/image/lib/modules", release) };
  });
}
