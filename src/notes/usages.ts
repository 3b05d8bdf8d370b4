import type { SourceText } from "./read-functions.js";

/** When a function runs that prepares something once. */
export type Moment = "init" | "probe" | "mount" | "processor" | "namespace" | "program";

/** Members of operations tables that are called once for each device, mount or processor. */
const MEMBERS: ReadonlyMap<string, Moment> = new Map([
  ["probe", "probe"],
  ["probe_new", "probe"],
  ["component_bind", "probe"],
  ["attach_dev", "probe"],
  ["ndo_init", "probe"],
  ["fill_super", "mount"],
  ["init_fs_context", "mount"],
  ["get_tree", "mount"],
  ["parse_param", "mount"],
  ["mount", "mount"],
  // struct cpu_dev (arch/x86/kernel/cpu/cpu.h, Linux 6.1 and 6.12)
  ["c_early_init", "processor"],
  ["c_bsp_init", "processor"],
  ["c_init", "processor"],
  ["c_identify", "processor"],
  // struct bpf_verifier_ops and struct bpf_map_ops (include/linux/bpf.h, Linux 6.1 and 6.12)
  ["get_func_proto", "program"],
  ["is_valid_access", "program"],
  ["gen_prologue", "program"],
  ["gen_ld_abs", "program"],
  ["convert_ctx_access", "program"],
  ["map_gen_lookup", "program"],
]);

/** Functions of a file that something other than a call leads to. */
export function withoutCalls(text: SourceText): ReadonlySet<string> {
  return new Set([...usagesOf(text)].flatMap(([name, { moments }]) => (moments.size > 0 ? [name] : [])));
}

/** Who calls each function of a file, and when else it runs. */
export interface Usage {
  readonly callers: Set<string>;
  /** Of its mentions that are no calls: members of tables, arguments, initialisers. */
  readonly moments: Set<Moment | undefined>;
}

/** Words of a text that are names of functions, with what stands before and behind. */
function* mentionsOf(names: ReadonlySet<string>, text: string): Generator<{ name: string; before: string; behind: string }> {
  for (const { 0: name, index } of text.matchAll(/\b[A-Za-z_]\w*/g))
    if (names.has(name))
      yield { name, before: text.slice(Math.max(0, index - 80), index), behind: text.slice(index + name.length, index + name.length + 40) };
}

/** Looks up what a file says of its own functions. */
export function usagesOf({ functions, fileLevel }: SourceText): ReadonlyMap<string, Usage> {
  const usages = new Map<string, Usage>(functions.map(({ name }) => [name, { callers: new Set(), moments: new Set() }]));
  const names = new Set(usages.keys());
  for (const { name, before, behind } of mentionsOf(names, fileLevel)) {
    // Its own head, and prototypes.
    if (/^\s*\(/.test(behind)) continue;
    const member = /\.\s*(\w+)\s*=\s*&?\s*$/.exec(before)?.[1];
    const isInitialiser = /\b(?:module_init|\w+_initcall(?:_sync)?)\s*\(\s*$/.test(before);
    usages.get(name)?.moments.add(isInitialiser ? "init" : MEMBERS.get(member ?? ""));
  }
  for (const caller of functions)
    for (const { name, before, behind } of mentionsOf(names, caller.body)) {
      if (name === caller.name) continue;
      if (/\b(?:get_tree|mount)_(?:bdev|nodev|single|keyed)\s*\([^;]*$/.test(before)) usages.get(name)?.moments.add("mount");
      else if (/^\s*\(/.test(behind)) usages.get(name)?.callers.add(caller.name);
      else usages.get(name)?.moments.add(undefined);
    }
  return usages;
}

/** When a function runs, by all that lead to it in its file; undefined where it runs at other times too, or that cannot be told. */
export function momentOf(start: string, text: SourceText, usages: ReadonlyMap<string, Usage>): Moment | undefined {
  const moments = new Set<Moment | undefined>();
  const reached = new Set([start]);
  for (const name of reached) {
    const heads = text.functions.filter((entry) => entry.name === name).map(({ head }) => head);
    const usage = usages.get(name);
    if (heads.every((head) => /\b__init\b/.test(head))) moments.add("init");
    else if (heads.every((head) => /\b__net_init\b/.test(head))) moments.add("namespace");
    else if (usage === undefined || !heads.every((head) => /\bstatic\b/.test(head)) || usage.callers.size + usage.moments.size === 0)
      return undefined;
    else {
      for (const moment of usage.moments) moments.add(moment);
      for (const caller of usage.callers) reached.add(caller);
    }
    if (moments.has(undefined) || moments.size > 1) return undefined;
  }
  return [...moments][0];
}
