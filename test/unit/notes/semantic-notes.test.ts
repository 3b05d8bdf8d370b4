import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { semanticNotes } from "../../../src/notes/semantic-notes.js";
import { spellNote } from "../../../src/notes/spell-note.js";
import type { NoteKind, SemanticNote } from "../../../src/notes/types.js";

const GOLDEN = join(import.meta.dirname, "../../golden/notes/messages.txt");

interface Case {
  readonly title: string;
  readonly pre: string;
  readonly post: string;
}

function notesOf({ pre, post }: Pick<Case, "pre" | "post">): readonly SemanticNote[] {
  return semanticNotes([{ path: "drivers/toy/toy.c", pre, post }]);
}

/** A function by its statements. */
function fn(head: string, ...statements: string[]): string {
  return `static ${head}\n{\n${statements.map((line) => `\t${line}\n`).join("")}}\n\n`;
}

const PROBE = "int toy_probe(struct device *dev)";
const REMOVE = "void toy_remove(struct device *dev)";
const OPS = "static struct toy_driver toy_driver = {\n\t.probe = toy_probe,\n\t.remove = toy_remove,\n};\n";
const MOUNT_OPS = "static int toy_get_tree(struct fs_context *fc)\n{\n\treturn get_tree_bdev(fc, toy_fill_super);\n}\n";

