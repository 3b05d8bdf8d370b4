import { relative } from "node:path";
import type { ChangedCallback } from "../../../btf/changed-callbacks.js";
import { mapLimited } from "../../../host/map-limited.js";
import { askCompiler, preprocess } from "../../../kbuild/compile/compiler-witness.js";
import type { UnitWithCommand } from "../../../kbuild/compile/unit-command.js";
import { findForeignMentions } from "../../../kbuild/reach/foreign-mentions.js";
import { unitKey } from "../../../kbuild/types.js";
import { readPreprocessed, type PreprocessedTokens } from "../../../source/preprocessed-tokens.js";
import type { UnitDiff } from "../../units/unit-diff.js";
import type { PatchedSource } from "../patched-source.js";
import type { AskCompiler } from "./member-witness.js";
import { findProviders } from "./providers.js";
import { findOtherUses, keyOf, readCallbackUses, type Break, type CallbackUses } from "./unit-text.js";

/** Whether some callbacks, all who call them and all who provide them change together. docs/types.md says what that takes. */
export interface CallbackProof {
  readonly callbacks: readonly ChangedCallback[];
  /** What speaks against it: then it is none, of any of them. */
  readonly breaks: readonly Break[];
  /** Functions that only such members hold, by {@link functionKey}. */
  readonly functions: ReadonlySet<string>;
  /** Units that know one of the structs, by their keys. */
  readonly units: ReadonlySet<string>;
}

export const NO_CALLBACKS: CallbackProof = { callbacks: [], breaks: [], functions: new Set(), units: new Set() };

const SIDES = ["pre", "post"] as const;
type Side = (typeof SIDES)[number];

/**
 * Looks at every unit that the change comes into, before and after it.
 * @param diffs all of them, whether their code changes or not
 * @param leftOut those that the user leaves out
 * @throws Refusal where a unit does not compile
 */
export async function proveCallbacks(
  source: PatchedSource,
  callbacks: readonly ChangedCallback[],
  diffs: readonly UnitDiff[],
  {
    units,
    leftOut,
    jobs,
  }: { readonly units: readonly UnitWithCommand[]; readonly leftOut: readonly UnitWithCommand[]; readonly jobs: number },
): Promise<CallbackProof> {
  const [first] = callbacks;
  if (first === undefined) return NO_CALLBACKS;
  const breaks: Break[] = leftOut.map(({ path }) => ({ callback: first, place: path, why: "it is left out, and may use the member" }));
  const reader = new TextReader(source);
  const sources = [...new Map(units.map((unit) => [unit.path, unit])).values()];
  const uses = new Map<string, CallbackUses>();
  const words = callbacks.map(({ member }) => member);
  await mapLimited(sources, jobs, async (unit) => {
    for (const side of SIDES) {
      const text = await reader.read(unit, side, words);
      if (text === undefined) continue;
      const ask: AskCompiler = (tokens, alone, errors) => askCompiler(source.build, unit.command, tokens, alone, errors);
      uses.set(`${side} ${unit.path}`, await readCallbackUses(text, callbacks, ask));
    }
  });
  for (const { breaks: found } of uses.values()) breaks.push(...found);
  breaks.push(...findPublic(callbacks, uses.values()), ...findRenamed(callbacks, uses));

  const providers = findProviders(diffs, callbacks, uses);
  breaks.push(...providers.breaks);
  const { names } = providers;
  await mapLimited(sources, jobs, async (unit) => {
    for (const side of SIDES) {
      const text = await reader.read(unit, side, [...names.keys()]);
      const known = uses.get(`${side} ${unit.path}`);
      if (text !== undefined) breaks.push(...findOtherUses(text, names, known?.givenAt ?? new Set()));
    }
  });
  breaks.push(...(await findForeign(source, sources, callbacks, providers.globals, names)));
  const mentioning = diffs.filter(({ unit }) => SIDES.some((side) => uses.get(`${side} ${unit.path}`)?.mentions === true));
  return {
    callbacks,
    breaks: unique(breaks),
    functions: new Set(providers.functions.map(({ key }) => key)),
    units: new Set(mentioning.map(({ unit }) => unitKey(unit))),
  };
}

