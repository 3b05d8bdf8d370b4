import { availableParallelism } from "node:os";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { copySource } from "./copy-source.js";
import { run, type Peer } from "./peer.js";

/** `scripts/livepatch/klp-build` of the kernel's own source. It builds in that source, and needs it writable. */
export const klpBuild: Peer = {
  name: "klp-build",
  means:
    "the source and its configuration; it builds the whole kernel twice, and with `--keep-tmp` and `--short-circuit=2` once less for the second",
  version: (place) => Promise.resolve(`of Linux ${place.kernel.release.replace(/-own$/, "")}`),
  async prepare(place) {
    await copySource(place.kernel.source, join(place.directory, "source"));
    await copyFile(join(place.kernel.tree, ".config"), join(place.directory, "source/.config"));
  },
  async build(place, patch, name, second) {
    const module = join(place.directory, `livepatch-${name}.ko`);
    const kept = second ? ["--short-circuit=2"] : [];
    await run(
      place,
      "scripts/livepatch/klp-build",
      ["--keep-tmp", ...kept, `--jobs=${availableParallelism()}`, `--output=${module}`, patch],
      {
        cwd: join(place.directory, "source"),
      },
    );
    return module;
  },
  disk: ({ directory }) => [directory],
};
