/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * core/fence.h - a barrier that one thread makes for all
 *
 * Two threads that each store and then look at what the other has stored both need a full barrier between the two steps.
 * Where one of them does it millions of times a second (the guest's LOCK prefix) and the other seldom (a device that asks for
 * a notification), the seldom one can pay for both: membarrier(2), PRIVATE_EXPEDITED.
 */
#ifndef CORE_FENCE_H
#define CORE_FENCE_H

#include <stdbool.h>

/** fence_init() - main(), before there is a second thread: afterwards fence_all_rely() takes the kernel 20 ms */
void fence_init(void);
/**
 * fence_all_rely() - the caller's threads will leave out their side of such pairs from now on
 * Return: false: this kernel has no membarrier, nothing may be left out. Before the threads start.
 */
bool fence_all_rely(void);
/** fence_all() - full barrier here, and in every running thread of this process if somebody relies on it; any thread */
void fence_all(void);

#endif
