import { homedir } from "node:os";
import { join } from "node:path";

/** Where builds, objects and downloads are kept between runs: `$XDG_CACHE_HOME/ksplice`, else `~/.cache/ksplice`. Not created here. */
export function defaultCacheDir(environment: NodeJS.ProcessEnv): string {
  const base = environment["XDG_CACHE_HOME"];
  // The XDG specification tells to ignore a relative path.
  return base?.startsWith("/") === true ? join(base, "ksplice") : join(homedir(), ".cache", "ksplice");
}
