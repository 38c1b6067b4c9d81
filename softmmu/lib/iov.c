/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/lib/iov.c - scatter/gather lists */
#include "lib/iov.h"
#include <glib.h>
#include <stdint.h>
#include <string.h>

size_t iov_size(const struct iovec *iov, unsigned cnt)
{
    size_t n = 0;

    for (unsigned i = 0; i < cnt; i++) {
        n += iov[i].iov_len;
    }
    return n;
}

/* Walks the part [off, off + len) of a list; copies to or from buf. */
static size_t iov_copy(const struct iovec *iov, unsigned cnt, size_t off, uint8_t *buf, size_t len, bool to_buf)
{
    size_t done = 0;

    for (unsigned i = 0; i < cnt && done < len; i++) {
        size_t n;

        if (off >= iov[i].iov_len) {
            off -= iov[i].iov_len;
            continue;
        }
        n = MIN(iov[i].iov_len - off, len - done);
        if (to_buf) {
            memcpy(buf + done, (uint8_t *)iov[i].iov_base + off, n);
        } else {
            memcpy((uint8_t *)iov[i].iov_base + off, buf + done, n);
        }
        done += n;
        off = 0;
    }
    return done;
}

size_t iov_to_buf(const struct iovec *iov, unsigned cnt, size_t off, void *buf, size_t len)
{
    return iov_copy(iov, cnt, off, buf, len, true);
}

size_t iov_from_buf(const struct iovec *iov, unsigned cnt, size_t off, const void *buf, size_t len)
{
    return iov_copy(iov, cnt, off, (uint8_t *)(uintptr_t)buf, len, false);
}

int iov_slice(struct iovec *dst, unsigned dst_cnt, const struct iovec *src, unsigned src_cnt, size_t off, size_t len)
{
    unsigned used = 0;

    for (unsigned i = 0; i < src_cnt && len; i++) {
        size_t n;

        if (off >= src[i].iov_len) {
            off -= src[i].iov_len;
            continue;
        }
        if (used == dst_cnt) {
            return -1;
        }
        n = MIN(src[i].iov_len - off, len);
        dst[used++] = (struct iovec){ (uint8_t *)src[i].iov_base + off, n };
        len -= n;
        off = 0;
    }
    return len ? -1 : (int)used;
}
