/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/frame.h - an Ethernet frame on its way: pieces of memory, a length, and what is still to be done to it
 *
 * A frame borrows the memory it points at; it lives on the stack of the sender and is valid until the call returns. Who wants to keep it
 * copies it (frame_copy_out, or the queue). The memory may be guest RAM, which the guest can rewrite at any moment: code that decides on
 * header bytes copies them first and acts on the copy. The frame starts at the destination MAC; there is no FCS and no preamble.
 */
#ifndef NET_FRAME_H
#define NET_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum {
    FRAME_MIN     = 14,             /* an Ethernet header; shorter frames are dropped at the entrance of the net layer */
    FRAME_MAX     = 65536 + 64,     /* 64 KiB and headers; longer ones are dropped there too */
    FRAME_IOV_MAX = 64,             /* pieces */
    FRAME_HDR_MAX = 256,            /* longest L2 + L3 + L4 header that segmentation takes */
};

enum pkt_gso {                      /* a large frame that has to become several */
    PKT_GSO_NONE,
    PKT_GSO_TCP4,
    PKT_GSO_TCP6,
    PKT_GSO_UDP,                    /* UDP segmentation (USO), IPv4 or IPv6: every piece is a datagram of its own */
    PKT_GSO_UFO,                    /* UDP datagram larger than the MTU, IPv4 or IPv6: to be sent as IP fragments of gso_size bytes */
};

enum {                              /* pkt_meta.flags */
    PKT_NEEDS_CSUM  = 1 << 0,       /* L4 checksum: sum from csum_start to the end, store at csum_start + csum_off (virtio 5.1.6.2) */
    PKT_CSUM_VALID  = 1 << 1,       /* the L4 checksum is known to be right (or is still to be filled in) */
    PKT_VLAN        = 1 << 2,       /* the tag vlan_tci is not in the frame but belongs into it */
    PKT_ECN         = 1 << 3,       /* TCP GSO: CWR only on the first piece */
    PKT_HASH        = 1 << 4,       /* hash and hash_type are set */
    PKT_IP_CSUM     = 1 << 5,       /* IPv4 header checksum is still to be filled in too (NICs with IXSM) */
};

/* All zero: a complete frame, nothing to do. */
struct pkt_meta {
    uint8_t flags;
    uint8_t gso;                    /* enum pkt_gso */
    uint16_t gso_size;              /* payload bytes of a piece (MSS); not 0 when gso is set */
    uint16_t hdr_len;               /* L2 + L3 + L4 header bytes, a hint of the sender: 0 or not sure is fine, the core looks itself */
    uint16_t csum_start;            /* bytes from the start of the frame */
    uint16_t csum_off;              /* bytes from csum_start */
    uint16_t vlan_tci;              /* host order: PCP, DEI, VID */
    uint32_t hash;                  /* receive side: Toeplitz */
    uint8_t hash_type;              /* number of its report, virtio 5.1.6.4.3.4 */
    uint16_t queue;                 /* hint: 1 + the sender's queue; 0: it has one, or does not say */
};

struct frame {
    size_t len;                     /* sum of the pieces */
    unsigned iovcnt;
    struct pkt_meta meta;
    struct iovec iov[FRAME_IOV_MAX];
};

/** frame_init() - empty, no work */
static inline void frame_init(struct frame *f)
{
    f->len = 0;
    f->iovcnt = 0;
    f->meta = (struct pkt_meta){ 0 };
}

/** frame_append() - add a piece (not copied); false: over FRAME_MAX or FRAME_IOV_MAX, the frame is as before */
static inline bool frame_append(struct frame *f, const void *p, size_t len)
{
    if (len > FRAME_MAX - f->len) {
        return false;
    }
    if (!len) {
        return true;
    }
    if (f->iovcnt && (char *)f->iov[f->iovcnt - 1].iov_base + f->iov[f->iovcnt - 1].iov_len == (const char *)p) {
        f->iov[f->iovcnt - 1].iov_len += len;
    } else if (f->iovcnt == FRAME_IOV_MAX) {
        return false;
    } else {
        f->iov[f->iovcnt++] = (struct iovec){ (void *)(uintptr_t)p, len };
    }
    f->len += len;
    return true;
}

/** frame_from_buf() - a frame of one piece; false: over FRAME_MAX */
static inline bool frame_from_buf(struct frame *f, const void *p, size_t len)
{
    frame_init(f);
    return frame_append(f, p, len);
}

/**
 * frame_from_merged() - what a coalescer has put out (net/offload/coalesce.h) as a frame; checksums are known to be right
 * @segs: how many TCP segments are in it; more than one: of @mss bytes each, TCP header at @l4_off
 */
bool frame_from_merged(struct frame *f, const uint8_t *p, size_t len, unsigned segs, uint16_t mss, bool ip6, uint16_t l4_off);

/** frame_copy_out() - copy up to @len bytes from @off; Return: bytes copied, fewer at the end */
size_t frame_copy_out(const struct frame *f, size_t off, void *buf, size_t len);
/**
 * frame_compose() - @out: @hdr_len bytes at @hdr, then those of @f from @off to @off + @len, which are not copied; meta of @f
 * Return: false: too long or too many pieces
 */
bool frame_compose(struct frame *out, const void *hdr, size_t hdr_len, const struct frame *f, size_t off, size_t len);
/**
 * frame_peek() - bytes [@off, @off + @len) as one piece: a pointer into the frame where they lie together, else copied to @scratch
 * Return: NULL when the frame is shorter. Not for decisions on guest memory that are taken twice.
 */
const void *frame_peek(const struct frame *f, size_t off, size_t len, void *scratch);

#endif
