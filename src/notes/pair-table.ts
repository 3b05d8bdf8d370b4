import { placeOf, type Call } from "./find-calls.js";

/** What a call does to a pair: takes or gives back. */
export interface PairUse {
  readonly role: "acquire" | "release";
  /** The pair, and for locks, counters and memory the member or variable it is about. */
  readonly key: string;
}

/** What the key has beside the pair's name. */
type Subject = "argument" | "target" | "none";

interface Pair {
  readonly name: string;
  readonly acquire: RegExp;
  readonly release: RegExp;
  /** Which place tells one such pair from another: of a lock its name, of memory what points to it. */
  readonly subject: Subject;
}

const LOCK_END = "(?:_irq|_irqsave|_irqrestore|_bh|_nested|_nest_lock|_interruptible|_killable|_io)*";

/** Pairs that have no common word, or in which the object matters. The first that fits decides. */
const PAIRS: readonly Pair[] = [
  {
    name: "lock",
    acquire: new RegExp(`^(?:mutex|spin|raw_spin|ww_mutex|bit_spin|rt_mutex)_(?:try)?lock${LOCK_END}$`),
    release: new RegExp(`^(?:mutex|spin|raw_spin|ww_mutex|bit_spin|rt_mutex)_unlock${LOCK_END}$`),
    subject: "argument",
  },
  // Held by many, or by one: what the one takes the other cannot give back.
  ...["read", "write"].map((mode): Pair => ({
    name: `${mode} lock`,
    acquire: new RegExp(`^${mode}_(?:try)?lock${LOCK_END}$|^down_${mode}(?:_trylock)?${LOCK_END}$`),
    release: new RegExp(`^${mode}_unlock${LOCK_END}$|^up_${mode}$`),
    subject: "argument",
  })),
  { name: "down/up", acquire: new RegExp(`^down(?:_trylock|_timeout)?${LOCK_END}$`), release: /^up$/, subject: "argument" },
  {
    name: "lock_sock",
    acquire: /^(?:lock_sock(?:_nested|_fast)?|bh_lock_sock(?:_nested)?)$/,
    release: /^(?:release_sock|unlock_sock_fast|bh_unlock_sock)$/,
    subject: "none",
  },
  { name: "irq saved", acquire: /^local_irq_(?:save|disable)$/, release: /^local_irq_(?:restore|enable)$/, subject: "none" },
  // What is off is what is held: the word alone would take it the other way round.
  {
    name: "disable",
    acquire: /^(?:preempt|local_bh|migrate|pagefault)_disable(?:_notrace)?$/,
    release: /^(?:preempt|local_bh|migrate|pagefault)_enable(?:_no_resched|_notrace)*$/,
    subject: "none",
  },
  { name: "kref", acquire: /^kref_get(?:_unless_zero)?$/, release: /^kref_put(?:_mutex|_lock)?$/, subject: "argument" },
  {
    name: "counter",
    acquire:
      /^(?:refcount|atomic|atomic64|atomic_long|percpu_ref|percpu_counter|local)_(?:inc|get|tryget)(?:_not_zero|_return|_unless_negative|_live|_and_test)*$/,
    release:
      /^(?:refcount|atomic|atomic64|atomic_long|percpu_ref|percpu_counter|local)_(?:dec|put)(?:_and_test|_return|_if_positive|_and_lock|_and_mutex_lock)*$/,
    subject: "argument",
  },
  {
    name: "of_node",
    acquire:
      /^of_(?:node_get|get_(?:child_by_name|parent|next_child|next_available_child|next_parent|compatible_child|cpu_node)|find_\w*node\w*|parse_phandle|graph_get_\w+)$/,
    release: /^of_node_put$/,
    subject: "none",
  },
  {
    name: "pm_runtime",
    acquire: /^pm_runtime_(?:get|resume_and_get)(?:_sync|_noresume|_if_in_use|_if_active)?$/,
    release: /^pm_runtime_put(?:_sync|_noidle|_autosuspend|_sync_suspend|_sync_autosuspend)*$/,
    subject: "none",
  },
  {
    name: "clk",
    acquire: /^clk_(?:bulk_)?(?:prepare_enable|enable)$/,
    release: /^clk_(?:bulk_)?(?:disable_unprepare|disable)$/,
    subject: "none",
  },
  { name: "module", acquire: /^(?:__module_get|try_module_get)$/, release: /^module_put$/, subject: "none" },
  { name: "netdev", acquire: /^(?:dev_hold|netdev_hold|dev_get_by_(?:index|name))$/, release: /^(?:dev_put|netdev_put)$/, subject: "none" },
  { name: "fd", acquire: /^(?:fget|fdget|get_file)(?:_raw|_pos)?$/, release: /^(?:fput|fdput)(?:_pos)?$/, subject: "none" },
  {
    name: "kfree",
    acquire:
      /^(?:kmalloc|kzalloc|kcalloc|kmalloc_array|kmemdup|kstrdup|kstrndup|kasprintf|kmalloc_node|kzalloc_node|k[mz]alloc_(?:objs?|flex)|memdup_user)$/,
    release: /^(?:kfree|kfree_sensitive|kfree_rcu)$/,
    subject: "target",
  },
  { name: "vfree", acquire: /^(?:vmalloc|vzalloc|vmalloc_user|vmalloc_node)$/, release: /^vfree$/, subject: "target" },
  { name: "kvfree", acquire: /^kv[mzc]alloc(?:_node|_array|_objs?|_flex)?$/, release: /^kvfree$/, subject: "target" },
];

