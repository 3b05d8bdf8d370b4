import { parseLineChanges, restoreLineNumbers } from "../../source/line-directives.js";
import { plainDiff } from "./diff-texts.js";

/**
 * The text that a file becomes, with its lines numbered as in the text that it was: `#line` behind each hunk, in C files and headers.
 * @param was undefined where there was no such file
 */
export async function numberLines(path: string, was: string | undefined, text: string | undefined): Promise<string | undefined> {
  if (was === undefined || text === undefined || !/\.[ch]$/.test(path)) return text;
  return restoreLineNumbers(text, parseLineChanges(await plainDiff(path, was, text)));
}
