import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { diffObjects } from "../../../src/diff/diff-objects.js";
import { extractNewCode } from "../../../src/diff/extract/extract-new-code.js";
import { normalName } from "../../../src/diff/atoms/names.js";
import { RULE_COUNT, ruleIndex } from "../../../src/diff/atoms/section-rules.js";
import type { ObjectDiff } from "../../../src/diff/object-diff.js";
import type { NewCode } from "../../../src/diff/types.js";
import { parseObject } from "../../../src/elf/parse-object.js";
import { writeObject } from "../../../src/elf/write-object.js";
import { CLANG, GCC, KERNEL_LIKE_FLAGS, SECTION_FLAGS, compileBytes } from "../../support/compile-object.js";

/*
 * Each folder is a case: pre.c and post.c, compiled as the kernel would; expected.txt what the differ makes of them.
 * Optional: flags.txt (in place of -ffunction-sections -fdata-sections), expected.clang.txt (where clang's object legitimately differs).
 * `npx vitest run --project unit test/golden/diff -u` writes the expected texts anew.
 */
const folder = import.meta.dirname;
const cases = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

function render(diff: ObjectDiff, code: NewCode | undefined): string {
  const lines = [`verdict: ${diff.verdict}`];
  const list = (title: string, names: readonly string[]): void => {
    for (const name of [...names].sort()) lines.push(`${title}: ${name}`);
  };
  list(
    "changed function",
    diff.functions.changed.map(({ name, reasons }) => `${normalName(name)} (${reasons.join(", ")})`),
  );
  for (const kind of ["new", "removed"] as const) list(`${kind} function`, diff.functions[kind].map(({ name }) => normalName(name)));
  for (const kind of ["changed", "new", "removed"] as const) list(`${kind} data`, diff.data[kind].map(({ name }) => normalName(name)));
  list(
    "refused",
    diff.refusals.map(({ code: kind, message }) => `${kind}: ${normalName(message)}`),
  );
  list("note", diff.notes);
  if (code === undefined) return `${lines.join("\n")}\n`;
  list(
    "import",
    code.imports.map(({ name }) => normalName(name)),
  );
  list(
    "redirect",
    code.functions.map(({ preSymbol, newSymbol, preParts }) => `${[preSymbol, ...preParts].map(normalName).join(" + ")} to ${normalName(newSymbol)}`),
  );
  list(
    "write",
    code.writes.map(
      ({ preSymbol, offset, size, newSymbol, newOffset, isConstant }) =>
        `${size.toString()} bytes of ${isConstant ? "constant" : "data"} ${normalName(preSymbol)}+${offset.toString()} from ${normalName(newSymbol)}+${newOffset.toString()}`,
    ),
  );
  list(
    "export",
    code.exports.map(({ name, symbol, isGpl, namespace }) => `${name} as ${symbol}${isGpl ? ", GPL only" : ""}${namespace === "" ? "" : `, namespace ${namespace}`}`),
  );
  list("new global", code.newGlobals);
  for (const section of code.object.sections) {
    const size = section.name.includes("text") ? "" : ` ${section.size.toString()} bytes`;
    const references = [...new Set(section.relocations.map(({ symbol }) => normalName(symbol.name)))].sort();
    lines.push(`section: ${normalName(section.name)}${size}${references.length === 0 ? "" : ` -> ${references.join(", ")}`}`);
  }
  return `${lines.join("\n")}\n`;
}

/** The linker has to accept the new code, and nothing in it may refer to what is not there. */
function link(code: NewCode): void {
  const dir = mkdtempSync(join(tmpdir(), "ksplice-golden-"));
  try {
    writeFileSync(join(dir, "new.o"), writeObject(code.object));
    execFileSync("ld", ["-r", "--fatal-warnings", "-o", join(dir, "linked.o"), join(dir, "new.o")], { stdio: ["ignore", "pipe", "pipe"] });
    parseObject(new Uint8Array(readFileSync(join(dir, "linked.o"))), "linked.o");
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Entries of the table of section rules that some case shows at work. */
const shown = new Set<number>();

const compilers = [
  { name: "gcc", compiler: GCC },
  { name: "clang", compiler: CLANG },
];

for (const { name, compiler } of compilers) {
  const suite = compiler === undefined ? describe.skip : describe;
  suite(compiler === undefined ? `${name}: skipped, no ${name} is installed` : `objects by ${compiler}`, () => {
    it.each(cases)("%s", async (caseName) => {
      const flagsFile = join(folder, caseName, "flags.txt");
      const sectionFlags = existsSync(flagsFile) ? readFileSync(flagsFile, "utf8").split(/\s+/).filter(Boolean) : SECTION_FLAGS;
      const flags = [...KERNEL_LIKE_FLAGS, ...sectionFlags];
      const object = (side: string) =>
        parseObject(compileBytes(readFileSync(join(folder, caseName, `${side}.c`), "utf8"), compiler ?? "", flags), `${side}.o`);
      const [pre, post] = [object("pre"), object("post")];
      for (const section of [...pre.sections, ...post.sections]) if (section.size > 0) shown.add(ruleIndex(section.name));
      const diff = diffObjects(pre, post);
      const code = diff.refusals.length > 0 || diff.verdict !== "changed" ? undefined : extractNewCode(diff, { unit: "unit.o" });
      if (code !== undefined) link(code);
      const own = join(folder, caseName, `expected.${name}.txt`);
      await expect(render(diff, code)).toMatchFileSnapshot(existsSync(own) ? own : join(folder, caseName, "expected.txt"));
    });
  });
}

it("every rule of the table of section kinds has a case", () => {
  const missing = Array.from({ length: RULE_COUNT }, (_, index) => index).filter((index) => !shown.has(index));
  expect(missing).toEqual([]);
});
