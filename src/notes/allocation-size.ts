import type { FileChange, FunctionChange } from "./changed-functions.js";
import { changedValues } from "./changed-constants.js";
import { findCalls, type Call } from "./find-calls.js";
import type { SourceFunction } from "./read-functions.js";
import { readTables } from "./read-tables.js";
import type { SemanticNote } from "./types.js";

/** Which arguments of an allocation say how large it is; the first that fits decides. */
const SIZES: readonly (readonly [callee: RegExp, args: readonly number[]])[] = [
  [/^devm_k(?:calloc|malloc_array)$/, [1, 2]],
  [/^devm_k[mz]alloc$/, [1]],
  [/^(?:k|kv)(?:calloc|malloc_array)(?:_node)?$/, [0, 1]],
  [/^(?:k|kv|v)[mz]alloc(?:_node|_user)?$/, [0]],
  [/^kv?memdup$/, [1]],
  // By a type, or what is of it: include/linux/slab.h, Linux 7.
  [/^kv?[mz]alloc_obj$/, [0]],
  [/^kv?[mz]alloc_objs$/, [0, 1]],
  [/^kv?[mz]alloc_flex$/, [0, 1, 2]],
  [/^kmem_cache_create(?:_usercopy)?$/, [1]],
  [/^dma_pool_create$/, [2]],
  [/^(?:dmam?|pci)_alloc_(?:coherent|consistent|noncoherent|attrs)$/, [1]],
  [/^(?:devm_)?alloc_(?:etherdev|candev|netdev)(?:_mqs?)?$/, [0]],
  [/^(?:devm_)?(?:iio_device_alloc|spi_alloc_(?:host|target|master|slave))$/, [1]],
  [/^(?:__)?alloc_percpu(?:_gfp)?$/, [0]],
  [/^sk_alloc$|^crypto_alloc_instance$/, []],
];

const BY_TYPE = /_(?:objs?|flex)$/;

interface Allocation {
  readonly call: Call;
  /** What points to it. */
  readonly target: string;
  readonly sizes: readonly string[];
}

/**
 * Notes allocations that get another size and outlive the function: what points to them is a member or a variable of the file, or the function
 * gives the pointer away. Objects that are alive have the old size.
 */
export function noteAllocationSizes(changes: readonly FunctionChange[]): SemanticNote[] {
  return changes.flatMap(({ pre, post, name, file }) => {
    if (pre === undefined || post === undefined) return [];
    const before = allocationsOf(pre);
    return allocationsOf(post).flatMap((now): SemanticNote[] => {
      const twins = before.filter(({ target }) => target === now.target);
      const [was] = twins;
      const same = allocationsOf(post).filter(({ target }) => target === now.target);
      if (was === undefined || twins.length > 1 || same.length > 1 || isSameSize(was.sizes, now.sizes) || !outlives(now, post)) return [];
      return [
        {
          kind: "allocation-size",
          function: name,
          file,
          line: now.call.line,
          message: `${name} allocates ${now.target} with another size: ${now.sizes.join(" × ")}, before ${was.sizes.join(" × ")}: what was allocated before the update keeps the old size`,
        },
      ];
    });
  });
}

/**
 * Notes allocations whose size is made of what the patch changes elsewhere: of a constant (`kmalloc(RX_BUF_SIZE)`), or of the number of a table's elements
 * (`kcalloc(ARRAY_SIZE(names), …)`). New code believes in the new size, and what was allocated before has the old one.
 */
export function noteSizesMadeOfOthers(files: readonly FileChange[]): SemanticNote[] {
  const values = changedValues(files);
  return files.flatMap(({ path, pre, post }) => {
    const before = readTables(pre.fileLevel);
    const tables = [...readTables(post.fileLevel)].flatMap(([name, { elements }]): [name: string, reason: string][] => {
      const had = before.get(name)?.elements ?? elements;
      return had === elements ? [] : [[name, `${name} has ${String(elements)} elements, before ${String(had)}`]];
    });
    if (values.size + tables.length === 0) return [];
    const reasonOf = (sizes: string): string | undefined => {
      const table = tables.find(([name]) => new RegExp(`\\b(?:ARRAY_SIZE|sizeof)\\s*\\(\\s*${name}\\s*\\)`).test(sizes));
      if (table !== undefined) return table[1];
      const word = (sizes.match(/\b[A-Za-z_]\w*/g) ?? []).find((name) => values.has(name)) ?? "";
      const change = values.get(word);
      if (change === undefined) return undefined;
      const made = word === change.name ? word : `${change.name}, of which ${word} is made,`;
      return `${made} is ${change.now.value}, before ${change.was.value}`;
    };
    return post.functions.flatMap((entry) =>
      allocationsOf(entry).flatMap((allocation): SemanticNote[] => {
        const { call, target, sizes } = allocation;
        const reason = reasonOf(sizes.join(" "));
        if (reason === undefined || !outlives(allocation, entry)) return [];
        const message = `${entry.name} allocates ${target} with another size: ${sizes.join(" × ")}, where ${reason}: what was allocated before the update keeps the old size`;
        return [{ kind: "allocation-size", function: entry.name, file: path, line: call.line, message }];
      }),
    );
  });
}

