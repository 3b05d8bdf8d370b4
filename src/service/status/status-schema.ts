import { z } from "zod";

/** Raised where a field goes or means something else; a new field is no new version. */
export const STATUS_VERSION = 1;

const updateStatus = z.object({
  id: z.string(),
  description: z.string().describe("One line"),
  state: z
    .enum(["applied", "not-applied", "on-disk", "waiting", "left-out", "failed", "undone"])
    .describe(
      "on-disk: its module comes with it when it is loaded the next time; waiting: for a module; left-out: by the crash guard, unconfirmed, or for want of what it needs; undone: by hand, since boot",
    ),
  reason: z.string().optional().describe("Why it is not applied, or what is the matter although it is"),
  inService: z.boolean().describe("In the store: the next boot applies it"),
  needs: z.array(z.string()).describe("Ids of updates that must be applied before"),
  cves: z.array(z.string()),
  effective: z.string().optional().describe("Version of the kernel whose fixes a machine has with it"),
  applied: z.string().optional().describe("When, ISO 8601"),
  sha256: z.string().optional().describe("Of the tarball"),
  signer: z.string().optional(),
  stopNs: z.number().optional().describe("How long the machine was stopped for it, nanoseconds"),
  confirmWithin: z.number().optional().describe("Seconds that are left to confirm it, else it is undone"),
});

/** What `ksplice status --json` prints; docs/status.schema.json is made of it. A change that a reader may stumble over takes another version. */
export const statusSchema = z.object({
  version: z.literal(STATUS_VERSION),
  time: z.string().describe("ISO 8601"),
  kernel: z.object({
    release: z.string().describe("uname -r"),
    effective: z.string().describe("ksplice uname -r: the version whose fixes the running kernel has"),
    machine: z.string(),
    package: z.string().optional().describe("Version of the distribution's package that it was booted from"),
  }),
  state: z
    .enum(["in-order", "not-applied", "failed", "reboot-needed", "unsupported-kernel"])
    .describe("Exit status of ksplice status: 0, 10, 11, 12, 13"),
  reasons: z.array(z.string()).describe("Why the state is not in-order, a sentence each"),
  disabledBy: z.string().optional().describe("What keeps all updates out at boot"),
  updates: z.array(updateStatus),
  otherReleases: z.array(z.string()).describe("Others that the store has updates for"),
});

export type Status = z.infer<typeof statusSchema>;
export type UpdateStatus = Status["updates"][number];

/** Exit status of `ksplice status`, apart from those of every command. */
export const STATUS_EXIT: Readonly<Record<Status["state"], number>> = {
  "in-order": 0,
  "not-applied": 10,
  failed: 11,
  "reboot-needed": 12,
  "unsupported-kernel": 13,
};

/** The schema as others read it: `docs/status.schema.json`. */
export function statusJsonSchema(): unknown {
  return { title: "ksplice status --json", ...z.toJSONSchema(statusSchema, { io: "input" }) };
}
