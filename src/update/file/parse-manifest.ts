import { z } from "zod";
import { FORMAT_VERSION, manifestSchema, type Manifest } from "./manifest.js";
import { badUpdate } from "./refusals.js";

/**
 * @param path what errors call the update
 * @throws Refusal `bad-update` for text that is no JSON, another format version, or anything that the schema does not allow
 */
export function parseManifest(bytes: Uint8Array, path: string): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw badUpdate(path, `update.json is no JSON (${error instanceof Error ? error.message : String(error)})`);
  }
  // The version first: a manifest of a later format would fail the schema in ways that explain nothing.
  const version = z.object({ format: z.union([z.number(), z.string(), z.null(), z.boolean()]) }).safeParse(json);
  if (version.success && version.data.format !== FORMAT_VERSION)
    throw badUpdate(path, `its format version is ${JSON.stringify(version.data.format)}; this program reads version ${FORMAT_VERSION}`);
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) throw badUpdate(path, `update.json: ${z.prettifyError(parsed.error).replaceAll("\n", "; ")}`);
  return parsed.data;
}