const SPEAKING: Readonly<Record<NoteKind, readonly Case[]>> = {
  "unbalanced-pair": [
    {
      title: "a reference that one function takes and another gives back",
      pre: fn("int toy_open(struct toy *t)", "return 0;") + fn("void toy_close(struct toy *t)", "t->open = 0;"),
      post:
        fn("int toy_open(struct toy *t)", "kref_get(&t->ref);", "return 0;") +
        fn("void toy_close(struct toy *t)", "t->open = 0;", "kref_put(&t->ref, toy_free);"),
    },
    {
      title: "a lock over two functions",
      pre: fn("void toy_begin(struct toy *t)", "t->n++;") + fn("void toy_end(struct toy *t)", "t->n--;"),
      post:
        fn("void toy_begin(struct toy *t)", "mutex_lock(&t->lock);", "t->n++;") +
        fn("void toy_end(struct toy *toy)", "toy->n--;", "mutex_unlock(&toy->lock);"),
    },
    {
      title: "preemption that is off from one function to another",
      pre: fn("int toy_open(struct toy *t)", "return 0;") + fn("void toy_release(struct toy *t)", "toy_off(t);"),
      post:
        fn("int toy_open(struct toy *t)", "preempt_disable();", "return 0;") +
        fn("void toy_release(struct toy *t)", "toy_off(t);", "preempt_enable();"),
    },
    {
      title: "a clock that the device has no more",
      pre: fn(PROBE, "return clk_prepare_enable(p->clk);") + fn(REMOVE, "clk_disable_unprepare(p->clk);", "toy_off(p);"),
      post: fn(PROBE, "p->clk = devm_clk_get_enabled(dev, NULL);", "return 0;") + fn(REMOVE, "toy_off(p);"),
    },
    {
      title: "one that is given back on failure too",
      pre: fn(PROBE, "return toy_start(p);") + fn(REMOVE, "toy_off(p);"),
      post:
        fn(PROBE, "enable_irq(p->irq);", "ret = toy_start(p);", "if (ret)", "\tdisable_irq(p->irq);", "return ret;") +
        fn(REMOVE, "toy_off(p);", "disable_irq(p->irq);"),
    },
    {
      title: "a pair inside new helpers",
      pre: fn("void toy_up(struct toy *t)", "t->n++;") + fn("void toy_down(struct toy *t)", "t->n--;"),
      post:
        fn("void toy_hold_user(struct toy *t)", "refcount_inc(&t->users);") +
        fn("void toy_up(struct toy *t)", "toy_hold_user(t);", "t->n++;") +
        fn("void toy_down(struct toy *t)", "t->n--;", "if (refcount_dec_and_test(&t->users))", "\ttoy_free(t);"),
    },
    {
      title: "memory of another allocator",
      pre: fn(PROBE, "p->buf = kmalloc(n, GFP_KERNEL);", "return 0;") + fn(REMOVE, "kfree(p->buf);"),
      post: fn(PROBE, "p->buf = vmalloc(n);", "return 0;") + fn(REMOVE, "vfree(p->buf);"),
    },
  ],
  "moved-half": [
    {
      title: "a put that goes from what releases an object to its RCU callback",
      pre:
        fn("void toy_free_rcu(struct rcu_head *head)", "kmem_cache_free(toys, toy_of(head));") +
        fn("void toy_release(struct toy *t)", "put_cred(t->cred);", "call_rcu(&t->rcu, toy_free_rcu);"),
      post:
        fn("void toy_free_rcu(struct rcu_head *head)", "put_cred(toy_of(head)->cred);", "kmem_cache_free(toys, toy_of(head));") +
        fn("void toy_release(struct toy *t)", "call_rcu(&t->rcu, toy_free_rcu);"),
    },
    {
      title: "memory that another function frees",
      pre: fn("void toy_stop(struct toy *t)", "t->on = 0;", "kfree(t->buf);") + fn("void toy_last(struct toy *toy)", "toy_off(toy);"),
      post: fn("void toy_stop(struct toy *t)", "t->on = 0;") + fn("void toy_last(struct toy *toy)", "toy_off(toy);", "kfree(toy->buf);"),
    },
    {
      title: "a get that goes from a helper into another callback",
      pre:
        fn("void toy_take(struct toy *t)", "kref_get(&t->ref);") +
        fn("void toy_queue(struct toy *t)", "toy_take(t);", "add(t);") +
        fn("void toy_work(struct toy *t)", "work(t);"),
      post: fn("void toy_queue(struct toy *t)", "add(t);") + fn("void toy_work(struct toy *t)", "kref_get(&t->ref);", "work(t);"),
    },
  ],
  "new-initialisation": [
    {
      title: "a work item that interrupts use now",
      pre: fn(PROBE, "p = kzalloc(sizeof(*p), GFP_KERNEL);", "return 0;") + fn("void toy_irq(struct toy *t)", "toy_handle(t);"),
      post:
        fn(PROBE, "p = kzalloc(sizeof(*p), GFP_KERNEL);", "INIT_WORK(&p->work, toy_work);", "return 0;") +
        fn("void toy_irq(struct toy *t)", "schedule_work(&t->work);"),
    },
    {
      title: "fields that the maker of an object fills in",
      pre:
        fn("struct toy *toy_get_one(int n)", "struct toy *t = kmalloc(8, GFP_KERNEL);", "return t;") +
        fn("int toy_len(struct toy *t)", "return 8;"),
      post:
        fn("struct toy *toy_get_one(int n)", "struct toy *t = kmalloc(8, GFP_KERNEL);", "t->len = n;", "return t;") +
        fn("int toy_len(struct toy *t)", "return t->len;"),
    },
    {
      title: "a list head that is initialised elsewhere now",
      pre: fn(PROBE, "return 0;") + fn("int toy_open(struct toy *t)", "INIT_LIST_HEAD(&t->list);", "return 0;"),
      post:
        fn(PROBE, "INIT_LIST_HEAD(&t->list);", "return 0;") +
        fn("int toy_open(struct toy *t)", "return list_empty(&t->list) && t->list.next;"),
    },
    {
      title: "a variable that is new",
      pre: `static int toy_count;\n${fn(PROBE, "return 0;")}${fn("void toy_irq(struct toy *t)", "toy_count++;")}`,
      post: `static int toy_count;\nstatic struct workqueue_struct *toy_queue;\n${fn(PROBE, 'toy_queue = alloc_workqueue("toy", 0, 0);', "return 0;")}${fn("void toy_irq(struct toy *t)", "queue_work(toy_queue, &t->work);")}`,
    },
  ],
  "allocation-size": [
    {
      title: "a buffer of an object",
      pre: fn("int toy_start(struct toy *t)", "t->buf = kmalloc(64, GFP_KERNEL);", "return 0;"),
      post: fn("int toy_start(struct toy *t)", "t->buf = kmalloc(64 + 1, GFP_KERNEL);", "return 0;"),
    },
    {
      title: "an object with room behind it",
      pre: fn("struct toy *toy_make(int n)", "struct toy *t;", "t = kzalloc(sizeof(*t), GFP_KERNEL);", "return t;"),
      post: fn("struct toy *toy_make(int n)", "struct toy *t;", "t = kzalloc(struct_size(t, parts, n), GFP_KERNEL);", "return t;"),
    },
    {
      title: "a cache of objects",
      pre: fn("int toy_caches(void)", 'toy_cache = kmem_cache_create("toy", 32, 0, 0, NULL);', "return 0;"),
      post: fn("int toy_caches(void)", 'toy_cache = kmem_cache_create("toy", 48, 0, 0, NULL);', "return 0;"),
    },
  ],
  "changed-constant": [
    {
      title: "a flag that objects hold",
      pre: `#define TOY_BUSY 0x1\n${fn("int toy_busy(struct toy *t)", "return t->flags & TOY_BUSY;")}`,
      post: `#define TOY_BUSY 0x4\n${fn("int toy_busy(struct toy *t)", "return !!(t->flags & TOY_BUSY);")}`,
    },
    {
      title: "enumerators behind a new one",
      pre: `enum toy_state { TOY_IDLE, TOY_RUN, TOY_DEAD };\n${fn("void toy_stop(struct toy *t)", "t->state = TOY_DEAD;")}`,
      post: `enum toy_state { TOY_IDLE, TOY_WAIT, TOY_RUN, TOY_DEAD };\n${fn("void toy_stop(struct toy *t)", "if (t->state == TOY_RUN)", "\tt->state = TOY_DEAD;")}`,
    },
  ],
  "setup-only": [
    {
      title: "a setting of a processor",
      pre:
        fn("void toy_init_cpu(struct cpuinfo_x86 *c)", "set_cap(c, 1);") +
        "static const struct cpu_dev toy_cpu_dev = {\n\t.c_init = toy_init_cpu,\n};\n",
      post:
        fn("void toy_init_cpu(struct cpuinfo_x86 *c)", "set_cap(c, 1);", "clear_cap(c, 2);") +
        "static const struct cpu_dev toy_cpu_dev = {\n\t.c_init = toy_init_cpu,\n};\n",
    },
    {
      title: "a register that probe writes",
      pre: fn(PROBE, "writel(1, p->regs);", "return 0;") + fn(REMOVE, "") + OPS,
      post: fn(PROBE, "writel(3, p->regs);", "return 0;") + fn(REMOVE, "") + OPS,
    },
    {
      title: "a helper of probe's",
      pre: fn("void toy_rings(struct toy *t)", "t->n = 4;") + fn(PROBE, "toy_rings(p);", "return 0;") + fn(REMOVE, "") + OPS,
      post: fn("void toy_rings(struct toy *t)", "t->n = 8;") + fn(PROBE, "toy_rings(p);", "return 0;") + fn(REMOVE, "") + OPS,
    },
    {
      title: "a check of what is mounted",
      pre: fn("int toy_fill_super(struct super_block *sb, struct fs_context *fc)", "return 0;") + MOUNT_OPS,
      post:
        fn(
          "int toy_fill_super(struct super_block *sb, struct fs_context *fc)",
          "if (sbi->blocks > TOY_MAX)",
          "\treturn -EINVAL;",
          "return 0;",
        ) + MOUNT_OPS,
    },
  ],
};

