import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { readTextIfThere } from "../../src/host/files.js";
import { toolFigures, type Took, type ToolFigures } from "./figures.js";
import { FIRST, patchOf, SECOND } from "./fixes.js";
import { ToolFailed, type Peer, type Workplace } from "./peer.js";
import type { PatchedKernel } from "./small-kernel.js";

/** What a tool has made. */
export interface Updates {
  readonly figures: ToolFigures;
  /** Of the first fix; undefined where the tool could not make it. */
  readonly file: string | undefined;
}

/** Makes both updates. What comes of it stays in the tool's directory, so that a run which is ended may go on from there. */
export async function buildUpdates(peer: Peer, place: Workplace, resume: boolean): Promise<Updates> {
  const kept = join(place.directory, "..", `${place.kernel.series}-${peer.name}.json`);
  const file = (name: string): string => join(place.directory, name);
  const before = resume ? await readTextIfThere(kept) : undefined;
  if (before !== undefined) {
    const { tree, figures, made } = JSON.parse(before) as { tree?: string; figures: unknown; made?: string };
    // What was made of another kernel is of no use, even if that one was called the same.
    if (tree === place.kernel.tree) return { figures: toolFigures.parse(figures), file: made };
  }
  await rm(place.directory, { recursive: true, force: true });
  await mkdir(place.directory, { recursive: true });
  place.tell("stage", `${peer.name}: what it starts from`);
  await peer.prepare(place);
  const figures = { name: peer.name, version: await peer.version(place), means: peer.means };
  const patches = await writePatches(place.kernel, file);
  const result = await timeBoth(peer, place, patches);
  const kind =
    typeof result === "string"
      ? { figures: { ...figures, failed: result } }
      : { figures: { ...figures, ...result.figures }, made: result.made };
  await writeFile(kept, `${JSON.stringify({ tree: place.kernel.tree, ...kind }, undefined, 2)}\n`);
  return { figures: kind.figures, file: typeof result === "string" ? undefined : result.made };
}

async function writePatches(kernel: PatchedKernel, file: (name: string) => string): Promise<[string, string]> {
  const paths: [string, string] = [file(`${FIRST.name}.patch`), file(`${SECOND.name}.patch`)];
  await writeFile(paths[0], await patchOf(FIRST, kernel.source), "latin1");
  await writeFile(paths[1], await patchOf(SECOND, kernel.source), "latin1");
  return paths;
}

interface Timed {
  readonly figures: Pick<ToolFigures, "first" | "second" | "disk" | "update">;
  /** The first update's file. */
  readonly made: string;
}

/** @returns the tool's last words where it makes no update */
async function timeBoth(peer: Peer, place: Workplace, [first, second]: readonly [string, string]): Promise<Timed | string> {
  const timed = async (patch: string, name: string, isSecond: boolean): Promise<{ made: string; took: Took }> => {
    place.tell("stage", `${peer.name}: the ${isSecond ? "second" : "first"} update`);
    const [started, spent] = [performance.now(), place.spent.seconds];
    const made = await peer.build(place, patch, name, isSecond);
    const took = { seconds: (performance.now() - started) / 1000, processorSeconds: place.spent.seconds - spent };
    place.tell("stage", `${peer.name}: ${took.seconds.toFixed(1)} s, ${took.processorSeconds.toFixed(1)} s of a processor`);
    return { made, took };
  };
  try {
    const { made, took: firstTook } = await timed(first, FIRST.name, false);
    const { took: secondTook } = await timed(second, SECOND.name, true);
    const { stdout } = await execa("du", ["-s", "--block-size=1", ...peer.disk(place)]);
    const disk = stdout.split("\n").reduce((sum, line) => sum + Number.parseInt(line, 10), 0);
    return { figures: { first: firstTook, second: secondTook, disk, update: (await stat(made)).size }, made };
  } catch (error) {
    if (error instanceof ToolFailed) {
      place.tell("stage", `${peer.name}: ${error.message}`);
      return lastWords(error.message);
    }
    throw error;
  }
}

const SHOWN_LINES = 12;

function lastWords(text: string): string {
  return text.split("\n").slice(-SHOWN_LINES).join("\n");
}
