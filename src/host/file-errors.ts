/** What the system says of files and directories, by errno's name (errno(3)). */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EISDIR: "is a directory",
  ENOTDIR: "is not a directory",
  ENOSPC: "no space is left on the device",
  EDQUOT: "the disk quota is used up",
  EROFS: "the file system is read-only",
  ELOOP: "too many symbolic links",
};

const FULL: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT"]);
const NOT_WRITABLE: ReadonlySet<string> = new Set([...FULL, "EROFS", "EACCES", "EPERM"]);

/** What an error says of a file, with its path, where it knows that; undefined for any other error. */
export function whatOfFile(error: unknown): { reason: string; path: string | undefined } | undefined {
  const code = codeOf(error);
  const reason = REASONS[code];
  if (reason === undefined) return undefined;
  const path = error instanceof Error && "path" in error && typeof error.path === "string" ? error.path : undefined;
  // Reading a directory, and writing what there is no room for, fail once the file is open: that does not know the path any more.
  return path === undefined && code !== "EISDIR" && !FULL.has(code) ? undefined : { reason, path };
}

/** Why a file cannot be written; undefined for an error that says nothing of that. */
export function whyNotWritable(error: unknown): string | undefined {
  const code = codeOf(error);
  return NOT_WRITABLE.has(code) ? REASONS[code] : undefined;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
