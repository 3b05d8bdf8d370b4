import type { FileChange } from "./changed-functions.js";
import { effectiveFunctions, type EffectiveFunction } from "./effective-calls.js";
import { findCalls, placeOf, type Call } from "./find-calls.js";
import type { SemanticNote } from "./types.js";

/** What gives memory back, by the allocators whose memory it takes. */
const FREES: readonly { readonly callee: RegExp; readonly takes: readonly string[] }[] = [
  { callee: /^kfree(?:_sensitive|_rcu|_const)?$/, takes: ["slab"] },
  { callee: /^vfree(?:_atomic)?$/, takes: ["vmalloc"] },
  { callee: /^kvfree(?:_sensitive|_rcu)?$/, takes: ["slab", "vmalloc"] },
  { callee: /^kmem_cache_free$/, takes: ["cache"] },
  { callee: /^(?:__)?free_pages?(?:_exact)?$/, takes: ["pages"] },
  { callee: /^dma_free_(?:coherent|attrs)$/, takes: ["dma"] },
];

const MANAGED = /^devm_k(?:[mz]alloc|calloc|malloc_array|memdup|strdup|asprintf)$/;
const OWN = /^(?:k[mz]alloc(?:_objs?|_flex)?|kcalloc|kmalloc_array|kmemdup|kstrdup|kasprintf)$/;
/** Whatever a file system calls its own one: `f2fs_kzalloc`. */
const SLAB = /(?:^|_)(?:k[mz]alloc|kcalloc|kmalloc_array|kmemdup\w*|kstrn?dup|kasprintf)(?:_node|_objs?|_flex)?$/;
const FREE = /^kfree(?:_sensitive|_rcu)?$/;

/**
 * Notes memory that the patch has given back in another way than the old code took it: by a function of another allocator; or by the driver itself where it was the device's
 * (`devm_kzalloc`), which gives it back too, and the reverse.
 */
export function noteOtherAllocators(files: readonly FileChange[]): SemanticNote[] {
  return [...files.flatMap(noteOtherFrees), ...noteManaged(effectiveFunctions(files.flatMap(({ functions }) => functions)))];
}

function noteOtherFrees({ functions, pre: whole }: FileChange): SemanticNote[] {
  const made = whole.functions.flatMap(findCalls).filter(({ callee }) => /alloc|dup|asprintf/.test(callee));
  return functions.flatMap(({ file, name, pre, post }): SemanticNote[] => {
    if (pre === undefined || post === undefined) return [];
    const before = freesIn(findCalls(pre));
    for (const [what, now] of freesIn(findCalls(post))) {
      const was = before.get(what);
      if (was === undefined || was.takes.every((allocator) => now.takes.includes(allocator))) continue;
      const place = placeOf(what)?.name;
      const makers = made.filter(({ target }) => place !== undefined && placeOf(target ?? "")?.name === place);
      // It was another allocator's before, and nobody has looked.
      if (now.takes.includes("slab") && makers.length > 0 && makers.every(({ callee }) => SLAB.test(callee))) continue;
      const message = `${name} gives ${what} to ${now.call.callee} instead of ${was.call.callee}: what was made before the update may be memory of another allocator`;
      return [{ kind: "unbalanced-pair", function: name, file, line: now.call.line, message }];
    }
    return [];
  });
}

interface Freed {
  readonly call: Call;
  readonly takes: readonly string[];
}

/** What is given back, as the text has it, and how. Twice in different ways tells nothing. */
function freesIn(calls: readonly Call[]): ReadonlyMap<string, Freed> {
  const found = new Map<string, Freed>();
  const unclear = new Set<string>();
  for (const call of calls) {
    const takes = FREES.find(({ callee }) => callee.test(call.callee))?.takes;
    const what = takes?.includes("cache") === true ? call.args[1] : takes?.includes("dma") === true ? call.args[2] : call.args[0];
    if (takes === undefined || what === undefined) continue;
    if (found.has(what) && found.get(what)?.takes !== takes) unclear.add(what);
    found.set(what, { call, takes });
  }
  for (const what of unclear) found.delete(what);
  return found;
}

function noteManaged(functions: readonly EffectiveFunction[]): SemanticNote[] {
  for (const maker of functions) {
    if (maker.change.pre === undefined || maker.change.post === undefined) continue;
    const [had, has] = [targetsOf(maker.pre), targetsOf(maker.post)];
    for (const [target, call] of has) {
      const was = had.get(target);
      if (was === undefined || MANAGED.test(was.callee) === MANAGED.test(call.callee)) continue;
      const note = noteGivenBack(functions, maker, { was, call });
      if (note !== undefined) return [note];
    }
  }
  return [];
}

/** What is allocated, by what it is assigned to. */
function targetsOf(calls: readonly Call[]): ReadonlyMap<string, Call> {
  return new Map(
    calls.flatMap((call) =>
      call.target !== undefined && (MANAGED.test(call.callee) || OWN.test(call.callee)) ? [[call.target, call]] : [],
    ),
  );
}

/** @param made how the memory was taken, and how it is */
function noteGivenBack(
  functions: readonly EffectiveFunction[],
  maker: EffectiveFunction,
  { was, call }: { readonly was: Call; readonly call: Call },
): SemanticNote | undefined {
  const becomesOwn = MANAGED.test(was.callee);
  const how = `${maker.change.name} takes ${call.target ?? ""} from ${call.callee} instead of ${was.callee}`;
  for (const { change, pre, post } of functions) {
    if (change === maker.change || change.pre === undefined || change.post === undefined) continue;
    const [had, has] = [pre, post].map((calls) => calls.filter(({ callee }) => FREE.test(callee)));
    const more = (becomesOwn ? has : had)?.find(({ args }) => !(becomesOwn ? had : has)?.some((other) => other.args[0] === args[0]));
    if (more === undefined) continue;
    const spelled = `${more.callee}(${more.args.join(", ").slice(0, 40)})`;
    return {
      kind: "unbalanced-pair",
      function: change.name,
      file: change.file,
      line: becomesOwn ? more.line : change.post.line,
      message: becomesOwn
        ? `${how}, and ${change.name} newly calls ${spelled}: what ${maker.change.name} made before the update is the device's, which gives it back too, a second time`
        : `${how}, and ${change.name} no longer calls ${spelled}: what ${maker.change.name} made before the update is not given back, and what it makes since is given back twice after an undo`,
    };
  }
  return undefined;
}
