import { describe, expect, it, test } from "vitest";
import type { Rehearsal } from "../../../src/rehearse/rehearsal.js";
import { renderPage } from "../../../src/review/page.js";
import { findHunks, isAbout } from "../../../src/review/patch-hunks.js";
import { renderReview } from "../../../src/review/render-review.js";
import { besideEachOther, reviewUpdate } from "../../../src/review/review-update.js";
import { makeUpdate, type Update } from "../../../src/update/file/update-file.js";
import { compileBytes, GCC, KERNEL_LIKE_FLAGS, SECTION_FLAGS } from "../../support/compile-object.js";
import { contrast, findPageFaults, openPage } from "../../support/page-faults.js";
import { sampleUnit, sampleUpdate } from "../../support/sample-update.js";

const PRE = `
const int limits[2] = { 3, 7 };
int limit(int x) { return x * limits[0]; }
static int gone(int x) { return x - 1; }
int (*keep)(int) = gone;
`;
const POST = `
const int limits[2] = { 3, 9 };
int bounded(int x) { return x > 100 ? 100 : x; }
int limit(int x) { return bounded(x) * limits[0]; }
int (*keep)(int);
`;
const PATCH = `An explanation, which may say <script>alert(1)</script>.
--- a/net/ipv4/raw.c
+++ b/net/ipv4/raw.c
@@ -1,2 +1,3 @@ int limit(int x)
-const int limits[2] = { 3, 7 };
--- a line that looks like a name
+const int limits[2] = { 3, 9 };
+++ another <b>one</b>
+int bounded(int x)
`;

const compile = (source: string): Uint8Array => compileBytes(source, GCC ?? "gcc", [...KERNEL_LIKE_FLAGS, ...SECTION_FLAGS]);

function update(): Update {
  const { manifest, files } = sampleUpdate({
    description: "a <fix> & more",
    cves: ["CVE-2026-12345"],
    layouts: [
      {
        ...{
          label: "struct raw<x>",
          place: "net/raw.h:3",
          units: ["net/ipv4/raw.o"],
          reasons: ["flags takes 4 bytes"],
          holders: ["struct outer"],
        },
        ...{ vouched: "new code must cope with it", picture: ["   running  patched", "+                12     4  int flags"] },
      },
    ],
    notes: [{ kind: "unbalanced-pair", function: "limit", file: "net/ipv4/raw.c", line: 3, message: "takes a lock <once>" }],
  });
  const unit = sampleUnit("net/ipv4/raw.o", {
    functions: [
      {
        name: "limit",
        preSymbol: "limit",
        newSymbol: "n",
        preParts: [],
        interface: "other",
        mayBeBusy: true,
        sourceLine: { file: "net/ipv4/raw.c", line: 3 },
      },
    ],
    changed: [{ name: "limit", sourceLine: { file: "net/ipv4/raw.c", line: 3 }, reasons: ["code"] }],
    new: ["bounded"],
    removed: ["gone"],
    left: [{ preSymbol: "gone", preParts: [], mayBeCalled: true }],
    writes: [{ name: "limits", preSymbol: "limits", offset: 4, size: 4, newSymbol: "l", newOffset: 4, isConstant: true }],
    hooks: [{ kind: "post_apply", name: "refill" }],
  });
  const all = new Map(files)
    .set("patch", new TextEncoder().encode(PATCH))
    .set("pre/net/ipv4/raw.o", compile(PRE))
    .set("post/net/ipv4/raw.o", compile(POST));
  return makeUpdate({ ...manifest, targets: manifest.targets.map((target) => ({ ...target, units: [unit] })) }, all);
}

const REHEARSAL: Rehearsal = {
  id: "abc123",
  release: "6.1.0-47-amd64",
  functions: [],
  data: [],
  probes: undefined,
  viewed: [],
  stopNs: { apply: 1_500_000, undo: 2_000_000 },
  matching: { functions: 12, skippedBytes: 0, milliseconds: 9 },
  stages: [],
  leftovers: [],
  problems: ["BUG: <oops>"],
  verification: {
    id: "abc123",
    units: 2,
    functions: 12,
    skippedTargets: [],
    findings: [],
    milliseconds: 3,
  } as unknown as Rehearsal["verification"],
  consoleLog: "",
  failures: ["the kernel complained"],
  ok: false,
};

