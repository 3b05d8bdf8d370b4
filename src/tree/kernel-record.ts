import { join } from "node:path";
import { z } from "zod";
import { readTextIfThere, writeWhole } from "../host/files.js";

/** What `ksplice prepare` writes down about the kernel that it fetched, in the configuration directory. */
const kernelRecord = z.object({
  distribution: z.string(),
  release: z.string(),
  /** Of the source, as the distribution counts. */
  version: z.string(),
  /** Of the kernel in the image, hex. */
  buildId: z.string().optional(),
  /** Where the compiler is that built the kernel, if the machine had another: a name below `build-roots` in the cache. */
  buildRoot: z.string().optional(),
  /** Of a tree for a module that is no part of the kernel's source. */
  module: z.object({ name: z.string(), directory: z.string(), builtIn: z.string() }).optional(),
  /** Package files that the tree was made of. */
  packages: z.array(z.string()),
});

export type KernelRecord = Readonly<z.infer<typeof kernelRecord>>;

const FILE = "kernel.json";

/** @returns undefined where there is none, or it is of another form: a tree can be made by hand */
export async function readKernelRecord(configDir: string): Promise<KernelRecord | undefined> {
  const text = await readTextIfThere(join(configDir, FILE));
  if (text === undefined) return undefined;
  const parsed = kernelRecord.safeParse(parseJson(text));
  return parsed.success ? parsed.data : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Writes kernel.json. */
export async function writeKernelRecord(configDir: string, record: KernelRecord): Promise<void> {
  await writeWhole(join(configDir, FILE), `${JSON.stringify(record, undefined, 2)}\n`);
}

/** Where build roots are kept, and a tree's own one if it has one. */
export function buildRootPath(cacheDir: string, name: string): string {
  return join(cacheDir, "build-roots", name);
}
