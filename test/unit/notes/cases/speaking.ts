import type { NoteKind } from "../../../../src/notes/types.js";
import { fn, MOUNT_OPS, OPS, PROBE, REMOVE, type Case } from "./case.js";

export const SPEAKING: Readonly<Record<NoteKind, readonly Case[]>> = {
  "unbalanced-pair": [
    {
      title: "operations that a table had none of: files that are open come to the second without the first",
      pre: "static const struct file_operations toy_fops = {\n\t.read = toy_read,\n};\n",
      post:
        fn("int toy_open(struct inode *inode, struct file *file)", "file->private_data = kzalloc(8, GFP_KERNEL);", "return 0;") +
        fn("int toy_release(struct inode *inode, struct file *file)", "kfree(file->private_data);", "return 0;") +
        "static const struct file_operations toy_fops = {\n\t.read = toy_read,\n\t.open = toy_open,\n\t.release = toy_release,\n};\n",
    },
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
      title: "another lock, held from one function to another",
      pre: fn("void toy_begin(struct toy *t)", "mutex_lock(&t->lock);") + fn("void toy_end(struct toy *t)", "mutex_unlock(&t->lock);"),
      post:
        fn("void toy_begin(struct toy *t)", "mutex_lock(&t->list_lock);") +
        fn("void toy_end(struct toy *t)", "mutex_unlock(&t->list_lock);"),
    },
    {
      title: "a lock that one holds now, and many held before",
      pre: fn("void toy_begin(struct toy *t)", "down_read(&t->sem);") + fn("void toy_end(struct toy *t)", "up_read(&t->sem);"),
      post: fn("void toy_begin(struct toy *t)", "down_write(&t->sem);") + fn("void toy_end(struct toy *t)", "up_write(&t->sem);"),
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
      title: "memory that is the device's, and that the driver gives back with the patch",
      pre: fn(PROBE, "p = devm_kzalloc(dev, 8, GFP_KERNEL);", "return 0;") + fn(REMOVE, "toy_off(p);"),
      post: fn(PROBE, "p = kzalloc(8, GFP_KERNEL);", "return 0;") + fn(REMOVE, "toy_off(p);", "kfree(p);"),
    },
    {
      title: "memory that becomes the device's",
      pre: fn(PROBE, "p = kzalloc(8, GFP_KERNEL);", "return 0;") + fn(REMOVE, "toy_off(p);", "kfree(p);"),
      post: fn(PROBE, "p = devm_kzalloc(dev, 8, GFP_KERNEL);", "return 0;") + fn(REMOVE, "toy_off(p);"),
    },
    {
      title: "a function that gives back what may be of another allocator",
      pre: fn("void toy_free(void *addr)", "kvfree(addr);"),
      post: fn("void toy_free(void *addr)", "kfree(addr);"),
    },
    {
      title: "memory of another allocator",
      pre: fn(PROBE, "p->buf = kmalloc(n, GFP_KERNEL);", "return 0;") + fn(REMOVE, "kfree(p->buf);"),
      post: fn(PROBE, "p->buf = vmalloc(n);", "return 0;") + fn(REMOVE, "vfree(p->buf);"),
    },
    {
      title: "objects of a type that are another allocator's",
      pre: fn(PROBE, "p->items = kzalloc_objs(*p->items, n);", "return 0;") + fn(REMOVE, "kfree(p->items);"),
      post: fn(PROBE, "p->items = kvzalloc_objs(*p->items, n);", "return 0;") + fn(REMOVE, "kvfree(p->items);"),
    },
    {
      title: "an object of a type that is the device's, and that the driver gives back with the patch",
      pre: fn(PROBE, "p = devm_kzalloc(dev, sizeof(*p), GFP_KERNEL);", "return 0;") + fn(REMOVE, "toy_off(p);"),
      post: fn(PROBE, "p = kzalloc_obj(*p);", "return 0;") + fn(REMOVE, "toy_off(p);", "kfree(p);"),
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
      title: "a field that the maker of an object of a type fills in",
      pre:
        fn("struct toy *toy_get_one(int n)", "struct toy *t = kmalloc_obj(*t);", "return t;") +
        fn("int toy_len(struct toy *t)", "return 8;"),
      post:
        fn("struct toy *toy_get_one(int n)", "struct toy *t = kmalloc_obj(*t);", "t->len = n;", "return t;") +
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
      title: "an object that a device keeps, and that is freed where that fails",
      pre: fn(
        "int toy_open(struct device *dev)",
        "struct toy *t = kzalloc(sizeof(*t), GFP_KERNEL);",
        "dev_set_drvdata(dev, t);",
        "if (toy_start(dev))",
        "\tkfree(t);",
        "return 0;",
      ),
      post: fn(
        "int toy_open(struct device *dev)",
        "struct toy *t = kzalloc(sizeof(*t) + 64, GFP_KERNEL);",
        "dev_set_drvdata(dev, t);",
        "if (toy_start(dev))",
        "\tkfree(t);",
        "return 0;",
      ),
    },
    {
      title: "a cache of objects",
      pre: fn("int toy_caches(void)", 'toy_cache = kmem_cache_create("toy", 32, 0, 0, NULL);', "return 0;"),
      post: fn("int toy_caches(void)", 'toy_cache = kmem_cache_create("toy", 48, 0, 0, NULL);', "return 0;"),
    },
    {
      title: "more objects of a type",
      pre: fn("int toy_start(struct toy *t)", "t->items = kzalloc_objs(*t->items, TOY_FEW);", "return 0;"),
      post: fn("int toy_start(struct toy *t)", "t->items = kzalloc_objs(*t->items, TOY_MANY);", "return 0;"),
    },
    {
      title: "an object of a type with room behind it",
      pre: fn("struct toy *toy_make(int n)", "struct toy *t;", "t = kzalloc_obj(*t);", "return t;"),
      post: fn("struct toy *toy_make(int n)", "struct toy *t;", "t = kzalloc_flex(*t, parts, n);", "return t;"),
    },
    {
      title: "a place for each element of a table that grows",
      pre: `static const char *const toy_names[] = { "a", "b" };\n${fn("int toy_start(struct toy *t)", "t->items = kcalloc(ARRAY_SIZE(toy_names), 8, GFP_KERNEL);", "return 0;")}`,
      post: `static const char *const toy_names[] = { "a", "b", "c", };\n${fn("int toy_start(struct toy *t)", "t->items = kcalloc(ARRAY_SIZE(toy_names), 8, GFP_KERNEL);", "return 0;")}`,
    },
    {
      title: "a copy of a table that grows",
      pre: `static const struct ctl_table toy_table[] = { { A }, { B } };\n${fn("int toy_net_init(struct net *net)", "net->table = kmemdup(toy_table, sizeof(toy_table), GFP_KERNEL);", "return 0;")}`,
      post: `static const struct ctl_table toy_table[] = { { A }, { B }, { C } };\n${fn("int toy_net_init(struct net *net)", "net->table = kmemdup(toy_table, sizeof(toy_table), GFP_KERNEL);", "return 0;")}`,
    },
    {
      title: "a buffer whose size is a constant that changes",
      pre: `#define TOY_PAGES 2\n#define TOY_BUF_SIZE (TOY_PAGES * 4096)\n${fn("int toy_start(struct toy *t)", "t->buf = kmalloc(TOY_BUF_SIZE, GFP_KERNEL);", "return 0;")}`,
      post: `#define TOY_PAGES 4\n#define TOY_BUF_SIZE (TOY_PAGES * 4096)\n${fn("int toy_start(struct toy *t)", "t->buf = kmalloc(TOY_BUF_SIZE, GFP_KERNEL);", "return 0;")}`,
    },
  ],
  "changed-constant": [
    {
      title: "a flag that takes the number of one that goes",
      pre:
        "#define TOY_UP 1\n#define TOY_HELD 2\n" +
        fn("void toy_hold(struct toy *t)", "t->flags |= TOY_HELD;") +
        fn("bool toy_held(struct toy *t)", "return t->flags & TOY_HELD;"),
      post:
        "#define TOY_UP 1\n#define TOY_DEAD 2\n" +
        fn("void toy_hold(struct toy *t)", "toy_wait(t);") +
        fn("void toy_kill(struct toy *t)", "if (t->flags & TOY_DEAD)", "\treturn;", "t->flags |= TOY_DEAD;"),
    },
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
  "changed-meaning": [
    {
      title: "a timer's callback that is to run in another context",
      pre:
        fn("enum hrtimer_restart toy_tick(struct hrtimer *t)", "spin_lock(&toys);", "return HRTIMER_NORESTART;") +
        fn("int toy_f(struct toy *t)", "hrtimer_setup(&t->timer, toy_tick, CLOCK_MONOTONIC, HRTIMER_MODE_REL);", "return 0;"),
      post:
        fn("enum hrtimer_restart toy_tick(struct hrtimer *t)", "toy_sleep(&toys);", "return HRTIMER_NORESTART;") +
        fn("int toy_f(struct toy *t)", "hrtimer_setup(&t->timer, toy_tick, CLOCK_MONOTONIC, HRTIMER_MODE_REL_SOFT);", "return 0;"),
    },
    {
      title: "a timer's callback that is to run by another clock, and is a member",
      pre:
        fn("enum hrtimer_restart toy_tick(struct hrtimer *t)", "return toy_at(ktime_get());") +
        fn(
          "int toy_f(struct toy *t)",
          "hrtimer_init(&t->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);",
          "t->timer.function = toy_tick;",
          "return 0;",
        ),
      post:
        fn("enum hrtimer_restart toy_tick(struct hrtimer *t)", "return toy_at(ktime_get_boottime());") +
        fn(
          "int toy_f(struct toy *t)",
          "hrtimer_init(&t->timer, CLOCK_BOOTTIME, HRTIMER_MODE_REL);",
          "t->timer.function = &toy_tick;",
          "return 0;",
        ),
    },
    {
      title: "an interrupt's handler that is to run in a thread",
      pre:
        fn("irqreturn_t toy_irq(int irq, void *t)", "spin_lock(&toys);", "return IRQ_HANDLED;") +
        fn("int toy_f(struct toy *t)", "return request_irq(t->irq, toy_irq, IRQF_SHARED, NAME, t);"),
      post:
        fn("irqreturn_t toy_irq(int irq, void *t)", "toy_sleep(&toys);", "return IRQ_HANDLED;") +
        fn("int toy_f(struct toy *t)", "return request_threaded_irq(t->irq, NULL, toy_irq, IRQF_SHARED | IRQF_ONESHOT, NAME, t);"),
    },
    {
      title: "the time of another clock",
      pre:
        fn("void toy_touch(struct toy *t)", "t->last = jiffies;") +
        fn("bool toy_old(struct toy *t)", "return time_after(jiffies, t->last + HZ);"),
      post:
        fn("void toy_touch(struct toy *t)", "t->last = ktime_get();") +
        fn("bool toy_old(struct toy *t)", "return ktime_after(ktime_get(), ktime_add_ns(t->last, NSEC_PER_SEC));"),
    },
    {
      title: "a clock that is NULL where there is none, and was an error pointer",
      pre:
        fn(PROBE, 'p->clk = devm_clk_get(dev, "bus");', "return 0;") +
        fn("int toy_start(struct toy *p)", "if (!IS_ERR(p->clk))", "\ttoy_tick(p->clk);", "return 0;"),
      post:
        fn(PROBE, 'p->clk = devm_clk_get_optional(dev, "bus");', "return 0;") +
        fn("int toy_start(struct toy *p)", "if (p->clk)", "\ttoy_tick(p->clk);", "return 0;"),
    },
    {
      title: "a time that is converted when it is set, and not when it is used",
      pre:
        fn("void toy_set(struct toy *t, int ms)", "t->timeout = ms;") +
        fn("void toy_arm(struct toy *t)", "mod_timer(&t->timer, jiffies + msecs_to_jiffies(t->timeout));"),
      post:
        fn("void toy_set(struct toy *t, int ms)", "t->timeout = msecs_to_jiffies(ms);") +
        fn("void toy_arm(struct toy *t)", "mod_timer(&t->timer, jiffies + t->timeout);"),
    },
    {
      title: "a dump that keeps a number where it kept a pointer",
      pre: fn(
        "int toy_dump(struct sk_buff *skb, struct netlink_callback *cb)",
        "struct toy *last = (struct toy *)cb->args[1];",
        "toy_put(last);",
        "cb->args[1] = (unsigned long)next;",
        "return skb->len;",
      ),
      post: fn(
        "int toy_dump(struct sk_buff *skb, struct netlink_callback *cb)",
        "unsigned long last = cb->args[1];",
        "cb->args[1] = next->id;",
        "return skb->len;",
      ),
    },
    {
      title: "a counter that begins with another number",
      pre: fn("void toy_make(struct toy *t)", "refcount_set(&t->users, 1);") + fn("void toy_close(struct toy *t)", "toy_off(t);"),
      post:
        fn("void toy_make(struct toy *t)", "refcount_set(&t->users, 2);") +
        fn("void toy_close(struct toy *t)", "toy_off(t);", "toy_leave(t);"),
    },
    {
      title: "a queue at which nobody is woken any more that has polled before",
      pre:
        fn("__poll_t toy_poll(struct file *file, poll_table *wait)", "poll_wait(file, &toy->queue, wait);", "return 0;") +
        fn("void toy_ready(struct toy *toy)", "wake_up(&toy->queue);"),
      post:
        fn("__poll_t toy_poll(struct file *file, poll_table *wait)", "poll_wait(file, &toy->readers, wait);", "return 0;") +
        fn("void toy_ready(struct toy *toy)", "wake_up(&toy->readers);"),
    },
  ],
  "changed-result": [
    {
      title: "NULL where it was an error pointer",
      pre: "struct toy *toy_find(int id)\n{\n\tif (id < 0)\n\t\treturn ERR_PTR(-EINVAL);\n\treturn toys[id];\n}\n",
      post: "struct toy *toy_find(int id)\n{\n\tif (id < 0)\n\t\treturn NULL;\n\treturn toys[id];\n}\n",
    },
    {
      title: "an error pointer beside NULL, of a function in a table",
      pre:
        fn("void *toy_start(struct toy *t)", "if (!t)", "\treturn NULL;", "return t->first;") +
        "static const struct toy_ops ops = {\n\t.start = toy_start,\n};\n",
      post:
        fn("void *toy_start(struct toy *t)", "if (!t)", "\treturn NULL;", "if (t->dead)", "\treturn ERR_PTR(-EIO);", "return t->first;") +
        "static const struct toy_ops ops = {\n\t.start = toy_start,\n};\n",
    },
    {
      title: "an error number where it was yes or no",
      pre: "int toy_is_ready(struct toy *t)\n{\n\tif (t->up)\n\t\treturn 1;\n\treturn 0;\n}\n",
      post: "int toy_is_ready(struct toy *t)\n{\n\tif (!t->up)\n\t\treturn -EAGAIN;\n\treturn 0;\n}\n",
    },
  ],
  "changed-hash": [
    {
      title: "an order in which a tree is kept",
      pre:
        fn("int toy_cmp(const void *key, const struct rb_node *node)", "return *(int *)key - of(node)->id;") +
        fn("struct rb_node *toy_find(int id)", "return rb_find(&id, &toys, toy_cmp);"),
      post:
        fn("int toy_cmp(const void *key, const struct rb_node *node)", "return of(node)->id - *(int *)key;") +
        fn("struct rb_node *toy_find(int id)", "return rb_find(&id, &toys, toy_cmp);"),
    },
    {
      title: "where objects are filed",
      pre: fn("u32 toy_hash(const struct toy *t)", "return jhash_1word(t->id, 0);"),
      post: fn("u32 toy_hash(const struct toy *t)", "return jhash_2words(t->id, t->net, 0);"),
    },
    {
      title: "a hash table that gets a function of its own",
      pre: "static const struct rhashtable_params toys = {\n\t.key_len = 4,\n};\n",
      post: "static const struct rhashtable_params toys = {\n\t.key_len = 4,\n\t.hashfn = toy_order,\n};\n",
    },
    {
      title: "a hash table's own function, whatever its name",
      pre:
        fn("u32 toy_order(const void *key)", "return 1;") + "static const struct rhashtable_params toys = {\n\t.hashfn = toy_order,\n};\n",
      post:
        fn("u32 toy_order(const void *key)", "return 2;") + "static const struct rhashtable_params toys = {\n\t.hashfn = toy_order,\n};\n",
    },
  ],
  "setup-only": [
    {
      title: "what a network namespace begins with",
      pre: "static int __net_init toy_net_init(struct net *net)\n{\n\tnet->toy.limit = 10;\n\treturn 0;\n}\n",
      post: "static int __net_init toy_net_init(struct net *net)\n{\n\tnet->toy.limit = 1;\n\treturn 0;\n}\n",
    },
    {
      title: "what a BPF program may give a helper",
      pre: "static const struct bpf_func_proto toy_proto = {\n\t.func = toy,\n\t.arg1_type = ARG_ANYTHING,\n};\n",
      post: "static const struct bpf_func_proto toy_proto = {\n\t.func = toy,\n\t.arg1_type = ARG_PTR_TO_MEM,\n};\n",
    },
    {
      title: "what a BPF program may read",
      pre:
        fn("bool toy_is_valid_access(int off, int size)", "return off < 10;") +
        "const struct bpf_verifier_ops toy_verifier_ops = {\n\t.is_valid_access = toy_is_valid_access,\n};\n",
      post:
        fn("bool toy_is_valid_access(int off, int size)", "if (off < 0)", "\treturn false;", "return off < 10;") +
        "const struct bpf_verifier_ops toy_verifier_ops = {\n\t.is_valid_access = toy_is_valid_access,\n};\n",
    },
    {
      title: "which files a device has",
      pre: "static const struct attribute_group toy_group = {\n\t.attrs = toy_attrs,\n};\n",
      post: "static const struct attribute_group toy_group = {\n\t.attrs = toy_attrs,\n\t.is_visible = toy_is_visible,\n};\n",
    },
    {
      title: "a table that a copy is made of",
      pre: "static const struct regmap_config toy_regmap = {\n\t.max_register = 0x10,\n};\n",
      post: "static const struct regmap_config toy_regmap = {\n\t.max_register = 0x20,\n};\n",
    },
    {
      title: "a device more that a driver takes",
      pre: "static const struct usb_device_id toy_ids[] = {\n\t{ USB_DEVICE(1, 2) },\n\t{ }\n};\n",
      post: "static const struct usb_device_id toy_ids[] = {\n\t{ USB_DEVICE(1, 2) },\n\t{ USB_DEVICE(1, 3) },\n\t{ }\n};\n",
    },
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
