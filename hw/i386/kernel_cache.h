/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/i386/kernel_cache.h - unpacked kernels, kept for the next start: $XDG_CACHE_HOME/patchbay/kernels
 *
 * Whatever goes wrong here only costs time: callers go on without the cache.
 */
#ifndef HW_I386_KERNEL_CACHE_H
#define HW_I386_KERNEL_CACHE_H

#include "hw/i386/vmlinux.h"

#define KERNEL_CACHE_FILES 4
#define KERNEL_CACHE_BYTES (512ull << 20)

/** kernel_cache_key() - SHA-256 of the compressed payload, in hexadecimal */
void kernel_cache_key(const void *payload, size_t len, char key[65]);
/** kernel_cache_get() - @v reads from the file from now on; @path: the image's name for messages, borrowed */
bool kernel_cache_get(struct vmlinux *v, const char *key, const char *path, Error **errp);
/** kernel_cache_put() - store @v, and delete what is too much */
bool kernel_cache_put(const struct vmlinux *v, const char *key, Error **errp);
void kernel_cache_drop(const char *key);

#endif
