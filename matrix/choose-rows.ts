import type { ArchiveKernel, ArchivePlace, Distribution } from "../src/distro/distro.js";

/** A kernel to measure, and the release whose fixes are tried on it. */
export interface MatrixRow {
  /** Release of the distribution that it is of: `trixie`. */
  readonly suite: string;
  readonly release: string;
  /** Of the source that it was built from. */
  readonly version: string;
  /** The version of that source that has the next upstream release; undefined where the archive has none. */
  readonly next: string | undefined;
}

/** Debian's releases that the README names. */
export const SUITES = ["bookworm", "trixie"] as const;

/**
 * For each series and flavour of each release of the distribution the newest kernel that a later upstream release follows, or the newest of all if none does.
 * @throws Refusal where the archive cannot be asked
 */
export async function chooseRows(distribution: Distribution, place: Omit<ArchivePlace, "suite">): Promise<MatrixRow[]> {
  const rows = await Promise.all(
    SUITES.map(async (suite) =>
      rowsOf(
        suite,
        (await distribution.kernels({ ...place, suite })).filter((kernel) => kernel.sourceAvailable),
      ),
    ),
  );
  return rows.flat();
}

/** @param kernels oldest first */
export function rowsOf(suite: string, kernels: readonly ArchiveKernel[]): MatrixRow[] {
  const lines = new Map<string, ArchiveKernel[]>();
  for (const kernel of kernels) {
    const line = `${seriesOf(kernel.version)} ${flavourOf(kernel.release)}`;
    lines.set(line, [...(lines.get(line) ?? []), kernel]);
  }
  return [...lines.values()].flatMap((line) => {
    const pairs = line.map((kernel, index) => ({
      kernel,
      next: line.slice(index + 1).find((later) => hasOtherFixes(kernel, later))?.version,
    }));
    const chosen = pairs.findLast(({ next }) => next !== undefined) ?? pairs.at(-1);
    return chosen === undefined ? [] : [{ suite, release: chosen.kernel.release, version: chosen.kernel.version, next: chosen.next }];
  });
}

/** Versions with the same part before the dash are of one upstream release, and differ in little else than how they are built. */
function hasOtherFixes(kernel: ArchiveKernel, later: ArchiveKernel): boolean {
  return upstreamOf(kernel.version) !== upstreamOf(later.version);
}

function upstreamOf(version: string): string {
  return version.slice(0, version.indexOf("-"));
}

function seriesOf(version: string): string {
  return /^\d+\.\d+/.exec(version)?.[0] ?? version;
}

/** `amd64`, `cloud-amd64`, `rt-amd64`. */
function flavourOf(release: string): string {
  return /(?:(?:cloud|rt)-)?[^-]+$/.exec(release)?.[0] ?? "";
}
