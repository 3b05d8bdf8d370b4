import type { ChangedCallback } from "../../../btf/changed-callbacks.js";
import { placesOf, textAround, useOfFunction, useOfMember } from "../../../source/callback-uses.js";
import type { PreprocessedTokens } from "../../../source/preprocessed-tokens.js";
import { findMemberPlaces, type AskCompiler } from "./member-witness.js";

/** Something that keeps a proof from being one. */
export interface Break {
  readonly callback: ChangedCallback;
  /** `FILE:LINE`, or the file. */
  readonly place: string;
  readonly why: string;
}

/** What one side of a unit does with the members. */
export interface CallbackUses {
  /** Functions that a member is given, by its key. */
  readonly provided: ReadonlyMap<string, ReadonlySet<string>>;
  /** Where a member stands that is given a function: the index in the text. */
  readonly givenAt: ReadonlySet<number>;
  /** True where one of the structs is defined in what the unit reads, or one of the members used. */
  readonly mentions: boolean;
  /** `FILE:LINE` where the structs are declared. */
  readonly declaredAt: ReadonlyMap<string, string>;
  readonly breaks: readonly Break[];
}

export const keyOf = ({ label, member }: ChangedCallback): string => `${label}.${member}`;

/** Reads what one side of a unit does with some members. */
export async function readCallbackUses(
  text: PreprocessedTokens,
  callbacks: readonly ChangedCallback[],
  ask: AskCompiler,
): Promise<CallbackUses> {
  const { tokens, placeOf } = text;
  const provided = new Map<string, Set<string>>();
  const givenAt = new Set<number>();
  const declaredAt = new Map<string, string>();
  const breaks: Break[] = [];
  let mentions = false;
  for (const callback of callbacks) {
    const places = await findMemberPlaces(text, callback, ask);
    if (places.kind === "unknown") {
      breaks.push({ callback, place: places.at === undefined ? "" : placeOf(places.at), why: places.why });
      continue;
    }
    if (places.declared !== undefined) declaredAt.set(keyOf(callback), placeOf(places.declared));
    mentions ||= places.declared !== undefined;
    const functions = new Set<string>();
    for (const at of places.uses) {
      const use = useOfMember(tokens, at);
      if (use.kind === "other")
        breaks.push({ callback, place: placeOf(at), why: `${use.text}: where the pointer comes from, or goes, is not told` });
      if (use.kind !== "provided") continue;
      functions.add(use.name);
      givenAt.add(at);
    }
    provided.set(keyOf(callback), functions);
    const tag = callback.label.replace(/^struct /, "");
    const ofBpf = tokens.indexOf(`bpf_struct_ops_${tag}`);
    if (ofBpf >= 0) breaks.push({ callback, place: placeOf(ofBpf), why: `BPF programs provide functions for ${callback.label}` });
  }
  return { provided, givenAt, mentions, declaredAt, breaks };
}

/** What a unit's text does with functions that are given to a member, besides declaring and calling them, and giving them to one: the first such place of each. */
export function findOtherUses(
  { tokens, placeOf }: PreprocessedTokens,
  functions: ReadonlyMap<string, ChangedCallback>,
  givenAt: ReadonlySet<number>,
): Break[] {
  const found = new Map<string, Break>();
  for (const { at, depth } of placesOf(tokens, new Set(functions.keys()))) {
    const name = tokens[at] ?? "";
    const callback = functions.get(name);
    if (callback === undefined || found.has(name)) continue;
    if (useOfFunction(tokens, at, (index) => givenAt.has(index), depth) !== "other") continue;
    found.set(name, { callback, place: placeOf(at), why: `${textAround(tokens, at, at)}: ${name} is used in another way, too` });
  }
  return [...found.values()];
}
