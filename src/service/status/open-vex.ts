import { createHash } from "node:crypto";
import type { Status } from "./status-schema.js";

/** Of the operating system, as /etc/os-release has it. */
export interface OsRelease {
  /** `debian`. */
  readonly id: string;
}

/** Debian's names of processors, by the kernel's. */
const DEBIAN_ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: "amd64", aarch64: "arm64" };

/**
 * OpenVEX 0.2.0 (github.com/openvex/spec): what a scanner that reads the package's version cannot know. `fixed` where the running kernel has all updates
 * in service that name a vulnerability; `affected` where it lacks one of them, also once it was undone.
 */
export function openVex(status: Status, os: OsRelease): unknown {
  const { kernel, updates, time } = status;
  const cves = [...new Set(updates.flatMap(({ cves: ids }) => ids))].sort();
  const product = packageUrl(kernel, os);
  const statements = cves.map((cve) => {
    const naming = updates.filter(({ cves: ids }) => ids.includes(cve));
    const lacking = naming.filter(({ state, inService }) => state !== "applied" && inService);
    const has = naming.filter(({ state }) => state === "applied");
    const about = { vulnerability: { name: cve }, products: [{ "@id": product }] };
    if (lacking.length === 0 && has.length > 0)
      return { ...about, status: "fixed", status_notes: `in the running kernel, by ksplice: ${has.map(({ id }) => id).join(", ")}` };
    const ids = (lacking.length > 0 ? lacking : naming).map(({ id }) => id).join(", ");
    return { ...about, status: "affected", action_statement: `apply ${ids} with ksplice, or boot a kernel that has the fix` };
  });
  const digest = createHash("sha256")
    .update(JSON.stringify([product, statements]))
    .digest("hex");
  return {
    "@context": "https://openvex.dev/ns/v0.2.0",
    // The same for the same statements, and for no others.
    "@id": `https://openvex.dev/docs/public/vex-${digest}`,
    author: "ksplice",
    role: "the machine that runs this kernel",
    timestamp: time,
    version: 1,
    tooling: "ksplice status --vex",
    statements,
  };
}

/**
 * github.com/package-url/purl-spec, of the package that the kernel was booted from. A scanner takes a statement only where its own name of the package has all qualifiers of
 * this one, with the same values; and scanners call the distribution's release differently (`debian-12`, `debian-12.9`), so that it is left out: the kernel's is in the name.
 */
function packageUrl({ release, machine, package: version }: Status["kernel"], { id }: OsRelease): string {
  const encode = encodeURIComponent;
  const architecture = DEBIAN_ARCHITECTURES[machine] ?? machine;
  return `pkg:deb/${encode(id)}/${encode(`linux-image-${release}`)}${version === undefined ? "" : `@${encode(version)}`}?arch=${encode(architecture)}`;
}