function allocationsOf(entry: SourceFunction): Allocation[] {
  return findCalls(entry).flatMap((call) => {
    const rule = SIZES.find(([callee]) => callee.test(call.callee));
    if (rule === undefined || call.target === undefined) return [];
    const sizes = rule[1].map((index) => call.args[index] ?? "");
    if (BY_TYPE.test(call.callee)) sizes[0] = `sizeof(${sizes[0] ?? ""})`;
    return sizes.length === 0 ? [] : [{ call, target: call.target.replaceAll(/\s/g, ""), sizes }];
  });
}

/** Helpers that multiply and add as the operators do, but do not overflow. */
const ARITHMETIC: ReadonlySet<string> = new Set([
  "size_mul",
  "size_add",
  "array_size",
  "array3_size",
  "struct_size",
  "flex_array_size",
  "sizeof",
  "struct",
  "size_t",
]);

/**
 * Which names and numbers a size consists of says enough, by which way ever they are reached: `q->n * sizeof(*p)` is `array_size(n, sizeof(*p))`.
 * A variable in place of another, or of a number, does not tell that the size is another.
 */
function isSameSize(a: readonly string[], b: readonly string[]): boolean {
  const [was, now] = [wordsOf(a), wordsOf(b)];
  const gone = was.filter((word) => !now.includes(word));
  const come = now.filter((word) => !was.includes(word));
  return (
    gone.length === come.length &&
    [...gone, ...come].every((word) => /^[a-z\d]/.test(word)) &&
    (isVariable(gone) || isVariable(come) || gone.length === 0)
  );
}

function isVariable(words: readonly string[]): boolean {
  return words.some((word) => /^[a-z]/.test(word));
}

function wordsOf(sizes: readonly string[]): string[] {
  const words =
    sizes
      .join(" ")
      .replaceAll(/\w+\s*(?:->|\.)\s*/g, "")
      .match(/\w+/g) ?? [];
  return [...new Set(words)].filter((word) => !ARITHMETIC.has(word));
}

/** Functions that keep a pointer which they are given: by another object, a list, or as what a callback gets. */
const KEEPERS = String.raw`(?:\w*set_\w*drvdata|anon_inode_getf\w+|h?list_add\w*|idr_alloc\w*|xa_(?:store|insert|alloc)\w*|\w*register\w*|rcu_assign_pointer|kthread_\w+|devm_add_action\w*)`;

/** False for a buffer of the function's own: a local variable points to it, it is freed here, and no one else gets the pointer. */
function outlives({ target, sizes }: Allocation, { body }: SourceFunction): boolean {
  const isLocal = /^\w+$/.test(target) && new RegExp(`(?:\\b[a-z]\\w*\\s+|\\*\\s*|,\\s*)${target}\\s*[,;=]`).test(body);
  if (!isLocal) return true;
  const isGivenAway = new RegExp(
    `\\breturn\\s+${target}\\s*;|(?:->\\s*\\w+(?:\\[[^\\]]*\\])?|\\*\\s*\\w+)\\s*=\\s*(?:\\([^()]*\\)\\s*)?${target}\\s*;`,
  );
  const isKept = new RegExp(`\\b${KEEPERS}\\s*\\((?:[^;]*[(,&\\s])?${target}\\s*(?:->|[,)])`);
  const isFreed = new RegExp(`free\\w*\\s*\\(\\s*(?:\\w+\\s*,\\s*)?${target}\\b`);
  // A buffer that is handed on is soon gone; an object, whose size is told by itself, may stay.
  const isObject = new RegExp(`\\(\\s*\\*?\\s*${target}\\b`).test(sizes.join(" "));
  return isObject && (isGivenAway.test(body) || isKept.test(body) || !isFreed.test(body));
}
