import type { FileChange, FunctionChange } from "./changed-functions.js";
import { isConstructor } from "./function-names.js";
import { lineAt, type SourceFunction } from "./read-functions.js";
import type { SemanticNote } from "./types.js";

/**
 * Notes new variables of a file that only constructors give a value, and that other functions read: where the constructor has run before the update, the
 * variable is empty. (What initialization code would have filled is refused, and not looked at here.)
 */
export function noteNewVariables(files: readonly FileChange[]): SemanticNote[] {
  return files.flatMap((file): SemanticNote[] => {
    const names = newVariables(file);
    if (names.length === 0) return [];
    const changed = file.functions.filter((entry) => entry.post !== undefined && !/\b__init\b/.test(entry.post.head));
    return names.flatMap((name): SemanticNote[] => {
      const makers = changed.filter(({ post }) => post !== undefined && sets(post, name));
      const [maker] = makers;
      if (maker?.pre === undefined || !makers.every((entry) => isConstructor(entry.name))) return [];
      const user = changed.find((entry) => !makers.includes(entry) && !isConstructor(entry.name) && mentions(entry, name));
      if (user?.post === undefined) return [];
      const { body, bodyLine } = user.post;
      return [
        {
          kind: "new-initialisation",
          function: user.name,
          file: file.path,
          line: lineAt(body, body.search(wordOf(name)), bodyLine),
          message: `${user.name} relies on ${name}, which is new and which only ${maker.name} sets: where that has run before the update, ${name} is empty`,
        },
      ];
    });
  });
}

/** Variables that the file has with the patch only: `static struct foo *bar;` outside of functions. */
function newVariables({ preText, post }: FileChange): string[] {
  const found = post.fileLevel.matchAll(/^static\s+(?!const\b|inline\b)[\w\s*]*?\b([A-Za-z_]\w*)\s*(?:\[[^\]\n]*\]\s*)?(?:;|=)/gm);
  return [...new Set(Array.from(found, ([, name = ""]) => name))].filter((name) => !wordOf(name).test(preText));
}

function sets({ body }: SourceFunction, name: string): boolean {
  return new RegExp(`(?<![\\w.>]\\s*)\\b${name}\\b(?:\\s*\\[[^\\]]*\\]|\\s*\\.\\s*\\w+)*\\s*=(?!=)`).test(body);
}

function mentions({ post }: FunctionChange, name: string): boolean {
  return post !== undefined && wordOf(name).test(post.body);
}

function wordOf(name: string): RegExp {
  return new RegExp(`\\b${name}\\b`);
}
