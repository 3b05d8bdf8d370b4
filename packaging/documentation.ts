import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { bashCompletion } from "./bash-completion.js";
import { configPage } from "./config-page.js";
import { commandPages } from "./command-pages.js";
import { zshCompletion } from "./zsh-completion.js";
import { fileName, manPage, type ManPageFacts } from "./man-page.js";

/** What each package has for people: manual pages, completion, changelog, copyright. */

/** Commands whose pages come with `ksplice-build`; the others are `ksplice`'s. */
const BUILD_COMMANDS: ReadonlySet<string> = new Set(["prepare", "create", "rehearse", "review", "diff"]);

export function isBuildCommand(command: string): boolean {
  return BUILD_COMMANDS.has(command);
}

/** Writes the manual pages of the commands that are `wanted`, by name (`ksplice`, `ksplice-apply`). */
export async function writeManPages(tree: string, wanted: (command: string) => boolean, facts: ManPageFacts): Promise<void> {
  const pages = commandPages();
  for (const page of pages)
    if (wanted(fileName(page).replace(/^ksplice-/, "")))
      await writeGzip(join(tree, `usr/share/man/man1/${fileName(page)}.1.gz`), manPage(page, pages, facts));
}

/** Of the files that an operator writes. */
export async function writeFilePages(tree: string, facts: ManPageFacts): Promise<void> {
  await writeGzip(join(tree, "usr/share/man/man5/ksplice.conf.5.gz"), configPage(facts));
}

/** bash finds a command's completion by its name; that of zsh says which commands it is for. */
export async function writeCompletion(tree: string, links: readonly string[]): Promise<void> {
  const directory = join(tree, "usr/share/bash-completion/completions");
  await writeInside(join(directory, "ksplice"), bashCompletion(commandPages()));
  for (const name of links) await symlink("ksplice", join(directory, name));
  await writeInside(join(tree, "usr/share/zsh/vendor-completions/_ksplice"), zshCompletion(commandPages()));
}

export async function writeChangelog(tree: string, name: string, { version, date }: ManPageFacts): Promise<void> {
  const entry = `${name} (${version}) unstable; urgency=medium

  * The project's own package of this version; its history is the repository's.

 -- ${MAINTAINER}  ${date.toUTCString().replace("GMT", "+0000")}
`;
  await writeGzip(join(tree, `usr/share/doc/${name}/changelog.gz`), entry);
}

/** Who makes the packages, as Debian's tools are told it. */
export const MAINTAINER = `${process.env["DEBFULLNAME"] ?? "ksplice developers"} <${process.env["DEBEMAIL"] ?? "ksplice@localhost.localdomain"}>`;

export async function writeGzip(path: string, text: string): Promise<void> {
  // Node leaves name and time out.
  await writeInside(path, gzipSync(text, { level: 9 }));
}

export async function writeInside(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}
