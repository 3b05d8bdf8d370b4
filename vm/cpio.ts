/** One member of an initramfs archive. Parents must come before what is in them. */
export type CpioEntry =
  | { readonly kind: "directory"; readonly path: string }
  | { readonly kind: "file"; readonly path: string; readonly mode: number; readonly data: Uint8Array }
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  | { readonly kind: "character-device"; readonly path: string; readonly major: number; readonly minor: number };

const S_IFCHR = 0o020000;
const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;

/**
 * An uncompressed archive in the "newc" format, as the kernel unpacks it at boot; every file owned by root, times 0.
 * The same entries give the same bytes.
 * Source: Documentation/driver-api/early-userspace/buffer-format.rst (6.1).
 */
export function writeCpio(entries: readonly CpioEntry[]): Uint8Array {
  const parts: Uint8Array[] = [];
  entries.forEach((entry, index) => {
    parts.push(...member(entry, index + 1));
  });
  parts.push(...record("TRAILER!!!", 0, 0, new Uint8Array(0)));
  return Buffer.concat(parts);
}

function member(entry: CpioEntry, inode: number): Uint8Array[] {
  switch (entry.kind) {
    case "directory":
      return record(entry.path, inode, S_IFDIR | 0o755, new Uint8Array(0));
    case "file":
      return record(entry.path, inode, S_IFREG | entry.mode, entry.data);
    case "link":
      return record(entry.path, inode, S_IFLNK | 0o777, Buffer.from(entry.target));
    case "character-device":
      return record(entry.path, inode, S_IFCHR | 0o600, new Uint8Array(0), entry.major, entry.minor);
  }
}

function record(path: string, inode: number, mode: number, data: Uint8Array, major = 0, minor = 0): Uint8Array[] {
  const name = Buffer.from(`${path}\0`);
  const links = 1;
  // ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
  const fields = [inode, mode, 0, 0, links, 0, data.length, 0, 0, major, minor, name.length, 0];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`);
  return [header, name, padding(header.length + name.length), data, padding(data.length)];
}

/** Header with name, and data, each end at a multiple of 4. */
function padding(size: number): Uint8Array {
  return new Uint8Array((4 - (size % 4)) % 4);
}
