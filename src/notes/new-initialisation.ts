import { tokensOf, type FileChange, type FunctionChange } from "./changed-functions.js";
import { findCalls, placeOf } from "./find-calls.js";
import { isConstructor } from "./function-names.js";
import { lineAt, type SourceFunction } from "./read-functions.js";
import type { SemanticNote } from "./types.js";
import { momentOf, usagesOf, type Usage } from "./usages.js";

/** Macros and functions that make a field fit for use (include/linux, Linux 6.1 and 6.12). */
const INITIALISER =
  /^(?:INIT_(?:WORK|DELAYED_WORK|DEFERRABLE_WORK|RCU_WORK|LIST_HEAD|HLIST_HEAD|HLIST_NODE|RADIX_TREE|KFIFO)|timer_setup|hrtimer_(?:init|setup)|(?:raw_)?spin_lock_init|mutex_init|ww_mutex_init|rwlock_init|init_rwsem|sema_init|init_completion|init_waitqueue_head|init_swait_queue_head|seq(?:lock|count)_init|tasklet_(?:setup|init)|skb_queue_head_init|xa_init(?:_flags)?|id[ar]_init|init_rcu_head|percpu_counter_init|init_srcu_struct|rhashtable_init|kthread_init_(?:delayed_)?work|u64_stats_init|init_irq_work|kref_init|refcount_set)$/;

/** Calls that make an object. */
const ALLOCATOR =
  /^(?:devm_)?(?:k[mz]alloc|kcalloc|kmalloc_array|kv[mzc]alloc|kv?[mz]alloc_(?:objs?|flex)|kmem_cache_z?alloc|[vk][mz]alloc_node|kmemdup|vzalloc|vmalloc|alloc_\w+|\w+_alloc(?:_\w+)?)$/;

/** A field that a function gives its first value. */
interface Initialised {
  readonly field: string;
  /** The value, or the macro or function that is called. */
  readonly how: string;
  readonly line: number;
}

/**
 * Notes fields that a constructor newly initialises and another changed function newly reads: objects that are alive when the update is
 * applied were made by the old constructor. A constructor is told once, with all its fields.
 */
export function noteNewInitialisations(files: readonly FileChange[]): SemanticNote[] {
  return files.flatMap((file) => {
    const usages = usagesOf(file.post);
    return file.functions.flatMap((maker): SemanticNote[] => {
      const pairs = newlyInitialised(maker).flatMap((found) => {
        const user = findUser(files, file, usages, maker, found.field);
        return user === undefined ? [] : [{ found, user }];
      });
      const [first] = pairs;
      if (first === undefined) return [];
      const { found, user } = first;
      const fields = [...new Set(pairs.map((pair) => pair.found.field))];
      const them = fields.length === 1 ? "it" : "them";
      return [
        {
          kind: "new-initialisation",
          function: user.name,
          file: user.file,
          line: user.post === undefined ? 0 : firstRead(user.post, found.field),
          message: `${user.name} relies on ${found.field}, and ${maker.name} newly sets ${list(fields)} (${found.how}, ${file.path}:${found.line}): objects that ${maker.name} made before the update have not got ${them}`,
        },
      ];
    });
  });
}

function list(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1) ?? ""}`;
}

/** What a constructor sets that it did not set before. A function that is new has made no object yet. */
function newlyInitialised({ name, pre, post }: FunctionChange): Initialised[] {
  if (pre === undefined || post === undefined) return [];
  const made = new Set(findCalls(post).flatMap(({ callee, target }) => (ALLOCATOR.test(callee) && target !== undefined ? [target] : [])));
  if (!isConstructor(name) && made.size === 0) return [];
  const before = initialisersOf(pre);
  const calls = initialisersOf(post).filter(({ field }) => !before.some((entry) => entry.field === field));
  const was = assignmentsOf(pre);
  const now = assignmentsOf(post);
  const gone = was.filter(({ field }) => !now.some((entry) => entry.field === field));
  const assigned = now.filter(
    ({ object, field, value }) =>
      (isConstructor(name) || made.has(object)) &&
      !assigns(pre, field) &&
      !/^(?:0|NULL|false)$/.test(value) &&
      !gone.some((entry) => isRenamed(entry, { field, value })),
  );
  return [
    ...calls,
    ...assigned.map(({ field, value, line }) => ({
      field,
      how: value.length > 40 ? "…" : `= ${value.replaceAll(/ ?(->|[().&[\]]) ?/g, "$1")}`,
      line,
    })),
  ];
}

/** True where a field that is not set any more looks like the new one by its old name: by its value, or a word of both. */
function isRenamed(was: Pick<Assignment, "field" | "value">, now: Pick<Assignment, "field" | "value">): boolean {
  const words = new Set(now.field.split("_").filter((word) => word.length > 3));
  const isNamedAlike = was.field.split("_").some((word) => words.has(word));
  return was.value === now.value || isNamedAlike || (was.value === was.field && now.value === now.field);
}

function initialisersOf(entry: SourceFunction): Initialised[] {
  return findCalls(entry).flatMap(({ callee, args, line }) => {
    const place = INITIALISER.test(callee) ? placeOf(args[0] ?? "") : undefined;
    return place?.isMember === true ? [{ field: place.name, how: callee, line }] : [];
  });
}

interface Assignment {
  readonly object: string;
  readonly field: string;
  readonly value: string;
  readonly line: number;
}

const ASSIGNMENT = /(?<=[;{}]\s*)\b(\w+)\s*->\s*(?:\w+\s*\.\s*)*(\w+)\s*=(?!=)([^;]*);/g;

function assignmentsOf({ body, bodyLine }: SourceFunction): Assignment[] {
  return Array.from(body.matchAll(ASSIGNMENT), ({ 1: object = "", 2: field = "", 3: value = "", index }) => ({
    object,
    field,
    value: tokensOf(value),
    line: lineAt(body, index, bodyLine),
  }));
}

function assigns({ body }: SourceFunction, field: string): boolean {
  return new RegExp(`(?:->|\\.)\\s*${field}\\s*=(?!=)`).test(body);
}

/** A changed function that reads a field more often than before, at other times than while the object is made. */
function findUser(
  files: readonly FileChange[],
  home: FileChange,
  usages: ReadonlyMap<string, Usage>,
  maker: FunctionChange,
  field: string,
): FunctionChange | undefined {
  const isPartOfMaking = ({ name, file }: FunctionChange): boolean => {
    if (isConstructor(name)) return true;
    if (file !== home.path) return false;
    const { moments, callers } = usages.get(name) ?? { moments: new Set(), callers: new Set<string>() };
    const isHelper =
      moments.size === 0 && callers.size > 0 && [...callers].every((caller) => caller === maker.name || isConstructor(caller));
    return isHelper || momentOf(name, home.post, usages) !== undefined;
  };
  return files
    .flatMap(({ functions }) => functions)
    .find((other) => other !== maker && isNewReader(other, field) && !isPartOfMaking(other));
}

function isNewReader({ pre, post }: FunctionChange, field: string): boolean {
  return post !== undefined && readsOf(post, field) > (pre === undefined ? 0 : readsOf(pre, field));
}

function readsOf({ body }: SourceFunction, field: string): number {
  return Array.from(tokensOf(body).matchAll(new RegExp(`(?:->|\\.) ${field}\\b(?! = (?!=))`, "g"))).length;
}

function firstRead({ body, bodyLine }: SourceFunction, field: string): number {
  const at = new RegExp(`(?:->|\\.)\\s*${field}\\b(?!\\s*=(?!=))`).exec(body)?.index ?? 0;
  return lineAt(body, at, bodyLine);
}
