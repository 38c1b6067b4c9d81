/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/i386/kernel_cache.c - unpacked kernels, kept for the next start
 *
 *   file   header | extents table | relocation tables | contents of the extents
 *
 * The name is the SHA-256 of the compressed payload. A file is written under another name and renamed when complete,
 * and never changed after that, so it may be read while others write. It is only believed when it and its directory
 * belong to us and nobody else may write to them; a header with a checksum of itself and of the rest finds what a disk
 * or a crash has done to it. Its numbers are checked all the same. The newest by time of last use are kept.
 */
#include "hw/i386/kernel_cache.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAGIC "PBKRNL\0\1"
enum { TEMP_AGE_S = 3600 };                 /* a temporary file of this age is left over from a crash */

struct head_wire {
    char magic[8];
    le64 file_size, base, virt, size, entry, sum;
    le32 is64, next;
    struct { le64 off; le32 n, reserved; } reloc[RELOC_KINDS];
    le64 table_sum;                         /* of this header with 0 here, and of the table of extents */
};
struct extent_wire { le64 at, len, off; };
static_assert(sizeof(struct head_wire) == 120 && sizeof(struct extent_wire) == 24, "file layout");

void kernel_cache_key(const void *payload, size_t len, char key[65])
{
    g_autofree char *text = g_compute_checksum_for_data(G_CHECKSUM_SHA256, payload, len);

    g_strlcpy(key, text, 65);
}

/* ---- the directory ---- */

static bool is_ours(int fd, mode_t type, struct stat *st)
{
    return !fstat(fd, st) && (st->st_mode & S_IFMT) == type && st->st_uid == geteuid() &&
           !(st->st_mode & (S_IWGRP | S_IWOTH));
}

/* Return: a descriptor, or -1 with *errp */
static int open_dir(bool make, Error **errp)
{
    g_autofree char *path = g_build_filename(g_get_user_cache_dir(), "patchbay", "kernels", NULL);
    struct stat st;
    int fd;

    if (make) {
        g_mkdir_with_parents(path, 0700);
    }
    fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        error_setg_errno(errp, errno, "cache '%s'", path);
    } else if (!is_ours(fd, S_IFDIR, &st)) {
        error_setg(errp, "cache '%s' is not ours alone", path);
        close(fd);
        fd = -1;
    }
    return fd;
}

struct entry {
    char name[65];
    struct timespec used;
    off_t size;
};

static int newest_first(const void *pa, const void *pb)
{
    const struct entry *a = pa, *b = pb;

    if (a->used.tv_sec != b->used.tv_sec) {
        return a->used.tv_sec < b->used.tv_sec ? 1 : -1;
    }
    return (a->used.tv_nsec < b->used.tv_nsec) - (a->used.tv_nsec > b->used.tv_nsec);
}

static void delete_old(int dir, GArray *files)
{
    uint64_t bytes = 0;

    qsort(files->data, files->len, sizeof(struct entry), newest_first);
    for (unsigned i = 0; i < files->len; i++) {
        const struct entry *e = &g_array_index(files, struct entry, i);

        bytes += (uint64_t)e->size;
        if (i >= KERNEL_CACHE_FILES || bytes > KERNEL_CACHE_BYTES) {
            unlinkat(dir, e->name, 0);
        }
    }
}

/* Files of other names are not ours to delete. */
static void trim(int dir)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    GArray *files = g_array_new(FALSE, FALSE, sizeof(struct entry));
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *de;

    while (d && (de = readdir(d))) {
        struct entry e = { 0 };
        struct stat st;

        if (fstatat(dir, de->d_name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode)) {
            continue;
        }
        if (g_str_has_prefix(de->d_name, "tmp-") && st.st_mtime < time(NULL) - TEMP_AGE_S) {
            unlinkat(dir, de->d_name, 0);
        }
        if (strspn(de->d_name, "0123456789abcdef") == 64 && !de->d_name[64]) {
            memcpy(e.name, de->d_name, sizeof(e.name));
            e.used = st.st_mtim;
            e.size = st.st_size;
            g_array_append_val(files, e);
        }
    }
    delete_old(dir, files);
    g_array_free(files, TRUE);
    if (d) {
        closedir(d);
    } else if (fd >= 0) {
        close(fd);
    }
}

void kernel_cache_drop(const char *key)
{
    int dir = open_dir(false, NULL);

    if (dir >= 0) {
        unlinkat(dir, key, 0);
        close(dir);
    }
}

/* ---- reading ---- */

static uint64_t table_sum(struct head_wire h, const struct extent_wire *x, uint32_t n)
{
    h.table_sum = le64_of(0);
    return vmlinux_sum(vmlinux_sum(1, &h, sizeof(h)), x, n * sizeof(*x));
}

