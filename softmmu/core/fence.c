/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/core/fence.c - membarrier(2) where somebody relies on it, an ordinary barrier elsewhere */
#include "core/fence.h"
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool relied;             /* set once, before there is a second thread */

static bool membarrier(int cmd)
{
    return syscall(SYS_membarrier, cmd, 0, 0) == 0;
}

void fence_init(void)
{
    membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
}

bool fence_all_rely(void)
{
    if (!relied && !membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED)) {
        fence_init();
    }
    relied = relied || membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    return relied;
}

void fence_all(void)
{
    if (!relied || !membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED)) {
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    }
}
