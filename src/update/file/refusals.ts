import { Refusal } from "../../diagnostics.js";

/** Every refusal of the update layer, a factory each. */

export const badUpdate = (path: string, reason: string): Refusal =>
  new Refusal({
    code: "bad-update",
    message: `${path} is not a usable update: ${reason}`,
    location: path,
    hint: "make it again with ksplice-create, or copy it again",
  });
