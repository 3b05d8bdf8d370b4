import { statSync } from "node:fs";
import { join } from "node:path";

/** Where an update is written. @param given a file, or a directory that is there; default: the current one */
export function tarballPath(given: string | undefined, id: string): string {
  const isDirectory = given === undefined || statSync(given, { throwIfNoEntry: false })?.isDirectory() === true;
  return isDirectory ? join(given ?? ".", `ksplice-${id}.tar.gz`) : given;
}