describe("a review", () => {
  const review = reviewUpdate(update());

  it("has each function with its fate, its hunks and both sides", () => {
    const [unit] = review.units;
    expect(unit?.functions.map(({ name, fate, remarks }) => [name, fate, remarks])).toEqual([
      [
        "limit",
        "changed",
        ["threads may stay in its old code, beside others in the new", "it takes or returns something else than before"],
      ],
      ["bounded", "new", []],
      ["gone", "removed", ["its old code stays, and may be called on"]],
    ]);
    const [limit, bounded, gone] = unit?.functions ?? [];
    expect(limit?.rows.some(({ post, isSame }) => !isSame && post?.includes("limits") === false)).toBe(true);
    expect(limit?.rows.some(({ isSame }) => isSame)).toBe(true);
    expect(bounded?.rows.every(({ pre, post }) => pre === undefined && post !== undefined)).toBe(true);
    expect(gone?.rows.every(({ pre, post }) => pre !== undefined && post === undefined)).toBe(true);
    expect([limit, bounded, gone].map((entry) => entry?.hunks.length)).toEqual([1, 1, 0]);
  });

  it("has the bytes that are overwritten", () => {
    expect(review.units[0]?.writes).toEqual([{ name: "limits", offset: 4, size: 4, pre: "07 00 00 00", post: "09 00 00 00" }]);
  });

  it("is a page on which all of it can be found, and that runs nothing of others", () => {
    const { window } = openPage(renderReview(review, REHEARSAL));
    const text = window.document.body.textContent.replaceAll(/\s+/g, " ");
    for (const words of [
      "a <fix> & more",
      "CVE-2026-12345",
      "1 replaced, 1 new, 1 removed",
      "takes a lock <once>",
      "struct raw<x> has another layout: new code must cope with it",
      "net/raw.h:3; seen by net/ipv4/raw.o",
      "so does what holds it by value: struct outer",
      "12 4 int flags",
      "refill is called by the change itself",
      "It failed.",
      "the kernel complained",
      "BUG: <oops>",
      "1.50 ms to apply",
      "++ another <b>one</b>",
      "instructions before and after",
    ])
      expect(text).toContain(words);
    expect(window.document.querySelectorAll("script").length).toBe(1);
    expect(window.document.querySelector("main b, main script")).toBeNull();
  });

  it("says that types are as before where nobody has let one through", () => {
    const same = { ...review, manifest: { ...review.manifest, layouts: [] } };
    const [was, is] = [review, same].map((each) => openPage(renderReview(each)).window.document.body.textContent);
    expect(is).toContain("types that live objects have are laid out as before; no state");
    expect(is).toContain("Every struct, union and enum that the new code uses is laid out as the running kernel has it, or is new.");
    expect(was).toContain("but for those that were let through");
    expect(was).not.toContain("Every struct, union and enum");
  });

  it("folds, unfolds and filters its functions", () => {
    const { window } = openPage(renderReview(review));
    const { document } = window;
    const functions = [...document.querySelectorAll<HTMLDetailsElement>("details.function")];
    const open = () => functions.map((entry) => entry.open);
    expect(open()).toEqual([false, false, false]);
    document.querySelector<HTMLButtonElement>("#unfold")?.click();
    expect(open()).toEqual([true, true, true]);
    document.querySelector<HTMLButtonElement>("#fold")?.click();
    expect(open()).toEqual([false, false, false]);
    const filter = document.querySelector<HTMLInputElement>("#filter");
    if (filter === null) throw new Error("there is no filter");
    filter.value = "BOUND";
    filter.dispatchEvent(new window.Event("input"));
    expect(functions.map((entry) => entry.hidden)).toEqual([true, false, true]);
    const said = document.querySelector("[role=status]");
    expect(said?.textContent).toBe("1 of 3 functions");
    filter.value = "";
    filter.dispatchEvent(new window.Event("input"));
    expect([said?.textContent, functions.some((entry) => entry.hidden)]).toEqual(["", false]);
  });

  it("is unfolded while it is printed, and then as it was", () => {
    const { window } = openPage(renderReview(review));
    const folding = [...window.document.querySelectorAll("details")];
    const open = () => folding.map((entry) => entry.open);
    if (folding[1] !== undefined) folding[1].open = true;
    const before = open();
    expect(before).toContain(false);
    window.dispatchEvent(new window.Event("beforeprint"));
    expect(open()).not.toContain(false);
    window.dispatchEvent(new window.Event("afterprint"));
    expect(open()).toEqual(before);
  });

  it("is printed whole where no script runs, of a filtered page too, and never in the colours of a dark screen", () => {
    const rules = blocksOf(renderReview(review));
    const onPaper = rules.filter(({ condition }) => condition === "print").map(({ text }) => text);
    expect(onPaper.join("\n")).toMatch(/details::details-content \{ content-visibility: visible;/);
    expect(onPaper.join("\n")).toMatch(/details\.function\[hidden\] \{ display: block; \}/);
    expect(onPaper.join("\n")).toMatch(/\.no-print \{ display: none; \}/);
    expect(rules.filter(({ text }) => text.includes("--back: #161616")).map(({ condition }) => condition)).toEqual([
      "screen and (prefers-color-scheme: dark)",
    ]);
  });

  it("is worked from the keyboard: all that can be used is reached in its order, has a name and shows that it is meant", () => {
    const { document } = openPage(renderReview(review, REHEARSAL)).window;
    const used = [...document.querySelectorAll<HTMLElement>("a, button, input, summary, [tabindex], [role=button], [onclick]")];
    const tags = new Set(used.map(({ tagName }) => tagName.toLowerCase()));
    expect([...tags].sort()).toEqual(["a", "button", "input", "pre", "summary"]);
    // The order is the page's, and nothing is left out of it.
    expect(new Set(used.map((element) => element.getAttribute("tabindex")))).toEqual(new Set([null, "0"]));
    for (const element of used) {
      const name = element.getAttribute("aria-label") ?? element.closest("label")?.textContent ?? element.textContent;
      expect(name.trim(), element.outerHTML.slice(0, 100)).not.toBe("");
    }
    const style = document.querySelector("style")?.textContent ?? "";
    for (const tag of tags) expect(style).toMatch(new RegExp(`\\b${tag}:focus-visible[^{}]*\\{ outline: 2px`));
    for (const details of document.querySelectorAll("details")) expect(details.firstElementChild?.tagName).toBe("SUMMARY");
  });

  it("leads, before all else, to each of its parts", () => {
    const { document } = openPage(renderReview({ ...review, manifest: { ...review.manifest, notes: [], layouts: [] } })).window;
    const links = [...document.querySelectorAll("nav a")];
    expect(links[0]).toBe(document.querySelector("a, button, input, summary, [tabindex]"));
    const parts = links.map((link) => document.querySelector(link.getAttribute("href") ?? ""));
    expect(parts).toEqual([...document.querySelectorAll("h2")]);
    expect(parts.map((part) => part?.textContent.toLowerCase())).toEqual(links.map((link) => link.textContent));
  });

  test.each([[undefined], [REHEARSAL]])("has nothing that an accessibility tool finds wrong", async (rehearsal) => {
    const page = openPage(renderReview(review, rehearsal));
    expect(await findPageFaults(page)).toEqual([]);
    page.window.document.querySelector<HTMLButtonElement>("#unfold")?.click();
    expect(await findPageFaults(page)).toEqual([]);
  });
});

/** The rules of a page below each of its conditions. */
function blocksOf(html: string): { condition: string; text: string }[] {
  const text = openPage(html).window.document.querySelector("style")?.textContent ?? "";
  return Array.from(text.matchAll(/@media ([^{]+) \{((?:[^{}]*\{[^{}]*\})*)\s*\}/g), ([, condition = "", rules = ""]) => ({
    condition,
    text: rules,
  }));
}

test("what an accessibility tool finds wrong is found", async () => {
  const faults = await findPageFaults(openPage(renderPage({ title: "", body: `<h1>x</h1><input>` })));
  expect(faults.join("\n")).toMatch(/document-title[^]*label/);
});

test("colours can be told from their backgrounds, by day and by night", () => {
  const schemes = [...renderPage({ title: "", body: "" }).matchAll(/:root \{([^}]*--back[^}]*)\}/g)].map(([, rules = ""]) =>
    Object.fromEntries(Array.from(rules.matchAll(/--([\w-]+): (#\w+)/g), ([, name = "", colour = ""]) => [name, colour])),
  );
  expect(schemes.length).toBe(2);
  const pairs = [
    ...["text", "faint", "gone", "come", "link"].flatMap((front) => ["back", "code"].map((back) => [front, back])),
    ["text", "gone-back"],
    ["text", "come-back"],
  ];
  for (const scheme of schemes)
    for (const [front = "", back = ""] of pairs)
      expect(contrast(scheme[front] ?? "", scheme[back] ?? ""), `${front} on ${back}`).toBeGreaterThan(4.5);
});

test("hunks end where their headers say", () => {
  expect(findHunks(PATCH)).toMatchObject([{ file: "net/ipv4/raw.c", lines: PATCH.split("\n").slice(4, 9) }]);
  const two =
    "--- /dev/null\n+++ b/new.c\n@@ -0,0 +1 @@\n+int f;\n\\ No newline at end of file\n--- a/old.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-int g;\n";
  expect(findHunks(two).map(({ file, lines }) => [file, lines.length])).toEqual([
    ["new.c", 2],
    ["old.c", 1],
  ]);
  const [hunk] = findHunks(PATCH);
  expect(hunk === undefined ? [] : ["limit", "bounded", "bound", "lim.t"].map((name) => isAbout(hunk, name))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test("what goes and what comes stands beside each other", () => {
  const line = (mark: "-" | "+" | " ", text: string) => ({ mark, text, offset: 0 });
  expect(besideEachOther([line(" ", "a"), line("-", "b"), line("+", "c"), line("+", "d"), line(" ", "e")])).toEqual([
    { pre: "a", post: "a", isSame: true },
    { pre: "b", post: "c", isSame: false },
    { pre: undefined, post: "d", isSame: false },
    { pre: "e", post: "e", isSame: true },
  ]);
});