const SILENT: readonly Case[] = [
  {
    title: "a put that goes into an RCU callback which is new",
    pre: fn("void toy_release(struct toy *t)", "put_cred(t->cred);", "kfree_rcu(t, rcu);"),
    post:
      fn("void toy_free_rcu(struct rcu_head *head)", "put_cred(toy_of(head)->cred);", "kfree(toy_of(head));") +
      fn("void toy_release(struct toy *t)", "call_rcu(&t->rcu, toy_free_rcu);"),
  },
  {
    title: "a put of one object that goes, and of another that comes",
    pre: fn("void toy_f(struct toy *t)", "dev_put(t->dev);", "f(t);") + fn("void toy_g(struct toy *t)", "g(t);"),
    post: fn("void toy_f(struct toy *t)", "f(t);") + fn("void toy_g(struct toy *t)", "g(t);", "dev_put(t->peer);"),
  },
  {
    title: "a put that goes from a function to the one that calls it",
    pre: fn("void toy_f(struct toy *t)", "f(t);", "toy_put(t);") + fn("void toy_g(struct toy *t)", "toy_f(t);"),
    post: fn("void toy_f(struct toy *t)", "f(t);") + fn("void toy_g(struct toy *t)", "toy_f(t);", "toy_put(t);"),
  },
  {
    title: "a lock and its unlock that go into another function together",
    pre:
      fn("void toy_f(struct toy *t)", "mutex_lock(&t->lock);", "f(t);", "mutex_unlock(&t->lock);") +
      fn("void toy_g(struct toy *t)", "g(t);"),
    post:
      fn("void toy_f(struct toy *t)", "f(t);") +
      fn("void toy_g(struct toy *t)", "mutex_lock(&t->lock);", "g(t);", "mutex_unlock(&t->lock);"),
  },
  {
    title: "a variable that is new, and that others set too",
    pre: fn(PROBE, "return 0;") + fn("void toy_irq(struct toy *t)", "toy_handle(t);"),
    post: `static int toy_level;\n${fn(PROBE, "toy_level = 3;", "return 0;")}${fn("void toy_irq(struct toy *t)", "toy_level = 4;", "toy_handle(t, toy_level);")}`,
  },
  {
    title: "a lock and its unlock in one function",
    pre: fn("void toy_add(struct toy *t)", "t->n++;"),
    post: fn("void toy_add(struct toy *t)", "mutex_lock(&t->lock);", "t->n++;", "mutex_unlock(&t->lock);"),
  },
  {
    title: "another way out of a lock",
    pre: fn("int toy_add(struct toy *t)", "mutex_lock(&t->lock);", "toy(t);", "mutex_unlock(&t->lock);", "return 0;"),
    post: fn(
      "int toy_add(struct toy *t)",
      "mutex_lock(&t->lock);",
      "if (toy(t))",
      "\tgoto unlock;",
      "t->n++;",
      "unlock:",
      "mutex_unlock(&t->lock);",
      "return 0;",
    ),
  },
  {
    title: "a missing put is added",
    pre: fn("int toy_f(struct toy *t)", "toy_get(t);", "return g(t);") + fn("void toy_g(struct toy *t)", "h(t);"),
    post: fn("int toy_f(struct toy *t)", "toy_get(t);", "return g(t);") + fn("void toy_g(struct toy *t)", "h(t);", "toy_put(t);"),
  },
  {
    title: "locks of two objects",
    pre: fn("void toy_f(struct toy *t)", "a();") + fn("void toy_g(struct toy *t)", "b();"),
    post:
      fn("void toy_f(struct toy *t)", "a();", "spin_lock(&t->one);") + fn("void toy_g(struct toy *t)", "b();", "spin_unlock(&t->other);"),
  },
  {
    title: "statements move into a helper",
    pre: fn("void toy_f(struct toy *t)", "toy_get(t);", "a(t);") + fn("void toy_g(struct toy *t)", "b(t);", "toy_put(t);"),
    post:
      fn("void toy_enter(struct toy *t)", "toy_get(t);", "a(t);") +
      fn("void toy_f(struct toy *t)", "toy_enter(t);") +
      fn("void toy_g(struct toy *t)", "b(t);", "c(t);", "toy_put(t);"),
  },
  {
    title: "a pair by another name",
    pre: fn("void toy_f(struct toy *t)", "t->int_enable(t);") + fn("void toy_g(struct toy *t)", "t->int_disable(t);"),
    post: fn("void toy_f(struct toy *t)", "toy_ring_enable(t);") + fn("void toy_g(struct toy *t)", "toy_ring_disable(t);"),
  },
  {
    title: "suspend and resume, between which nobody runs",
    pre: fn("int toy_suspend(struct device *d)", "return 0;") + fn("int toy_resume(struct device *d)", "return 0;"),
    post:
      fn("int toy_suspend(struct device *d)", "disable_irq(t->irq);", "return 0;") +
      fn("int toy_resume(struct device *d)", "enable_irq(t->irq);", "return 0;"),
  },
  {
    title: "values read from and written to user space",
    pre: fn("int toy_f(void)", "return 0;") + fn("int toy_g(void)", "return 0;"),
    post: fn("int toy_f(void)", "return get_user(x, p);") + fn("int toy_g(void)", "return put_user(x, p);"),
  },
  {
    title: "calls in comments, strings and macros",
    pre: fn("void toy_f(void)", "a();") + fn("void toy_g(void)", "b();"),
    post:
      fn("void toy_f(void)", "a(1); /* mutex_lock(&lock); */") +
      fn("void toy_g(void)", 'b("mutex_unlock(&lock)"); // mutex_unlock(&lock)') +
      "#define F() mutex_unlock(&lock)\n",
  },
  {
    title: "a field that only its maker uses",
    pre: fn(PROBE, "p = kzalloc(8, GFP_KERNEL);", "return 0;") + fn("int toy_f(void)", "return 0;"),
    post: fn(PROBE, "p = kzalloc(8, GFP_KERNEL);", "p->count = 3;", "return 0;") + fn("int toy_f(void)", "return 1;"),
  },
  {
    title: "a field that starts from zero",
    pre: fn(PROBE, "p = kzalloc(8, GFP_KERNEL);", "return 0;") + fn("int toy_f(struct toy *t)", "return 0;"),
    post: fn(PROBE, "p = kzalloc(8, GFP_KERNEL);", "p->count = 0;", "return 0;") + fn("int toy_f(struct toy *t)", "return t->count;"),
  },
  {
    title: "a field by another name",
    pre: fn(PROBE, "p->master = master;", "return 0;") + fn("int toy_f(struct toy *t)", "return t->master->n;"),
    post: fn(PROBE, "p->host = host;", "return 0;") + fn("int toy_f(struct toy *t)", "return t->host->n;"),
  },
  {
    title: "a size by another way",
    pre: fn("int toy_f(struct toy *t)", "t->buf = kmalloc(n * sizeof(*t->buf), GFP_KERNEL);", "return 0;"),
    post: fn("int toy_f(struct toy *t)", "t->buf = kmalloc_array(n, sizeof(*t->buf), GFP_KERNEL);", "return 0;"),
  },
  {
    title: "a buffer of the function's own",
    pre: fn("int toy_f(struct toy *t)", "char *buf;", "buf = kmalloc(64, GFP_KERNEL);", "g(buf);", "kfree(buf);", "return 0;"),
    post: fn("int toy_f(struct toy *t)", "char *buf;", "buf = kmalloc(128, GFP_KERNEL);", "g(buf);", "kfree(buf);", "return 0;"),
  },
  {
    title: "a constant that no field holds",
    pre: `#define TOY_WAIT_MS 10\n${fn("void toy_f(void)", "msleep(TOY_WAIT_MS);")}`,
    post: `#define TOY_WAIT_MS 20\n${fn("void toy_f(void)", "msleep(TOY_WAIT_MS + 1);")}`,
  },
  {
    title: "a constant of two branches",
    pre: `#ifdef A\n#define TOY_BIT 1\n#else\n#define TOY_BIT 2\n#endif\n${fn("void toy_f(struct toy *t)", "t->flags = TOY_BIT;")}`,
    post: `#ifdef B\n#define TOY_BIT 2\n#else\n#define TOY_BIT 1\n#endif\n${fn("void toy_f(struct toy *t)", "t->flags |= TOY_BIT;")}`,
  },
  {
    title: "the number of an enumeration's names",
    pre: `enum toy { TOY_A, TOY_NUM };\n${fn("void toy_f(struct toy *t)", "t->n = TOY_NUM;")}`,
    post: `enum toy { TOY_A, TOY_B, TOY_NUM };\n${fn("void toy_f(struct toy *t)", "t->n = TOY_NUM + 0;")}`,
  },
  {
    title: "probe's way out when it fails",
    pre: fn(PROBE, "ret = toy_start(p);", "if (ret)", "\treturn ret;", "return 0;") + fn(REMOVE, "") + OPS,
    post:
      fn(PROBE, "ret = toy_start(p);", "if (ret)", "\tgoto err;", "return 0;", "err:", "toy_free(p);", "return ret;") +
      fn(REMOVE, "") +
      OPS,
  },
  {
    title: "probe tests what it did not test",
    pre: fn(PROBE, "p->gpio = toy_gpio(dev);", "toy_start(p);", "return 0;") + fn(REMOVE, "") + OPS,
    post:
      fn(
        PROBE,
        "int ret;",
        "p->gpio = toy_gpio(dev);",
        "if (IS_ERR(p->gpio))",
        '\treturn dev_err_probe(dev, PTR_ERR(p->gpio), "no gpio\\n");',
        "ret = toy_start(p);",
        "if (ret) {",
        '\tdev_err(dev, "no start\\n");',
        "\treturn ret;",
        "}",
        "return 0;",
      ) +
      fn(REMOVE, "") +
      OPS,
  },
  {
    title: "the order of what probe does",
    pre: fn(PROBE, "a(p);", "b(p);", "return 0;") + fn(REMOVE, "") + OPS,
    post: fn(PROBE, "b(p);", "a(p);", "return 0;") + fn(REMOVE, "") + OPS,
  },
  {
    title: "a helper of probe's that remove calls too",
    pre: fn("void toy_set(struct toy *t)", "t->n = 4;") + fn(PROBE, "toy_set(p);", "return 0;") + fn(REMOVE, "toy_set(p);") + OPS,
    post: fn("void toy_set(struct toy *t)", "t->n = 8;") + fn(PROBE, "toy_set(p);", "return 0;") + fn(REMOVE, "toy_set(p);") + OPS,
  },
  {
    title: "a helper of probe's that others may call",
    pre: "void toy_set(struct toy *t)\n{\n\tt->n = 4;\n}\n" + fn(PROBE, "toy_set(p);", "return 0;") + fn(REMOVE, "") + OPS,
    post: "void toy_set(struct toy *t)\n{\n\tt->n = 8;\n}\n" + fn(PROBE, "toy_set(p);", "return 0;") + fn(REMOVE, "") + OPS,
  },
  {
    title: "probe and what runs later",
    pre: fn(PROBE, "p->n = 1;", "return 0;") + fn(REMOVE, "a();") + OPS,
    post: fn(PROBE, "p->n = 2;", "return 0;") + fn(REMOVE, "b();") + OPS,
  },
];

