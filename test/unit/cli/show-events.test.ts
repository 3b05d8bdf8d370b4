import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { showEvents, type ShowOptions } from "../../../src/cli/show-events.js";
import { temporaryDirectory } from "../../support/temp-dir.js";

afterEach(() => {
  vi.restoreAllMocks();
});

/** What a command shows of one event of each kind, with its standard error in a file. */
function shownWith(options: ShowOptions): string {
  let text = "";
  vi.spyOn(process.stderr, "write").mockImplementation((words) => {
    text += String(words);
    return true;
  });
  const isTTY = Object.getOwnPropertyDescriptor(process.stderr, "isTTY");
  Object.defineProperty(process.stderr, "isTTY", { value: false, configurable: true });
  const shown = showEvents("ksplice-x", options);
  for (const kind of ["stage", "note", "warning", "detail"] as const) shown.tell(kind, `a ${kind}`);
  shown.done();
  shown.close();
  if (isTTY === undefined) Reflect.deleteProperty(process.stderr, "isTTY");
  else Object.defineProperty(process.stderr, "isTTY", isTTY);
  return text;
}

describe("what is shown", () => {
  const directory = temporaryDirectory();

  test.each<[string, ShowOptions, string]>([
    ["by default", {}, "a stage\nksplice-x: a note\nksplice-x: a warning\n"],
    ["with -q", { quiet: true }, ""],
    ["with --raw-errors", { rawErrors: true }, "ksplice-x: a note\nksplice-x: a warning\n"],
    ["with --debug", { debug: true, quiet: true }, "a detail\n"],
    ["with -vv", { verbose: 2 }, "a stage\nksplice-x: a note\nksplice-x: a warning\na detail\n"],
  ])("%s", (_, options, expected) => {
    expect(shownWith(options)).toBe(expected);
  });

  test("details go into the file of --debugfile, too", () => {
    const debugfile = join(directory, "log");
    expect(shownWith({ quiet: true, debugfile })).toBe("");
    expect(readFileSync(debugfile, "utf8")).toBe("a detail\n");
  });
});
