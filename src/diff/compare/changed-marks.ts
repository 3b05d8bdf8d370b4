import { atomName, isText, type Atom } from "../atoms/atom.js";
import type { CodeTables } from "../atoms/code-tables.js";
import { meaningOfText } from "../atoms/section-rules.js";
import type { Twins } from "./group.js";

/** A function that is on a list of the kernel's on one side only. */
export interface ChangedMark {
  readonly name: string;
  /** The list, in words. */
  readonly what: string;
}

/** Compares what the kernel takes functions for, by tables that it reads when it starts and by the sections that they lie in: of functions that are there on both sides. */
export function findChangedMarks(pre: CodeTables, post: CodeTables, twins: Twins): ChangedMark[] {
  return [...twins].flatMap(([after, before]) => {
    const [had, has] = [marksOf(pre, before), marksOf(post, after)];
    const changed = [...had, ...has].filter(([mark]) => had.has(mark) !== has.has(mark));
    return [...new Set(changed.map(([, what]) => what))].map((what): ChangedMark => ({ name: atomName(after), what }));
  });
}

/** Lists that a function is on, in words, by what tells them apart: as what it is there (the errors that may be injected), too. */
function marksOf(tables: CodeTables, atom: Atom): ReadonlyMap<string, string> {
  const marks = new Map<string, string>();
  for (const { layout, data } of tables.entriesOf.get(atom) ?? [])
    if (layout.takenAtStart !== undefined)
      marks.set([layout.takenAtStart, ...data.filter((byte) => byte !== 0)].join(" "), layout.takenAtStart);
  const meaning = isText(atom) ? meaningOfText(atom.section.name) : undefined;
  if (meaning !== undefined) marks.set(meaning, meaning);
  return marks;
}
