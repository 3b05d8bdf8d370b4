import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { isDirectory } from "../src/host/files.js";
import { packageRoot } from "../src/host/package-root.js";

/** What both packages say. Of a licence that Debian has, a package says only where it is. */
export const OWN_COPYRIGHT = `ksplice is Copyright (C) 2026 its authors.

This program is free software; you can redistribute it and/or modify it under the terms of version 2 of the GNU General Public License as
published by the Free Software Foundation. It comes without any warranty. On Debian systems, the licence's text is in
/usr/share/common-licenses/GPL-2.
`;

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly license?: string; readonly dev?: boolean }>>;
}

/**
 * The copyright file of the package that holds programs of others: Node, and the npm packages that are compiled into the commands.
 * @param nodeLicense path of Node's licence, which has those of all that is in it
 */
export async function copyrightWithLibraries(nodeLicense: string): Promise<string> {
  const lock = JSON.parse(await readFile(join(packageRoot(), "package-lock.json"), "utf8")) as Lock;
  const libraries: string[] = [];
  for (const [path, { version = "", license = "", dev = false }] of Object.entries(lock.packages)) {
    const text = path === "" || dev ? undefined : await licenceText(join(packageRoot(), path), license);
    if (text !== undefined) libraries.push(`${path.replace(/^.*node_modules\//, "")} ${version} (${license})\n\n${text}`);
  }
  return [
    OWN_COPYRIGHT,
    "usr/lib/ksplice/dist and usr/lib/ksplice/node_modules hold code of these npm packages, under their licences:",
    ...libraries,
    `usr/lib/ksplice/node is Node.js, as its authors build and publish it:\n\n${await readFile(nodeLicense, "utf8")}`,
  ].join(`\n${"-".repeat(80)}\n\n`);
}

const REFERENCES: Readonly<Record<string, string>> = {
  "Apache-2.0": "On Debian systems, the licence's text is in /usr/share/common-licenses/Apache-2.0.\n",
};

/** @returns undefined where the package is not installed: one for another system */
async function licenceText(directory: string, license: string): Promise<string | undefined> {
  if (!(await isDirectory(directory))) return undefined;
  const names = await readdir(directory);
  const file = names.find((name) => /^licen[sc]e(\.(md|txt))?$/i.test(name));
  return (
    REFERENCES[license] ??
    (file === undefined
      ? `See the licence's text at https://spdx.org/licenses/${license}.html\n`
      : await readFile(join(directory, file), "utf8"))
  );
}
