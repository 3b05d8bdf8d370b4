import type { Status, UpdateStatus } from "./status-schema.js";

/** What has a say in the whole besides the updates. */
export interface Circumstances {
  /** Why no update can be applied to this kernel. */
  readonly unsupported: string | undefined;
  readonly disabledBy: string | undefined;
  /** Updates with which something is the matter that only a reboot mends. */
  readonly reboot: readonly { readonly id: string; readonly reason: string }[];
}

/** The gravest thing there is to say, and all the reasons for it. */
export function judgeStatus(
  updates: readonly UpdateStatus[],
  { unsupported, disabledBy, reboot }: Circumstances,
): Pick<Status, "state" | "reasons"> {
  if (unsupported !== undefined) return { state: "unsupported-kernel", reasons: [unsupported] };
  const say = ({ id, reason }: UpdateStatus, words: string): string => `${id} ${words}${reason === undefined ? "" : `: ${reason}`}`;
  const failed = updates.filter(({ state }) => state === "failed");
  const isForReboot = ({ id }: UpdateStatus): boolean => reboot.some((each) => each.id === id);
  if (!failed.every(isForReboot)) return { state: "failed", reasons: failed.map((update) => say(update, "was not applied")) };
  if (reboot.length > 0) return { state: "reboot-needed", reasons: reboot.map(({ reason }) => reason) };
  const absent = updates.filter(({ state, inService }) => inService && state !== "applied" && state !== "on-disk");
  if (absent.length === 0) return { state: "in-order", reasons: [] };
  const off = disabledBy === undefined ? [] : [`all updates are kept out, by ${disabledBy}`];
  return { state: "not-applied", reasons: [...off, ...absent.map((update) => say(update, "is not applied"))] };
}

/**
 * The version whose fixes a kernel has: what the newest of its updates says, that says anything; else its release with how many updates it has.
 * @param applied in the order in which they were
 */
export function effectiveVersion(release: string, applied: readonly Pick<UpdateStatus, "effective">[]): string {
  if (applied.length === 0) return release;
  return applied.flatMap(({ effective }) => effective ?? []).at(-1) ?? `${release}+ksplice.${applied.length}`;
}
