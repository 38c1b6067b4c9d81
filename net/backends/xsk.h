/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/xsk.h - an AF_XDP socket: memory shared with the kernel, four rings in it (Linux, Documentation/networking/af_xdp.rst)
 *
 *     fill         we -> kernel   empty frames, to receive into          rx   kernel -> we   received
 *     tx           we -> kernel   to be sent                             completion          sent: the frame is empty again
 *
 * Frames 0 .. XSK_FRAMES - 1 are for receiving, as many behind them for sending. Straight on the kernel's interface, so that sockets that
 * somebody else has opened work too, and that what we attach to an interface goes when the process does, however it ends.
 */
#ifndef NET_BACKENDS_XSK_H
#define NET_BACKENDS_XSK_H

#include "lib/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    XSK_FRAMES     = 2048,              /* in each direction, and in each ring */
    XSK_FRAME_SIZE = 4096,
    XSK_SEND_MAX   = XSK_FRAME_SIZE,    /* longest frame to send; the kernel delivers some 256 bytes less */
};

struct xsk_ring {
    uint32_t *producer, *consumer, *flags;
    void *entries;
    void *map;
    size_t map_len;
    uint32_t pos;                       /* next entry of ours, not yet shown to the kernel */
};

struct xsk {
    int fd;
    uint8_t *umem;
    struct xsk_ring fill, completion, rx, tx;
    uint32_t empty[XSK_FRAMES];         /* frames to send from */
    unsigned n_empty;
};

/**
 * xsk_open() - make the socket and bind it to a queue of an interface
 * @fd:    -1, or an AF_XDP socket without memory and rings; it is closed in every case
 * @copy:  no zero-copy, even if the driver could
 * Zeroed memory with fd = -1 may be given to xsk_close(), a failed open too.
 */
bool xsk_open(struct xsk *x, int fd, const char *ifname, unsigned ifindex, unsigned queue, bool copy, Error **errp);
void xsk_close(struct xsk *x);

/** xsk_rx_peek() - the oldest received frame, in place; NULL: none. It stays until xsk_rx_done(). */
const uint8_t *xsk_rx_peek(struct xsk *x, size_t *len);
/** xsk_rx_done() - its memory goes back to the kernel */
void xsk_rx_done(struct xsk *x);
/** xsk_rx_wake() - at the end of a batch: show the kernel what is empty, tell it when it sleeps */
void xsk_rx_wake(struct xsk *x);

/** xsk_tx_get() - memory for a frame of XSK_SEND_MAX bytes; NULL: all is on the way */
uint8_t *xsk_tx_get(struct xsk *x);
/** xsk_tx_put() - queue what xsk_tx_get() gave, @len bytes of it */
void xsk_tx_put(struct xsk *x, uint8_t *p, size_t len);
/** xsk_tx_kick() - show all to the kernel and make it send; Return: 0, or an error number other than "busy" */
int xsk_tx_kick(struct xsk *x);
/** xsk_tx_pending() - something that was queued is not completed */
bool xsk_tx_pending(struct xsk *x);

/*
 * The program that hands an interface's frames to sockets: queue N to the socket at N in the map, else to the host.
 */
struct xsk_prog {
    int map_fd, prog_fd, link_fd;       /* -1: none */
};
enum xsk_mode { XSK_MODE_ANY, XSK_MODE_NATIVE, XSK_MODE_SKB };
/** xsk_prog_attach() - load it and attach it; it is gone when the descriptors are closed */
bool xsk_prog_attach(struct xsk_prog *p, const char *ifname, unsigned ifindex, enum xsk_mode mode, unsigned queues, Error **errp);
void xsk_prog_close(struct xsk_prog *p);
/** xsk_map_open() - a map that was pinned in a BPF file system; -1: errno */
int xsk_map_open(const char *path);
/** xsk_map_set() - put the socket at @index; false: errno */
bool xsk_map_set(int map_fd, uint32_t index, int sock_fd);

#endif
