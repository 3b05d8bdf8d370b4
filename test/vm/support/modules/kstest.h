/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KSTEST_H
#define KSTEST_H

struct seq_file;

int kstest_answer(int n);
int kstest_nap(void);
int kstest_gone(int n);
int kstest_first_answer(int n);

/* In the kernel proper, and not exported: /proc/version is what it prints. */
int version_proc_show(struct seq_file *m, void *v);

#endif
