import { homeSection, type ElfObject } from "../../elf/model.js";

const SECTION = ".BTF_ids";

/** How the assembler names an entry for resolve_btfids: by what kind of thing it wants the id of which (include/linux/btf_ids.h, Linux 6.1 and 7.3). */
const ENTRY = "__BTF_ID__";

/**
 * The two entries of a class of trace events: they are shown in its file `btf_ids`, and used by nobody else (include/trace/trace_events.h and
 * kernel/trace/trace_events.c, Linux 7.3).
 */
const SHOWN = /^__BTF_ID__(?:func____bpf_trace_|struct__trace_event_raw_)/;

/**
 * True of an object with lists of BTF ids that somebody relies on. They are filled in when types are made, which a module that is built here has none of:
 * what it registers by them would fail as it is loaded.
 */
export function needsTypes(object: ElfObject): boolean {
  if (!object.sections.some(({ name }) => name === SECTION)) return false;
  const entries = object.symbols.filter((symbol) => homeSection(symbol)?.name === SECTION && symbol.name.startsWith(ENTRY));
  return entries.length === 0 || !entries.every(({ name }) => SHOWN.test(name));
}
