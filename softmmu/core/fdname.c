/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/core/fdname.c - the two tables behind getfd and add-fd */
#include "core/fdname.h"
#include "lib/strparse.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

struct member {
    int64_t id;
    int fd;
    char *opaque;
};

/* One process, one set of descriptors: the tables are the process's. */
static GHashTable *names;           /* char * -> fd + 1 */
static GArray *members;             /* of struct member, sorted by id */
static unsigned commands;           /* running */

/* ---- names ---- */

static void close_value(gpointer v)
{
    close(GPOINTER_TO_INT(v) - 1);
}

bool fdname_put(const char *name, int fd, Error **errp)
{
    if (!*name || g_ascii_isdigit(*name)) {
        error_setg(errp, "Parameter 'fdname' expects a name not starting with a digit");
        close(fd);
        return false;
    }
    if (!names) {
        names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, close_value);
    }
    if (g_hash_table_size(names) >= FDSET_FDS_MAX && !g_hash_table_contains(names, name)) {
        error_setg(errp, "too many named descriptors (maximum is %d)", FDSET_FDS_MAX);
        close(fd);
        return false;
    }
    g_hash_table_replace(names, g_strdup(name), GINT_TO_POINTER(fd + 1));
    return true;
}

int fdname_take(const char *name, Error **errp)
{
    gpointer key, v;

    if (!names || !g_hash_table_steal_extended(names, name, &key, &v)) {
        error_setg(errp, "File descriptor named '%s' has not been found", name);
        return -1;
    }
    g_free(key);
    return GPOINTER_TO_INT(v) - 1;
}

bool fdname_close(const char *name, Error **errp)
{
    if (!names || !g_hash_table_remove(names, name)) {
        error_setg(errp, "File descriptor named '%s' not found", name);
        return false;
    }
    return true;
}

void fdname_enter(void)
{
    commands++;
}

void fdname_leave(void)
{
    commands--;
}

bool fdname_active(void)
{
    return commands > 0;
}

/* ---- sets ---- */

static struct member *at(guint i)
{
    return &g_array_index(members, struct member, i);
}

static int64_t free_id(void)
{
    int64_t id = 0;

    for (guint i = 0; i < members->len && at(i)->id <= id; i++) {
        id = at(i)->id + 1;
    }
    return id;
}

bool fdset_add(int64_t *id, int fd, const char *opaque, Error **errp)
{
    struct member m = { .fd = fd };
    guint pos = 0;

    if (!members) {
        members = g_array_new(FALSE, TRUE, sizeof(struct member));
    }
    if (*id < -1 || members->len >= FDSET_FDS_MAX) {
        error_setg(errp, *id < -1 ? "Parameter 'fdset-id' expects a non-negative value" : "too many descriptors in sets");
        close(fd);
        return false;
    }
    *id = *id < 0 ? free_id() : *id;
    m.id = *id;
    m.opaque = g_strdup(opaque);
    while (pos < members->len && at(pos)->id <= m.id) {
        pos++;
    }
    g_array_insert_val(members, pos, m);
    return true;
}

bool fdset_remove(int64_t id, int fd, Error **errp)
{
    bool found = false;

    for (guint i = members ? members->len : 0; i-- > 0;) {
        if (at(i)->id == id && (fd < 0 || at(i)->fd == fd)) {
            close(at(i)->fd);
            g_free(at(i)->opaque);
            g_array_remove_index(members, i);
            found = true;
        }
    }
    if (!found && fd >= 0) {
        error_setg(errp, "File descriptor named 'fdset-id:%" PRId64 ", fd:%d' not found", id, fd);
    } else if (!found) {
        error_setg(errp, "File descriptor named 'fdset-id:%" PRId64 "' not found", id);
    }
    return found;
}

void fdset_foreach(void (*fn)(void *arg, int64_t id, int fd, const char *opaque), void *arg)
{
    for (guint i = 0; members && i < members->len; i++) {
        fn(arg, at(i)->id, at(i)->fd, at(i)->opaque);
    }
}

int fdset_open(const char *path, int flags, unsigned mode)
{
    unsigned found = 0;         /* 1: open both ways, 2: just as wanted */
    uint64_t id;
    int fd = -1;

    if (!g_str_has_prefix(path, "/dev/fdset/")) {
        return open(path, flags, mode);
    }
    if (!parse_u64(path + strlen("/dev/fdset/"), INT64_MAX, &id)) {
        errno = ENOENT;
        return -1;
    }
    errno = ENOENT;
    for (guint i = 0; members && i < members->len && found < 2; i++) {
        int how = at(i)->id == (int64_t)id ? fcntl(at(i)->fd, F_GETFL) & O_ACCMODE : -1;
        unsigned fits = how == (flags & O_ACCMODE) ? 2 : how == O_RDWR ? 1 : 0;

        if (fits > found) {
            found = fits;
            fd = at(i)->fd;
        }
        errno = how >= 0 ? EACCES : errno;
    }
    return found ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : -1;
}
