/** Of kernels that Debian 12 has: the release's own, and the newer one of its backports. */
export type Series = "6.1" | "6.12";

export const ALL_SERIES: readonly Series[] = ["6.1", "6.12"];

/**
 * The kernels that tests of a machine run on: by day the one given, so that `npm test` ends in time, and by night (`npm run nightly`) both. What tests the
 * kernel core at large runs on both by day too, and of the others each has its share.
 */
export function seriesByDay(day: Series): readonly Series[] {
  return process.env["KSPLICE_TEST_SERIES"] === "all" ? ALL_SERIES : [day];
}
