/** Temporary files of this process's tests lie in memory, where there is a place for them: see own-temporary.ts. */
const place = process.env["KSPLICE_TEST_MEMORY"];
if (place !== undefined) process.env["TMPDIR"] = place;
