/* SPDX-License-Identifier: BSD-2-Clause */
/* net/frame.c - reading from frames */
#include "net/frame.h"
#include "lib/iov.h"

size_t frame_copy_out(const struct frame *f, size_t off, void *buf, size_t len)
{
    return iov_to_buf(f->iov, f->iovcnt, off, buf, len);
}

const void *frame_peek(const struct frame *f, size_t off, size_t len, void *scratch)
{
    size_t at = off;

    if (off > f->len || len > f->len - off) {
        return NULL;
    }
    for (unsigned i = 0; i < f->iovcnt && at < f->len; i++) {
        if (at < f->iov[i].iov_len) {
            if (len <= f->iov[i].iov_len - at) {
                return (const uint8_t *)f->iov[i].iov_base + at;
            }
            break;
        }
        at -= f->iov[i].iov_len;
    }
    return iov_to_buf(f->iov, f->iovcnt, off, scratch, len) == len ? scratch : NULL;
}
