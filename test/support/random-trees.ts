import fc from "fast-check";

/** A small tree, and what somebody made of it. */
export interface EditedTree {
  readonly before: ReadonlyMap<string, string>;
  readonly after: ReadonlyMap<string, string>;
}

/** Few kinds of lines, so that hunks fit at more than one place now and then, and some that stand once. */
const line = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("{", "}", "", "\treturn 0;", "break;") },
  { weight: 4, arbitrary: fc.nat(400).map((number) => `int v${number};`) },
  { weight: 1, arbitrary: fc.constantFrom("--- a/net/raw.c", "+++ b/x", "@@ -1 +1 @@", "\tcaf\u00c3\u00a9\u00ff", "diff --git a/x b/x") },
);

const text = fc
  .tuple(fc.array(line, { minLength: 1, maxLength: 40 }), fc.boolean(), fc.boolean())
  .map(
    ([lines, hasEnd, isDos]) => lines.join(isDos && lines.length % 7 === 0 ? "\r\n" : "\n") + (hasEnd || lines.length % 3 > 0 ? "\n" : ""),
  );

const PATHS = ["net/raw.c", "net/ipv4/raw.c", "fs/a b.c", "fs/caf\u00e9.h", "Makefile", "lib/Makefile", "kernel/fork.c", "include/x.h"];

const path = fc.constantFrom(...PATHS);

type Edit = (files: Map<string, string>) => void;

const change = fc.tuple(fc.nat(50), fc.nat(4), fc.array(line, { maxLength: 4 }));

function edited(content: string, [at, count, lines]: readonly [number, number, readonly string[]]): string {
  const all = content.split("\n");
  all.splice(at % all.length, count, ...lines);
  return all.join("\n");
}

/** Names that no file has before. */
const newPath = fc.constantFrom("net/new.c", "fs/new dir/x.c", "top.c", "lib/moved.h");

const edit: fc.Arbitrary<Edit> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(path, change).map(([at, how]): Edit => (files) => {
      replace(files, at, (old) => edited(old, how));
    }),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(newPath, text).map(
      ([at, content]): Edit =>
        (files) =>
          void files.set(at, content),
    ),
  },
  {
    weight: 1,
    arbitrary: newPath.map(
      (at): Edit =>
        (files) =>
          void files.set(at, ""),
    ),
  },
  {
    weight: 1,
    arbitrary: path.map(
      (at): Edit =>
        (files) =>
          void files.delete(at),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(path, newPath, change, fc.boolean()).map((move): Edit => (files) => {
      moveFile(files, ...move);
    }),
  },
);

function replace(files: Map<string, string>, at: string, how: (old: string) => string): void {
  const old = files.get(at);
  if (old !== undefined) files.set(at, how(old));
}

function moveFile(
  files: Map<string, string>,
  from: string,
  to: string,
  how: readonly [number, number, readonly string[]],
  isCopy: boolean,
): void {
  const old = files.get(from);
  if (old === undefined) return;
  if (!isCopy) files.delete(from);
  files.set(to, edited(old, how));
}

/** Texts are latin1, a character a byte. */
export const editedTree: fc.Arbitrary<EditedTree> = fc
  .tuple(fc.array(fc.tuple(path, text), { minLength: 2, maxLength: 6 }), fc.array(edit, { minLength: 1, maxLength: 5 }))
  .map(([files, edits]) => {
    const before = new Map(files);
    const after = new Map(before);
    for (const make of edits) make(after);
    return { before, after };
  });

/** The same tree as somebody else has it: other lines here and there. */
export const drift: fc.Arbitrary<readonly (readonly [string, readonly [number, number, string[]]])[]> = fc.array(fc.tuple(path, change), {
  maxLength: 3,
});

export function drifted(
  files: ReadonlyMap<string, string>,
  edits: readonly (readonly [string, readonly [number, number, string[]]])[],
): Map<string, string> {
  const other = new Map(files);
  for (const [at, how] of edits) replace(other, at, (old) => edited(old, how));
  return other;
}
