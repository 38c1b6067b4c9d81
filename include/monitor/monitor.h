/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/monitor.h - the program's control consoles: QMP for programs, HMP for people
 *
 * Both end in the same functions and the same schema. Main thread, machine lock held. A client that stops reading
 * costs at most MONITOR_OUT_MAX bytes: beyond that no request of its is read, and events for it are dropped.
 */
#ifndef MONITOR_MONITOR_H
#define MONITOR_MONITOR_H

#include "cli/options.h"

#define MONITOR_OUT_MAX (4u << 20)
#define MONITOR_MAX     16

/**
 * monitor_create_all() - -monitor, -qmp, -qmp-pretty, -mon, -object monitor-*, "mon:"; keeps @o for query-name
 * and the like
 */
bool monitor_create_all(struct vm_options *o, Error **errp);
/** monitor_new_hmp()/monitor_new_qmp() - on a chardev, borrowed until monitor_cleanup() */
bool monitor_new_hmp(struct chardev *c, Error **errp);
bool monitor_new_qmp(struct chardev *c, bool pretty, Error **errp);
/** monitor_cleanup() - say what is left to say, detach, free; before chardev_free_all() */
void monitor_cleanup(void);

/** monitor_hmp() - run one line; Return: what it prints, lines end in CR LF; caller frees */
char *monitor_hmp(const char *line);

#endif
