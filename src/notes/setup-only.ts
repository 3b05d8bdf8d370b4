import type { FileChange } from "./changed-functions.js";
import { isSuccessChanged } from "./error-paths.js";
import type { SemanticNote } from "./types.js";
import { momentOf, usagesOf, type Moment } from "./usages.js";

const ADVICE: Record<Exclude<Moment, "init">, string> = {
  probe:
    "only while a device is bound to its driver: devices that were bound before the update stay as they are, until they are unbound and bound again",
  mount:
    "only while a file system is mounted: mounts that were made before the update stay as they are, until they are unmounted and mounted again",
  processor:
    "only while a processor is brought up: those that run stay as they are, until they are taken offline and online again, and the first one until the next boot",
  namespace: "only while a network namespace is made: those that were made before the update, the first one included, stay as they are",
  program:
    "only while a BPF program is loaded: programs that were loaded before the update stay as they were checked and translated, until they are loaded again",
};

/** What checks BPF programs, and what makes code of them. */
const PROGRAMS = /^kernel\/bpf\/verifier\.c$|^arch\/\w+\/net\/bpf_jit_comp\w*\.c$/;

/**
 * Notes a file of which all that changes runs only while a device is bound, a file system is mounted or a processor is brought up. A change to what happens when that fails is
 * no matter: what is there now did not fail. Neither is one to initialization code, of which create says itself that it is used up.
 */
export function noteSetupOnly(files: readonly FileChange[]): SemanticNote[] {
  return files.flatMap(({ path, functions, post }): SemanticNote[] => {
    const usages = usagesOf(post);
    // A removed function counts by those that used it: they change too.
    const changed = functions
      .filter((change) => change.post !== undefined)
      .map((change) => ({ change, moment: PROGRAMS.test(path) ? ("program" as const) : momentOf(change.name, post, usages) }))
      .filter(({ moment }) => moment !== "init");
    const subject = changed.find(
      ({ change: { pre, post: now }, moment }) =>
        pre !== undefined && now !== undefined && (moment === "program" || isSuccessChanged(pre.body, now.body)),
    );
    const moment = subject?.moment;
    if (subject?.change.post === undefined || moment === undefined || moment === "init" || changed.some((other) => other.moment !== moment))
      return [];
    const others = changed.length === 1 ? "" : `, like all else that changes in ${path},`;
    const { name, post: now } = subject.change;
    return [{ kind: "setup-only", function: name, file: path, line: now.line, message: `${name}${others} runs ${ADVICE[moment]}` }];
  });
}
