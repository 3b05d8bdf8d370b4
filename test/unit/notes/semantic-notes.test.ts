import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { semanticNotes } from "../../../src/notes/semantic-notes.js";
import { spellNote } from "../../../src/notes/spell-note.js";

const GOLDEN = join(import.meta.dirname, "../../golden/notes/messages.txt");
import { fn, notesOf } from "./cases/case.js";
import { SILENT } from "./cases/silent.js";
import { SPEAKING } from "./cases/speaking.js";
describe.each(Object.entries(SPEAKING))("%s speaks of", (kind, cases) => {
  it.each(cases)("$title", (entry) => {
    expect(notesOf(entry).map((note) => note.kind)).toContain(kind);
  });
});

describe("no note on", () => {
  it.each(SILENT)("$title", (entry) => {
    expect(notesOf(entry)).toEqual([]);
  });

  it.each(Object.values(SPEAKING).flat())("a change that is none: $title", ({ post }) => {
    expect(notesOf({ pre: post, post })).toEqual([]);
  });
});

describe("a note", () => {
  it("says what, where, and what becomes of it", async () => {
    const text = Object.values(SPEAKING)
      .flat()
      .map(
        (entry) =>
          `# ${entry.title}\n${notesOf(entry)
            .map((note) => `${spellNote(note)}\n`)
            .join("")}`,
      )
      .join("\n");
    await expect(text).toMatchFileSnapshot(GOLDEN);
  });

  it("has the line of the patched file, without the directives that restore numbers", () => {
    const { pre, post } = SPEAKING["allocation-size"][0] ?? { pre: "", post: "" };
    const [note] = notesOf({ pre: `int a;\n${pre}`, post: `int a;\nint b;\n#line 2\n${post}` });
    expect(note).toMatchObject({ function: "toy_start", line: 5 });
  });

  it("is made of a pair over two files", () => {
    const [opens, closes] = [
      ["int toy_open(struct toy *t)", "toy_hold(t);"],
      ["void toy_close(struct toy *t)", "toy_release(t);"],
    ].map(([head = "", call = ""]) => ({ pre: fn(head, "a();"), post: fn(head, "a();", call) }));
    const notes = semanticNotes([
      { path: "a.c", pre: opens?.pre, post: opens?.post },
      { path: "b.c", pre: closes?.pre, post: closes?.post },
    ]);
    expect(notes).toMatchObject([{ kind: "unbalanced-pair", function: "toy_close", file: "b.c", line: 4 }]);
  });

  it("counts a callback that is renamed for what it was before", () => {
    const release = (callback: string, ...put: string[]): string =>
      fn("void toy_release(struct toy *t)", ...put, `call_rcu(&t->rcu, ${callback});`);
    const file = {
      path: "a.c",
      pre: fn("void toy_rcu(struct rcu_head *t)", "free(t);") + release("toy_rcu", "put_cred(t->cred);"),
      post: fn("void toy_free_rcu(struct rcu_head *t)", "put_cred(of(t)->cred);", "free(t);") + release("toy_free_rcu"),
    };
    expect(semanticNotes([file])).toEqual([]);
    expect(semanticNotes([file], new Map([["toy_free_rcu", "toy_rcu"]]))).toMatchObject([{ kind: "moved-half", function: "toy_free_rcu" }]);
  });

  it("is not made of files that are no C, new or removed ones", () => {
    const { pre, post } = SPEAKING["unbalanced-pair"][0] ?? { pre: "", post: "" };
    expect(semanticNotes([{ path: "a.rst", pre, post }])).toEqual([]);
    expect(semanticNotes([{ path: "a.c", pre: undefined, post }])).toEqual([]);
    expect(semanticNotes([{ path: "a.c", pre: post, post: undefined }])).toEqual([]);
  });
});

describe("any text", () => {
  it.each([
    ["many blanks", `int f(void)\n{${" ".repeat(200_000)}x();\n}\n`],
    ["many parentheses", `int f(void)\n{\n${"(".repeat(50_000)};\n}\n`],
    ["many braces", "{".repeat(50_000)],
    ["a long name", `int f(void) __${"a_".repeat(50_000)}\n{\n}\n`],
    ["a long constant", `#define A ${"A".repeat(50_000)}!\n`],
    ["a string without end", `int f(void)\n{\n\t"${"\\\\".repeat(50_000)}\n}\n`],
    ["many calls", `int f(void)\n{\n${"WRITE_ONCE(a->".repeat(10_000)};\n}\n`],
    ["many members", `int f(void)\n{\n${`if (${"a[0]->".repeat(100)}b) x();`.repeat(80)}\n}\n`],
    ["many tests", `int f(void)\n{\n${"if (!a->b[0] || ret < 0) ".repeat(5_000)};\n}\n`],
  ])("is read in time: %s", (_, text) => {
    const started = performance.now();
    expect(semanticNotes([{ path: "a.c", pre: text, post: text.replace("f(void)", "f(int a)") }])).toEqual([]);
    expect(performance.now() - started).toBeLessThan(8_000);
  });
});
