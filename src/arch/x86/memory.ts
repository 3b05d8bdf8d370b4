/** Lowest address of the kernel image's mapping; modules lie above it too (Documentation/x86/x86_64/mm.rst, Linux 6.1). */
export const KERNEL_MAP_ADDR = 0xffffffff80000000n;
