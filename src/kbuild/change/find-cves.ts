/** As cve.org writes them: a year, and a number of at least four digits. */
const CVE = /\bCVE-(?:19|20)\d{2}-\d{4,7}\b/gi;

/** The CVE ids that texts name, each once, in upper case and sorted. */
export function findCves(texts: readonly (string | undefined)[]): string[] {
  return [...new Set(texts.flatMap((text) => (text?.match(CVE) ?? []).map((id) => id.toUpperCase())))].sort();
}
