import { MODULE_NAME_LEN } from "../../elf/module-versions.js";
import { ARCHITECTURE_NAMES } from "../../arch/architectures.js";
import { z } from "zod";
import { HOOK_KINDS } from "../../diff/atoms/hook-kinds.js";

/** Version of the tarball's layout and of this manifest. A reader refuses any other. */
export const FORMAT_VERSION = 6;

/**
 * Letters and digits, so that `ksplice_ID_` begins the names of this update's modules and of no other's; and not the name that
 * the core has for a file of its own beside the updates' folders.
 */
export const ID_PATTERN = /^(?!version$)[A-Za-z0-9]{1,24}$/;

/** One byte is the NUL. */
export const MAX_MODULE_NAME = MODULE_NAME_LEN - 1;

const relativePath = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[A-Za-z0-9_+,.=@-]+(\/[A-Za-z0-9_+,.=@-]+)*$/)
  .refine((path) => !path.split("/").some((part) => part === "." || part === ".."), "path leaves its folder");

const symbolName = z.string().min(1).max(512);

const sourceLine = z.strictObject({ file: z.string(), line: z.number().int().nonnegative() });

const functionEntry = z.strictObject({
  name: symbolName,
  sourceLine: sourceLine.optional(),
  preSymbol: symbolName,
  /** Alias symbol in the target's module; another unit's for a function that moved. */
  newSymbol: symbolName,
  preParts: z.array(symbolName),
  /** `other`: it takes or returns something else than before, so nobody who calls the old one may be left. */
  interface: z.enum(["same", "other"]),
  /** Threads may stay in the old code when the update is applied. */
  mayBeBusy: z.boolean(),
});

/** A range of existing data that is overwritten while the update is applied. */
const writeEntry = z.strictObject({
  name: symbolName,
  preSymbol: symbolName,
  /** Bytes from the start of the object. */
  offset: z.number().int().nonnegative(),
  size: z.number().int().positive(),
  /** Alias symbol in the target's module of the object that holds the new bytes, from `newOffset` on. */
  newSymbol: symbolName,
  newOffset: z.number().int().nonnegative(),
  /** True where the whole old object must be what the pre object says, not only the bytes that are overwritten. */
  isConstant: z.boolean(),
});

const dataEntry = z.strictObject({
  name: symbolName,
  sourceLine: sourceLine.optional(),
  /** `redirected`: only pointers in it change. */
  how: z.enum(["rewritten", "redirected"]),
});

const hookEntry = z.strictObject({ kind: z.enum(HOOK_KINDS), name: symbolName, sourceLine: sourceLine.optional() });

const importEntry = z.strictObject({ name: symbolName, symbol: symbolName, preSymbol: symbolName.optional() });

const unitEntry = z.strictObject({
  /** Object path from the top of the kernel tree: `net/ipv4/raw.o`. */
  path: relativePath,
  /** The pre object in this update. */
  pre: relativePath,
  /** The post object, for run-post matching. */
  post: relativePath,
  functions: z.array(functionEntry),
  writes: z.array(writeEntry),
  imports: z.array(importEntry),
  changed: z.array(z.strictObject({ name: symbolName, sourceLine: sourceLine.optional(), reasons: z.array(z.string()) })),
  new: z.array(symbolName),
  removed: z.array(symbolName),
  /** Functions of this unit that another unit has after the patch, for people. */
  moved: z.array(z.strictObject({ name: symbolName, to: relativePath })),
  /**
   * Removed functions, whose code stays as it is: no thread may be inside when the update is applied, as what it calls changes. Unless they may be called,
   * nothing in the running kernel but code that is replaced or left itself may refer to them.
   */
  left: z.array(z.strictObject({ preSymbol: symbolName, preParts: z.array(symbolName), mayBeCalled: z.boolean() })),
  /** Global names that the unit defines anew: the running kernel's target must not have them. */
  added: z.array(symbolName),
  /** The objects that `writes` overwrites, for people. */
  data: z.array(dataEntry),
  /** The patch's own, for people: the module has them in a section of their own. */
  hooks: z.array(hookEntry),
});

/** `vmlinux`, or a module's name. */
const targetName = z.string().regex(/^[A-Za-z0-9_]{1,55}$/);

const targetEntry = z.strictObject({
  name: targetName,
  /** Name of the module that carries this target's new code. */
  module: z
    .string()
    .regex(/^ksplice_[A-Za-z0-9_]+$/)
    .max(MAX_MODULE_NAME),
  file: relativePath,
  /** Symbols that this module offers to those of other targets, which are loaded after it, and to modules that are loaded later. */
  exports: z.array(symbolName),
  units: z.array(unitEntry).min(1),
});

