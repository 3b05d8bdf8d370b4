import { z } from "zod";

/** What is measured of one kernel. Times in seconds. */
const kernelFigures = z.object({
  suite: z.string(),
  release: z.string(),
  version: z.string(),
  /** The version whose fixes were tried. */
  next: z.string().optional(),
  /** Day of the measure, `2026-11-27`. */
  day: z.string(),
  /** What refused the kernel, at whatever step: of such a one no figures are kept. */
  refused: z.object({ code: z.string(), message: z.string() }).optional(),
  prepareSeconds: z.number().optional(),
  matching: z
    .object({
      units: z.number(),
      functions: z.number(),
      /** Those included of which the running kernel has another unit's copy. */
      matched: z.number(),
      /** Units of modules that could not be loaded into the machine. */
      unknownUnits: z.number(),
      /** Units with a function that does not match, and what is said of it. */
      mismatches: z.array(z.object({ unit: z.string(), functions: z.array(z.string()), cause: z.string() })),
    })
    .optional(),
  fixes: z
    .object({
      found: z.number(),
      judged: z.number(),
      updates: z.number(),
      noEffect: z.number(),
      refused: z.array(z.object({ fix: z.string(), code: z.string() })),
      failed: z.array(z.string()),
      /** The middle one of the updates' times, from the patch to the update. */
      createSeconds: z.number(),
      rehearsed: z.number(),
      verified: z.number(),
      wrong: z.array(z.string()),
      unknown: z.number(),
    })
    .optional(),
});

export type KernelFigures = Readonly<z.infer<typeof kernelFigures>>;

/** @throws ZodError, SyntaxError */
export function parseFigures(text: string): KernelFigures[] {
  return z.array(kernelFigures).parse(JSON.parse(text));
}

/** Those of before, with the new ones of the same kernels in their place. */
export function mergeFigures(before: readonly KernelFigures[], now: readonly KernelFigures[]): KernelFigures[] {
  const key = ({ suite, release }: KernelFigures): string => `${suite} ${release}`;
  const fresh = new Map(now.map((figures) => [key(figures), figures]));
  const kept = before.map((figures) => fresh.get(key(figures)) ?? figures);
  return [...kept, ...now.filter((figures) => !before.some((other) => key(other) === key(figures)))];
}
