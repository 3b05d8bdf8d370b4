/** What a preprocessor has written, taken apart. */
export interface PreprocessedTokens {
  /** A `#pragma` is one token, with its line. */
  readonly tokens: readonly string[];
  /** `FILE:LINE` that a token comes from, by its index. */
  readonly placeOf: (index: number) => string;
}

/** Line markers and pragmas; literals; numbers; words; operators of several characters; all else but blanks. */
const TOKEN = new RegExp(
  [
    /^[^\S\n]*#[^\n]*/,
    /\n/,
    /(?:u8|[uUL])?"(?:\\[^]|[^"\\\n])*"|[uUL]?'(?:\\[^]|[^'\\\n])*'/,
    /\.?\d(?:[eEpP][+-]|[\w.])*/,
    /[A-Za-z_$][\w$]*/,
    /->|\+\+|--|<<=?|>>=?|&&|\|\||[-+*/%&|^!=<>]=|\.\.\.|##/,
    /\S/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "gm",
);

/** Reads what gcc's or clang's -E gives, line markers included. */
export function readPreprocessed(text: string): PreprocessedTokens {
  const tokens: string[] = [];
  /** For each line that has tokens: the index of its first, and where it comes from. */
  const starts: number[] = [];
  const places: { readonly file: string; readonly line: number }[] = [];
  let [file, line, isNew] = ["", 1, true];
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === "\n") {
      line++;
      isNew = true;
      continue;
    }
    const [, number, name] = /^\s*# (\d+) "((?:[^"\\]|\\.)*)"/.exec(token) ?? [];
    if (number !== undefined && name !== undefined) {
      // It counts for the line behind it.
      [file, line] = [name, Number(number) - 1];
      continue;
    }
    if (isNew) {
      starts.push(tokens.length);
      places.push({ file, line });
      isNew = false;
    }
    tokens.push(token.startsWith("#pragma") ? token : token.trim());
  }
  return { tokens, placeOf };

  function placeOf(index: number): string {
    let [low, high] = [0, starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= index) low = middle;
      else high = middle;
    }
    const place = places[low];
    return place === undefined ? "" : `${place.file.replace(/^(?:\.\/)+/, "")}:${String(place.line)}`;
  }
}
