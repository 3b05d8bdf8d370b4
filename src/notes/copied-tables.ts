import { codeTokens } from "../source/top-level-items.js";
import type { FileChange } from "./changed-functions.js";
import { lineAt } from "./read-functions.js";
import type { SemanticNote } from "./types.js";

/** What a driver takes, and how: looked up when a device is bound. */
const IDS = /^(?:\w+_device_id|dmi_system_id|snd_pci_quirk|hda_quirk)$/;

/**
 * What whoever registers with it makes a copy of, or reads that once. __regmap_init(), nf_hook_entries_grow(), rhashtable_init(), nvmem_register(), snd_ctl_new1(),
 * snd_soc_dapm_new_control(), Linux 6.1 and 6.12.
 */
const COPIED = /^(?:regmap_config|nf_hook_ops|rhashtable_params|nvmem_config|snd_kcontrol_new|snd_soc_dapm_widget|snd_soc_dapm_route)$/;

/** What a BPF program may give a helper (kernel/bpf/verifier.c). */
const HELPER = /^bpf_func_proto$/;

/** Read when the files of a device are made in sysfs (fs/sysfs/group.c). */
const FILES = /^(?:bin_)?attribute(?:_group)?$/;

/** By what code files objects that goes by a table's constants; the hash table itself goes on by its copy of the old ones (rhashtable_lookup_fast() and rht_deferred_worker(), Linux 6.1). */
const FILES_BY = ["hashfn", "obj_hashfn", "obj_cmpfn"];

const TABLE = /\bstruct\s+(\w+)\s+(\w+)\s*(?:\[[^\]=;]*\]\s*)*(?:__\w+\s*)*=\s*\{/g;

interface Table {
  readonly type: string;
  readonly value: string;
  readonly line: number;
}

/** Notes tables that are read when something is bound or registered, and never after that: what is there already goes by what they said then. */
export function noteCopiedTables(files: readonly FileChange[]): SemanticNote[] {
  return files.flatMap(({ path, preText, postText, pre, post }) => {
    const before = tablesIn(pre.fileLevel, preText);
    return [...tablesIn(post.fileLevel, postText)].flatMap(([name, { type, value, line }]): SemanticNote[] => {
      const was = before.get(name);
      if (was?.type !== type || was.value === value) return [];
      if (type === "rhashtable_params" && FILES_BY.some((member) => memberOf(was.value, member) !== memberOf(value, member))) {
        const message = `${name} has other functions that hash or compare: objects that are filed by the former lie where these have put them, and new code looks for them elsewhere`;
        return [{ kind: "changed-hash", function: name, file: path, line, message }];
      }
      const what = HELPER.test(type)
        ? "says what a BPF program may give a helper, and is read when one is loaded: programs that were loaded before the update go on giving what they were allowed to"
        : FILES.test(type)
          ? "is read when files are made in sysfs: those that are there stay as they are"
          : IDS.test(type)
            ? "says which devices a driver takes, and how, and is read when one is bound: those that are bound stay as they are, and those that no driver has are not bound by applying"
            : "is copied when something is registered with it, as a device is bound, say: what was registered before the update stays as it is";
      return [{ kind: "setup-only", function: name, file: path, line, message: `${name} ${what}` }];
    });
  });
}

/** What a value, tokens with blanks between them, gives a member. */
function memberOf(value: string, member: string): string | undefined {
  return new RegExp(String.raw`(?:^|[{,] )\. ${member} = ([^,]+?) ?(?:,|$)`).exec(value)?.[1];
}

/** @param fileLevel the text with function bodies, comments and strings blank. @param whole the same with them */
function tablesIn(fileLevel: string, whole: string): ReadonlyMap<string, Table> {
  const tables = new Map<string, Table>();
  for (const match of fileLevel.matchAll(TABLE)) {
    const [all, type = "", name = ""] = match;
    if (![IDS, COPIED, HELPER, FILES].some((types) => types.test(type))) continue;
    const start = match.index + all.length;
    const end = fileLevel.indexOf("\n}", start);
    const stop = end < 0 ? fileLevel.indexOf(";", start) : end;
    tables.set(name, { type, value: [...codeTokens(whole.slice(start, stop))].join(" "), line: lineAt(fileLevel, match.index) });
  }
  return tables;
}
