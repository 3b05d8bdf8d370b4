import { Refusal } from "../diagnostics.js";

/**
 * Another system's `/usr`, unpacked into a directory: compiler, binutils and libraries of another release, of which nothing is installed. A program in it
 * sees the machine's files as they are, with that `/usr` in place of the machine's own; so paths mean the same inside and outside.
 */
export interface BuildRoot {
  /** Absolute path of the directory that holds `usr`. */
  readonly path: string;
  /** Directories that programs in the root need; of interest are those below `/usr`, which would be hidden. */
  readonly needed: readonly string[];
}

/** Exit status by which the script says that the root could not be entered. */
const CANNOT_ENTER = 125;

/** Whether a program in a root did not even start because of the root. `unshare` ends with 1, as compilers do, and with a line of its own. */
export function couldNotEnter(exitCode: number | undefined, stderr: string): boolean {
  return exitCode === CANNOT_ENTER || (exitCode === 1 && stderr.startsWith("unshare: "));
}

/** What a shell ends with where there is no such program. */
export const NOT_FOUND = 127;

/**
 * Runs in a mount namespace of its own. The linker's cache is of the machine's libraries; without it the default directories are searched. `mount` is the machine's own, so
 * `/usr` comes last.
 */
const SCRIPT = [
  "root=$1 hidden=$2; shift 2",
  "fail() { exit 125; }",
  "[ ! -e /etc/ld.so.cache ] || mount --bind /dev/null /etc/ld.so.cache || fail",
  // One a line; read by the shell itself, for there is no other process that could.
  'while IFS= read -r dir; do [ -z "$dir" ] || { mkdir -p "$root$dir" && mount --rbind "$dir" "$root$dir"; } || fail; done <<END\n$hidden\nEND',
  'mount --rbind "$root/usr" /usr || fail',
  'cd . && exec "$@"',
].join("\n");

/** The command that runs a program in a root. Takes 8 ms. Needs no root where users may make namespaces. */
export function commandInRoot(root: BuildRoot, program: string, args: readonly string[]): [string, string[]] {
  // As root no user namespace: in one, root could not read what belongs to others.
  const asRoot = process.getuid?.() === 0 ? [] : ["--map-root-user"];
  const hidden = root.needed.filter((path) => path.startsWith("/usr/"));
  return ["unshare", ["--mount", ...asRoot, "sh", "-c", SCRIPT, "sh", root.path, hidden.join("\n"), program, ...args]];
}

/** What a program in the root finds in its environment, besides the caller's. */
export const ROOT_ENVIRONMENT = { PATH: "/usr/bin:/usr/sbin", LD_LIBRARY_PATH: undefined, LD_PRELOAD: undefined } as const;

/** @param words what the program said that should have entered it */
export function cannotEnterRoot(root: BuildRoot, words: string): Refusal {
  return new Refusal({
    code: "cannot-enter-build-root",
    message: `the kernel's compiler is in ${root.path}, and a namespace to run it in could not be made:\n${words.trimEnd()}`,
    location: root.path,
    hint: "run the command as root, or let users make namespaces (sysctl kernel.unprivileged_userns_clone=1, in a container --privileged); or run it on the kernel's own release, where the compiler is at hand",
  });
}
