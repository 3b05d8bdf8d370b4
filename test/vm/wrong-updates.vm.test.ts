import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { patchOfEdits, type Edit } from "../support/edited-patch.js";
import { runHost } from "../support/run-host.js";
import { bootGuest, type Guest } from "./support/guest.js";
import { testTree, Workshop, type TestTree } from "./support/trees.js";

/**
 * Patches of ordinary kinds that once gave updates which applied cleanly and were wrong, some of which stopped the kernel: each is refused by name, or the kernel
 * does what the patched source says, by run-post matching and by a look at it.
 */

const workshop = new Workshop();
let tree: TestTree;
let guest: Guest;

beforeAll(async () => {
  tree = await testTree("6.1");
  guest = await bootGuest(tree.path, { expose: [workshop.dir] });
});
afterAll(async () => {
  await guest.end();
  workshop.end();
});

/** A piece of the tree's own text, which a patch moves. */
function textOf(file: string, pattern: RegExp): string {
  const [text] = pattern.exec(readFileSync(join(tree.path, file), "utf8")) ?? [];
  if (text === undefined) throw new Error(`${file}: ${pattern.source} matches nothing`);
  return text;
}

const NAME_TO_INT = /^unsigned name_to_int\([\s\S]*?^\}\n/m;
const CMDLINE_END = /^fs_initcall\(proc_cmdline_init\);\n/m;
const NEXT_INO = /^#define LAST_INO_BATCH[\s\S]*?^EXPORT_SYMBOL\(get_next_ino\);\n/m;
const RESERVATIONS = /^void arch_remove_reservations\([\s\S]*?^\}\n/m;
const MINIX_BLOCKS = /^unsigned V1_minix_blocks\([\s\S]*?^\}\n/m;
const FS_TYPES_END = /^EXPORT_SYMBOL_GPL\(fs_umode_to_dtype\);\n/m;
const LOADAVG_TOTAL = /nr_threads,/;

/** Takes a piece of text out of a file, leaving what the file needs to stay one. */
const without = (file: string, at: RegExp, to = ""): Edit => ({ file, at, to });
/** `$&` in a text that is put in would stand for the match. */
const literal = (text: string): string => text.replaceAll("$", "$$$$");

