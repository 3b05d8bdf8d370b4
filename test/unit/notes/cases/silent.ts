import { fn, OPS, PROBE, REMOVE, type Case } from "./case.js";

export const SILENT: readonly Case[] = [
  {
    title: "operations of a table that is new, too",
    pre: "",
    post:
      fn("int toy_open(struct inode *inode, struct file *file)", "file->private_data = kzalloc(8, GFP_KERNEL);", "return 0;") +
      fn("int toy_release(struct inode *inode, struct file *file)", "kfree(file->private_data);", "return 0;") +
      "static const struct file_operations toy_fops = {\n\t.open = toy_open,\n\t.release = toy_release,\n};\n",
  },
  {
    title: "a table whose elements change, and of which there are as many",
    pre: `static const int toy_modes[] = { 1, 2 };\n${fn("int toy_start(struct toy *t)", "t->items = kcalloc(ARRAY_SIZE(toy_modes), 8, GFP_KERNEL);")}`,
    post: `static const int toy_modes[] = { 1, MODE(3, 4), };\n${fn("int toy_start(struct toy *t)", "t->items = kcalloc(ARRAY_SIZE(toy_modes), 8, GFP_KERNEL);")}`,
  },
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
    title: "an object that is asked for by its type",
    pre: fn("struct toy *toy_make(int n)", "struct toy *t;", "t = kzalloc(struct_size(t, parts, n), GFP_KERNEL);", "return t;"),
    post: fn("struct toy *toy_make(int n)", "struct toy *t;", "t = kzalloc_flex(*t, parts, n);", "return t;"),
  },
  {
    title: "objects that are asked for by their type",
    pre: fn("int toy_f(struct toy *t)", "t->buf = kcalloc(n, sizeof(*t->buf), GFP_KERNEL);", "return 0;"),
    post: fn("int toy_f(struct toy *t)", "t->buf = kzalloc_objs(*t->buf, n);", "return 0;"),
  },
  {
    title: "memory that only one allocator has made, by its type",
    pre:
      fn("int toy_load(struct toy *t)", "t->map = kzalloc_obj(*t->map);", "return 0;") +
      fn("void toy_free(struct toy *t)", "kvfree(t->map);"),
    post:
      fn("int toy_load(struct toy *t)", "t->map = kzalloc_obj(*t->map);", "return 0;") +
      fn("void toy_free(struct toy *t)", "kfree(t->map);"),
  },
  {
    title: "a timer's callback that is set up as before",
    pre:
      fn("enum hrtimer_restart toy_tick(struct hrtimer *t)", "return HRTIMER_NORESTART;") +
      fn("int toy_f(struct toy *t)", "hrtimer_setup(&t->timer, toy_tick, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);", "return 0;"),
    post:
      fn("enum hrtimer_restart toy_tick(struct hrtimer *t)", "return HRTIMER_RESTART;") +
      fn(
        "int toy_f(struct toy *t)",
        "t->timer.function = f;",
        "hrtimer_setup(&t->timer, toy_tick, CLOCK_MONOTONIC, HRTIMER_MODE_REL);",
        "return 0;",
      ),
  },
  {
    title: "a handler that stays as it is, in a thread",
    pre:
      fn("irqreturn_t toy_irq(int irq, void *t)", "return IRQ_HANDLED;") +
      fn("int toy_f(struct toy *t)", "return devm_request_irq(d, t->irq, toy_irq, IRQF_SHARED, NAME, t);"),
    post:
      fn("irqreturn_t toy_irq(int irq, void *t)", "return IRQ_HANDLED;") +
      fn("int toy_f(struct toy *t)", "return devm_request_threaded_irq(d, t->irq, NULL, toy_irq, IRQF_SHARED | IRQF_ONESHOT, NAME, t);"),
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
  {
    title: "a function that gives back what either allocator made",
    pre: fn("void toy_free(void *addr)", "kfree(addr);"),
    post: fn("void toy_free(void *addr)", "kvfree(addr);"),
  },
  {
    title: "memory that only one allocator has made, and that is given back by that one's function with the patch",
    pre:
      fn("int toy_load(struct toy *t)", "t->map = kmemdup(m, 8, GFP_KERNEL);", "return 0;") +
      fn("void toy_free(struct toy *t)", "kvfree(t->map);"),
    post:
      fn("int toy_load(struct toy *t)", "t->map = kmemdup(m, 8, GFP_KERNEL);", "return 0;") +
      fn("void toy_free(struct toy *t)", "kfree(t->map);"),
  },
  {
    title: "a comment in a table that a copy is made of",
    pre: "static const struct regmap_config toy_regmap = {\n\t.max_register = 0x10,\n};\n",
    post: "static const struct regmap_config toy_regmap = {\n\t/* All of them. */\n\t.max_register = 0x10,\n};\n",
  },
  {
    title: "the hash of a file's contents, and what fills a hash table",
    pre: fn("int toy_calc_file_hash(struct file *file)", "return 0;") + fn("void toy_hash(struct toy *t)", "a(t);"),
    post: fn("int toy_calc_file_hash(struct file *file)", "return -EINVAL;") + fn("void toy_hash(struct toy *t)", "b(t);"),
  },
  {
    title: "an error pointer where it was NULL, of a function that only its file calls",
    pre:
      fn("struct toy *toy_find(int id)", "if (id < 0)", "\treturn NULL;", "return toys[id];") +
      fn("void toy_go(int id)", "use(toy_find(id));"),
    post:
      fn("struct toy *toy_find(int id)", "if (id < 0)", "\treturn ERR_PTR(-EINVAL);", "return toys[id];") +
      fn("void toy_go(int id)", "use(toy_find(id));"),
  },
  {
    title: "a further error pointer, and a number that errors stand beside",
    pre:
      "struct toy *toy_find(int id)\n{\n\tif (id < 0)\n\t\treturn ERR_PTR(-EINVAL);\n\treturn toys[id];\n}\n" +
      "int toy_emulate(int id)\n{\n\tif (id)\n\t\treturn 1;\n\treturn 0;\n}\n",
    post:
      "struct toy *toy_find(int id)\n{\n\tif (id < 0 || id > 9)\n\t\treturn ERR_PTR(-ERANGE);\n\treturn toys[id];\n}\n" +
      "int toy_emulate(int id)\n{\n\tif (id > 9)\n\t\treturn -EIO;\n\tif (id)\n\t\treturn 1;\n\treturn 0;\n}\n",
  },
  {
    title: "the same clock under another name, and two that one member has by turns",
    pre: fn("void toy_touch(struct toy *t)", "t->last = ktime_to_ns(ktime_get());", "t->seen = jiffies;"),
    post: fn("void toy_touch(struct toy *t)", "t->last = ktime_get_ns();", "t->seen = a ? jiffies : 0;", "t->seen = ktime_get();"),
  },
  {
    title: "an error pointer that the function has put there itself, and a test for either",
    pre:
      fn("int toy_start(struct toy *p)", "p->clk = get(p);", "if (IS_ERR(p->clk))", "\treturn -ENODEV;", "return 0;") +
      fn("int toy_tick(struct toy *p)", "return IS_ERR_OR_NULL(p->irq) ? 0 : 1;"),
    post:
      fn("int toy_start(struct toy *p)", "p->clk = get_optional(p);", "if (!p->clk)", "\treturn -ENODEV;", "return 0;") +
      fn("int toy_tick(struct toy *p)", "return IS_ERR(p->irq) || !p->irq ? 0 : 2;"),
  },
  {
    title: "a lock that is held by one, then by many, in one function",
    pre:
      fn("void toy_grow(struct toy *t)", "down_write(&t->sem);", "a(t);", "up_write(&t->sem);") +
      fn("void toy_read(struct toy *t)", "a(t);"),
    post:
      fn("void toy_grow(struct toy *t)", "down_write(&t->sem);", "a(t);", "downgrade_write(&t->sem);", "b(t);", "up_read(&t->sem);") +
      fn("void toy_read(struct toy *t)", "down_read(&t->sem);", "a(t);", "up_read(&t->sem);"),
  },
  {
    title: "a counter that begins with what it did, and one that has several beginnings",
    pre:
      fn("void toy_make(struct toy *t)", "refcount_set(&t->users, 1);", "atomic_set(&t->n, 0);") +
      fn("void toy_reset(struct toy *t)", "atomic_set(&t->n, 4);"),
    post:
      fn("void toy_make(struct toy *t)", "toy_clear(t);", "refcount_set(&t->users, 1);", "atomic_set(&t->n, 2);") +
      fn("void toy_reset(struct toy *t)", "atomic_set(&t->n, 4);"),
  },
  {
    title: "a flag under another name",
    pre:
      "#define TOY_UP 1\n#define TOY_MASTER 2\n" +
      fn("void toy_hold(struct toy *t)", "t->flags |= TOY_MASTER;") +
      fn("bool toy_held(struct toy *t)", "return t->flags & TOY_MASTER;"),
    post:
      "#define TOY_UP 1\n#define TOY_HOST 2\n" +
      fn("void toy_hold(struct toy *t)", "toy_wait(t);", "t->flags |= TOY_HOST;") +
      fn("bool toy_held(struct toy *t)", "return t->flags & TOY_HOST;"),
  },
  {
    title: "a question whose name holds half a pair, which another function asks",
    pre: fn("void toy_check(struct toy *t)", "if (is_toy_alloc(&t->buf))", "\tt->on = 1;") + fn("void toy_add(struct toy *t)", "t->n++;"),
    post: fn("void toy_check(struct toy *t)", "t->on = 1;") + fn("void toy_add(struct toy *t)", "if (is_toy_alloc(&t->buf))", "\tt->n++;"),
  },
];
