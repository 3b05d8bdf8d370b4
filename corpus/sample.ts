import type { Verdict } from "./types.js";

/** The set that the sample is of. */
export const SAMPLE_SET = { from: "6.1.170-3", to: "6.1.176-1" } as const;

/** Fixes of that set that the tests judge, and what must become of each: every verdict but `failed` and `not alone` is among them. */
export const SAMPLE: readonly (readonly [fix: string, verdict: Verdict])[] = [
  ["arch/arm64/mm/mmu.c#0", "not built"],
  ["block/blk-mq.c#0", "update"],
  ["crypto/af_alg.c#0", "update"],
  ["drivers/acpi/scan.c#0", "update"],
  // A table that grows, read by a function: carried.
  ["drivers/acpi/video_detect.c#0", "update"],
  // An enumeration whose numbers shift.
  ["drivers/ata/ahci.c#0", "refused"],
  ["drivers/base/devres.c#0", "update"],
  ["drivers/base/power/domain.c#0", "no effect"],
  ["drivers/firmware/efi/capsule-loader.c#0", "no effect"],
  ["drivers/i2c/i2c-dev.c#0", "update"],
  // A structure of live objects shrinks.
  ["drivers/iio/adc/ti-ads7950.c#0", "refused"],
  // With the one change of its header that it needs.
  ["drivers/iio/dac/ad5686.c#5", "update"],
  // Only what initialization code used.
  ["drivers/input/keyboard/atkbd.c#0", "no effect"],
  ["drivers/input/mouse/synaptics.c#0", "update"],
  ["drivers/mailbox/mailbox.c#0", "update"],
  // An array in a structure becomes a pointer.
  ["drivers/media/rc/ttusbir.c#0", "refused"],
  ["drivers/net/ethernet/intel/ixgbevf/vf.c#0", "update"],
  ["net/ipv4/raw.c#0", "update"],
];
