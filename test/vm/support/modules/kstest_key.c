// SPDX-License-Identifier: GPL-2.0-only
/* Gives the running kernel a key to trust: what firmware or an enrolled key does before it boots. */
#include <linux/key.h>
#include <linux/kernel_read_file.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>

static char *certificate;
module_param(certificate, charp, 0);
MODULE_PARM_DESC(certificate, "path of an X.509 certificate in DER");

/* Not exported, nor declared elsewhere: the test gives it its address. */
extern struct key *secondary_trusted_keys;

static int __init kstest_key_init(void)
{
	void *bytes = NULL;
	key_ref_t key;
	ssize_t size;

	size = kernel_read_file_from_path(certificate, 0, &bytes, SZ_64K, NULL,
					  READING_UNKNOWN);
	if (size < 0)
		return size;
	key = key_create_or_update(make_key_ref(secondary_trusted_keys, 1),
				   "asymmetric", NULL, bytes, size,
				   (KEY_POS_ALL & ~KEY_POS_SETATTR) |
				   KEY_USR_VIEW | KEY_USR_READ,
				   KEY_ALLOC_NOT_IN_QUOTA |
				   KEY_ALLOC_BYPASS_RESTRICTION);
	vfree(bytes);
	if (IS_ERR(key))
		return PTR_ERR(key);
	key_ref_put(key);
	return 0;
}
module_init(kstest_key_init);

static void __exit kstest_key_exit(void)
{
}
module_exit(kstest_key_exit);

MODULE_DESCRIPTION("A key for the kernel to trust");
MODULE_LICENSE("GPL");
