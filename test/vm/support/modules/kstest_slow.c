// SPDX-License-Identifier: GPL-2.0-only
/* A module whose init function takes its time, and fails. */
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/module.h>

static int __init slow_init(void)
{
	msleep(4000);
	return -EIO;
}
module_init(slow_init);

MODULE_DESCRIPTION("A module that does not come up, for Ksplice tests");
MODULE_LICENSE("GPL");
