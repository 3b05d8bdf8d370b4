import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { commandPages } from "../../../packaging/command-pages.js";
import { configPage } from "../../../packaging/config-page.js";
import { CONFIG_KEYS } from "../../../src/service/config.js";
import { escape, fileName, manPage } from "../../../packaging/man-page.js";
import { runCommand } from "../../support/run-command.js";

const FACTS = { version: "1.2.3", date: new Date("2026-11-26T20:00:00Z") };

test.each([
  ["a--b", "a\\-\\-b"],
  ["C:\\path", "C:\\epath"],
  [".config is read\n'quoted", "\\&.config is read\n\\&'quoted"],
])("roff reads %j as it stands", (text, expected) => {
  expect(escape(text)).toBe(expected);
});

test("a page says what the help says", () => {
  const program = new Command("tool").description("does things");
  program
    .command("cut")
    .description("cut a rope")
    .argument("<rope>", "the rope")
    .argument("[where...]", "places")
    .option("-n, --number <count>", "how many pieces", "2")
    .requiredOption("--with <knife>", ".knife files are looked for in $HOME\\knives");
  const pages = commandPages(program);
  const page = pages[1];
  expect(page && manPage(page, pages, FACTS)).toBe(`.TH TOOL\\-CUT 1 2026-11-26 "ksplice 1.2.3" "User Commands"
.SH NAME
tool\\-cut \\- cut a rope
.SH SYNOPSIS
.B tool cut
[\\fIoptions\\fR] \\fIrope\\fR \\fI[where...]\\fR
.SH DESCRIPTION
Cut a rope.
.TP
\\fIrope\\fR
The rope.
.TP
\\fI[where...]\\fR
Places.
.SH OPTIONS
.TP
\\fB\\-n\\fR, \\fB\\-\\-number\\fR \\fIcount\\fR
How many pieces (default: "2").
.TP
\\fB\\-\\-with\\fR \\fIknife\\fR
\\&.knife files are looked for in $HOME\\eknives. It must be given.
.TP
\\fB\\-h\\fR, \\fB\\-\\-help\\fR
Display help for command.
.SH EXIT STATUS
.TP
\\fB0\\fR
Done.
.TP
\\fB1\\fR
Refused, or failed; standard error says what, where, and what to do.
.TP
\\fB2\\fR
The command line makes no sense.
.TP
\\fB66\\fR
The patch changes no object code (create).
.TP
\\fB70\\fR
A bug of this program.
.SH SEE ALSO
\\fBtool\\fR(1)
`);
});

describe("the real commands", () => {
  const pages = commandPages();

  test("all have a page, and an option is in it once", () => {
    expect(pages.map(fileName)).toEqual(expect.arrayContaining(["ksplice", "ksplice-apply", "ksplice-create", "ksplice-prepare"]));
    for (const page of pages) {
      const text = manPage(page, pages, FACTS);
      for (const { flags } of page.options) {
        const [long = ""] = /--[\w-]+/.exec(flags) ?? [];
        expect(text.split(`\n`).filter((line) => line.includes(`\\fB${escape(long)}\\fR`) && line.startsWith("\\fB"))).toHaveLength(1);
      }
    }
  });

  test("the text of a page has no line that roff would take for a request of its own", () => {
    for (const page of pages)
      for (const line of manPage(page, pages, FACTS).split("\n")) expect(line).toMatch(/^(?!['.])|^\.(TH|SH|TP|B)\b/);
  });
});

test.each(commandPages().map(({ name }) => name))("an option is in the help of %s once", async (name) => {
  const { stdout: help } = await runCommand([...name.split(" ").slice(1), "--help"]);
  const flags = [...help.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, flag]) => flag);
  expect(flags.length).toBeGreaterThan(4);
  expect(new Set(flags).size, help).toBe(flags.length);
});

test("the page of the configuration names each key that is read", () => {
  const page = configPage(FACTS);
  const keys = [...page.matchAll(/^\\fB([a-z\\-]+)\\fR = /gm)].map(([, key = ""]) => key.replaceAll("\\-", "-"));
  expect(keys).toEqual(CONFIG_KEYS);
  expect(page).toContain(".I /etc/ksplice/ksplice.conf\n");
});
