import { z } from "zod";

/** OpenVEX as who reads it takes it: no scanner that does is in Debian or on npm. */

const identified = { "@id": z.url().optional() };
const time = z.iso.datetime({ offset: true });

const statement = z
  .strictObject({
    ...identified,
    vulnerability: z.strictObject({
      ...identified,
      name: z.string(),
      description: z.string().optional(),
      aliases: z.array(z.string()).optional(),
    }),
    products: z.array(z.strictObject({ "@id": z.url() })).min(1),
    status: z.enum(["not_affected", "affected", "fixed", "under_investigation"]),
    timestamp: time.optional(),
    status_notes: z.string().optional(),
    justification: z.string().optional(),
    impact_statement: z.string().optional(),
    action_statement: z.string().optional(),
  })
  .refine(
    ({ status, action_statement: action }) => (status === "affected") === (action !== undefined),
    "what is affected says what to do, and nothing else does",
  )
  .refine(
    ({ status, justification }) => (status === "not_affected") === (justification !== undefined),
    "only what is not affected says why",
  );

/** What github.com/openvex/spec demands of a document of version 0.2.0, of the fields that ksplice writes. */
export const openVexSchema = z.strictObject({
  "@context": z.literal("https://openvex.dev/ns/v0.2.0"),
  "@id": z.url(),
  author: z.string().min(1),
  role: z.string().optional(),
  timestamp: time,
  last_updated: time.optional(),
  version: z.int().min(1),
  tooling: z.string().optional(),
  statements: z.array(statement),
});

/**
 * Whether a statement about a product is one about the package that a scanner has found: type, namespace, name and version are the same, and the scanned one has all
 * qualifiers of the product, with the same values. So does OpenVEX's own library, which trivy and grype use.
 */
export function coversPackage(product: string, scanned: string): boolean {
  const [wanted, found] = [new URL(product), new URL(scanned)];
  const has = ([name, value]: [string, string]): boolean => found.searchParams.get(name) === value;
  return decodeURIComponent(wanted.pathname) === decodeURIComponent(found.pathname) && [...wanted.searchParams].every(has);
}
