// SPDX-License-Identifier: GPL-2.0-only
// ESLint rules about who imports whom: only along the arrows of a list, and never in a circle.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*)"(\.[^"]+)"/g;

/** The source file that a relative import of a TypeScript file means, as an absolute path. */
function resolveImport(file, specifier) {
  const path = join(dirname(file), specifier);
  const source = path.replace(/\.js$/, ".ts");
  return existsSync(source) ? source : path;
}

/** The file itself where it is listed; else the longest of the listed folders that holds it. */
function folderOf(path, folders) {
  if (folders.has(path)) return path;
  for (let folder = dirname(path); folder !== "."; folder = dirname(folder)) if (folders.has(folder)) return folder;
  return undefined;
}

function checkImports(check) {
  return (context) => {
    const visit = (node) => {
      const specifier = node.source?.value;
      if (typeof specifier === "string" && specifier.startsWith("."))
        check(context, node.source, resolveImport(context.filename, specifier));
    };
    return {
      ImportDeclaration: visit,
      ExportNamedDeclaration: visit,
      ExportAllDeclaration: visit,
      ImportExpression: visit,
    };
  };
}

/** Option: folder → folders that it may import from, besides itself. A folder that is not listed belongs to the one that holds it. */
const arrows = {
  meta: { type: "problem", schema: [{ type: "object" }] },
  create: checkImports((context, node, target) => {
    const [allowed] = context.options;
    const folders = new Set(Object.keys(allowed));
    const [from, to] = [context.filename, target].map((path) => folderOf(relative(context.cwd, path), folders));
    if (from === undefined || from === to || allowed[from].includes(to)) return;
    context.report({
      node,
      message: `${from} may not import from ${to ?? relative(context.cwd, target)}: the arrows are in eslint.config.js`,
    });
  }),
};

const known = new Map();

function importsOf(file) {
  let found = known.get(file);
  if (found === undefined) {
    const text = file.endsWith(".ts") && existsSync(file) ? readFileSync(file, "utf8") : "";
    found = Array.from(text.matchAll(IMPORT), ([, specifier]) => resolveImport(file, specifier));
    known.set(file, found);
  }
  return found;
}

/** True if one file imports another, directly or through others. */
function reaches(from, to) {
  const seen = new Set([from]);
  const queue = [from];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    for (const next of importsOf(file)) {
      if (next === to) return true;
      if (!seen.has(next)) {
        seen.add(next);
        queue.push(next);
      }
    }
  }
  return false;
}

const noCircles = {
  meta: { type: "problem", schema: [] },
  create: checkImports((context, node, target) => {
    if (reaches(target, context.filename))
      context.report({ node, message: `${relative(context.cwd, target)} imports this file, directly or through others` });
  }),
};

export default { rules: { arrows, "no-circles": noCircles } };
