// eslint-disable-next-line no-restricted-imports -- for the library only, see below
import { createRequire } from "node:module";
import type * as Iced from "iced-x86";

/** One for the process, like any module that is imported. */
// eslint-disable-next-line no-restricted-syntax -- no state, see above
let loaded: typeof Iced | undefined;

/**
 * The instruction decoder: a megabyte of JavaScript and as much WebAssembly, which a command that only asks or undoes does not need. So it is loaded by whoever
 * first decodes; and by `require`, as `import` would read all of it once more for the names that it exports.
 */
export function iced(): typeof Iced {
  return (loaded ??= createRequire(import.meta.url)("iced-x86") as typeof Iced);
}
