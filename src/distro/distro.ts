import type { Tell } from "../events.js";
import type { KernelRecord } from "../tree/kernel-record.js";

/**
 * A distribution: where its kernels come from. To add one: a folder beside `debian/` that has an object of this type, exported by
 * `src/index.ts`. `prepare` makes a tree as docs/kbuild.md describes it; nothing behind it knows of distributions.
 */
export interface Distribution {
  /** As in /etc/os-release. */
  readonly id: string;
  /** The kernels of this architecture that the archive has, all flavours, oldest first. */
  kernels(place: ArchivePlace): Promise<readonly ArchiveKernel[]>;
  /** The versions of a series (`6.1`) that the archive has the source of, oldest first. */
  sources(series: string, place: ArchivePlace): Promise<readonly string[]>;
  /** Makes a kernel's tree. Installs nothing; nothing is left behind if it fails. */
  prepare(request: PrepareRequest): Promise<KernelRecord>;
  /** Name of the package that has a program of the build (`flex`) or a library's headers (`libelf`). */
  packageOf(tool: string): string | undefined;
}

/** Which part of a distribution's archive is meant, and where what is fetched of it is kept. */
export interface ArchivePlace {
  readonly cacheDir: string;
  /** Code name of a release of the distribution (`trixie`). Default: the machine's own sources, and then the release that a kernel is of. */
  readonly suite?: string | undefined;
  /** Entries as in a sources.list, in place of the suite's. */
  readonly sources?: readonly string[] | undefined;
  readonly tell?: Tell | undefined;
}

/** A kernel that the archive has. */
export interface ArchiveKernel {
  /** As `uname -r` says it: `6.1.0-47-amd64`. */
  readonly release: string;
  /** Of the source it was built from: `6.1.170-3`. */
  readonly version: string;
  /** The archive has the source of this very version, and the headers. */
  readonly sourceAvailable: boolean;
}

export interface PrepareRequest extends ArchivePlace {
  /** Default: the running kernel's. */
  readonly release?: string | undefined;
  /** The tree to make. */
  readonly dir: string;
}
