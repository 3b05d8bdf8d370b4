import { z } from "zod";
import type { KernelFacts } from "../live/kernel-facts.js";
import { refuseSnapshot } from "./refusals.js";

/**
 * What a snapshot holds besides memory, as two ELF notes: facts as JSON, and the text of /proc/kallsyms. docs/matching.md describes it.
 */

/** Version of the notes. A reader refuses any other. */
export const SNAPSHOT_FORMAT = 1;

export const SNAPSHOT_OWNER = "ksplice";
/** "ks" and a number: debuggers read some note types by the number alone, whoever the owner is. */
export const NT_KSPLICE_FACTS = 0x6b730001;
export const NT_KSPLICE_KALLSYMS = 0x6b730002;

// Names and texts are printed on terminals.
const text = z
  .string()
  .max(512)
  .regex(/^\P{Cc}*$/u);
const addr = z
  .string()
  .regex(/^0x[0-9a-f]{1,16}$/)
  .transform((digits) => BigInt(digits));
const size = z.number().int().nonnegative();

const redirectedFunction = z.strictObject({
  name: text,
  oldAddr: addr,
  oldSize: size,
  newAddr: addr,
  newSize: size,
  siteOffset: size,
  byFtrace: z.boolean().default(false),
  target: text,
});

const factsSchema = z.strictObject({
  format: z.literal(SNAPSHOT_FORMAT),
  release: text.min(1),
  machine: text.min(1),
  buildId: z
    .string()
    .regex(/^([0-9a-f]{2}){1,64}$/)
    .optional(),
  modules: z.array(z.strictObject({ name: text, addr, size, refcount: size, state: text })),
  /** A list, not an object: section names may be anything. */
  sections: z.array(z.strictObject({ module: text, sections: z.array(z.tuple([text, addr])) })),
  coreVersion: size.optional(),
  updates: z.array(z.strictObject({ id: text, stage: text, functions: z.array(redirectedFunction), writtenTargets: z.array(text) })),
});

/** What is known of a kernel besides memory and symbols, as a note of a snapshot holds it. */
export function encodeFacts(facts: KernelFacts): Uint8Array {
  const { release, machine, buildId, modules, coreVersion, updates } = facts;
  const sections = modules.flatMap(({ name: module }) => {
    const addrs = facts.moduleSections(module);
    return addrs === undefined ? [] : [{ module, sections: [...addrs] }];
  });
  const json = { format: SNAPSHOT_FORMAT, release, machine, buildId, modules, sections, coreVersion, updates };
  return new TextEncoder().encode(JSON.stringify(json, (_, item: unknown) => (typeof item === "bigint" ? `0x${item.toString(16)}` : item)));
}

/**
 * @param path what errors call the snapshot
 * @throws Refusal `bad-snapshot` for text that is no JSON, another format version, or anything that the schema does not allow
 */
export function decodeFacts(bytes: Uint8Array, path: string): KernelFacts {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw refuseSnapshot(path, `its facts are no JSON (${error instanceof Error ? error.message : String(error)})`);
  }
  // The version first: a later format would fail the schema in ways that explain nothing.
  const version = z.object({ format: z.union([z.number(), z.string(), z.null(), z.boolean()]) }).safeParse(json);
  if (version.success && version.data.format !== SNAPSHOT_FORMAT)
    throw refuseSnapshot(
      path,
      `its format version is ${JSON.stringify(version.data.format)}; this program reads version ${SNAPSHOT_FORMAT}`,
    );
  const parsed = factsSchema.safeParse(json);
  if (!parsed.success) throw refuseSnapshot(path, `its facts: ${z.prettifyError(parsed.error).replaceAll("\n", "; ").slice(0, 1000)}`);
  const { release, machine, buildId, modules, sections, coreVersion, updates } = parsed.data;
  const sectionsByModule = new Map(sections.map((entry) => [entry.module, new Map(entry.sections)]));
  return { release, machine, buildId, modules, coreVersion, updates, moduleSections: (module) => sectionsByModule.get(module) };
}
