import { spellArgument, type CommandPage } from "./command-pages.js";

export interface ManPageFacts {
  readonly version: string;
  /** Of the sources. */
  readonly date: Date;
}

const EXIT_STATUS: readonly (readonly [status: string, meaning: string])[] = [
  ["0", "Done."],
  ["1", "Refused, or failed; standard error says what, where, and what to do."],
  ["2", "The command line makes no sense."],
  ["66", "The patch changes no object code (create)."],
  ["70", "A bug of this program."],
];

/** A command's manual page, as man(7) takes it. */
export function manPage(page: CommandPage, pages: readonly CommandPage[], { version, date }: ManPageFacts): string {
  const title = fileName(page);
  const positional = [...page.args.map(spellArgument), ...(page.commands.length > 0 ? ["<command> ..."] : [])];
  const lines = [
    `.TH ${title.toUpperCase().replaceAll("-", "\\-")} 1 ${date.toISOString().slice(0, 10)} "ksplice ${escape(version)}" "User Commands"`,
    ".SH NAME",
    `${escape(title)} \\- ${escape(page.description)}`,
    ".SH SYNOPSIS",
    `.B ${escape(page.name)}`,
    `[\\fIoptions\\fR] ${positional.map(italic).join(" ")}`.trimEnd(),
    ".SH DESCRIPTION",
    `${capital(escape(page.description))}.`,
    ...page.args.flatMap((argument) => [".TP", italic(spellArgument(argument)), `${capital(escape(argument.description))}.`]),
    ...(page.commands.length === 0 ? [] : [".SH COMMANDS"]),
    ...page.commands.flatMap(({ name, description }) => [".TP", `\\fB${escape(name)}\\fR`, `${capital(escape(description))}.`]),
    ".SH OPTIONS",
    ...page.options.flatMap(({ flags, description, mandatory }) => [
      ".TP",
      spellFlags(flags),
      `${capital(escape(description))}.${mandatory ? " It must be given." : ""}`,
    ]),
    ".SH EXIT STATUS",
    ...EXIT_STATUS.flatMap(([status, meaning]) => [".TP", `\\fB${status}\\fR`, meaning]),
    ".SH SEE ALSO",
    pages
      .filter((other) => other !== page)
      .map((other) => `\\fB${escape(fileName(other))}\\fR(1)`)
      .join(",\n"),
  ];
  return `${lines.join("\n")}\n`;
}

/** Name of the page, and of its file without the section: `ksplice-apply`. */
export function fileName({ name }: CommandPage): string {
  return name.replaceAll(" ", "-");
}

/** `-o, --output <file>`: the flags bold, what the reader puts in italic. */
function spellFlags(flags: string): string {
  return flags
    .split(/(<[^>]*>|\[[^\]]*\])/)
    .map((part) => (/^[<[]/.test(part) ? italic(part) : part.replace(/[^\s,]+/g, (flag) => `\\fB${escape(flag)}\\fR`)))
    .join("");
}

function italic(text: string): string {
  return `\\fI${escape(text.replace(/^<(.*)>$/, "$1"))}\\fR`;
}

/** A sentence of the help begins with a small letter. Words that are spelt as they are typed stay. */
function capital(text: string): string {
  return /^[a-z]+\b(?![-_/.=])/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}

/** What roff would read: backslashes, hyphens that are typed as minus signs, and controls at the start of a line. */
export function escape(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replace(/^[.']/gm, "\\&$&");
}
