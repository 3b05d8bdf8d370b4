import { execa } from "execa";
import { cannotEnterRoot, commandInRoot, couldNotEnter, NOT_FOUND, ROOT_ENVIRONMENT, type BuildRoot } from "./build-root.js";

export interface ToolResult {
  /** Undefined where a signal ended the program. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** The program could not be started because there is none of that name. */
  readonly notFound: boolean;
}

export interface ToolOptions {
  readonly cwd?: string;
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  /** How the output is read; as `latin1`, a character is a byte. Default: UTF-8. */
  readonly encoding?: "latin1";
  /** Where the program is; undefined: on this machine. */
  readonly root?: BuildRoot | undefined;
}

/** Variables of the caller's environment that would change what kbuild, the compiler or git do. */
const IGNORED_VARIABLES = [
  "ARCH",
  "CROSS_COMPILE",
  "CFLAGS",
  "CPPFLAGS",
  "KCFLAGS",
  "KCPPFLAGS",
  "KAFLAGS",
  "LDFLAGS",
  "LOCALVERSION",
  "KBUILD_OUTPUT",
  "KBUILD_EXTMOD",
  "KBUILD_EXTRA_SYMBOLS",
  "KCONFIG_CONFIG",
  "MAKEFLAGS",
  "MAKELEVEL",
  "MFLAGS",
  "O",
  "M",
  "CPATH",
  "C_INCLUDE_PATH",
  "GCC_EXEC_PREFIX",
  "COMPILER_PATH",
  "GREP_OPTIONS",
  "GIT_DIR",
  "GIT_WORK_TREE",
  "GIT_INDEX_FILE",
  "GIT_DIFF_OPTS",
  "LANG",
  "LANGUAGE",
  "LC_MESSAGES",
];

/**
 * Runs a program without a shell, in the C locale, and never throws because of how it ended.
 * @throws Refusal `cannot-enter-build-root`
 */
export async function runTool(program: string, args: readonly string[], options: ToolOptions = {}): Promise<ToolResult> {
  const cleared = Object.fromEntries(IGNORED_VARIABLES.map((name) => [name, undefined]));
  const { root } = options;
  const [file, words] = root === undefined ? [program, args] : commandInRoot(root, program, args);
  const result = await execa(file, words, {
    reject: false,
    stripFinalNewline: false,
    stdin: options.input === undefined ? "ignore" : "pipe",
    ...(options.input === undefined ? {} : { input: options.input }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...cleared, LC_ALL: "C", ...(root === undefined ? {} : ROOT_ENVIRONMENT), ...options.env },
    ...(options.encoding === undefined ? {} : { encoding: options.encoding }),
    maxBuffer: 256 * 1024 * 1024,
  });
  if (root !== undefined && (couldNotEnter(result.exitCode, result.stderr) || result.code === "ENOENT"))
    throw cannotEnterRoot(root, result.stderr === "" ? `${file}: ${result.shortMessage ?? ""}` : result.stderr);
  return {
    exitCode: result.exitCode,
    stdout: result.stdout,
    stderr: result.stderr,
    notFound: root === undefined ? result.code === "ENOENT" : result.exitCode === NOT_FOUND,
  };
}
