/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * core/fdname.h - descriptors that monitor clients hand over, by name (getfd) and in sets (add-fd)
 *
 * A name is used once: whoever takes the descriptor owns it. While a monitor command runs (fdname_enter/leave) channel_fd_parse() takes names
 * beside numbers. A set holds copies of one file, opened in different ways; "/dev/fdset/N" is a path to it. Main loop, machine lock.
 */
#ifndef CORE_FDNAME_H
#define CORE_FDNAME_H

#include "lib/error.h"
#include <stdint.h>

/** fdname_put() - takes @fd, also when it fails: "Parameter 'fdname' expects a name not starting with a digit". An earlier one is closed */
bool fdname_put(const char *name, int fd, Error **errp);
/** fdname_take() - -1: "File descriptor named 'nosuch' has not been found" */
int fdname_take(const char *name, Error **errp);
/** fdname_close() - "File descriptor named 'nosuch' not found" */
bool fdname_close(const char *name, Error **errp);

/** fdname_enter()/fdname_leave() - a monitor command begins, ends; may be nested. fdname_active(): inside one */
void fdname_enter(void);
void fdname_leave(void);
bool fdname_active(void);

enum { FDSETS_MAX = 256, FDSET_FDS_MAX = 256 };     /* sets, and descriptors in all of them */

/**
 * fdset_add() - takes @fd, also when it fails
 * @id:      set; -1: a new one, whose number is stored there
 * @opaque:  text that fdset_foreach() tells again; NULL: none
 */
bool fdset_add(int64_t *id, int fd, const char *opaque, Error **errp);
/** fdset_remove() - @fd -1: the whole set. "File descriptor named 'fdset-id:1, fd:7' not found" */
bool fdset_remove(int64_t id, int fd, Error **errp);
/** fdset_foreach() - sets in order of their numbers, descriptors in order of arrival */
void fdset_foreach(void (*fn)(void *arg, int64_t id, int fd, const char *opaque), void *arg);
/** fdset_open() - open(2) that knows "/dev/fdset/N": a copy of the member whose access mode fits @flags; -1: errno is set */
int fdset_open(const char *path, int flags, unsigned mode);

#endif
