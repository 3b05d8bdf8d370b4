import { createHash } from "node:crypto";
import { KSPLICE_ABI } from "../../src/engine/core/part-section.js";
import type { LoadedUpdate, RequestedStage, StageOptions } from "../../src/engine/core/ksplice-sysfs.js";
import type { Engine } from "../../src/engine/engine.js";
import type { KernelFacts } from "../../src/kernel/live/kernel-facts.js";
import type { ModulePolicy } from "../../src/kernel/live/module-policy.js";
import type { LivepatchedFunction } from "../../src/kernel/live/livepatches.js";
import type { RunningSystem } from "../../src/update/apply/running-system.js";
import type { RunSymbol } from "../../src/run-kernel.js";
import { asLive, FACTS, sampleKernel } from "./sample-fit.js";

/** Nothing changes its memory. */
const KERNEL = sampleKernel();

/** What the core makes of a request: it does it, or gives one of these causes for not doing it. */
type Answer = "done" | "code_busy" | "no_match" | "unexpected_running_task";

export interface FakeSystemOptions {
  /** What the core makes of the requests, one after another; of those behind the last, as of the last. */
  readonly answers?: readonly Answer[];
  /** Modules that cannot be loaded. */
  readonly unloadable?: readonly string[];
  readonly facts?: Partial<KernelFacts>;
  readonly livepatched?: readonly LivepatchedFunction[];
  readonly policy?: Partial<ModulePolicy>;
  /** Updates that modules came with from the disk. */
  readonly marks?: Readonly<Record<string, readonly string[]>>;
  /** What its kernel has beside the sample's. */
  readonly symbols?: readonly RunSymbol[];
  /** Where an undo leaves an update. */
  readonly undone?: "reversed" | "resident";
}

/** A system without a machine: a core that keeps a list of updates, below an array of memory. It writes down what is done to it. */
export class FakeSystem implements RunningSystem {
  /** `load NAME`, `unload NAME`, `STAGE ID` with what the request says besides, `stop limit N us`. */
  readonly done: string[] = [];
  /** Paths of those that its kernel was opened with, one after another. */
  readonly systemMaps: (string | undefined)[] = [];
  readonly modules = new Set<string>();
  readonly updates = new Map<string, LoadedUpdate>();
  readonly engine: Engine;
  isLocked = false;
  coreVersion: number | undefined;
  #requests = 0;

  constructor(private readonly options: FakeSystemOptions = {}) {
    this.engine = {
      listIds: () => [...this.updates.keys()].sort(),
      readCoreVersion: () => this.coreVersion,
      readUpdate: (id) => this.updates.get(id),
      writeStage: (id, stage, how) => {
        this.#request(id, stage, how ?? {});
      },
      writeStopLimit: (microseconds) => this.done.push(`stop limit ${microseconds} us`),
      loadModule: async (object, name) => {
        this.#load(object, name);
        await Promise.resolve();
      },
      unloadModule: async (name) => {
        this.#unload(name);
        await Promise.resolve();
      },
      moduleIsLoaded: (name) => this.modules.has(name),
      describeTask: (pid) => ({ waitChannel: pid === 7 ? "do_wait" : undefined, isKernelThread: pid === 8 }),
    };
  }

  /** Puts an update into it. */
  hold(id: string, state: Partial<LoadedUpdate>): void {
    this.updates.set(id, { ...EMPTY, id, ...state });
  }

  requireRoot(): void {
    this.done.push("root");
  }

  identity(): KernelFacts {
    return { ...FACTS, ...this.options.facts };
  }

  openKernel(options: Parameters<RunningSystem["openKernel"]>[0] = {}): ReturnType<RunningSystem["openKernel"]> {
    this.systemMaps.push(options.systemMap?.path);
    const updates = [...this.updates.values()].map(({ id, stage, functions }) => ({ id, stage, functions, writtenTargets: [] }));
    const kernel = asLive(KERNEL, { updates, coreVersion: this.coreVersion, ...this.options.facts });
    return { ...kernel, allSymbols: () => [...kernel.allSymbols(), ...(this.options.symbols ?? [])] };
  }

  loadedModules(): readonly string[] {
    return [...this.modules];
  }

  moduleMarks(module: string): readonly string[] {
    return this.options.marks?.[module] ?? [];
  }

  livepatchedFunctions(): readonly LivepatchedFunction[] {
    return this.options.livepatched ?? [];
  }

  modulePolicy(): ModulePolicy {
    return { wantsSignature: undefined, isClosed: false, ...this.options.policy };
  }

  async locked<T>(action: () => Promise<T>): Promise<T> {
    this.isLocked = true;
    try {
      return await action();
    } finally {
      this.isLocked = false;
    }
  }

  #load(object: Uint8Array, name: string): void {
    if (!this.isLocked) throw new Error(`${name} is loaded without the lock`);
    this.done.push(`load ${name}`);
    if (this.options.unloadable?.includes(name) === true) throw new Error(`${name} cannot be loaded`);
    this.modules.add(name);
    const [, id, target = ""] = /^ksplice_([a-z0-9]+)_(.+)$/.exec(name) ?? [];
    if (id === undefined) {
      this.coreVersion = KSPLICE_ABI;
      return;
    }
    const parts = this.updates.get(id)?.parts ?? [];
    const digest = createHash("sha256").update(object).digest("hex");
    this.hold(id, { stage: "loaded", parts: [...parts, { module: name, target, digest, isUnloadable: true }] });
  }

  #unload(name: string): void {
    this.done.push(`unload ${name}`);
    this.modules.delete(name);
    const [, id] = /^ksplice_([a-z0-9]+)_/.exec(name) ?? [];
    if (id === undefined) this.coreVersion = undefined;
    else this.updates.delete(id);
  }

  #request(id: string, stage: RequestedStage, { nudge, stay, replace }: StageOptions): void {
    const words = [stage, id, ...(nudge === true ? ["nudge"] : []), ...(stay === true ? ["stay"] : [])];
    this.done.push([...words, ...(replace === undefined ? [] : [`replace ${replace}`])].join(" "));
    const state = this.updates.get(id);
    if (state === undefined) throw new Error(`no update ${id}`);
    const answers = this.options.answers ?? ["done"];
    const answer = answers[Math.min(this.#requests, answers.length - 1)] ?? "done";
    const attempts = ++this.#requests;
    if (answer !== "done") {
      const conflicts = answer === "code_busy" ? [{ task: "cat", pid: 7, function: "entry" }] : [];
      this.updates.set(id, { ...state, abortCause: answer, conflicts, attempts });
      throw new Error("EAGAIN");
    }
    const reached = stage === "applied" ? "applied" : stage === "released" ? "reversed" : (this.options.undone ?? "reversed");
    this.updates.set(id, { ...state, stage: reached, abortCause: "ok", stopNs: 1234, attempts });
    if (replace !== undefined) this.updates.set(replace, { ...EMPTY, id: replace, stage: "reversed" });
  }
}

const EMPTY: Omit<LoadedUpdate, "id"> = {
  stage: "loaded",
  description: "",
  abortCause: "ok",
  conflicts: [],
  stopNs: undefined,
  attempts: undefined,
  functions: [],
  writes: [],
  parts: [],
  replacedBy: [],
};
