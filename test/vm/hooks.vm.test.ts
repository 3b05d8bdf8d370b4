import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Edit } from "../support/edited-patch.js";
import { bootGuest, type Guest } from "./support/guest.js";
import { seriesByDay } from "./support/series.js";
import { testTree, Workshop } from "./support/trees.js";

/** A patch with functions of its own that are called when it is applied and undone; none of the kernel's functions changes. */

const workshop = new Workshop();
afterAll(() => {
  workshop.end();
});

/** Another limit for pipes: the running variable has to follow. */
const LIMIT: readonly Edit[] = [
  { file: "fs/pipe.c", at: /^#include <linux\/slab.h>$/m, to: "$&\n#include <ksplice-patch.h>" },
  { file: "fs/pipe.c", at: /(?<=pipe_max_size = )1048576(?=;)/, to: "2097152" },
  {
    file: "fs/pipe.c",
    at: /^fs_initcall\(init_pipe_fs\);$/m,
    to: `$&

static void raise_limit(void)
{
	if (pipe_max_size == 1048576)
		pipe_max_size = 2097152;
}

static void lower_limit(void)
{
	if (pipe_max_size == 2097152)
		pipe_max_size = 1048576;
}

ksplice_apply(raise_limit);
ksplice_reverse(lower_limit);`,
  },
];

/** What only init code does, done again for the kernel that has run it: half as many watches for each user (docs/core.md). */
const INIT: readonly Edit[] = [
  { file: "fs/eventpoll.c", at: /^#include <linux\/slab.h>$/m, to: "$&\n#include <ksplice-patch.h>" },
  { file: "fs/eventpoll.c", at: /(?<=max_user_watches = \(\(\(si\.totalram - si\.totalhigh\) \/ )25(?=\))/, to: "50" },
  {
    file: "fs/eventpoll.c",
    at: /^fs_initcall\(eventpoll_init\);$/m,
    to: `$&

static long found, halved;

static void halve_watches(void)
{
	found = READ_ONCE(max_user_watches);
	halved = found / 2;
	WRITE_ONCE(max_user_watches, halved);
}

static void restore_watches(void)
{
	cmpxchg(&max_user_watches, halved, found);
}

ksplice_post_apply(halve_watches);
ksplice_post_reverse(restore_watches);`,
  },
];

/** Hooks of another unit, which tell when they are called; `refuse` is a kind that says no. */
const tellTale = (refuse?: string): Edit[] => {
  const kinds = ["pre_apply", "check_apply", "post_apply", "fail_apply", "pre_reverse", "check_reverse", "post_reverse", "fail_reverse"];
  const code = kinds.map((kind) => {
    const asks = /^(pre|check)/.test(kind);
    const tells = kind.startsWith("check") ? "" : `\tmsleep(1);\n\tpr_info("telltale: ${kind}\\n");\n`;
    const returns = asks ? `\treturn ${kind === refuse ? "-EBUSY" : "0"};\n` : "";
    return `\nstatic ${asks ? "int" : "void"} tell_${kind}(void)\n{\n${tells}${returns}}\nksplice_${kind}(tell_${kind});\n`;
  });
  code.push('\nstatic void tell_again(void)\n{\n\tpr_info("telltale: again\\n");\n}\nksplice_post_apply(tell_again);\n');
  return [
    { file: "fs/proc/version.c", at: /^#include <linux\/init.h>$/m, to: "#include <linux/delay.h>\n#include <ksplice-patch.h>\n$&" },
    { file: "fs/proc/version.c", at: /^fs_initcall\(.*\);$/m, to: `$&\n${code.join("")}` },
  ];
};

describe.each([...seriesByDay("6.12")])("on a %s kernel", (series) => {
  let guest: Guest;
  const updates = new Map<string, string>();
  const limit = () => guest.sh("cat /proc/sys/fs/pipe-max-size");
  const told = async () => (await guest.sh("dmesg -c | sed -n 's/.*telltale: //p'")).split("\n");

  beforeAll(async () => {
    const tree = await testTree(series);
    const create = async (id: string, edits: readonly Edit[]) => {
      updates.set(id, await workshop.createOfEdits(tree.path, `${id}${series.replace(".", "")}`, edits));
    };
    await create("limit", [...LIMIT, ...tellTale()]);
    await create("init", INIT);
    await create("pre", tellTale("pre_apply"));
    await create("check", tellTale("check_apply"));
    guest = await bootGuest(tree.path, { expose: [workshop.dir] });
  });
  afterAll(async () => {
    await guest.end();
  });

  it("the hooks are listed", async () => {
    const { stdout } = await guest.mustRun("view", `--file=${updates.get("limit") ?? ""}`);
    expect(stdout).toMatch(/^ {2}vmlinux: raise_limit \(fs\/pipe\.c:\d+\): apply$/m);
    expect(stdout).toMatch(/^ {2}vmlinux: tell_check_reverse \(fs\/proc\/version\.c:\d+\): check_reverse$/m);
  });

  it("they are called on apply and on undo, and the variable follows", async () => {
    expect(await limit()).toBe("1048576");
    await guest.sh("dmesg -c");
    await guest.mustRun("apply", updates.get("limit") ?? "");
    expect(await limit()).toBe("2097152");
    expect(await told()).toEqual(["pre_apply", "post_apply", "again"]);
    await guest.mustRun("undo", `limit${series.replace(".", "")}`);
    expect(await limit()).toBe("1048576");
    expect(await told()).toEqual(["pre_reverse", "post_reverse"]);
  });

  it("what only init code does is done again, and what the administrator sets meanwhile stays", async () => {
    const watches = "/proc/sys/fs/epoll/max_user_watches";
    const id = `init${series.replace(".", "")}`;
    const usual = Number(await guest.sh(`cat ${watches}`));
    await guest.mustRun("apply", updates.get("init") ?? "");
    expect(Number(await guest.sh(`cat ${watches}`))).toBe(Math.floor(usual / 2));
    await guest.mustRun("undo", id);
    expect(Number(await guest.sh(`cat ${watches}`))).toBe(usual);
    await guest.mustRun("apply", updates.get("init") ?? "");
    await guest.sh(`echo 4711 >${watches}`);
    await guest.mustRun("undo", id);
    expect(await guest.sh(`cat ${watches}`)).toBe("4711");
    await guest.expectClean();
  });

  it.each([
    ["pre", ["pre_apply", "fail_apply"]],
    ["check", ["pre_apply", "fail_apply"]],
  ])("a %s hook that says no keeps the update out, and nothing is left", async (id, calls) => {
    const result = await guest.ksplice("apply", "--raw-errors", updates.get(id) ?? "");
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(/^call_failed\n/);
    expect(await told()).toEqual(calls);
    await guest.expectClean();
  });
});