/** A member of a struct that points to functions gets a further parameter, with its caller and all functions that tables give it. */
function queueAttributes(): Edit[] {
  const file = "net/core/net-sysfs.c";
  const member =
    /struct netdev_queue_attribute \{\n\tstruct attribute attr;\n\tssize_t \(\*show\)\(struct netdev_queue \*queue, char \*buf/;
  const names = ["tx_timeout_show", "traffic_class_show", "tx_maxrate_show", "bql_show_hold_time", "bql_show_inflight", "xps_cpus_show"];
  const heads = [...names, "xps_rxqs_show", "bql_show_ ## NAME"].map(
    (name) => new RegExp(`static ssize_t ${name}\\(struct netdev_queue \\*queue,[\\s\\\\]+char \\*buf`),
  );
  return [
    ...[member, ...heads].map((at): Edit => ({ file, at, to: "$&, unsigned long more" })),
    { file, at: /return attribute->show\(queue, buf(?=\);\n\}\n\nstatic ssize_t netdev_queue_attr_store)/, to: "$&, 7000" },
    { file, at: /fmt_ulong, trans_timeout/, to: "$& + more" },
  ];
}

interface Right {
  readonly name: string;
  readonly edits: () => Edit[];
  readonly probe: string;
  /** What the probe prints while the update is not applied, and while it is. */
  readonly before: string;
  readonly applied: string;
}

const RIGHT: readonly Right[] = [
  {
    name: "a global function that moves to another unit, and whose callers are not touched",
    edits: () => [
      without("fs/proc/util.c", NAME_TO_INT),
      {
        file: "fs/proc/cmdline.c",
        at: CMDLINE_END,
        to: `$&\n#include <linux/dcache.h>\n#include "internal.h"\n\n${literal(
          textOf("fs/proc/util.c", NAME_TO_INT).replace("if (len > 1 && *name == '0')", "if (len > 2 && *name == '0')"),
        )}`,
      },
    ],
    // A name that was found once is in the cache of directory entries.
    probe: "echo 2 >/proc/sys/vm/drop_caches; test -d /proc/01 && echo there || echo none",
    before: "none",
    applied: "there",
  },
  {
    name: "a callback that is renamed, while a directory entry holds the pointer that initialization code gave it",
    edits: () => [
      { file: "fs/proc/loadavg.c", at: /static int loadavg_proc_show\(/, to: "static int loadavg_show(" },
      { file: "fs/proc/loadavg.c", at: /NULL, loadavg_proc_show\)/, to: "NULL, loadavg_show)" },
      { file: "fs/proc/loadavg.c", at: LOADAVG_TOTAL, to: "nr_threads + 100000," },
    ],
    probe: "grep -c /1000 /proc/loadavg || true",
    before: "0",
    applied: "1",
  },
  {
    name: "a table of operations that initialization code handed out",
    edits: () => [
      {
        file: "fs/proc/interrupts.c",
        at: /static const struct seq_operations int_seq_ops = \{/,
        to: 'static int int_show(struct seq_file *f, void *v)\n{\n\tseq_puts(f, "patched:");\n\treturn show_interrupts(f, v);\n}\n\n$&',
      },
      { file: "fs/proc/interrupts.c", at: /= show_interrupts$/m, to: "= int_show" },
    ],
    probe: "grep -q patched: /proc/interrupts && echo patched || echo plain",
    before: "plain",
    applied: "patched",
  },
  {
    name: "a callback of pipes that is removed, and whose code stays",
    edits: () => [
      without("fs/pipe.c", /^static bool anon_pipe_buf_try_steal\([\s\S]*?^\}\n/m),
      { file: "fs/pipe.c", at: /= anon_pipe_buf_try_steal,/, to: "= generic_pipe_buf_try_steal," },
      { file: "fs/pipe.c", at: /"pipe:\[%lu\]"/, to: '"patched:[%lu]"' },
    ],
    probe: "head -c 300000 /dev/zero | cat | wc -c; echo | readlink /proc/self/fd/0 | cut -d: -f1",
    before: "300000\npipe",
    applied: "300000\npatched",
  },
  {
    name: "a callback that takes more, with all who call it and all who provide it",
    edits: queueAttributes,
    probe: "cat /sys/class/net/lo/queues/tx-0/tx_timeout",
    before: "0",
    applied: "7000",
  },
];

/** One update holds them all: each is judged together with what the others move, rename and remove. */
describe("is right, and undone without a trace:", () => {
  const look = async () => {
    const words = new Map<string, string>();
    for (const { name, probe } of RIGHT) words.set(name, await guest.sh(probe));
    return words;
  };
  const seen: Record<"before" | "applied" | "undone", Map<string, string>> = { before: new Map(), applied: new Map(), undone: new Map() };

  beforeAll(async () => {
    const update = await workshop.createOfEdits(
      tree.path,
      "right",
      RIGHT.flatMap(({ edits }) => edits()),
    );
    seen.before = await look();
    const result = await guest.mustRun("apply", "--verify", "--tries=30", "--json", update);
    expect(JSON.parse(result.stdout)).toMatchObject({ verification: { findings: [] } });
    seen.applied = await look();
    await guest.mustRun("undo", "--tries=30", "right");
    seen.undone = await look();
    await guest.expectClean();
  });

  it.each(RIGHT)("$name", ({ name, before, applied }) => {
    expect(seen.before.get(name)).toBe(before);
    expect(seen.applied.get(name)).toBe(applied);
    expect(seen.undone.get(name)).toBe(before);
  });
});

describe("is refused by name:", () => {
  it.each<[name: string, edits: () => Edit[], code: string]>([
    [
      "state that moves with its function to another unit",
      () => [
        without("fs/inode.c", NEXT_INO),
        {
          file: "fs/fs_types.c",
          at: FS_TYPES_END,
          to: `$&\n#include <linux/percpu.h>\n#include <linux/atomic.h>\n\n${literal(textOf("fs/inode.c", NEXT_INO).replace("res++;\n\t/*", "res += 3;\n\t/*"))}`,
        },
      ],
      "split-state",
    ],
    [
      "a static variable that becomes another unit's global one",
      () => [
        without("fs/filesystems.c", /^static (?=struct file_system_type \*file_systems;$)/m, "extern "),
        { file: "fs/fs_types.c", at: FS_TYPES_END, to: "$&\nstruct file_system_type *file_systems;\n" },
      ],
      "split-state",
    ],
    [
      "a new variable that another unit's initialization code would have filled",
      () => [
        {
          file: "fs/proc/cmdline.c",
          at: /^static int cmdline_proc_show\([\s\S]*?\{\n/m,
          to: "char *ksplice_test_text;\n$&\tseq_puts(m, ksplice_test_text);\n",
        },
        { file: "fs/proc/loadavg.c", at: LOADAVG_TOTAL, to: "nr_threads + 1," },
        {
          file: "fs/proc/loadavg.c",
          at: /^static int __init proc_loadavg_init\(void\)\n\{\n/m,
          to: 'extern char *ksplice_test_text;\n$&\tksplice_test_text = "text";\n',
        },
      ],
      "filled-by-init",
    ],
    [
      "a function that moves from a module to the kernel's image, while the module calls it",
      () => [
        without("fs/minix/itree_v1.c", MINIX_BLOCKS),
        {
          file: "fs/fs_types.c",
          at: FS_TYPES_END,
          to: "$&\nunsigned V1_minix_blocks(loff_t size, struct super_block *sb);\nunsigned V1_minix_blocks(loff_t size, struct super_block *sb)\n{\n\treturn size / sb->s_blocksize;\n}\nEXPORT_SYMBOL_GPL(V1_minix_blocks);\n",
        },
      ],
      "moved-definition",
    ],
    [
      "a callback that goes, and that the flags of dentries say is there",
      () => [{ file: "fs/proc/fd.c", at: /^\t\.d_delete\t= pid_delete_dentry,\n/m, to: "" }],
      "emptied-pointer",
    ],
    [
      "a callback that comes, and that the flags of inodes say is not there",
      () => [
        {
          file: "fs/proc/base.c",
          at: /^static const struct inode_operations proc_attr_dir_inode_operations = \{\n/m,
          to: "$&\t.permission\t= proc_pid_permission,\n",
        },
      ],
      "noted-callback",
    ],
  ])("%s, when the update is made", async (_, edits, code) => {
    const file = join(workshop.dir, "refused.patch");
    writeFileSync(file, patchOfEdits(tree.path, edits()));
    const result = await runHost("create", [`--patch=${file}`, `--output=${join(workshop.dir, "refused.tar.gz")}`, tree.path]);
    expect(result, result.stderr).toMatchObject({ exitCode: 1 });
    expect(result.stderr).toContain(`[${code}]`);
  });

  it("a strong definition that goes while callers would get the weak one of a file that is not touched, when it is applied", async () => {
    const update = await workshop.createOfEdits(tree.path, "weak", [
      without("arch/x86/kernel/resource.c", RESERVATIONS),
      { file: "fs/proc/loadavg.c", at: LOADAVG_TOTAL, to: "nr_threads + 1," },
    ]);
    const result = await guest.ksplice("apply", update);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("the patch removes arch_remove_reservations");
    await guest.expectClean();
  });
});
