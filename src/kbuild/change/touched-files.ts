import { KERNEL_ARCHITECTURE } from "../../arch/architectures.js";
import { assemblyTouched, buildRulesTouched, kconfigTouched, linkerScriptTouched, notKernelText, unknownFileKind } from "./refusals.js";
import type { Refusal } from "../../diagnostics.js";

/** What becomes of a touched file: `compile` goes into objects; `ignore` has no part in them; `rules` says how they are made; `refuse` would change more than objects. */
type Verdict =
  | { readonly kind: "compile" }
  | { readonly kind: "ignore"; readonly reason: string }
  | { readonly kind: "rules"; readonly refusal: (path: string) => Refusal }
  | { readonly kind: "refuse"; readonly refusal: (path: string) => Refusal };

const ignore = (reason: string): Verdict => ({ kind: "ignore", reason });
const refuse = (refusal: (path: string) => Refusal): Verdict => ({ kind: "refuse", refusal });

const { directory: own, ownImages } = KERNEL_ARCHITECTURE.source;

/** The first rule that fits a path decides. */
const RULES: readonly (readonly [pattern: RegExp, verdict: Verdict])[] = [
  // Tables that code is made of: lib/x86-opcode-map.txt.
  [new RegExp(`^${own}/.*\\.txt$`), refuse(unknownFileKind)],
  [/^(Documentation|LICENSES)\/|(^|\/)[^/]*\.(rst|txt|md|yaml)$/, ignore("documentation")],
  [/^(tools|samples|scripts|usr|debian|ksplice)\//, ignore("not part of the kernel")],
  [/^(MAINTAINERS|CREDITS|README|COPYING|\.[^/]*)$|(^|\/)\.git(ignore|attributes)$/, ignore("not part of the kernel")],
  [new RegExp(`^arch/(?!${own.slice("arch/".length)}/)[^/]+/`), ignore("another architecture")],
  [/(^|\/)Kconfig[^/]*$/, { kind: "rules", refusal: kconfigTouched }],
  [new RegExp(`^(${own}/)?(Makefile|Kbuild)[^/]*$|\\.mk$`), refuse(buildRulesTouched)],
  [/(^|\/)(Makefile|Kbuild)[^/]*$/, { kind: "rules", refusal: buildRulesTouched }],
  // Compiled by kbuild, but into images of their own, not into the running kernel's text.
  [new RegExp(`^${own}/(${ownImages.join("|")})/|^drivers/firmware/efi/libstub/`), refuse(notKernelText)],
  [/\.S$/, refuse(assemblyTouched)],
  [/\.lds(\.h|\.S)?$/, refuse(linkerScriptTouched)],
  [/\.[ch]$/, { kind: "compile" }],
];

/** What is to be done about a touched file, by its path from the top of the tree. */
export function judgeTouchedFile(path: string): Verdict {
  return RULES.find(([pattern]) => pattern.test(path))?.[1] ?? refuse(unknownFileKind);
}
