// SPDX-License-Identifier: GPL-2.0-only
/* The same with the core's own shadow data, as on a kernel without livepatch. */
#define KSPLICE_OWN_SHADOW
#include "kstest_shadow.c"
