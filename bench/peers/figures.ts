import { z } from "zod";
import { PEER_NAMES } from "./peer.js";

/** What switching to new code took, with so many threads in the machine. An instruction is a nanosecond there. */
const switching = z.object({
  threads: z.number(),
  /** Instructions for which all stood still; nothing where none did. */
  stopped: z.number(),
  /** Nanoseconds from the moment that the machine begins to switch to when all threads run the new code only; waiting counts. */
  switched: z.number(),
});
export type Switching = z.infer<typeof switching>;

/** What was measured in a machine that has the update. */
const running = z.object({
  /** Instructions that a call costs more than before. */
  call: z.number(),
  /** Bytes of all modules that the update needs, as `/proc/modules` says. */
  loaded: z.number(),
  switching: z.array(switching),
});
export type Running = z.infer<typeof running>;

/** What a command took. Others may use the machine too: the processor's time is less theirs than the clock's is. */
const took = z.object({ seconds: z.number(), processorSeconds: z.number() });
export type Took = z.infer<typeof took>;

export const toolFigures = z.object({
  name: z.enum(PEER_NAMES),
  version: z.string(),
  /** What the times are of. */
  means: z.string(),
  /** The tool's own words where it could not make the update; then nothing else is there. */
  failed: z.string().optional(),
  first: took.optional(),
  second: took.optional(),
  /** Bytes of all that the tool has written, and of what it wants for itself. */
  disk: z.number().optional(),
  /** Bytes of the file that a machine is given. */
  update: z.number().optional(),
  running: running.optional(),
});
export type ToolFigures = z.infer<typeof toolFigures>;

const kernelFigures = z.object({
  /** Of the kernel that is patched: `7.3.4-own`. */
  release: z.string(),
  series: z.string(),
  /** The machine that the updates were made on. */
  host: z.string(),
  /** `2026-11`. */
  month: z.string(),
  tools: z.array(toolFigures),
});
export type KernelFigures = z.infer<typeof kernelFigures>;

/** @throws Error where the text is of another form */
export function parseFigures(text: string): KernelFigures[] {
  return z.array(kernelFigures).parse(JSON.parse(text));
}

/** What was measured in place of what was known of the same tool on the same series; the rest stays. */
export function mergeFigures(known: readonly KernelFigures[], measured: KernelFigures): KernelFigures[] {
  const before = known.find(({ series }) => series === measured.series);
  const others = (before?.tools ?? []).filter(({ name }) => !measured.tools.some((tool) => tool.name === name));
  const rank = ({ name }: ToolFigures): number => PEER_NAMES.indexOf(name);
  const merged = { ...measured, tools: [...others, ...measured.tools].sort((a, b) => rank(a) - rank(b)) };
  return [...known.filter(({ series }) => series !== measured.series), merged].sort((a, b) => compareSeries(b.series, a.series));
}

function compareSeries(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}
