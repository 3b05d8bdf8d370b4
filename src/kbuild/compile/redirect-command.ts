/** The same compilation with other places: source tree, object, dependency rule. */
export function redirectCommand(
  compile: readonly string[],
  places: { readonly from: string; readonly to: string; readonly object: string; readonly rule: string },
): string[] {
  const words: string[] = [];
  for (let index = 0; index < compile.length; index++) {
    const word = compile[index] ?? "";
    if (word === "-o") index++;
    else if (!/^-Wp,-MM?D,/.test(word)) words.push(moveWord(word, places.from, places.to));
  }
  return [...words, `-Wp,-MMD,${places.rule}`, "-o", places.object];
}

/** Moves a word that is or holds a path below `from`: `-I/src/include`, `/src/net/ipv4/raw.c`, `-fmacro-prefix-map=/src/=`. */
function moveWord(word: string, from: string, to: string): string {
  const at = word.indexOf(from);
  if (at < 0) return word;
  const before = word.charAt(at - 1);
  const after = word.charAt(at + from.length);
  const isPath = (at === 0 || /[=,I]/.test(before) || word.startsWith("-i")) && (after === "" || after === "/" || after === "=");
  return isPath ? word.slice(0, at) + to + word.slice(at + from.length) : word;
}