static bool read_head(struct vmlinux *v, Error **errp)
{
    g_autofree struct extent_wire *x = NULL;
    struct head_wire h;

    if (!boot_file_read(&v->src, 0, &h, sizeof(h), "cached header", errp)) {
        return false;
    }
    v->next = le32_get(h.next);
    if (memcmp(h.magic, MAGIC, 8) || le64_get(h.file_size) != v->src.size || v->next > VMLINUX_EXTENTS_MAX) {
        error_setg(errp, "the cached copy is not one of ours");
        return false;
    }
    x = g_new(struct extent_wire, v->next + 1);
    if (!boot_file_read(&v->src, sizeof(h), x, v->next * sizeof(*x), "cached table", errp)) {
        return false;
    }
    if (table_sum(h, x, v->next) != le64_get(h.table_sum)) {
        error_setg(errp, "the cached copy is damaged");
        return false;
    }
    v->is64 = le32_get(h.is64);
    v->base = le64_get(h.base);
    v->virt = le64_get(h.virt);
    v->size = le64_get(h.size);
    v->entry = le64_get(h.entry);
    v->sum = le64_get(h.sum);
    v->has_sum = true;
    v->ext = g_new(struct vmlinux_extent, v->next + 1);
    for (uint32_t i = 0; i < v->next; i++) {
        v->ext[i] = (struct vmlinux_extent){ le64_get(x[i].at), le64_get(x[i].len), le64_get(x[i].off) };
    }
    for (unsigned k = 0; k < RELOC_KINDS; k++) {
        v->reloc[k].off = le64_get(h.reloc[k].off);
        v->reloc[k].n = le32_get(h.reloc[k].n);
    }
    return vmlinux_check(v, errp);
}

bool kernel_cache_get(struct vmlinux *v, const char *key, const char *path, Error **errp)
{
    int dir = open_dir(false, errp), fd;
    struct stat st;
    bool ok;

    *v = (struct vmlinux){ 0 };
    if (dir < 0) {
        return false;
    }
    fd = openat(dir, key, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        error_setg_errno(errp, errno, "not in the cache");
        close(dir);
        return false;
    }
    if (!is_ours(fd, S_IFREG, &st) || st.st_size <= 0) {
        error_setg(errp, "the cached copy is not ours alone");
        close(fd);
        close(dir);
        return false;
    }
    v->src = (struct boot_file){ .path = path, .fd = fd, .size = (uint64_t)st.st_size };
    ok = read_head(v, errp);
    if (ok) {
        futimens(fd, NULL);                 /* used now */
    } else {
        vmlinux_fini(v);
        unlinkat(dir, key, 0);
    }
    close(dir);
    return ok;
}

/* ---- writing ---- */

/* A file being written: where, how far, and the checksum of what it shall contain */
struct writer {
    int fd;
    uint64_t at, sum;
};

static bool write_all(struct writer *w, const void *data, uint64_t len)
{
    while (len) {
        ssize_t n = pwrite(w->fd, data, MIN(len, GiB), (off_t)w->at);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        data = (const char *)data + n;
        w->at += (uint64_t)n;
        len -= (uint64_t)n;
    }
    return true;
}

/* Summed in the pieces in which vmlinux_place() reads */
static bool write_summed(struct writer *w, const uint8_t *data, uint64_t len)
{
    for (uint64_t i = 0; i < len; i += VMLINUX_CHUNK) {
        w->sum = vmlinux_sum(w->sum, data + i, MIN(len - i, (uint64_t)VMLINUX_CHUNK));
    }
    return write_all(w, data, len);
}

static bool write_kernel(struct writer *w, const struct vmlinux *v)
{
    struct head_wire h = {
        .magic = MAGIC, .base = le64_of(v->base), .virt = le64_of(v->virt), .size = le64_of(v->size),
        .entry = le64_of(v->entry), .is64 = le32_of(v->is64), .next = le32_of(v->next),
    };
    g_autofree struct extent_wire *x = g_new0(struct extent_wire, v->next + 1);

    w->at = sizeof(h) + v->next * sizeof(*x);
    for (uint32_t i = 0; i < v->next; i++) {
        x[i] = (struct extent_wire){ le64_of(v->ext[i].at), le64_of(v->ext[i].len), le64_of(w->at) };
        if (!write_summed(w, v->src.mem + v->ext[i].off, v->ext[i].len)) {
            return false;
        }
    }
    for (unsigned k = 0; k < RELOC_KINDS; k++) {
        h.reloc[k].off = le64_of(w->at);
        h.reloc[k].n = le32_of(v->reloc[k].n);
        if (!write_summed(w, v->src.mem + v->reloc[k].off, 4ull * v->reloc[k].n)) {
            return false;
        }
    }
    h.file_size = le64_of(w->at);
    h.sum = le64_of(w->sum);
    h.table_sum = le64_of(table_sum(h, x, v->next));
    w->at = 0;
    return write_all(w, &h, sizeof(h)) && write_all(w, x, v->next * sizeof(*x));
}

bool kernel_cache_put(const struct vmlinux *v, const char *key, Error **errp)
{
    g_autofree char *temp = g_strdup_printf("tmp-%d-%08x", (int)getpid(), g_random_int());
    int dir = open_dir(true, errp);
    struct writer w = { .fd = -1 };
    bool ok;

    if (dir < 0) {
        return false;
    }
    w.fd = openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    ok = w.fd >= 0 && write_kernel(&w, v) && !renameat(dir, temp, dir, key);
    if (!ok) {
        error_setg_errno(errp, errno, "cannot write to the cache");
        unlinkat(dir, temp, 0);
    } else {
        trim(dir);
    }
    if (w.fd >= 0) {
        close(w.fd);
    }
    close(dir);
    return ok;
}
