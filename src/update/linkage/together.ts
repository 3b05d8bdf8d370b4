import type { Unit } from "../../kbuild/types.js";

/** Tells functions of an update apart, static ones of one name included. */
export function functionKey({ path, target }: Pick<Unit, "path" | "target">, name: string): string {
  return `${target} ${path} ${name}`;
}
