import type { Tell } from "../../events.js";
import { findMentions } from "../../kbuild/reach/find-mentions.js";
import { Prototypes } from "../linkage/prototypes.js";
import { noteMoves, settleLinkage } from "../linkage/settle-linkage.js";
import type { TouchedText } from "../units/touched-texts.js";
import type { UnitDiff } from "../units/unit-diff.js";
import type { UnitTypes } from "../units/unit-types.js";
import { findOldUsers } from "./callbacks/old-users.js";
import type { CallbackProof } from "./callbacks/prove-callbacks.js";
import type { Break } from "./callbacks/unit-text.js";
import { cutOut, type UnitPart } from "./cut-out.js";
import { findUnreached } from "./find-unreached.js";
import type { PatchedSource } from "./patched-source.js";
import { noSuchBusyFunction } from "./refusals.js";
import { notesOf, refuseUnsafe, requireEffect } from "./judge-parts.js";

export interface SettleOptions {
  readonly types: UnitTypes;
  /** What the patch touches. */
  readonly texts: readonly TouchedText[];
  /** What is said of the rest of the patch. */
  readonly notes: readonly string[];
  /** Functions in whose old code threads may stay, besides those that the patch names. */
  readonly allowedBusy: readonly string[];
  /** What is known of callbacks that change. */
  readonly callbacks: CallbackProof;
  readonly tell: Tell;
}

export interface SettledParts {
  readonly parts: UnitPart[];
  /** What speaks against callbacks that change together, with what only the update as a whole shows. */
  readonly breaks: readonly Break[];
}

/**
 * Judges all that the units change as one whole, and cuts out the new code of each.
 * @throws Refusal if a change is not safe; `no-change` (exit 66) if nothing of the running kernel would change
 */
export async function settleParts({ patched }: PatchedSource, diffs: readonly UnitDiff[], options: SettleOptions): Promise<SettledParts> {
  const { types, texts, notes, allowedBusy, callbacks, tell } = options;
  refuseUnsafe(diffs);
  const linkage = await settleLinkage(diffs, {
    texts,
    prototypes: new Prototypes(texts, types),
    allowedBusy,
    together: callbacks.breaks.length === 0 ? callbacks.functions : new Set(),
    findMentions: async (names) => await findMentions(patched, names),
  });
  for (const name of linkage.busy.unknown) throw noSuchBusyFunction(name);
  refuseUnsafe([], linkage.refusals);
  const cut = cutOut(diffs, linkage);
  const unreached = findUnreached(cut);
  refuseUnsafe([], unreached.refusals);
  const parts = requireEffect(cut, diffs, notes);
  for (const note of [...notes, ...notesOf(diffs), ...noteMoves(linkage), ...unreached.notes]) tell("note", note);
  return { parts, breaks: [...callbacks.breaks, ...findOldUsers(callbacks, diffs, linkage, parts)] };
}
