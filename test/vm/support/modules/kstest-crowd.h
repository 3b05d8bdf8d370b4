/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KSTEST_CROWD_H
#define KSTEST_CROWD_H

#define KSTEST_CROWD 1000
#define KSTEST_CROWD_OLD 1000000
#define KSTEST_CROWD_NEW 2000000

/* Expands `each` with 000 to 999. */
#define KSTEST_TEN(each, tens)							\
	each(tens##0) each(tens##1) each(tens##2) each(tens##3) each(tens##4)	\
	each(tens##5) each(tens##6) each(tens##7) each(tens##8) each(tens##9)
#define KSTEST_HUNDRED(each, hundreds)						\
	KSTEST_TEN(each, hundreds##0) KSTEST_TEN(each, hundreds##1)		\
	KSTEST_TEN(each, hundreds##2) KSTEST_TEN(each, hundreds##3)		\
	KSTEST_TEN(each, hundreds##4) KSTEST_TEN(each, hundreds##5)		\
	KSTEST_TEN(each, hundreds##6) KSTEST_TEN(each, hundreds##7)		\
	KSTEST_TEN(each, hundreds##8) KSTEST_TEN(each, hundreds##9)
#define KSTEST_THOUSAND(each)							\
	KSTEST_HUNDRED(each, 0) KSTEST_HUNDRED(each, 1) KSTEST_HUNDRED(each, 2)	\
	KSTEST_HUNDRED(each, 3) KSTEST_HUNDRED(each, 4) KSTEST_HUNDRED(each, 5)	\
	KSTEST_HUNDRED(each, 6) KSTEST_HUNDRED(each, 7) KSTEST_HUNDRED(each, 8)	\
	KSTEST_HUNDRED(each, 9)

extern int (*const kstest_crowd[KSTEST_CROWD])(int n);

#endif
