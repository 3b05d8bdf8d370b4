import { availableParallelism } from "node:os";
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { copySource } from "./copy-source.js";
import { run, ToolFailed, type Peer } from "./peer.js";
import { readTextIfThere } from "../../src/host/files.js";

/** `kpatch-build` of Debian 13. Told where the source is, it builds there. */
export const kpatch: Peer = {
  name: "kpatch-build",
  means: "the source, its configuration and `vmlinux`; it builds the whole kernel, and the second finds that build",
  async version(place) {
    return /[\d.]+/.exec(await run(place, "kpatch-build", ["--version"]))?.[0] ?? "";
  },
  async prepare(place) {
    await copySource(place.kernel.source, join(place.directory, "source"));
    for (const name of [".config", "vmlinux"]) await copyFile(join(place.kernel.tree, name), join(place.directory, name));
    await mkdir(join(place.directory, "cache"), { recursive: true });
  },
  async build(place, patch, name) {
    const { directory } = place;
    const cache = join(directory, "cache");
    const options = {
      sourcedir: join(directory, "source"),
      vmlinux: join(directory, "vmlinux"),
      config: join(directory, ".config"),
      jobs: String(availableParallelism()),
      name: `livepatch-${name}`,
      output: directory,
    };
    const words = Object.entries(options).map(([option, value]) => `--${option}=${value}`);
    try {
      await run(place, "kpatch-build", [...words, patch], { env: { CACHEDIR: cache, HOME: directory } });
    } catch (error) {
      if (!(error instanceof ToolFailed)) throw error;
      // Its own words name the log only.
      throw new ToolFailed(`${error.message}\n${((await readTextIfThere(join(cache, "build.log"))) ?? "").slice(-3000)}`.trim());
    }
    return join(directory, `livepatch-${name}.ko`);
  },
  disk: ({ directory }) => [directory],
};
