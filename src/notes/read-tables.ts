/** A variable of a file that has an initial value in braces. */
export interface SourceTable {
  /** What stands between the braces. */
  readonly value: string;
  /** How many elements or members the value gives. */
  readonly elements: number;
}

/** @param fileLevel the text of a source with comments, strings, preprocessor lines and function bodies blank. @returns by name; the last of a name */
export function readTables(fileLevel: string): ReadonlyMap<string, SourceTable> {
  const tables = new Map<string, SourceTable>();
  for (const match of fileLevel.matchAll(/\b(\w+)\s*(?:\[[^\]=;]*\]\s*)*(?:__\w+\s*)*=\s*\{/g)) {
    const start = match.index + match[0].length;
    let depth = 0;
    let commas = 0;
    let end = start;
    for (; end < fileLevel.length && depth >= 0; end++) {
      const char = fileLevel[end] ?? "";
      if ("{([".includes(char)) depth++;
      if ("})]".includes(char)) depth--;
      if (char === "," && depth === 0) commas++;
    }
    const value = fileLevel.slice(start, end - 1);
    const isOpen = value.trim() !== "" && !value.trimEnd().endsWith(",");
    tables.set(match[1] ?? "", { value, elements: commas + (isOpen ? 1 : 0) });
  }
  return tables;
}
