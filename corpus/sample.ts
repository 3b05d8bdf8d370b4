import type { Verdict } from "./types.js";

/** The set that the sample is of. */
export const SAMPLE_SET = { from: "6.1.170-3", to: "6.1.176-1" } as const;

/** Files of that set that the tests judge, and what must become of each: every verdict but `failed` is among them. */
export const SAMPLE: readonly (readonly [file: string, verdict: Verdict])[] = [
  ["arch/arm64/mm/mmu.c", "not built"],
  ["block/blk-mq.c", "update"],
  ["crypto/af_alg.c", "update"],
  ["drivers/acpi/scan.c", "update"],
  // A table that grows, read by a function: carried.
  ["drivers/acpi/video_detect.c", "update"],
  // An enumeration whose numbers shift.
  ["drivers/ata/ahci.c", "refused"],
  ["drivers/base/devres.c", "update"],
  ["drivers/base/power/domain.c", "no effect"],
  // A new exported function.
  ["drivers/cdrom/cdrom.c", "update"],
  ["drivers/firmware/efi/capsule-loader.c", "no effect"],
  // Needs a new declaration of a header that the whole kernel includes.
  ["drivers/gpio/gpiolib-cdev.c", "update"],
  ["drivers/hid/hid-asus.c", "update"],
  ["drivers/i2c/i2c-dev.c", "update"],
  // A structure of live objects shrinks.
  ["drivers/iio/adc/ti-ads7950.c", "refused"],
  // With a header of its own.
  ["drivers/iio/dac/ad5686.c", "update"],
  // Constants that are rewritten in place.
  ["drivers/infiniband/core/iwpm_msg.c", "update"],
  // Only what initialization code used.
  ["drivers/input/keyboard/atkbd.c", "no effect"],
  ["drivers/input/mouse/synaptics.c", "update"],
  ["drivers/mailbox/mailbox.c", "update"],
  // The initial value of data that may be written to.
  ["drivers/md/dm-cache-target.c", "refused"],
  ["drivers/md/dm-ioctl.c", "update"],
  // An array in a structure becomes a pointer.
  ["drivers/media/rc/ttusbir.c", "refused"],
  ["drivers/net/ethernet/intel/ixgbevf/vf.c", "update"],
  ["net/ipv4/raw.c", "update"],
  // Needs a member of a structure that many objects have.
  ["net/sched/act_api.c", "not alone"],
];

/** The files of the sample that are among these. */
export function sampleOf(files: readonly string[]): string[] {
  const wanted = new Set(SAMPLE.map(([file]) => file));
  return files.filter((file) => wanted.has(file));
}
