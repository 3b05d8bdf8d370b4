/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KSTEST_H
#define KSTEST_H

struct seq_file;

int kstest_answer(int n);
int kstest_nap(void);
int kstest_first_answer(int n);

/* Data for updates to overwrite: constants, large constants, and a pointer that may change. */
#define KSTEST_BIG (3 * 4096)
struct kstest_ops {
	int (*opinion)(void);
};
extern const int kstest_limits[4];
extern const unsigned char kstest_big[KSTEST_BIG];
extern const struct kstest_ops *kstest_chosen;

/* Hooks leave their names; /sys/kernel/kstest/called lists them once. Any context. */
void kstest_note(const char *name);
void kstest_forget_notes(void);

/* In the kernel proper, and not exported: /proc/version is what it prints. */
int version_proc_show(struct seq_file *m, void *v);

#endif
