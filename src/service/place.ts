import { join } from "node:path";

/** Where the service keeps its files: below the machine's root, or below that of an image that is being made. */
export interface Place {
  readonly root: string;
  /** User id that must own everything that is believed: 0, but in tests. */
  readonly owner: number;
}

/** The system below a directory, all of it root's. */
export function thisPlace(root = "/"): Place {
  return { root, owner: 0 };
}

/** Survives a reboot. */
export function storeDir({ root }: Place): string {
  return join(root, "var/lib/ksplice");
}

/** tmpfs: what is true until the next boot only. */
export function runDir({ root }: Place): string {
  return join(root, "run/ksplice");
}

/** What the administrator writes. */
export function configDir({ root }: Place): string {
  return join(root, "etc/ksplice");
}
