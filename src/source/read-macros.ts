import { codeTokens } from "./top-level-items.js";

/** A macro, as one of a source's definitions has it. */
export interface Macro {
  readonly name: string;
  /** Empty for one without parentheses. */
  readonly parameters: ReadonlySet<string>;
  /** What it stands for. */
  readonly tokens: readonly string[];
}

const DEFINITION = /^[^\S\n]*#[^\S\n]*define[^\S\n]+(\w+)(?:\(([^)]*)\))?((?:\\\n|[^\n])*)/gm;

/** All that a source defines; of branches of an #if each. */
export function readMacros(source: string): readonly Macro[] {
  return Array.from(source.matchAll(DEFINITION), ([, name = "", parameters = "", body = ""]) => ({
    name,
    parameters: new Set(parameters.match(/\w+/g) ?? []),
    tokens: [...codeTokens(body)],
  }));
}

/** What tokens come to where each macro's name stands for its tokens. What a macro is given stays behind it, and its parameters in it. */
export function expandMacros(tokens: readonly string[], macros: readonly Macro[], inside: ReadonlySet<string> = new Set()): string[] {
  return tokens.flatMap((token) => {
    const named = inside.has(token) ? [] : macros.filter(({ name }) => name === token);
    if (named.length === 0) return [token];
    const within = new Set([...inside, token]);
    return named.flatMap((macro) => expandMacros(macro.tokens, macros, within));
  });
}
