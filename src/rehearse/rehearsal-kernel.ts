import { join } from "node:path";
import { Refusal } from "../diagnostics.js";
import { tellNobody, type Tell } from "../events.js";
import { namesIn } from "../host/files.js";
import { buildSourceModules } from "../kbuild/module/build-source-modules.js";
import { withoutBuild } from "../kbuild/clean-source.js";
import { prepareBuild } from "../kbuild/prepare-build.js";
import { openKernelTree } from "../tree/open-tree.js";
import { BOOT_MODULES } from "../../vm/initramfs.js";
import { ModuleFiles } from "../../vm/module-files.js";

/** What `ksplice prepare` keeps of the image package, for booting. */
export interface RehearsalKernel {
  readonly release: string;
  /** Path of the vmlinuz. */
  readonly kernel: string;
  /** `lib/modules/RELEASE` */
  readonly modulesDir: string;
  /** Directories of modules that the machine needs and the image does not have. */
  readonly furtherModules: readonly string[];
}

/** The file system that shows the machine the host's files. Debian's cloud kernels come without it. */
const NINE_P = { name: "9p", directories: ["net/9p", "fs/9p"], options: ["NET_9P", "NET_9P_VIRTIO", "9P_FS"] };

/**
 * @param tree a directory that `ksplice prepare` filled
 * @param cacheDir where what the machine needs besides is kept between runs
 * @throws Refusal `no-image`; `cannot-build-modules` where the machine could not be shown the host's files
 */
export async function findRehearsalKernel(tree: string, cacheDir: string, tell: Tell = tellNobody): Promise<RehearsalKernel> {
  const boot = join(tree, "ksplice", "image", "boot");
  const names = await namesIn(boot);
  const vmlinuz = names.find((name) => name.startsWith("vmlinuz-"));
  if (vmlinuz === undefined) {
    throw new Refusal({
      code: "no-image",
      message: `${tree} holds no kernel image to rehearse with`,
      location: boot,
      hint: "--tree is a directory that `ksplice prepare` has filled",
    });
  }
  const release = vmlinuz.slice("vmlinuz-".length);
  const modulesDir = join(tree, "ksplice", "image", "lib", "modules", release);
  const modules = await ModuleFiles.read(modulesDir);
  const isWhole = BOOT_MODULES.every((name) => modules.has(name));
  return { release, kernel: join(boot, vmlinuz), modulesDir, furtherModules: isWhole ? [] : [await build9p(tree, cacheDir, tell)] };
}

async function build9p(tree: string, cacheDir: string, tell: Tell): Promise<string> {
  const build = await prepareBuild(await withoutBuild(await openKernelTree(tree), cacheDir), { cacheDir, tell });
  return await buildSourceModules(build, NINE_P, tell);
}
