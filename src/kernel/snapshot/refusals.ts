import { Refusal } from "../../diagnostics.js";

/** A file that was to be a snapshot of a kernel is none, or is damaged. */
export function refuseSnapshot(path: string, reason: string): Refusal {
  return new Refusal({
    code: "bad-snapshot",
    message: `${path} is not a usable snapshot: ${reason}`,
    location: path,
    hint: "make it again with `ksplice snapshot`, or copy it again",
  });
}

/** The snapshot could not be written to its end. */
export function refuseSnapshotWrite(path: string, cause: string): Refusal {
  return new Refusal({ code: "snapshot-not-written", message: `${path} could not be written: ${cause}`, location: path });
}
