import { KERNEL_ARCHITECTURE } from "../../arch/architectures.js";
import {
  assemblyTouched,
  buildRulesTouched,
  kconfigTouched,
  linkerScriptTouched,
  notKernelText,
  startCodeTouched,
  unknownFileKind,
} from "./refusals.js";
import type { Refusal } from "../../diagnostics.js";

/**
 * What becomes of a touched file: `compile` goes into objects; `ignore` has no part in them; `listed` has one if kbuild says so, and is ignored otherwise;
 * `image` goes into an image of its own, unless kbuild puts it into the kernel; `rules` says how they are made; `refuse` would change more than objects.
 */
type Verdict =
  | { readonly kind: "compile" }
  | { readonly kind: "ignore" | "listed"; readonly reason: string }
  | { readonly kind: "image"; readonly refusal: (path: string) => Refusal }
  | { readonly kind: "rules"; readonly refusal: (path: string) => Refusal }
  | { readonly kind: "refuse"; readonly refusal: (path: string) => Refusal };

const ignore = (reason: string): Verdict => ({ kind: "ignore", reason });
const listed = (reason: string): Verdict => ({ kind: "listed", reason });
const refuse = (refusal: (path: string) => Refusal): Verdict => ({ kind: "refuse", refusal });

const { directory: own, ownImages, startCode } = KERNEL_ARCHITECTURE.source;

const NO_PART = "not part of the kernel";
const TOOL = "at most a tool that kernels are built with: the running one was built without the change, and so is what the update brings";

/** The first rule that fits a path decides. */
const RULES: readonly (readonly [pattern: RegExp, verdict: Verdict])[] = [
  // Tables that code is made of: lib/x86-opcode-map.txt.
  [new RegExp(`^${own}/.*\\.txt$`), refuse(unknownFileKind)],
  [/^(Documentation|LICENSES)\/|(^|\/)[^/]*\.(rst|txt|md|yaml)$/, ignore("documentation")],
  [/^(debian|ksplice)\//, ignore(NO_PART)],
  // objtool, and what it is made of with makefiles of its own, which kbuild does not tell of; resolve_btfids.
  [/^tools\/(objtool|arch|include|lib|build|scripts|bpf\/resolve_btfids)\//, listed(TOOL)],
  [/^tools\//, ignore(NO_PART)],
  [/^scripts\/(Makefile\.[^/]*|Kbuild\.include)$/, refuse(buildRulesTouched)],
  [/^(MAINTAINERS|CREDITS|README|COPYING|\.[^/]*)$|(^|\/)\.git(ignore|attributes)$/, ignore(NO_PART)],
  [new RegExp(`^arch/(?!${own.slice("arch/".length)}/)[^/]+/`), ignore("another architecture")],
  [/(^|\/)Kconfig[^/]*$/, { kind: "rules", refusal: kconfigTouched }],
  [new RegExp(`^(${own}/)?(Makefile|Kbuild)[^/]*$|\\.mk$`), refuse(buildRulesTouched)],
  [/(^|\/)(Makefile|Kbuild)[^/]*$/, { kind: "rules", refusal: buildRulesTouched }],
  [new RegExp(`^${own}/(${startCode.join("|")})/`), { kind: "image", refusal: startCodeTouched }],
  // Compiled by kbuild, but into images of their own, not into the running kernel's text; except for what sets these up (entry/vdso/vma.c, Linux 6.1).
  [new RegExp(`^${own}/(${ownImages.join("|")})/`), { kind: "image", refusal: notKernelText }],
  // A library by kbuild's word, which only the image that boots is linked with.
  [/^drivers\/firmware\/efi\/libstub\//, refuse(notKernelText)],
  [/\.S$/, refuse(assemblyTouched)],
  [/\.lds(\.h|\.S)?$/, refuse(linkerScriptTouched)],
  // Some of the programs there make sources of the kernel: asn1_compiler.c, selinux/genheaders.
  [/^scripts\//, listed(TOOL)],
  [/^usr\//, listed(NO_PART)],
  [/\.[ch]$/, { kind: "compile" }],
  [/^samples\//, listed(NO_PART)],
];

/** What is to be done about a touched file, by its path from the top of the tree. */
export function judgeTouchedFile(path: string): Verdict {
  return RULES.find(([pattern]) => pattern.test(path))?.[1] ?? refuse(unknownFileKind);
}
