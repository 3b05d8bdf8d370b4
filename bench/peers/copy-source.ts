import { execa } from "execa";
import { mkdir } from "node:fs/promises";

/** A copy of a clean kernel source that may be built in and patched, without what `ksplice prepare` has put beside it. Takes half a minute and 2 GB. */
export async function copySource(source: string, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const files = execa("tar", ["-c", "--exclude=./ksplice", "-C", source, "."], { encoding: "buffer", maxBuffer: Infinity, buffer: false });
  await files.pipe("tar", ["-x", "-C", directory]);
}
