/* SPDX-License-Identifier: BSD-2-Clause */
/* net/frame.c - reading from frames, and a new header in front of one */
#include "net/frame.h"
#include "lib/iov.h"

size_t frame_copy_out(const struct frame *f, size_t off, void *buf, size_t len)
{
    return iov_to_buf(f->iov, f->iovcnt, off, buf, len);
}

bool frame_compose(struct frame *out, const void *hdr, size_t hdr_len, const struct frame *f, size_t off, size_t len)
{
    int n;

    frame_init(out);
    out->meta = f->meta;
    if (!frame_append(out, hdr, hdr_len) || len > FRAME_MAX - out->len) {
        return false;
    }
    n = len ? iov_slice(out->iov + 1, FRAME_IOV_MAX - 1, f->iov, f->iovcnt, off, len) : 0;
    if (n < 0) {
        return false;
    }
    out->iovcnt += (unsigned)n;
    out->len += len;
    return true;
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

bool frame_from_merged(struct frame *f, const uint8_t *p, size_t len, unsigned segs, uint16_t mss, bool ip6, uint16_t l4_off)
{
    if (!frame_from_buf(f, p, len)) {
        return false;
    }
    f->meta.flags = PKT_CSUM_VALID;
    if (segs > 1) {
        f->meta.flags |= PKT_NEEDS_CSUM;
        f->meta.gso = ip6 ? PKT_GSO_TCP6 : PKT_GSO_TCP4;
        f->meta.gso_size = mss;
        f->meta.csum_start = l4_off;
        f->meta.csum_off = 16;          /* TCP's checksum field */
    }
    return true;
}
