/** Of kernels that Debian 12 has: the release's own, and the newer one of its backports. */
export type Series = "6.1" | "6.12";

export const ALL_SERIES: readonly Series[] = ["6.1", "6.12"];

/**
 * The kernels that tests of a machine run on: by day the one given, so that `npm test` ends in time, and by night (`npm run nightly`) both. Each of the two has
 * its share of the kernel core's tests by day.
 */
export function seriesByDay(day: Series): readonly Series[] {
  return process.env["KSPLICE_TEST_SERIES"] === "all" ? ALL_SERIES : [day];
}
