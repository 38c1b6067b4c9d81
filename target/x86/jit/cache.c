/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/jit/cache.c - memory for translated code
 *
 * One memfd, mapped twice: readable and executable below 2 GiB, where code reaches the CPU structure and the tables by
 * 32-bit addresses; readable and writable somewhere else. No page is ever writable and executable. Hot code fills the
 * lower half, what is rarely run (TLB misses, exits) the upper. Beside it lies a plain area for what the code points
 * to: sites, exits, hot blocks. Nothing is freed singly: when one of the three is full, everything goes.
 */
#include "target/x86/jit/jit_int.h"
#include "lib/bits.h"
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#define DEFAULT_MIB 64
#define MIN_MIB 1
#define MAX_MIB 256

/* Mappings below 2 GiB: the kernel has a flag for them; without room there anything else would do as badly */
static void *map_low(size_t size, int prot, int fd)
{
    void *p = mmap(NULL, size, prot, (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED) | MAP_32BIT, fd, 0);

    if (p != MAP_FAILED && (uintptr_t)p + size > 0x7FFFFFFF) {
        munmap(p, size);
        p = MAP_FAILED;
        errno = ENOMEM;
    }
    return p;
}

void *x86_cpu_alloc(size_t size)
{
    void *p = map_low(size, PROT_READ | PROT_WRITE, -1);

    if (p == MAP_FAILED) {
        p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }
    if (p == MAP_FAILED) {
        g_error("cannot get %zu bytes for a CPU", size);
    }
    return p;
}

void x86_cpu_dealloc(void *p, size_t size)
{
    munmap(p, size);
}

bool jit_cache_open(struct x86_jit *j, uint32_t mib, Error **errp)
{
    int fd;

    mib = mib ? MIN(MAX(mib, MIN_MIB), MAX_MIB) : DEFAULT_MIB;
    j->size = (size_t)mib * MiB;
    j->meta_size = j->size;
    fd = memfd_create("patchbay-jit", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, (off_t)j->size) < 0) {
        error_setg(errp, "no memory object for translated code: %s", strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    j->rx = map_low(j->size, PROT_READ | PROT_EXEC, fd);
    j->rw = mmap(NULL, j->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    j->meta = map_low(j->meta_size, PROT_READ | PROT_WRITE, -1);
    if (j->rx == MAP_FAILED || j->rw == MAP_FAILED || j->meta == MAP_FAILED) {
        error_setg(errp, "no executable memory for translated code: %s", strerror(errno));
        close(fd);
        jit_cache_close(j);
        return false;
    }
    close(fd);
    return true;
}

static void unmap(uint8_t **p, size_t size)
{
    if (*p && *p != MAP_FAILED) {
        munmap(*p, size);
    }
    *p = NULL;
}

void jit_cache_close(struct x86_jit *j)
{
    unmap(&j->rx, j->size);
    unmap(&j->rw, j->size);
    unmap(&j->meta, j->meta_size);
}

void *jit_meta(struct x86_jit *j, size_t size)
{
    void *p = j->meta + j->meta_used;

    size = align_up(size, 16);
    if (j->meta_used + size > j->meta_size) {
        return NULL;
    }
    j->meta_used += size;
    return memset(p, 0, size);
}

bool jit_space(const struct x86_jit *j, size_t hot, size_t cold, size_t meta)
{
    return j->hot_used + hot <= j->size / 2 && j->cold_used + cold <= j->size / 2 && j->meta_used + meta <= j->meta_size;
}
