import type { LoadedUpdate, RequestedStage, StageOptions } from "./core/ksplice-sysfs.js";

/** What keeps updates in a running kernel and switches them, as user space sees it. The core in `kmod/` is one; tests bring one of their own. */
export interface Engine {
  /** Ids of all updates that are loaded, in alphabetical order; none if the engine itself is not loaded. */
  listIds(): string[];
  /** Interface version of the engine; undefined if it is not loaded. */
  readCoreVersion(): number | undefined;
  /** The update with this id; undefined if it is not loaded. */
  readUpdate(id: string): LoadedUpdate | undefined;
  /** Asks for another stage. @throws an error where that is refused; the update's `abortCause` then says why */
  writeStage(id: string, stage: RequestedStage, how?: StageOptions): void;
  /** How long threads may be looked at while the machine is stopped, at most. Microseconds. */
  writeStopLimit(microseconds: number): void;
  /** @throws Refusal `module-load-failed` */
  loadModule(object: Uint8Array, name: string): Promise<void>;
  /** @throws Refusal `module-unload-failed` */
  unloadModule(name: string): Promise<void>;
  moduleIsLoaded(name: string): boolean;
  describeTask(pid: number): TaskState;
}

/** What a thread is, and does. */
export interface TaskState {
  /** The function that it sleeps in; undefined for one that runs, that is gone, or where the kernel does not tell. */
  readonly waitChannel: string | undefined;
  readonly isKernelThread: boolean;
}