/** Preprocessed texts, with the places as the tree calls them. */
class TextReader {
  constructor(private readonly source: PatchedSource) {}

  /** Undefined where the text has none of the words, and before the change for a unit that it brings. */
  async read(unit: UnitWithCommand, side: Side, words: readonly string[]): Promise<PreprocessedTokens | undefined> {
    const { build, patched } = this.source;
    if (side === "pre" && unit.command.isNew) return undefined;
    const text = await preprocess(build, unit.command, side === "pre" ? {} : { shadow: patched });
    if (words.length === 0 || !new RegExp(`\\b(?:${words.join("|")})\\b`).test(text)) return undefined;
    const { tokens, placeOf } = readPreprocessed(text);
    return {
      tokens,
      placeOf: (index) => {
        const place = placeOf(index);
        const root = [patched.root, build.tree.source, build.outDir].find((top) => place.startsWith(`${top}/`));
        return root === undefined ? place : relative(root, place);
      },
    };
  }
}

/** Headers that come with a kernel for building other modules. */
const PUBLIC = /^(?:include|arch\/\w+\/include)\//;

/** What is clear from where a struct is defined, before anything is compiled. @param places `FILE:LINE` by label, as far as they are known */
export function findPublicStructs(callbacks: readonly ChangedCallback[], places: ReadonlyMap<string, string>): Break[] {
  return callbacks.flatMap((callback) => {
    const place = places.get(callback.label);
    return place === undefined || !PUBLIC.test(place) ? [] : [{ callback, place, why: IS_PUBLIC }];
  });
}

const IS_PUBLIC = "the header is there for every module: one that is not of this kernel's source would go on in the old way";

/** A struct that modules of others can know: one of these may provide a function that it is compiled with, or call one, whenever it is loaded. */
function findPublic(callbacks: readonly ChangedCallback[], uses: Iterable<CallbackUses>): Break[] {
  const breaks: Break[] = [];
  for (const { declaredAt } of uses)
    for (const callback of callbacks) {
      const place = declaredAt.get(keyOf(callback));
      if (place === undefined || !PUBLIC.test(place)) continue;
      breaks.push({ callback, place, why: IS_PUBLIC });
    }
  return breaks;
}

/** A struct that only one side has by this name. */
function findRenamed(callbacks: readonly ChangedCallback[], uses: ReadonlyMap<string, CallbackUses>): Break[] {
  const isKnown = (side: Side, callback: ChangedCallback): boolean =>
    [...uses].some(([key, { declaredAt }]) => key.startsWith(`${side} `) && declaredAt.has(keyOf(callback)));
  return callbacks
    .filter((callback) => !SIDES.every((side) => isKnown(side, callback)))
    .map((callback) => ({ callback, place: "", why: `not both sides have a plain ${callback.label}` }));
}

/** Mentions in files that no unit of the update reads. */
async function findForeign(
  { build, patched }: PatchedSource,
  units: readonly UnitWithCommand[],
  callbacks: readonly ChangedCallback[],
  globals: readonly string[],
  names: ReadonlyMap<string, ChangedCallback>,
): Promise<Break[]> {
  const members = callbacks.map(({ member }) => member);
  const foreign = await findForeignMentions(build, patched, units, { names: globals, inOffsets: members });
  return foreign.flatMap(({ word, file }): Break[] => {
    const callback = names.get(word) ?? callbacks.find(({ member }) => member === word);
    return callback === undefined ? [] : [{ callback, place: file, why: `it has the name ${word}, and is no part of the update` }];
  });
}

function unique(breaks: readonly Break[]): Break[] {
  return [...new Map(breaks.map((entry) => [`${entry.place} ${keyOf(entry.callback)} ${entry.why}`, entry])).values()];
}
