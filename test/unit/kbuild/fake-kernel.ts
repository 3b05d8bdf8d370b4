import { join } from "node:path";
import type { KernelTree, PreparedBuild } from "../../../src/kbuild/types.js";
import { writeFiles } from "./temp-dir.js";

/**
 * A makefile that answers like kbuild where this project asks it: it compiles single objects, in the configuration or not,
 * saves the command, and expands the flags of members with `real-obj-y`, `real-obj-m` and `obj` set.
 */
const MAKEFILE = `
MAKEFLAGS += -r
VERSION = 6
PATCHLEVEL = 1
SUBLEVEL = 7
EXTRAVERSION =
real-obj-y := net/raw.o net/dotted.o kernel/build.o fs/broken.o
real-obj-m := drivers/mod.o drivers/deep/stray.o
obj = $(patsubst %/,%,$(dir $@))
source := $(CURDIR)
flags = $(if $(filter $@,$(real-obj-m)),-DMODULE $(CFLAGS_MODULE),$(CFLAGS_KERNEL)) -DKBUILD_MODNAME='"$(basename $(notdir $@))"' -DKBUILD_MODFILE='"$(modfile)"'
# The first time in the directory above, as kbuild does where a makefile names a directory two levels below it.
modfile = $(if $(filter drivers/deep/stray.o,$@),$(if $(wildcard $(O)/$@),drivers/deep/stray,drivers/stray),$(basename $@))
%.o: FORCE
	@test -f $*.c || { echo "make: *** No rule to make target '$@'." >&2; exit 1; }
	@mkdir -p $(O)/$(dir $@)
	@cd $(O) && gcc -Wp,-MMD,$@.d -I$(source)/include $(strip $(flags)) -fmacro-prefix-map=$(source)/= $(KCFLAGS) -c -o $@ $(source)/$*.c
	@printf '%s\\n' "cmd_$@ := gcc -Wp,-MMD,$@.d -I$(source)/include $(strip $(subst ",\\",$(flags))) -fmacro-prefix-map=$(source)/= $(KCFLAGS) -c -o $@ $(source)/$*.c" > $(O)/$(dir $@).$(notdir $@).cmd
	@printf '\\nsource_$@ := $(source)/$*.c\\n\\ndeps_$@ := \\\\\\n' >> $(O)/$(dir $@).$(notdir $@).cmd
	@sed -e 's/^[^ ]*: //' -e 's/\\\\$$//' $(O)/$@.d | tr ' ' '\\n' | grep . | sed 's/$$/ \\\\/' >> $(O)/$(dir $@).$(notdir $@).cmd
	@echo >> $(O)/$(dir $@).$(notdir $@).cmd
FORCE: ;
`;

/** A tree of a few files. */
export function writeFakeKernel(source: string): void {
  writeFiles(source, {
    Makefile: MAKEFILE,
    "scripts/Makefile.build": "",
    "include/linux/x.h": "#define X 1\n",
    "include/linux/unused.h": "#define UNUSED 1\n",
    "net/raw.c":
      '#include <linux/x.h>\n#include "local.h"\nint raw(void) { return X + LOCAL; }\nint file(void) { return sizeof(__FILE__) + __LINE__; }\n',
    "net/local.h": "#define LOCAL 2\n",
    "net/dotted.c": '#include "../kernel/deep/deep.h"\nint dotted(void) { return DEEP; }\n',
    "kernel/deep/deep.h": '#include "../shared.h"\n#define DEEP SHARED\n',
    "kernel/shared.h": "#define SHARED 3\n",
    "kernel/build.c": '#include "part.c"\n',
    "kernel/part.c": "int part(void) { return 4; }\n",
    "drivers/deep/stray.c": "const char *stray = KBUILD_MODFILE;\n",
    "drivers/mod.c": "int mod(void) { return 5; }\n",
    "drivers/unset.c": "int unset(void) { return 6; }\n",
    "fs/broken.c": "int broken(void) { return nonsense; }\n",
    "lib/README": "no C here\n",
    "arch/x86/kernel/x.c": "int x;\n",
  });
}

export function fakeBuild(source: string, cacheDir: string): PreparedBuild {
  const tree: KernelTree = {
    source,
    configDir: join(source, "ksplice"),
    configFile: join(source, "ksplice/.config"),
    symbolsFile: undefined,
    buildDir: undefined,
    makeFlags: [],
  };
  return {
    tree,
    outDir: join(cacheDir, "out"),
    cacheDir,
    release: "6.1.7-test",
    compiler: "gcc",
    compilerVersion: "gcc",
    makeVariables: [],
    jobs: 1,
  };
}
