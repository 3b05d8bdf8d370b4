import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { PreparedBuild } from "../../src/kbuild/types.js";
import type { KernelTree } from "../../src/tree/kernel-tree.js";
import { temporaryDirectory, writeFiles } from "./temp-dir.js";

/**
 * A makefile that answers like kbuild where this project asks it: all objects hang on `./`, and on their directories, are compiled through `if_changed_rule`, which the
 * command line may replace, and have `real-obj-y`, `real-obj-m`, `obj-m` and `obj` set. Objects are compiled from absolute paths, in `$(O)`.
 */
const MAKEFILE = `
MAKEFLAGS += -r
VERSION = 6
PATCHLEVEL = 1
SUBLEVEL = 7
EXTRAVERSION =
include net/Makefile lib/Makefile drivers/firmware/efi/libstub/Makefile
assembly-objs := arch/x86/lib/copy.o
real-obj-y := arch/x86/entry/vdso/vma.o net/raw.o net/dotted.o net/generated.o kernel/build.o kernel/own.o lib/again.o fs/broken.o $(addprefix net/,$(obj-y)) $(assembly-objs)
real-obj-m := drivers/mod.o drivers/gpu/../display/shown.o drivers/part.o drivers/whole.o
obj-m := drivers/mod.o drivers/whole.o
image-objs := arch/x86/entry/vdso/clock.o arch/x86/boot/startup/start.o drivers/firmware/efi/libstub/stub.o
obj = $(if $(findstring /../,$@),drivers/gpu,$(patsubst %/,%,$(dir $@)))
source := $(CURDIR)
srctree := $(CURDIR)
modname = $(or $(modname-$(notdir $@)),$(basename $(notdir $@)))
modname-part.o := one:two-parts
modname-whole.o := bigger
modname-shown.o := gpu
modname-flags = -DKBUILD_MODNAME='"$(subst -,_,$(modname))"'
flags = $(if $(filter $@,$(real-obj-m)),-DMODULE) $(modname-flags) $(CFLAGS_$(notdir $@))
cmd_cc_o_c = gcc -Wp,-MMD,$@.d -I$(source)/include -I$(O)/net $(if $(findstring /../,$@),-I$(source)/drivers/gpu/../include) $(strip $(flags)) -fmacro-prefix-map=$(source)/= $(KCFLAGS) $(if $(filter $@,$(image-objs)),-g) -c -o $@ $<
cmd_as_o_S = gcc -g -D__ASSEMBLY__ -I$(source)/include -c -o $@ $<
cmd_cc_s_c = gcc -I$(source)/include -S -o $@ $<
cmd_cpp_lds_S = gcc -E -P -I$(source)/include -D__ASSEMBLY__ -o $@ $<
cmd_host-csingle = gcc -O2 -I$(source)/include -o $@ $< -lm
if_changed_rule = @mkdir -p $(O)/$(dir $@) && cd $(O) && $(cmd_$(1))
objects := $(filter-out $(assembly-objs),$(real-obj-y)) $(real-obj-m) $(image-objs)
made := $(objects) $(assembly-objs) kernel/bounds.s kernel/vmlinux.lds kernel/late.lds lib/gen_table scripts/gen_list scripts/mod/modpost lib/table.c lib/hidden.c
./: $(made)
# A directory is made by itself too, but for an object and a whole directory.
directories := $(filter-out ./,$(filter %/,$(MAKECMDGOALS)))
$(foreach directory,$(directories),$(eval $(directory): $(filter-out lib/again.o drivers/firmware/%,$(filter $(directory)%,$(made)))))
$(filter-out net/%,$(made)): MAKEFILE_LIST = Makefile
drivers/gpu/../display/shown.o: MAKEFILE_LIST = $(CURDIR)/drivers/gpu/../display/Makefile
kernel/bounds.s: $(source)/kernel/bounds.c
	$(call if_changed_dep,cc_s_c)
kernel/vmlinux.lds kernel/late.lds: %: $(source)/%.S
	$(call if_changed_dep,cpp_lds_S)
lib/gen_table scripts/gen_list scripts/mod/modpost: %: $(source)/%.c
	$(call if_changed_dep,host-csingle)
cmd_sed = sed -n 's/^\\#define /int /p' $< > $@
if_changed = @mkdir -p $(O)/$(dir $@) && cd $(O) && $(cmd_$(1))
lib/table.c: $(source)/include/linux/table.h
	$(call if_changed,sed)
lib/again.o: lib/table.c lib/hidden.c
# Says something else in a dry run than it does: what it makes is more than its command.
cmd_hidden = sed -n 's/^\\#define /int /p' $< > $@
lib/hidden.c: $(source)/include/linux/hidden.h
	$(call if_changed,hidden)
	@echo 'int more;' >> $(O)/$@
# Made where it is not there, as kbuild does with what a source ships: a dry run says nothing of it afterwards.
cmd_shipped = cp $< $(O)/$@
cmd = @mkdir -p $(O)/$(dir $@) && $(cmd_$(1))
ifeq ($(wildcard $(O)/lib/shipped.h),)
./: lib/shipped.h
endif
lib/shipped.h: $(source)/include/linux/shipped.h
	$(call cmd,shipped)
$(assembly-objs): %.o: $(source)/%.S FORCE
	$(call if_changed_rule,as_o_S)
net/generated.o: net/numbers.h
net/numbers.h:
	@mkdir -p $(O)/net; echo '#define NUMBER 7' > $(O)/$@
$(objects): %.o: $(source)/%.c FORCE
	$(call if_changed_rule,cc_o_c)
FORCE: ;
# A program of kbuild's own, which is made anew for another source.
configured := $(shell cat $(O)/configured 2>/dev/null)
ifneq ($(filter-out $(CURDIR),$(configured)),)
./: scripts/conf
endif
scripts/conf: $(source)/lib/gen_table.c
	$(call if_changed_dep,host-csingle)
olddefconfig syncconfig: ;
	@echo $(CURDIR) > $(O)/configured
	@mkdir -p $(O)/include/config; sed -n 's/^config //p' net/Kconfig > $(O)/include/config/auto.conf
.PHONY: ./ $(directories) olddefconfig syncconfig
`;

