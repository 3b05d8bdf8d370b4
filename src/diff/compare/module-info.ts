import { isDeviceTableAlias } from "../../elf/made-names.js";
import { isDefinedInSection, type ElfObject } from "../../elf/model.js";
import type { ChangedMark } from "./changed-marks.js";

/** What tools and the module loader go by; the rest is for people. */
const TOLD_TO_TOOLS = /^(?:[^.=]*\.)?(?:alias|softdep|weakdep|firmware|license)=/;

/** What a unit says of its module to depmod, modprobe and the loader, where that changes: they read the file on the disk, and have read it of a module that is loaded. */
export function compareModuleInfo(pre: ElfObject, post: ElfObject): ChangedMark[] {
  const [had, has] = [factsOf(pre), factsOf(post)];
  return [...had, ...has]
    .filter((fact) => had.has(fact) !== has.has(fact))
    .map((fact): ChangedMark => ({ name: fact, what: "the list of what the module's file tells depmod, modprobe and the loader" }));
}

/** Of a table of ids that MODULE_DEVICE_TABLE gives a second name, depmod makes aliases. */
function factsOf({ sections, symbols }: ElfObject): ReadonlySet<string> {
  const texts = sections.filter(({ name }) => name === ".modinfo").map(({ data }) => Buffer.from(data).toString("latin1"));
  const tables = symbols.filter((symbol) => isDefinedInSection(symbol) && isDeviceTableAlias(symbol.name)).map(({ name }) => name);
  return new Set([...texts.flatMap((text) => text.split("\0")).filter((fact) => TOLD_TO_TOOLS.test(fact)), ...tables]);
}
