import { nameInSource } from "../../elf/made-names.js";
import { parseObject } from "../../elf/parse-object.js";
import { diffObjects } from "../../diff/diff-objects.js";
import type { ObjectDiff } from "../../diff/object-diff.js";
import type { SourceLine } from "../../diff/types.js";
import { findDefinition } from "../../source/definition-line.js";
import type { Unit } from "../../kbuild/types.js";

/** A touched unit, compiled from both sides. */
export interface UnitPair {
  readonly unit: Unit;
  readonly pre: Uint8Array;
  readonly post: Uint8Array;
  /** Texts of the unit's source file, before and after, for telling where things are defined. */
  readonly sources: readonly string[];
}

export interface UnitDiff {
  readonly unit: Unit;
  readonly diff: ObjectDiff;
  /** Where the unit's patched source defines a symbol of its object; undefined where that cannot be told. */
  readonly lineOf: (symbol: string) => SourceLine | undefined;
}

/** Pre-post differencing of one unit. @param trace as of diffObjects, with the unit's path */
export function diffUnit(pair: UnitPair, trace?: (line: string) => void): UnitDiff {
  return {
    unit: pair.unit,
    lineOf: (symbol) => {
      const line = pair.sources.map((text) => findDefinition(text, nameInSource(symbol))).find((found) => found !== undefined);
      return line === undefined ? undefined : { file: pair.unit.source, line };
    },
    diff: diffObjects(
      parseObject(pair.pre, `pre ${pair.unit.path}`),
      parseObject(pair.post, `post ${pair.unit.path}`),
      trace === undefined
        ? undefined
        : (line) => {
            trace(`${pair.unit.path}: ${line}`);
          },
    ),
  };
}
