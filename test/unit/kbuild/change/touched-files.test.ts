import { expect, test } from "vitest";
import { judgeTouchedFile } from "../../../../src/kbuild/change/touched-files.js";

test.each([
  ["net/ipv4/raw.c", "compile"],
  ["include/linux/fs.h", "compile"],
  ["arch/x86/kernel/setup.c", "compile"],
  ["kernel/sched/Makefile", "rules"],
  ["Makefile", "makefile"],
  ["arch/x86/Makefile", "makefile"],
  ["drivers/i2c/Kconfig", "rules"],
  ["lib/Kconfig.debug", "rules"],
  ["arch/x86/entry/entry_64.S", "assembly"],
  ["arch/x86/kernel/vmlinux.lds.S", "assembly"],
  ["include/asm-generic/vmlinux.lds.h", "linker-script"],
  ["arch/x86/boot/compressed/misc.c", "image"],
  ["arch/x86/boot/startup/sme.c", "image"],
  ["arch/x86/entry/vdso/vma.c", "image"],
  ["drivers/firmware/efi/libstub/gop.c", "not-kernel-text"],
  ["arch/x86/entry/syscalls/syscall_64.tbl", "unknown-file-kind"],
  ["arch/x86/lib/x86-opcode-map.txt", "unknown-file-kind"],
  ["arch/arm64/kernel/setup.c", "ignore"],
  ["arch/arm64/Kconfig", "ignore"],
  ["Documentation/index.rst", "ignore"],
  ["tools/perf/Makefile", "ignore"],
  ["tools/objtool/check.c", "listed"],
  ["tools/objtool/Makefile", "listed"],
  ["tools/perf/builtin-top.c", "ignore"],
  ["scripts/mod/modpost.c", "listed"],
  ["scripts/mod/Makefile", "rules"],
  ["scripts/Makefile.lib", "makefile"],
  ["scripts/Kconfig.include", "rules"],
  ["scripts/link-vmlinux.sh", "listed"],
  ["scripts/module.lds.S", "assembly"],
  ["usr/gen_init_cpio.c", "listed"],
  ["samples/kprobes/x.c", "compile"],
  ["samples/kprobes/x.sh", "listed"],
  ["MAINTAINERS", "ignore"],
])("%s: %s", (path, expected) => {
  const verdict = judgeTouchedFile(path);
  expect(verdict.kind === "refuse" ? verdict.refusal(path).code : verdict.kind).toBe(expected);
});
