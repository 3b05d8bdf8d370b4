import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { AGENT_FILES, AGENT_LINK } from "./agent-files.js";

/** The disk as the guest names it. */
export const ROOT_DEVICE = "/dev/vda";

/**
 * Makes a disk of the root file system below a directory, for {@link bootInstalled}: with systemd, and a kernel that it boots. No loop device and no mount is needed.
 * @param root gets the agent's files, and a file system table
 * @param image the file to make; its holes take no room
 */
export async function makeDiskImage(root: string, image: string, sizeMiB = 2048): Promise<void> {
  for (const { path, text, mode } of AGENT_FILES) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text, { mode });
  }
  const link = join(root, AGENT_LINK.path);
  await mkdir(dirname(link), { recursive: true });
  await symlink(AGENT_LINK.target, link);
  await writeFile(join(root, "etc/fstab"), `${ROOT_DEVICE} / ext4 defaults,errors=remount-ro 0 1\n`);
  await execa("mke2fs", ["-q", "-t", "ext4", "-d", root, image, `${sizeMiB}M`]);
}
