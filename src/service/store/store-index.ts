import { z } from "zod";
import { CVE_PATTERN, ID_PATTERN } from "../../update/file/manifest.js";

/** A kernel's release as a name of a directory. */
export const RELEASE_PATTERN = /^[A-Za-z0-9][A-Za-z0-9.+~_-]{0,63}$/;

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const id = z.string().regex(ID_PATTERN);

/** Why an update in the store is left out. */
const heldEntry = z.strictObject({
  /** `crash`: the machine went down before it had been well for a while with it. `not-confirmed`: `apply --confirm` took it back. */
  reason: z.enum(["crash", "not-confirmed"]),
  since: z.iso.datetime(),
  detail: z.string().max(1024),
});

const storedUpdate = z.strictObject({
  id,
  description: z.string().max(4096),
  /** When the change was made. */
  created: z.iso.datetime(),
  installed: z.iso.datetime(),
  /** SHA-256 of the tarball. */
  sha256: hash,
  /** Ids of updates that the kernel must have before. */
  needs: z.array(id),
  cves: z.array(z.string().regex(CVE_PATTERN)),
  effective: z.string().optional(),
  /** `vmlinux`, and names of modules. */
  targets: z.array(z.string()),
  /** Applied also where a target module is not loaded, without it. */
  partial: z.boolean(),
  /** Whose signature was checked when it came in. */
  signer: z.string().optional(),
  /** A machine has been well with it for a while. */
  proven: z.boolean(),
  held: heldEntry.optional(),
});

/** What the store has for one release: `index.json` beside the tarballs. Without an entry here, a file is nothing. */
export const storeIndexSchema = z.strictObject({
  format: z.literal(1),
  release: z.string().regex(RELEASE_PATTERN),
  /** In the order in which they are applied. */
  updates: z.array(storedUpdate),
  /** Of each id the newest that ever was here, so that an old one is not taken for new again. */
  seen: z.array(z.strictObject({ id, created: z.iso.datetime(), sha256: hash })),
});

export type StoreIndex = z.infer<typeof storeIndexSchema>;
export type StoredUpdate = z.infer<typeof storedUpdate>;
export type Held = z.infer<typeof heldEntry>;
