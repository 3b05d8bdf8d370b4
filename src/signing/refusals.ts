import { Refusal } from "../diagnostics.js";

/** openssl, or the user's own program, made no signature. `words` is what it said. */
export const cannotSign = (module: string, who: string, words: string): Refusal =>
  new Refusal({
    code: "cannot-sign",
    message: `module ${module} could not be signed: ${who} ${words}`,
    hint: "nothing was loaded",
  });

export const unusableKey = (path: string, reason: string): Refusal =>
  new Refusal({ code: "unusable-key", message: `${path} cannot be used for signing modules: ${reason}`, location: path });
