import { Refusal } from "../../diagnostics.js";

/**
 * Only of the bug table it is known what code wants of its entries, and there each piece of code of its own.
 * @param symbol of the function, if it has one
 */
export function refersToTable(object: string, symbol: string | undefined, table: string): Refusal {
  const unit = object.replace(/^(?:pre|post) /, "");
  return new Refusal({
    code: "refers-to-table",
    message: `${symbol ?? "code"} in ${unit} refers to ${table}, a table that describes code, and not to the start of an entry of its own: what it wants there is not known`,
    location: unit,
    hint: "a patch of other files can be made into an update",
  });
}