/** A tree of a few files. */
export function writeFakeKernel(source: string): void {
  writeFiles(source, {
    Makefile: MAKEFILE,
    "scripts/Makefile.build": "",
    "drivers/firmware/efi/libstub/Makefile": "# for an image of its own\nCFLAGS_stub.o := -DSTUB\n",
    "arch/x86/boot/compressed/Makefile": "# for the image that boots\nCFLAGS_misc.o := -DMISC\n",
    "lib/Makefile": "# what all use\nCFLAGS_again.o := -DAGAIN\n",
    "net/Makefile": "# what the network is made of\nobj-y := listed.o\nCFLAGS_listed.o := -DLISTED\nlisted.o: tool\n\t./tool\n",
    "net/Kconfig": "config CONFIG_NET=y\nhelp\n",
    "net/listed.c": "int listed(void) { return LISTED; }\n",
    "net/unlisted.c": "int unlisted(void) { return 7; }\n",
    "include/linux/x.h": "#define X 1\n",
    "include/linux/unused.h": "#define UNUSED 1\n",
    "net/raw.c":
      '#include <linux/x.h>\n#include "local.h"\nint raw(void) { return X + LOCAL; }\nint file(void) { return sizeof(__FILE__) + __LINE__; }\n',
    "net/local.h": "#define LOCAL 2\n",
    "net/dotted.c": '#include "../kernel/deep/deep.h"\nint dotted(void) { return DEEP; }\n',
    "kernel/deep/deep.h":
      '#include "../shared.h"\n#include "../parts.h"\n#define DEEP SHARED\n#undef LATE\n#define LATE 1\nint late[LATE] __attribute__((weak));\nint uses[sizeof(calls_part())] __attribute__((weak));\n' +
      "#define FIRST(x) first_\n#define JOIN_TWO(a, b) a##b\n#define JOIN(a, b) JOIN_TWO(a, b)\nint JOIN(FIRST(1), part) __attribute__((weak));\n",
    "kernel/shared.h": "#define SHARED 3\n",
    "kernel/parts.h": "int old_part(void);\nstatic inline int calls_part(void) { return old_part(); }\nint keep_part(void);\n",
    "kernel/build.c": '#include "part.c"\n',
    "kernel/own.c": "int own(void) { return 4; }\n",
    "lib/again.h": '#include "../kernel/own.c"\n',
    "lib/again.c": '#define own again\n#include "again.h"\n',
    "kernel/part.c": "int part(void) { return 4; }\n",
    "net/generated.c": '#include "numbers.h"\nint generated(void) { return NUMBER; }\n',
    "drivers/gpu/unset.c": "int gpu;\n",
    "drivers/include/shared.h": "#define SHOWN 8\n",
    "drivers/display/shown.c": '#include "shared.h"\nint shown(void) { return SHOWN; }\n',
    "drivers/part.c": "int part_of_two(void) { return 9; }\n",
    "drivers/whole.c": "int whole(void) { return 9; }\n",
    "arch/x86/entry/vdso/clock.c": "#include <linux/image.h>\nint vdso_clock(void) { return IMAGE; }\n",
    "arch/x86/boot/startup/start.c":
      "#include <linux/start.h>\n#include <linux/later.h>\n" +
      '__attribute__((section(".init.text"))) int begin(void) { return START; }\nint later(void) { return LATER; }\n',
    "arch/x86/entry/vdso/vma.c": "int map_vdso(int x) { return x; }\n",
    "drivers/firmware/efi/libstub/stub.c": "#include <linux/stub.h>\nint stub(void) { return STUB; }\n",
    "arch/x86/lib/copy.S": "#include <linux/assembly.h>\n.long ASSEMBLY\n",
    "kernel/bounds.c": '#include <linux/bounds.h>\nint f(void) { asm("->BOUND %c0" : : "i" (BOUND)); return other(); }\n',
    "kernel/vmlinux.lds.S": "#include <linux/script.h>\n. = SCRIPT;\n",
    // Of a header that kbuild makes of objects, and that is not there.
    "kernel/late.lds.S": '#include <linux/late.h>\n#include "made-of-objects.h"\n. = LATE;\n',
    "lib/gen_table.c": "#include <linux/host.h>\nint main(void) { return HOST; }\n",
    "scripts/gen_list.c": "int main(void) { return 1; }\n",
    "scripts/mod/modpost.c": "int main(void) { return 1; }\n",
    "tools/objtool/check.c": "int check(void) { return 1; }\n",
    "include/linux/image.h": "#define IMAGE 1\n#define ALL 1\n",
    "include/linux/start.h": "#define START 1\n",
    "include/linux/later.h": "#define LATER 1\n",
    "include/linux/stub.h": "#define STUB 1\n",
    "include/linux/assembly.h": "#define ASSEMBLY 1\n#ifndef __ASSEMBLY__\nint assembly(void);\n#endif\n",
    "include/linux/bounds.h": "#define BOUND 1\nint other(void);\n",
    "include/linux/script.h": "#define SCRIPT 1\n",
    "include/linux/late.h": "#define LATE 1\n",
    "include/linux/host.h": "#define HOST 1\n",
    "include/linux/table.h": "#define TABLE 1\n",
    "include/linux/shipped.h": "#define SHIPPED 1\n",
    "include/linux/hidden.h": "#define HIDDEN 1\n",
    "drivers/mod.c": "int mod(void) { return 5; }\n",
    "drivers/kept.c": "int kept_in_kernel(void)\n{\n\treturn 5;\n}\n",
    "drivers/twin.c": "static int mod_function(void)\n{\n\treturn 5;\n}\n",
    "drivers/local.h": "static int mod_function(int)\n{\n\treturn 5;\n}\n",
    "drivers/unset.c": "int unset(void) { return 6; }\n",
    "fs/broken.c": "int broken(void) { return nonsense; }\n",
    "lib/README": "no C here\n",
    "arch/x86/kernel/x.c": "int x;\n",
    "ksplice/.config": "",
  });
}

/** A tree as `openKernelTree` finds it, without what a build brings. */
export function fakeTree(source: string): KernelTree {
  return {
    source,
    original: source,
    configDir: join(source, "ksplice"),
    configFile: join(source, "ksplice/.config"),
    symbolsFile: undefined,
    buildDir: undefined,
    makeFlags: [],
  };
}

export function fakeBuild(source: string, cacheDir: string): PreparedBuild {
  const tree = fakeTree(source);
  return {
    tree,
    outDir: join(cacheDir, "out"),
    cacheDir,
    release: "6.1.7-test",
    compiler: "gcc",
    compilerVersion: "gcc",
    makeVariables: [],
    root: undefined,
    jobs: 1,
  };
}

/** The fake kernel and a build of it, in directories that are deleted when the test file is done. */
export function prepareFakeKernel(): { readonly source: string; readonly cacheDir: string; readonly build: PreparedBuild } {
  const source = temporaryDirectory();
  const cacheDir = temporaryDirectory();
  writeFakeKernel(source);
  mkdirSync(join(cacheDir, "out"));
  return { source, cacheDir, build: fakeBuild(source, cacheDir) };
}
