import { topLevelItems } from "../../source/top-level-items.js";
import type { UnitDiff } from "../units/unit-diff.js";
import type { TouchedText } from "../units/touched-texts.js";

/** An entry of a set of BTF ids, by which the kernel knows what BPF programs may call (include/linux/btf_ids.h, Linux 6.1 and 6.12). */
const BTF_ID = /^__BTF_ID__func__(.+)__\d+$/;

/**
 * Functions that BPF programs may call: their calls are made when a program is loaded, in code that is neither the image's nor a module's, so that who calls
 * one cannot be searched for.
 */
export function findCalledByBpf(diffs: readonly UnitDiff[], texts: readonly TouchedText[]): ReadonlySet<string> {
  const listed = diffs.flatMap(({ diff }) => diff.pre.symbols.flatMap(({ name }) => BTF_ID.exec(name)?.[1] ?? []));
  const marked = texts.flatMap(({ pre }) =>
    topLevelItems(pre).flatMap(({ kind, head }) =>
      kind === "function" && head.includes("__bpf_kfunc ") ? (/(\w+) \(/.exec(head)?.[1] ?? []) : [],
    ),
  );
  return new Set([...listed, ...marked]);
}
