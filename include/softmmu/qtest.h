/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/qtest.h - the test server: ports, memory, interrupts and the clock of the machine over a line protocol
 * (-qtest)
 */
#ifndef SOFTMMU_QTEST_H
#define SOFTMMU_QTEST_H

#include "lib/error.h"

struct addr_space;

/**
 * qtest_init() - start serving on a chardev (as in -qtest); after the board exists
 * @log: file for what is said, NULL or "none": none
 * Without a CPU (-accel qtest) the virtual clock stands at 0 from now on and moves only by clock_step and clock_set.
 */
bool qtest_init(const char *chardev, const char *log, struct addr_space *mem, struct addr_space *io, Error **errp);
/** qtest_end() - before the board and the chardevs go; harmless when not started */
void qtest_end(void);

#endif
