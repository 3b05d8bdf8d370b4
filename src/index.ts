/**
 * ksplice as a library: what the commands do, without their words. `examples/` has a program that uses it.
 *
 * A function that cannot do its work throws a {@link Refusal}, whose `code` names the reason and never changes; what it says before is changed by
 * nothing. Anything else that is thrown is a bug. Sizes are in bytes, times in milliseconds where the name says nothing else, addresses are bigint.
 */

// Errors, and how a command ends.
export { EXIT_BUG, EXIT_DONE, EXIT_NO_CHANGE, EXIT_REFUSED, EXIT_USAGE, Refusal } from "./diagnostics.js";
export { tellNobody, type EventKind, type Tell } from "./events.js";

// Get a kernel's source, and what else its updates are made of.
export { debian } from "./distro/debian/debian.js";
export { prepareModule, type PreparedModule, type PrepareModuleRequest } from "./distro/external/prepare-module.js";
export { prepareOwnKernel, type PreparedOwn, type PrepareOwnRequest } from "./distro/own/prepare-own.js";
export type { ArchiveKernel, ArchivePlace, Distribution, PrepareRequest } from "./distro/distro.js";
export { defaultCacheDir } from "./host/cache-dir.js";
export { whatOfFile } from "./host/file-errors.js";
export { removeAllTemporary } from "./host/temporary.js";
export { refuseNotRoot } from "./host/refusals.js";
export { packageRoot } from "./host/package-root.js";
export { commandLine } from "./host/program-paths.js";

// Make an update of a change.
export { headlineOf } from "./kbuild/change/describe-change.js";
export type { Change } from "./kbuild/change/read-change.js";
export { createUpdate, type CreateRequest } from "./update/create/create-update.js";
export { prebuild, type Prebuilt, type PrebuildRequest } from "./update/create/prebuild.js";
export { checkId, randomId } from "./update/create/update-id.js";

// Updates as files.
export { CVE_PATTERN, ID_PATTERN, type Manifest, type ManifestTarget, type ManifestUnit } from "./update/file/manifest.js";
export { findSystemMap, openUpdate, packUpdate, type Update } from "./update/file/update-file.js";
export { spellNote } from "./notes/spell-note.js";

// Compare two objects of one unit.
export { diffObjects } from "./diff/diff-objects.js";
export type { ObjectDiff } from "./diff/object-diff.js";
export type { FunctionChange } from "./diff/types.js";
export { unreadableObject } from "./diff/refusals.js";
export { disassembleFunction, mergeLines } from "./diff/listing/disassemble-function.js";
export { ElfFormatError } from "./elf/elf-format-error.js";
export type { ElfObject } from "./elf/model.js";
export { parseObject } from "./elf/parse-object.js";

// Look at a kernel that runs, or was saved.
export type { SystemMap } from "./kernel/live/kernel-facts.js";
export { openLiveKernel, type LiveKernel } from "./kernel/live/live-kernel.js";
export { openSnapshot } from "./kernel/snapshot/open-snapshot.js";
export { saveSnapshot, type SnapshotSummary } from "./kernel/snapshot/save-snapshot.js";

// See whether an update, or a unit's object, fits a kernel.
export { fitUpdate } from "./update/fit/fit-update.js";
export { isLoaded, type UnitResult } from "./update/match/match-update.js";
export { noMatch, targetNotLoaded } from "./update/match/refusals.js";
export { matchUnit } from "./match/match-unit.js";
export type { Mismatch, UnitMatch } from "./match/types.js";

// Try an update out in a virtual machine.
export { rehearseUpdate } from "./rehearse/rehearse-update.js";
export type { Rehearsal } from "./rehearse/rehearsal.js";
export { oneLine, sawTheSame } from "./rehearse/find-failures.js";

// What a person decides by.
export { reviewUpdate, type Review } from "./review/review-update.js";
export { renderReview } from "./review/render-review.js";

// Updates in service: kept in the store, applied at boot.
export { thisPlace, type Place } from "./service/place.js";
export { readIncoming, readToApply } from "./service/read-incoming.js";
export { UpdateStore, type Incoming, type Installed } from "./service/store/update-store.js";
export { thisService, type Service } from "./service/service.js";
export { applyGuarded, undoNoted, type GuardedOptions, type Origin } from "./service/apply-guarded.js";
export { applyOnDisk, kept, modulesWith, removeFromDisk, undoEverywhere, type DiskResult, type UndoneResult } from "./service/on-disk.js";
export { clearHeld, forgetMarks, markWell } from "./service/guard/settle.js";
export { applyFromStore, installUpdate, removeUpdate } from "./service/in-service.js";
export { armConfirm, confirmUpdate, disarmConfirm, watchUpdate } from "./service/confirm.js";
export { readConfig, settingsOf } from "./service/config.js";
export { parseDuration } from "./service/duration.js";
export { SIGNATURE_NAMESPACE, verifySignature } from "./service/trust.js";
export { machineFacts, readOsRelease, requireMachine } from "./service/machine-facts.js";
export { openVex } from "./service/status/open-vex.js";
export { prometheusText } from "./service/status/prometheus.js";
export { publishStatus } from "./service/status/publish.js";
export { readStatus } from "./service/status/read-status.js";
export { spellStatus, statusLine } from "./service/status/spell-status.js";
export { STATUS_EXIT, statusJsonSchema, type Status } from "./service/status/status-schema.js";
export { packageUpdate } from "./service/package/update-package.js";
export { startService, type StartReport } from "./service/start.js";
export type { Held, StoredUpdate } from "./service/store/store-index.js";

// Change the running kernel, and see what is in it.
export { applyUpdate, type ApplyOptions, type ApplyResult } from "./update/apply/apply-update.js";
export { commandSigner, keySigner, type ModuleSigner, type SigningKey } from "./signing/module-signer.js";
export { undoUpdate, type UndoOptions, type UndoResult } from "./update/apply/undo-update.js";
export { viewKernel, viewUpdateInKernel, type ViewedUpdate } from "./update/apply/view-updates.js";
export { verifyUpdate, type Verification } from "./update/verify/verify-update.js";
export { renderFinding } from "./update/verify/findings.js";
export { KSPLICE_ABI } from "./engine/core/part-section.js";
export type { LoadedUpdate } from "./engine/core/ksplice-sysfs.js";
