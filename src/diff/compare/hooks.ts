import { atomName, isText, type Atom } from "../atoms/atom.js";
import { groupPieces } from "./changed-code.js";
import type { Twins } from "./group.js";
import { findHookKind, type HookKind } from "../atoms/hook-kinds.js";
import * as refuse from "../refusals.js";
import type { SplitObject } from "../atoms/split-object.js";
import type { DiffRefusal } from "../types.js";

/** A function of the patch that is to be called when the update is applied or reversed. */
export interface Hook {
  readonly kind: HookKind;
  /** The pointer in the hooks' section. */
  readonly entry: Atom;
  readonly function: Atom;
}

export interface HookComparison {
  /** Those that the patch brings. */
  readonly hooks: readonly Hook[];
  readonly refusals: readonly DiffRefusal[];
  readonly notes: readonly string[];
}

/** @param included the code of the post object that the update brings */
export function findHooks(post: SplitObject, twins: Twins, included: ReadonlySet<Atom>): HookComparison {
  const hooks: Hook[] = [];
  const refusals: DiffRefusal[] = [];
  const notes: string[] = [];
  for (const entry of post.atoms) {
    const kind = entry.rule.kind === "hooks" ? findHookKind(entry.section.name) : undefined;
    if (kind === undefined) continue;
    const [relocation] = entry.relocations;
    const target = relocation === undefined ? undefined : post.target(relocation, entry);
    const named = target?.kind === "atom" && isText(target.atom) ? target.atom : undefined;
    const name = named === undefined ? atomName(entry) : atomName(named);
    if (twins.has(entry)) notes.push(`hook ${name} was in the source before the patch: it is not called`);
    else if (named === undefined || !included.has(named)) refusals.push(refuse.hookOfOldCode(name, kind));
    else hooks.push({ kind, entry, function: named });
  }
  return { hooks, refusals, notes };
}

const CHANGING: ReadonlySet<HookKind> = new Set<HookKind>(["pre_apply", "apply", "post_apply"]);

/** The hook that brings a data object to its new value, as far as can be told: one that refers to it, and is called when the update is applied. */
export function findHandler(hooks: readonly Hook[], post: SplitObject, data: Atom): Hook | undefined {
  const pieces = groupPieces(post.atoms);
  const refersToIt = (code: Atom): boolean =>
    code.relocations.some((relocation) => {
      const target = post.target(relocation, code);
      return target.kind === "atom" && target.atom === data;
    });
  return hooks.find((hook) => CHANGING.has(hook.kind) && [hook.function, ...(pieces.get(hook.function) ?? [])].some(refersToIt));
}
