/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/machine.h - the machine of this process, for monitors that show it */
#ifndef SOFTMMU_MACHINE_H
#define SOFTMMU_MACHINE_H

#include "hw/i386/pc.h"

/* NULL with -machine none, and before the board exists */
extern struct pc *machine_pc;

#endif