/** The whole of a module, built from the patched source, for the disk of the machine. */
const wholeModuleEntry = z.strictObject({
  name: targetName,
  /** The shipped module, below /lib/modules/RELEASE; there it may be packed, with a further ending. */
  place: relativePath.regex(/^kernel\/.*\.ko$/),
  /** The file in this update. */
  file: relativePath,
  /** SHA-256, hex, of the shipped module, unpacked and without a signature. */
  shipped: z.string().regex(/^[0-9a-f]{64}$/),
});

/** The vulnerabilities that an update fixes, as cve.org writes them. */
export const CVE_PATTERN = /^CVE-(19|20)\d{2}-\d{4,7}$/;

/** A unit whose source file the patch touches and whose code stays the same: run-post matching compares it too. */
const checkedEntry = z.strictObject({ path: relativePath, target: targetName, post: relativePath });

/** What no comparison of objects can judge, for people. It is printed on terminals. */
const noteEntry = z.strictObject({
  // Whoever made the update may know more kinds than who applies it: a note is there to be read.
  kind: z.string().regex(/^[a-z]{1,20}(?:-[a-z]{1,20}){0,4}$/),
  function: symbolName.regex(/^\w+$/),
  file: relativePath,
  line: z.number().int().nonnegative(),
  message: z
    .string()
    .max(2048)
    .regex(/^\P{Cc}*$/u),
});

/** Text that is printed on terminals. */
const shownText = z
  .string()
  .max(4096)
  .regex(/^\P{Cc}*$/u);

/** A type that new code sees with another layout than the running kernel's, and that the update's author has let through (`--allow-layout`). For people. */
const allowedLayout = z.strictObject({
  /** `struct foo` */
  label: shownText,
  /** `FILE:LINE` of its definition, where a touched file has it. */
  place: shownText.optional(),
  /** Whose code sees it so. */
  units: z.array(relativePath).min(1),
  /** What differs, a sentence each. */
  reasons: z.array(shownText),
  /** Types that hold it by value, and differ for that alone. */
  holders: z.array(shownText),
  /** What must be true of the objects that exist. */
  vouched: shownText,
  /** Both layouts, a line each: docs/types.md. */
  picture: z.array(shownText),
});

export const manifestSchema = z.strictObject({
  format: z.literal(FORMAT_VERSION),
  id: z.string().regex(ID_PATTERN),
  // It is printed on terminals.
  description: z
    .string()
    .max(4096)
    .regex(/^\P{Cc}*$/u),
  /** ISO 8601, UTC: the time of the change that the update was made from, so that the same input gives the same bytes. */
  created: z.iso.datetime(),
  kernel: z.strictObject({
    release: z.string().min(1).max(64),
    machine: z.enum(ARCHITECTURE_NAMES),
    /** Hex. Absent where the build machine had no image of the kernel to take it from. */
    buildId: z
      .string()
      .regex(/^([0-9a-f]{2}){8,64}$/)
      .optional(),
    compiler: z.string(),
  }),
  /** Ids of the updates that the source held which it was made from, oldest first: the kernel must have them. */
  after: z.array(z.string().regex(ID_PATTERN)).max(256),
  cves: z.array(z.string().regex(CVE_PATTERN)).max(256),
  /** The version of the kernel whose fixes a machine has with this update: for people and programs that compare versions. */
  effective: z
    .string()
    .regex(/^[A-Za-z0-9.+~:_-]{1,64}$/)
    .optional(),
  core: relativePath,
  targets: z.array(targetEntry).min(1).max(256),
  /** Absent where the update was made without --build-modules. */
  wholeModules: z.array(wholeModuleEntry).min(1).max(256).optional(),
  checked: z.array(checkedEntry),
  notes: z.array(noteEntry),
  layouts: z.array(allowedLayout),
  /**
   * Callbacks, as `struct foo.show`, that take or return something else, together with all who call and all who provide them: such an update is applied as a whole or not at all. Absent where
   * there are none.
   */
  together: z.array(shownText).min(1).max(256).optional(),
  /** SHA-256, hex, of every other file of the update. */
  files: z.record(relativePath, z.string().regex(/^[0-9a-f]{64}$/)),
});

export type Manifest = z.infer<typeof manifestSchema>;

/** False for an update whose parts rely on each other: a module that is loaded later without its part would call, or be called, in the old way. */
export function mayBePartial({ together }: Pick<Manifest, "together">): boolean {
  return together === undefined;
}

export type ManifestTarget = z.infer<typeof targetEntry>;
export type ManifestWholeModule = z.infer<typeof wholeModuleEntry>;
export type ManifestUnit = z.infer<typeof unitEntry>;
export type CheckedUnit = z.infer<typeof checkedEntry>;
export type ManifestFunction = z.infer<typeof functionEntry>;
export type ManifestWrite = z.infer<typeof writeEntry>;
export type AllowedLayout = z.infer<typeof allowedLayout>;
export type ManifestImport = z.infer<typeof importEntry>;
