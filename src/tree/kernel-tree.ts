/** A module that is no part of the kernel's source (`make M=DIR`), in a tree that `ksplice prepare --module` made. Its files are all that an update of the tree can change. */
export interface ExternalModule {
  /** As the kernel spells it. */
  readonly name: string;
  /** Where its source lies, from the top of the tree. */
  readonly directory: string;
  /** Absolute path of the directory that the module's file was built in: `__FILE__` names it. */
  readonly builtIn: string;
}

/** A kernel source tree and what its configuration directory says (`KERNEL_SOURCE/ksplice/` or `--config=DIR`). Nothing in it is ever written. */
export interface KernelTree {
  /** Absolute path. Where the tree has been built in, or updates were made of it already, a view of it: without what the build has made, and with those. */
  readonly source: string;
  /** Absolute path of the tree that the user has: where it has not been built in, the same. */
  readonly original: string;
  /**
   * What updates that the kernel has already have made of files: their text as it was patched, latin1; undefined for one that is gone. In `source`, lines
   * are numbered as in the original.
   */
  readonly held?: ReadonlyMap<string, string | undefined>;
  /** Undefined for a tree of the kernel itself. */
  readonly external?: ExternalModule;
  /** Absolute path of the configuration directory. */
  readonly configDir: string;
  /** `.config` of the running kernel. */
  readonly configFile: string;
  /** `System.map` or `kallsyms` of the running kernel, where the directory holds one. */
  readonly symbolsFile: string | undefined;
  /** Headers or build directory that modules for this kernel are compiled against: `Module.symvers`, `include/generated`. */
  readonly buildDir: string | undefined;
  /** Make flags from the file `flags`. */
  readonly makeFlags: readonly string[];
}
