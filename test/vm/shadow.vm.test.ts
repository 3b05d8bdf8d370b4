import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Edit } from "../support/edited-patch.js";
import { bootGuest, type Guest } from "./support/guest.js";
import { testTree, Workshop } from "./support/trees.js";

/** The examples of docs/shadow-data.md: a structure of which objects exist gains a counter, a flag, a lock. */

const workshop = new Workshop();
afterAll(() => {
  workshop.end();
});

const including = (file: string): Edit => ({ file, at: /^#include <linux\/slab.h>$/m, to: "$&\n#include <ksplice-patch.h>" });

/** A pipe may be resized three times. */
const COUNTER: readonly Edit[] = [
  including("fs/pipe.c"),
  {
    file: "fs/pipe.c",
    at: /^void free_pipe_info\(/m,
    to: "ksplice_shadow(resizes, struct pipe_inode_info, unsigned int, 0x6b730001, NULL, NULL);\n\n$&",
  },
  { file: "fs/pipe.c", at: /(?<=kfree\(pipe->bufs\);\n)(?=\tkfree\(pipe\);)/, to: "\tresizes_remove(pipe);\n" },
  {
    file: "fs/pipe.c",
    at: /(?<=^static long pipe_set_size\([^)]*\)\n\{\n)/m,
    to: "\tunsigned int *resized = resizes_add(pipe, GFP_KERNEL);\n",
  },
  {
    file: "fs/pipe.c",
    at: /(?<=^\tnr_slots = size >> PAGE_SHIFT;\n)/m,
    to: "\n\tif (!resized)\n\t\treturn -ENOMEM;\n\tif (*resized >= 3)\n\t\treturn -EPERM;\n\t++*resized;\n",
  },
];

/** A signal file remembers that its mask was changed, and its fdinfo says so. */
const FLAG: readonly Edit[] = [
  including("fs/signalfd.c"),
  {
    file: "fs/signalfd.c",
    at: /^static int signalfd_release\(/m,
    to: "ksplice_shadow(was_changed, struct signalfd_ctx, bool, 0x6b730002, NULL, NULL);\n\n$&",
  },
  { file: "fs/signalfd.c", at: /(?=^\tkfree\(file->private_data\);$)/m, to: "\twas_changed_remove(file->private_data);\n" },
  {
    file: "fs/signalfd.c",
    at: /(?<=^\t\tspin_lock_irq\(&current->sighand->siglock\);\n)(?=\t\tctx->sigmask = )/m,
    to: "\t\twas_changed_add(ctx, GFP_ATOMIC);\n",
  },
  {
    file: "fs/signalfd.c",
    at: /^\trender_sigset_t\(m, "sigmask:.*$/m,
    to: '$&\n\tseq_printf(m, "changed:\\t%d\\n", was_changed(ctx) != NULL);',
  },
];

/** Setting a timer takes a lock of its own. */
const LOCK: readonly Edit[] = [
  including("fs/timerfd.c"),
  {
    file: "fs/timerfd.c",
    at: /^static int timerfd_release\(/m,
    to: `static void init_setting(struct timerfd_ctx *ctx, struct mutex *lock)
{
	mutex_init(lock);
}

ksplice_shadow(setting, struct timerfd_ctx, struct mutex, 0x6b730003, init_setting, NULL);

$&`,
  },
  { file: "fs/timerfd.c", at: /(?=^\tkfree_rcu\(ctx, rcu\);\n\treturn 0;)/m, to: "\tsetting_remove(ctx);\n" },
  { file: "fs/timerfd.c", at: /(?<=^static int do_timerfd_settime\([^)]*\)\n\{\n)/m, to: "\tstruct mutex *lock;\n" },
  {
    file: "fs/timerfd.c",
    at: /^\ttimerfd_setup_cancel\(ctx, flags\);$/m,
    to: `	lock = setting_add(ctx, GFP_KERNEL);
	if (!lock) {
		fdput(f);
		return -ENOMEM;
	}
	mutex_lock(lock);
$&
	mutex_unlock(lock);`,
  },
];

/** In Python: opens pipe NAME, resizes it so many times, and says what came of each. */
const RESIZE = `
import fcntl, os, sys
pipe = os.open(sys.argv[1], os.O_RDWR)
for pages in range(int(sys.argv[2])):
    try:
        print(fcntl.fcntl(pipe, 1031, 4096 << (pages % 2 + 1)), end=" ")
    except PermissionError:
        print("EPERM", end=" ")
`;

/** Two signal files of which one gets another mask: what their fdinfo says. */
const CHANGE = `
import ctypes, re
libc = ctypes.CDLL(None)
mask = lambda signal: ctypes.byref((ctypes.c_ulong * 16)(1 << (signal - 1)))
files = [libc.signalfd(-1, mask(10), 0) for _ in range(2)]
changed = lambda: [re.search(r"changed:.(\\d)", open(f"/proc/self/fdinfo/{fd}").read())[1] for fd in files]
words = changed()
assert libc.signalfd(files[1], mask(12), 0) == files[1]
print(*words, *changed())
`;

/** Two processes set one timer, until the file /tmp/enough is there. */
const TIMERS = `
import ctypes, os, time
libc = ctypes.CDLL(None)
fd = libc.timerfd_create(1, 0)
child = os.fork()
spec = (ctypes.c_long * 4)(0, 0, 1000, 0)
times = 0
while not os.path.exists("/tmp/enough"):
    assert libc.timerfd_settime(fd, 2, spec, None) == 0
    times += 1
    time.sleep(0.005)
if child:
    _, status = os.waitpid(child, 0)
    print("fine" if status == 0 and times > 1 else "failed")
`;

describe("on a 6.1 kernel", () => {
  let guest: Guest;
  let update: string;
  const python = async (script: string, ...args: string[]) => {
    const result = await guest.machine.run(["python3", "-c", script, ...args]);
    expect(result, result.stderr).toMatchObject({ exitCode: 0 });
    return result.stdout.trim();
  };

  beforeAll(async () => {
    const tree = await testTree("6.1");
    update = await workshop.createOfEdits(tree.path, "shadow", [...COUNTER, ...FLAG, ...LOCK]);
    guest = await bootGuest(tree.path, { expose: [workshop.dir] });
    await guest.sh("mkfifo /tmp/old /tmp/new");
  });
  afterAll(async () => {
    await guest.end();
  });

  it("objects that were there before have the new members too; these go with the object and with the update", async () => {
    const holder = guest.machine.start("exec sleep 10000 <>/tmp/old");
    expect(await python(RESIZE, "/tmp/old", "5")).toBe("8192 16384 8192 16384 8192");
    // A lock, with a function that initialises it, while others want it.
    const setters = guest.machine.start(["python3", "-c", TIMERS]);
    await guest.mustRun("apply", "--tries=20", update);

    expect(await python(RESIZE, "/tmp/old", "5")).toBe("8192 16384 8192 EPERM EPERM");
    // Each time it is another pipe, and the allocator is fond of the same address.
    for (let time = 0; time < 3; time++) expect(await python(RESIZE, "/tmp/new", "4")).toBe("8192 16384 8192 EPERM");
    // A flag, which is made under a spinlock.
    for (let time = 0; time < 2; time++) expect(await python(CHANGE)).toBe("0 0 0 1");

    await guest.mustRun("undo", "--tries=20", "shadow");
    expect(await python(RESIZE, "/tmp/old", "5")).toBe("8192 16384 8192 16384 8192");
    await guest.sh("touch /tmp/enough");
    expect((await setters.finished).stdout.trim()).toBe("fine");

    await guest.mustRun("apply", "--tries=20", update);
    expect(await python(RESIZE, "/tmp/old", "4")).toBe("8192 16384 8192 EPERM");
    await guest.mustRun("undo", "--tries=20", "shadow");
    holder.kill();
    await guest.expectClean();
  });
});
