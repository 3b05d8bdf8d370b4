import { Refusal } from "../diagnostics.js";

/** What the service refuses, a factory each. */

export const untrustedPath = (path: string, reason: string): Refusal =>
  new Refusal({
    code: "untrusted-path",
    message: `${path} is not to be trusted: ${reason}`,
    location: path,
    hint: "what goes into the kernel must be root's alone: chown root:root and chmod go-w the file and the directories above it, after a look at who had it",
  });

export const damagedStore = (path: string, reason: string): Refusal =>
  new Refusal({
    code: "damaged-store",
    message: `${path} is damaged: ${reason}`,
    location: path,
    hint: "nothing of it is used; install the updates again, behind `rm` of this file",
  });

export const badRelease = (release: string): Refusal =>
  new Refusal({
    code: "bad-release",
    message: `${JSON.stringify(release)} cannot be the release of a kernel in the store`,
    hint: "letters, digits and .+~_- are",
  });

export const notInStore = (id: string, known: readonly string[]): Refusal =>
  new Refusal({
    code: "not-in-store",
    message: `there is no update ${id} in the store`,
    hint: known.length === 0 ? "the store is empty" : `in the store are: ${known.join(", ")}`,
  });

export const severalReleases = (id: string, releases: readonly string[]): Refusal =>
  new Refusal({
    code: "several-releases",
    message: `update ${id} is in the store for several kernels: ${releases.join(", ")}`,
    hint: "say which by --release",
  });

export const needsMissing = (id: string, release: string, missing: readonly string[]): Refusal =>
  new Refusal({
    code: "needs-missing",
    message: `update ${id} was made after ${missing.join(", ")}, which the store has not for ${release}`,
    hint: `install ${missing.join(", ")} first`,
  });

export const neededBy = (id: string, dependents: readonly string[]): Refusal =>
  new Refusal({
    code: "needed-by",
    message: `update ${id} stays in the store: ${dependents.join(", ")} ${dependents.length === 1 ? "was" : "were"} made after it`,
    hint: `remove ${[...dependents].reverse().join(", ")} first`,
  });

export const olderUpdate = (id: string, created: string, newest: string, what = "the store has had one"): Refusal =>
  new Refusal({
    code: "older-update",
    message: `update ${id} of ${created} is older than ${what} of ${newest}`,
    hint: "somebody may be offering an old update again; --allow-older takes it all the same",
  });

export const inContainer = (kind: string): Refusal =>
  new Refusal({
    code: "in-container",
    message: `this is a container (${kind}): it has no kernel of its own`,
    hint: "install ksplice on the machine that runs the container; what is applied there holds for all its containers",
  });

export const notHeld = (id: string): Refusal =>
  new Refusal({ code: "not-held", message: `update ${id} is not left out of service`, hint: "ksplice status says why it is not applied" });