/** Words that make a pair of two calls whose names are otherwise the same: usb_get_dev and usb_put_dev, enable_irq and disable_irq. */
const WORDS: readonly (readonly [acquire: string, release: string])[] = [
  ["lock", "unlock"],
  ["get", "put"],
  ["hold", "put"],
  ["hold", "release"],
  ["acquire", "release"],
  ["enable", "disable"],
  ["prepare", "unprepare"],
  ["alloc", "free"],
  ["pin", "unpin"],
  ["ref", "unref"],
  ["inc", "dec"],
  ["grab", "drop"],
  ["claim", "release"],
];

/** Given back with the device; readers that never leave a function; what reads and writes a value; and questions. */
const NO_PAIR = /^devm_|^(?:is|has|can|may|should|needs?)_|^s?rcu_|^nla_|^skb_put|^(?:__)?(?:get|put)_(?:user|unaligned|kernel)|_unaligned/;

/** Endings that say how, not what. */
const MANNER =
  /(?:_irqsave|_irqrestore|_bh|_nested|_interruptible|_killable|_sync|_nosync|_rcu|_unless_zero|_not_zero|_locked|_unlocked|_noresume|_autosuspend)+$/;

/** True of a pair that is memory: who takes it from one allocator must not give it to another. */
export function isMemory(key: string): boolean {
  return /^(?:kfree|vfree|kvfree) /.test(key);
}

/** True of a lock that is known by its name: it is not another's that a helper takes under a name of its own. */
export function isLock(key: string): boolean {
  return /^(?:(?:read |write )?lock|down\/up) \w/.test(key);
}

/** What a call does to which pairs; most calls to none, `hold` to two. */
export function pairUses(call: Call): readonly PairUse[] {
  const { callee } = call;
  if (NO_PAIR.test(callee)) return [];
  if (callee === "downgrade_write") {
    const name = subjectOf(call, "argument", "release") ?? "";
    return [
      { role: "release", key: `write lock ${name}` },
      { role: "acquire", key: `read lock ${name}` },
    ];
  }
  for (const pair of PAIRS) {
    const role = pair.acquire.test(callee) ? "acquire" : pair.release.test(callee) ? "release" : undefined;
    if (role === undefined) continue;
    const subject = subjectOf(call, pair.subject, role);
    return subject === undefined ? [] : [{ role, key: subject === "" ? pair.name : `${pair.name} ${subject}` }];
  }
  const words = callee
    .replace(MANNER, "")
    .replaceAll(/(?<=^|_)try(?=lock|get)/g, "")
    .split("_");
  return WORDS.flatMap(([acquire, release]): PairUse[] => {
    const at = words.findIndex((word) => word === acquire || word === release);
    if (at < 0) return [];
    const name = words.map((word, index) => (index === at ? `${acquire}/${release}` : word)).join("_");
    return [{ role: words[at] === acquire ? "acquire" : "release", key: name }];
  });
}

/** @returns undefined where the pair cannot be told from others: memory that only a local variable points to */
function subjectOf(call: Call, subject: Subject, role: PairUse["role"]): string | undefined {
  if (subject === "none") return "";
  if (subject === "argument") return call.args.map(placeOf).find((place) => place !== undefined && !/^\d/.test(place.name))?.name;
  const place = placeOf((role === "acquire" ? call.target : call.args[0]) ?? "");
  return place?.isMember === true ? place.name : undefined;
}
