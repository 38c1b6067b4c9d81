/* SPDX-License-Identifier: BSD-2-Clause */
/* lib/iov.h - scatter/gather lists: length, copy out of, copy into; all checked, none allocates */
#ifndef LIB_IOV_H
#define LIB_IOV_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

/** iov_size() - bytes in the list */
size_t iov_size(const struct iovec *iov, unsigned cnt);
/** iov_to_buf() - copy up to @len bytes that start at @off; Return: bytes copied, fewer at the end of the list */
size_t iov_to_buf(const struct iovec *iov, unsigned cnt, size_t off, void *buf, size_t len);
/** iov_from_buf() - the other way */
size_t iov_from_buf(const struct iovec *iov, unsigned cnt, size_t off, const void *buf, size_t len);
/**
 * iov_slice() - make @dst cover @len bytes of @src from @off
 * Return: elements used, or -1 when @dst_cnt is too small or the list too short
 */
int iov_slice(struct iovec *dst, unsigned dst_cnt, const struct iovec *src, unsigned src_cnt, size_t off, size_t len);

#endif
