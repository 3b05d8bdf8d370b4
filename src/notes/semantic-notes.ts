import { noteAllocationSizes, noteSizesMadeOfOthers } from "./allocation-size.js";
import { noteChangedConstants } from "./changed-constants.js";
import { noteChangedHashes } from "./changed-hash.js";
import { noteChangedMeanings } from "./changed-meaning.js";
import { noteChangedResults } from "./changed-result.js";
import { readFileChange } from "./changed-functions.js";
import { noteMovedHalves } from "./moved-halves.js";
import { noteNewInitialisations } from "./new-initialisation.js";
import { noteNewVariables } from "./new-variables.js";
import { noteCopiedTables } from "./copied-tables.js";
import { noteOtherContexts } from "./other-context.js";
import { noteOtherAllocators } from "./other-allocator.js";
import { noteSetupOnly } from "./setup-only.js";
import { NOTE_KINDS, type SemanticNote, type TouchedText } from "./types.js";
import { noteUnbalancedPairs } from "./unbalanced-pairs.js";

/** Characters. */
const LONGEST_MESSAGE = 2000;

/**
 * What whoever applies a patch should know that no comparison of objects can tell: how objects that are alive, and threads that are on their way,
 * get on with the new code. Judged by the text of the touched files, before and after; files that are no C are left out. A note says what may be;
 * none says nothing.
 * @param renamed functions that the patch renames, and to which pointers to the old ones lead: their former names by their new ones
 * @returns by kind, then by file and line
 */
export function semanticNotes(files: readonly TouchedText[], renamed: ReadonlyMap<string, string> = new Map()): readonly SemanticNote[] {
  const changes = files.filter(({ path }) => /\.[ch]$/.test(path)).map((file) => readFileChange(file, renamed));
  const functions = changes.flatMap((file) => file.functions);
  const pairs = noteUnbalancedPairs(changes);
  const notes = [
    ...pairs,
    ...noteOtherAllocators(changes).filter((note) => !pairs.some((pair) => pair.file === note.file && pair.function === note.function)),
    ...noteMovedHalves(functions),
    ...noteNewInitialisations(changes),
    ...noteNewVariables(changes),
    ...noteAllocationSizes(functions),
    ...noteSizesMadeOfOthers(changes),
    ...noteChangedConstants(changes),
    ...noteChangedMeanings(changes),
    ...noteOtherContexts(changes),
    ...noteChangedResults(changes),
    ...noteChangedHashes(changes),
    ...noteSetupOnly(changes),
    ...noteCopiedTables(changes),
  ];
  return notes
    .map(fitForTerminals)
    .sort((a, b) => NOTE_KINDS.indexOf(a.kind) - NOTE_KINDS.indexOf(b.kind) || compare(a.file, b.file) || a.line - b.line);
}

/** What is quoted of a source is cut, and has no control characters. */
function fitForTerminals(note: SemanticNote): SemanticNote {
  return { ...note, message: note.message.replaceAll(/\p{Cc}/gu, " ").slice(0, LONGEST_MESSAGE) };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
