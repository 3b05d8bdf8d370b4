import { atomName } from "../../diff/atoms/atom.js";
import type { TouchedText } from "../units/touched-texts.js";
import type { UnitDiff } from "../units/unit-diff.js";
import { readInitialValues } from "./initial-values.js";
import { notedCallback, type LinkageRefusal } from "./refusals.js";

/** Which callbacks of a table objects take note of when they are made, and where they do. Read in Linux 6.1, 6.12 and 7.3. */
interface Noted {
  readonly members: readonly string[];
  /** What is alive and has the note. */
  readonly who: string;
}

const NOTED: ReadonlyMap<string, Noted> = new Map([
  // d_set_d_op(), fs/dcache.c: DCACHE_OP_HASH and its like.
  [
    "dentry_operations",
    { members: ["d_hash", "d_compare", "d_revalidate", "d_weak_revalidate", "d_delete", "d_prune", "d_real"], who: "dentries" },
  ],
  // IOP_FASTPERM, IOP_LOOKUP and IOP_DEFAULT_READLINK, fs/namei.c and fs/dcache.c; DCACHE_SYMLINK_TYPE.
  ["inode_operations", { members: ["permission", "lookup", "get_link", "readlink"], who: "inodes" }],
  // FMODE_CAN_ODIRECT, fs/open.c: generic_file_read_iter() looks no further.
  ["address_space_operations", { members: ["direct_IO"], who: "open files" }],
  // sysfs_add_file_mode_ns() and sysfs_add_bin_file_mode_ns(), fs/sysfs/file.c: which operations a file gets.
  ["sysfs_ops", { members: ["show", "store"], who: "files of sysfs" }],
  ["bin_attribute", { members: ["read", "write", "mmap"], who: "files of sysfs" }],
  // dma_buf_is_dynamic() when one is attached and detached, drivers/dma-buf/dma-buf.c.
  ["dma_buf_ops", { members: ["pin", "unpin"], who: "attachments" }],
  // FMODE_LSEEK, fs/open.c.
  ["file_operations", { members: ["llseek"], who: "open files" }],
  // pde_set_flags(), fs/proc/generic.c.
  ["proc_ops", { members: ["proc_read_iter", "proc_compat_ioctl", "proc_lseek"], who: "files of /proc" }],
  // KERNFS_HAS_SEQ_SHOW and its like, fs/kernfs/file.c.
  ["kernfs_ops", { members: ["seq_show", "mmap", "release"], who: "files of sysfs and of cgroups" }],
  // vma_wants_writenotify(), mm/mmap.c: what protection the pages get.
  ["vm_operations_struct", { members: ["page_mkwrite", "pfn_mkwrite"], who: "mappings" }],
  // bd_has_submit_bio, block/genhd.c.
  ["block_device_operations", { members: ["submit_bio"], who: "disks" }],
]);

/** Members that no other kind of table has: a table inside a structure of another type (`.fops = { .llseek = … }`) is known by them. */
const TELLING =
  /^(?:d_(?:hash|compare|revalidate|weak_revalidate|delete|prune|real)|get_link|direct_IO|llseek|proc_\w+|p(?:age|fn)_mkwrite|submit_bio)$/;

/**
 * Callbacks that come to a constant table which is rewritten in place, and of which objects note that there is none when they are made: those that are alive never call
 * it, and one that is made with the update calls NULL after an undo. (One that goes is the differ's: it is refused whatever the table is.)
 */
export function findNotedCallbacks(diffs: readonly UnitDiff[], texts: readonly TouchedText[]): LinkageRefusal[] {
  return diffs.flatMap((entry) => {
    const rewritten = entry.diff.analysis.writes.filter(({ pointer }) => pointer === undefined);
    const names = new Map(rewritten.map(({ pre, post }) => [atomName(post), atomName(pre)]));
    return [...names].flatMap(([name, before]) =>
      texts.flatMap(({ pre, post }): LinkageRefusal[] => {
        const had = callbacksIn(pre, before);
        const count = (callbacks: readonly (readonly [string, string])[], wanted: string): number =>
          callbacks.filter(([callback]) => callback === wanted).length;
        const has = callbacksIn(post, name);
        // Of a table with several elements, one may get what another had.
        const come = has.find(([callback]) => count(has, callback) > count(had, callback));
        return come === undefined ? [] : [notedCallback(entry, name, ...come)];
      }),
    );
  });
}

/** The callbacks that objects take note of among those that a table has, with who does; of several elements, each one's. */
function callbacksIn(source: string, name: string): readonly (readonly [callback: string, who: string])[] {
  return readInitialValues(source, name).flatMap(({ type, members }) => {
    const known = NOTED.get(/\bstruct (\w+)$/.exec(type.replace(/ const$/, ""))?.[1] ?? "");
    return members.flatMap(([member, value]): (readonly [string, string])[] => {
      if (value === "NULL" || value === "0") return [];
      const noted = known ?? (TELLING.test(member) ? [...NOTED.values()].find(({ members: names }) => names.includes(member)) : undefined);
      return noted?.members.includes(member) === true ? [[member, noted.who]] : [];
    });
  });
}
