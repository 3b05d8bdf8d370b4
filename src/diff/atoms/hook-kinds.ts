/** When a hook of the patch is called: the endings of its section's name (kmod/include/ksplice-patch.h), in the order of the core's numbers for them. */
export const HOOK_KINDS = [
  "pre_apply",
  "check_apply",
  "apply",
  "post_apply",
  "fail_apply",
  "pre_reverse",
  "check_reverse",
  "reverse",
  "post_reverse",
  "fail_reverse",
] as const;

export type HookKind = (typeof HOOK_KINDS)[number];

export const HOOK_SECTION_PREFIX = ".ksplice_hooks.";

/** The kind that a section holds hooks of; undefined for any other section. */
export function findHookKind(sectionName: string): HookKind | undefined {
  return HOOK_KINDS.find((kind) => sectionName === `${HOOK_SECTION_PREFIX}${kind}`);
}
