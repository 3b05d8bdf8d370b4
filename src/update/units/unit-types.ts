import { compileTypes } from "../../kbuild/compile/compile-types.js";
import type { UnitWithCommand } from "../../kbuild/compile/unit-command.js";
import { mayChangeTypes } from "../../kbuild/reach/may-change-types.js";
import type { PreparedBuild, Unit } from "../../kbuild/types.js";
import type { PatchedTree } from "../../kbuild/change/patched-tree.js";
import { mapLimited } from "../../host/map-limited.js";

/** The types of a unit before and after the change, as BTF. */
export interface TypesPair {
  readonly pre: Uint8Array;
  readonly post: Uint8Array;
}

/** Compiles the types of units, each at most once; also ahead of the question, where there are jobs to spare. */
export class UnitTypes {
  readonly #units: ReadonlyMap<string, UnitWithCommand>;
  readonly #pairs = new Map<string, Promise<TypesPair | undefined>>();

  constructor(
    private readonly build: PreparedBuild,
    private readonly patched: PatchedTree,
    /** All that may be asked about. */
    units: readonly UnitWithCommand[],
    /** Compile both sides of a unit at once. */
    private readonly atOnce: boolean,
  ) {
    this.#units = new Map(units.map((unit) => [unit.path, unit]));
  }

  /** Undefined for a unit in which no type can have changed. @throws Refusal where the unit does not compile */
  of(unit: Unit): Promise<TypesPair | undefined> {
    const known = this.#pairs.get(unit.path);
    if (known !== undefined) return known;
    const pair = this.#compile(unit);
    // Whoever asked ahead may never come back for it.
    pair.catch(() => undefined);
    this.#pairs.set(unit.path, pair);
    return pair;
  }

  /** The types of a unit whether they can have changed or not. @throws Refusal where the unit does not compile */
  async compiled(unit: Unit): Promise<TypesPair> {
    const known = await this.of(unit);
    if (known !== undefined) return known;
    const pair = this.#compile(unit, true);
    this.#pairs.set(unit.path, pair);
    const made = await pair;
    if (made === undefined) throw new Error(`${unit.path}: no types were made`);
    return made;
  }

  /** Waits for what was begun, whatever comes of it. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#pairs.values());
  }

  async #compile({ path }: Unit, always = false): Promise<TypesPair | undefined> {
    const { build, patched } = this;
    const unit = this.#units.get(path);
    if (unit === undefined) throw new Error(`${path} is none of the units whose types can be asked for`);
    // There is no unpatched one: what it makes of types is what the other units' headers say, and what they say is compared there.
    if (unit.command.isNew) return { pre: new Uint8Array(), post: await compileTypes(build, unit, { shadow: patched }) };
    if (!always && !(await mayChangeTypes(build, unit, patched))) return undefined;
    const [pre, post] = await mapLimited([{}, { shadow: patched }], this.atOnce ? 2 : 1, (variant) => compileTypes(build, unit, variant));
    if (pre === undefined || post === undefined) throw new Error(`${path}: types of one side only`);
    return { pre, post };
  }
}
