import { Refusal } from "../../diagnostics.js";

export const unknownUpdate = (id: string, known: readonly string[]): Refusal =>
  new Refusal({
    code: "unknown-update",
    message: `there is no update ${id} in this kernel`,
    hint: known.length === 0 ? "no update is applied" : `applied are: ${known.join(", ")}`,
  });