describe.each(Object.entries(SPEAKING))("%s speaks of", (kind, cases) => {
  it.each(cases)("$title", (entry) => {
    expect(notesOf(entry).map((note) => note.kind)).toContain(kind);
  });
});

describe("no note on", () => {
  it.each(SILENT)("$title", (entry) => {
    expect(notesOf(entry)).toEqual([]);
  });

  it.each(Object.values(SPEAKING).flat())("a change that is none: $title", ({ post }) => {
    expect(notesOf({ pre: post, post })).toEqual([]);
  });
});

describe("a note", () => {
  it("says what, where, and what becomes of it", async () => {
    const text = Object.values(SPEAKING)
      .flat()
      .map(
        (entry) =>
          `# ${entry.title}\n${notesOf(entry)
            .map((note) => `${spellNote(note)}\n`)
            .join("")}`,
      )
      .join("\n");
    await expect(text).toMatchFileSnapshot(GOLDEN);
  });

  it("has the line of the patched file, without the directives that restore numbers", () => {
    const { pre, post } = SPEAKING["allocation-size"][0] ?? { pre: "", post: "" };
    const [note] = notesOf({ pre: `int a;\n${pre}`, post: `int a;\nint b;\n#line 2\n${post}` });
    expect(note).toMatchObject({ function: "toy_start", line: 5 });
  });

  it("is made of a pair over two files", () => {
    const [opens, closes] = [
      ["int toy_open(struct toy *t)", "toy_hold(t);"],
      ["void toy_close(struct toy *t)", "toy_release(t);"],
    ].map(([head = "", call = ""]) => ({ pre: fn(head, "a();"), post: fn(head, "a();", call) }));
    const notes = semanticNotes([
      { path: "a.c", pre: opens?.pre, post: opens?.post },
      { path: "b.c", pre: closes?.pre, post: closes?.post },
    ]);
    expect(notes).toMatchObject([{ kind: "unbalanced-pair", function: "toy_close", file: "b.c", line: 4 }]);
  });

  it("counts a callback that is called otherwise for what it was before", () => {
    const release = (callback: string, ...put: string[]): string =>
      fn("void toy_release(struct toy *t)", ...put, `call_rcu(&t->rcu, ${callback});`);
    const file = {
      path: "a.c",
      pre: fn("void toy_rcu(struct rcu_head *t)", "free(t);") + release("toy_rcu", "put_cred(t->cred);"),
      post: fn("void toy_free_rcu(struct rcu_head *t)", "put_cred(of(t)->cred);", "free(t);") + release("toy_free_rcu"),
    };
    expect(semanticNotes([file])).toEqual([]);
    expect(semanticNotes([file], new Map([["toy_free_rcu", "toy_rcu"]]))).toMatchObject([{ kind: "moved-half", function: "toy_free_rcu" }]);
  });

  it("is not made of files that are no C, new or removed ones", () => {
    const { pre, post } = SPEAKING["unbalanced-pair"][0] ?? { pre: "", post: "" };
    expect(semanticNotes([{ path: "a.rst", pre, post }])).toEqual([]);
    expect(semanticNotes([{ path: "a.c", pre: undefined, post }])).toEqual([]);
    expect(semanticNotes([{ path: "a.c", pre: post, post: undefined }])).toEqual([]);
  });
});

describe("any text", () => {
  it.each([
    ["many blanks", `int f(void)\n{${" ".repeat(200_000)}x();\n}\n`],
    ["many parentheses", `int f(void)\n{\n${"(".repeat(50_000)};\n}\n`],
    ["many braces", "{".repeat(50_000)],
    ["a long name", `int f(void) __${"a_".repeat(50_000)}\n{\n}\n`],
    ["a long constant", `#define A ${"A".repeat(50_000)}!\n`],
    ["a string without end", `int f(void)\n{\n\t"${"\\\\".repeat(50_000)}\n}\n`],
    ["many tests", `int f(void)\n{\n${"if (!a->b[0] || ret < 0) ".repeat(5_000)};\n}\n`],
  ])("is read in time: %s", (_, text) => {
    const started = performance.now();
    expect(semanticNotes([{ path: "a.c", pre: text, post: text.replace("f(void)", "f(int a)") }])).toEqual([]);
    expect(performance.now() - started).toBeLessThan(8_000);
  });
});
