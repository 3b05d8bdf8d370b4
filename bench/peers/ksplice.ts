import { copyFile, mkdir, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { commandLine } from "../../src/host/program-paths.js";
import { run, type Peer, type Workplace } from "./peer.js";

/** This project. The kernel's build is the tree, as `ksplice prepare --build` takes it; nothing in it is written to but `ksplice/`. */
export const ksplice: Peer = {
  name: "ksplice",
  means:
    "the kernel's own build, with an empty cache: `ksplice prepare --build` and `ksplice create`; it compiles what the patch changes, and the second finds the cache",
  async version(place) {
    return (await call(place, "", ["--version"])).trim();
  },
  async prepare(place) {
    await rm(join(place.kernel.tree, "ksplice"), { recursive: true, force: true });
    // The machine's own may be in the place of the root's /usr.
    await copyFile(process.execPath, join(place.directory, "node"));
    await mkdir(join(place.directory, "cache"), { recursive: true });
  },
  async build(place, patch, name, second) {
    const { tree } = place.kernel;
    const update = join(place.directory, `ksplice-${name}.tar.gz`);
    if (!second) await call(place, "", ["prepare", "--build", tree]);
    await call(place, "create", [`--id=${name}`, `--patch=${patch}`, `--output=${update}`, `-j${availableParallelism()}`, tree]);
    return update;
  },
  disk: ({ kernel, directory }) => [join(kernel.tree, "ksplice"), join(directory, "cache")],
};

async function call(place: Workplace, command: string, args: readonly string[]): Promise<string> {
  return await run(place, join(place.directory, "node"), [commandLine(command)[1], ...args], {
    env: { XDG_CACHE_HOME: join(place.directory, "cache") },
  });
}
