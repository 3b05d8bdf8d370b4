import type { ShadowTree } from "./shadow-tree.js";

/** A source tree in which the change is made: real files where the patch touches, links to the user's tree elsewhere. */
export interface PatchedTree {
  readonly shadow: ShadowTree;
  /** Absolute path of its top. */
  readonly root: string;
  /** Files that the patch changes, adds or removes, from the top of the tree, sorted. */
  readonly touched: readonly string[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** The change as one unified diff that `patch -p1` takes. */
  readonly patch: string;
  /** What the change says of itself, on one line. */
  readonly description: string;
  /** CVE ids that the change says it fixes, sorted. */
  readonly cves: readonly string[];
  /** When the change was made. */
  readonly made: Date;
  /** What the user should know of how the patch applies: hunks that are shifted. */
  readonly notes: readonly string[];
  /** A directory that is searched for headers last, after the kernel's own; only where the patch needs it. */
  readonly includeDir: string | undefined;
  /** Deletes the shadow. */
  dispose(): Promise<void>;
}
