import type { Status, UpdateStatus } from "./status-schema.js";

/** A headline of a description: what comes before its explanation. */
const headline = (description: string): string => description.split(" — ")[0] ?? "";

const STATES: Readonly<Record<Status["state"], string>> = {
  "in-order": "in order",
  "not-applied": "updates in service are NOT APPLIED",
  failed: "an update FAILED",
  "reboot-needed": "a REBOOT is needed",
  "unsupported-kernel": "this kernel is NOT SUPPORTED",
};

/** For people. */
export function spellStatus(status: Status): string {
  const { kernel, state, reasons, updates, otherReleases, disabledBy } = status;
  const version = kernel.effective === kernel.release ? "" : `, effectively ${kernel.effective}`;
  const lines = [
    `${kernel.release}${version}: ${STATES[state]}`,
    ...reasons.map((reason) => `  ${reason}`),
    ...(disabledBy === undefined || state === "not-applied" ? [] : [`  all updates are kept out at boot, by ${disabledBy}`]),
    ...(updates.length === 0 ? ["no update is applied or in service"] : updates.map(spellUpdate)),
    ...(otherReleases.length === 0 ? [] : [`in service for other kernels: ${otherReleases.join(", ")}`]),
  ];
  return `${lines.join("\n")}\n`;
}

function spellUpdate({ id, state, inService, cves, description, confirmWithin, reason }: UpdateStatus): string {
  const notes = [
    ...(inService ? [] : ["not in service"]),
    ...(confirmWithin === undefined ? [] : [`undone in ${confirmWithin} s unless confirmed`]),
    ...((state === "applied" || state === "on-disk") && reason !== undefined ? [reason] : []),
  ];
  return `${id} ${state}${notes.length === 0 ? "" : ` (${notes.join("; ")})`}: ${headline(description)}${cves.length === 0 ? "" : ` [${cves.join(", ")}]`}`;
}

/** One line for a message of the day; empty where there is nothing to say. */
export function statusLine({ kernel, state, updates, reasons }: Status): string {
  const applied = updates.filter((update) => update.state === "applied").length;
  if (state === "in-order" && applied === 0) return "";
  const unconfirmed = updates.filter(({ confirmWithin }) => confirmWithin !== undefined).map(({ id }) => id);
  const waits = unconfirmed.length === 0 ? "" : `; to be confirmed: ${unconfirmed.join(", ")}`;
  if (state === "in-order")
    return `Kernel ${kernel.release} has ${applied} live ${applied === 1 ? "update" : "updates"}, effectively ${kernel.effective}${waits}.`;
  return `Kernel ${kernel.release}: ${STATES[state]} (${reasons[0] ?? ""}${reasons.length > 1 ? `, and ${reasons.length - 1} more` : ""}); see ksplice status${waits}.`;
}
