// SPDX-License-Identifier: GPL-2.0-only
/*
 * The frame of a module with new code. User space links the changed functions of one
 * target to it, gives it the update's name, and when the update is applied defines
 * ksplice_part. Loading registers the part and patches nothing.
 */
#include <linux/module.h>

#include "ksplice.h"

extern struct ksplice_part ksplice_part;

static int __init ksplice_template_init(void)
{
	return ksplice_register(THIS_MODULE, &ksplice_part);
}
module_init(ksplice_template_init);

static void __exit ksplice_template_exit(void)
{
	ksplice_unregister(&ksplice_part);
}
module_exit(ksplice_template_exit);

MODULE_DESCRIPTION("New code of a Ksplice update");
MODULE_LICENSE("GPL");
