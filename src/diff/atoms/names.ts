/**
 * Names without the numbers that the compiler and the kernel's macros put into them, so that both sides of a comparison spell them alike.
 * Sources: gcc's clone suffixes (`.constprop.0`, `.isra.0`, `.part.0`, `.cold`), static locals (`state.12`),
 * `__UNIQUE_ID` (include/linux/compiler.h) and `__initcall_id` (include/linux/init.h), both Linux 6.1.
 */
const NUMBERINGS: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  [/\.\d+(?=\.|$)/g, ".#"],
  [/^(__UNIQUE_ID_[A-Za-z_]\w*?)\d+(?=\.|$)/, "$1#"],
  [/^(__initcall__kmod_\w+?)__\d+_\d+_/, "$1__#_#_"],
  [/^(__BTF_ID__\w+?)__\d+$/, "$1__#"],
];

/** `name` with every number replaced that depends on what else the unit contains: `state.12` gives `state.#`. */
export function normalName(name: string): string {
  return NUMBERINGS.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), name);
}

/** True where the name alone does not identify the object: another one of the unit may have it next time. */
export function isNumbered(name: string): boolean {
  return normalName(name) !== name;
}

/**
 * What a static local is called in the source: gcc's `state.12`, clang's `f.state` and `f.state.3` (the first of a name has no number).
 * Undefined for an object whose name is its own.
 */
export function staticLocalName(name: string): string | undefined {
  if (!name.includes(".", 1) && !isNumbered(name)) return undefined;
  return normalName(name).replace(/(\.#)+$/, "");
}

/** The source function behind a clone or a piece: `f.constprop.0.cold` gives `f`. */
export function sourceFunction(name: string): string {
  const dot = name.indexOf(".", 1);
  return dot < 0 ? name : name.slice(0, dot);
}
