import type { ElfRelocation } from "../../elf/model.js";
import type { Atom, Target } from "../atoms/atom.js";

/** Gives a relocation of the post object its place in the new one. `owner` is undefined for a table that describes code. */
export type Relocate = (relocation: ElfRelocation, target: Target, owner: Atom | undefined) => ElfRelocation;
