import { Refusal } from "../../diagnostics.js";

/**
 * Since Linux 7.2 a warning with a text hands its own entry of the bug table to who prints it (`__WARN_bug_entry` in arch/x86/include/asm/bug.h): the entry would have to
 * be matched by what it says, and new code be given the one that goes with it.
 * @param symbol of the function, if it has one
 */
export function refersToTable(object: string, symbol: string | undefined, table: string): Refusal {
  const unit = object.replace(/^(?:pre|post) /, "");
  return new Refusal({
    code: "refers-to-table",
    message: `${symbol ?? "code"} in ${unit} refers to its own entry of ${table}, as warnings with a text do in this kernel (WARN(), WARN_ONCE()): that is not understood yet`,
    location: unit,
    hint: "a patch of files without such warnings can be made into an update",
  });
}
