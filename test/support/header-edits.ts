/** A change of a header that somebody could make. */
export interface HeaderEdit {
  readonly what: string;
  readonly text: string;
}

/** What can be changed, and to what; the first group is what is kept. */
const EDITS: readonly (readonly [what: string, pattern: RegExp, replacement: string])[] = [
  ["another number in a macro", /^(#define[ \t]+[A-Za-z]\w+[ \t]+)(\d+)[ \t]*$/gm, "$17$2"],
  ["another body of an inline", /^(static inline [\w *]+\b\w+\([^()]*\)\n\{\n)/gm, '$1\tasm volatile("nop");\n'],
  ["a member in front", /^(struct \w+ \{\n)/gm, "$1\tunsigned long member_added;\n"],
  ["an enumerator in front", /^(enum \w+ \{\n)/gm, "$1\tENUMERATOR_ADDED,\n"],
  [
    "a prototype's attribute",
    /^((?:extern )?(?:int|void|bool|struct \w+ \*)[ *]*[a-z]\w+\([\w *,\n\t]*\));$/gm,
    "$1 __attribute__((cold));",
  ],
];

/** One edit of each kind that the header has a place for, the place chosen by a number. */
export function editHeader(text: string, seed: number): HeaderEdit[] {
  return EDITS.flatMap(([what, pattern, replacement]) => {
    const places = [...text.matchAll(pattern)];
    const place = places[seed % Math.max(1, places.length)];
    if (place === undefined) return [];
    const [found] = place;
    const changed = found.replace(new RegExp(pattern.source, "m"), replacement);
    return [
      {
        what: `${what}: ${found.trim().split("\n")[0] ?? ""}`,
        text: text.slice(0, place.index) + changed + text.slice(place.index + found.length),
      },
    ];
  });
}
