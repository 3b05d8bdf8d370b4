import { namesIn } from "../host/files.js";
import { join } from "node:path";
import { Refusal } from "../diagnostics.js";

/** What `ksplice prepare` keeps of the image package, for booting. */
export interface RehearsalKernel {
  readonly release: string;
  /** Path of the vmlinuz. */
  readonly kernel: string;
  /** `lib/modules/RELEASE` */
  readonly modulesDir: string;
}

/** @param tree a directory that `ksplice prepare` filled. @throws Refusal `no-image` */
export async function findRehearsalKernel(tree: string): Promise<RehearsalKernel> {
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
  return { release, kernel: join(boot, vmlinuz), modulesDir: join(tree, "ksplice", "image", "lib", "modules", release) };
}
