/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/user-rig.h - a played guest at the end of -netdev user: a NIC that keeps what it receives
 */
#ifndef TESTS_UNIT_USER_RIG_H
#define TESTS_UNIT_USER_RIG_H

#include "lib/error.h"
#include "net/client.h"
#include "net/nic.h"
#include "qapi/qapi-types.h"

struct guest {
    struct nic *nic;
    struct nic_conf conf;
    GPtrArray *rx;                  /* of GBytes: frames, in their order */
    struct pkt_meta meta;           /* of the last one */
    uint32_t caps;
    bool full;
    size_t largest;
};

static inline void guest_tx(struct guest *g, const uint8_t *f, size_t len)
{
    struct frame fr;

    g_assert_true(frame_from_buf(&fr, f, len));
    g_assert_cmpint(nic_send(g->nic, &fr), !=, NET_TX_BUSY);
}

static inline enum net_tx guest_receive(void *opaque, const struct frame *f)
{
    struct guest *g = opaque;
    uint8_t *buf;

    if (g->full) {
        return NET_TX_BUSY;
    }
    buf = g_malloc(f->len);
    frame_copy_out(f, 0, buf, f->len);
    g->meta = f->meta;
    g->largest = MAX(g->largest, f->len);
    g_assert_cmpuint(f->len, >=, 60);
    g_ptr_array_add(g->rx, g_bytes_new_take(buf, f->len));
    return NET_TX_DONE;
}

static inline void guest_link(void *opaque, bool up)
{
}

static inline void guest_tx_ready(void *opaque)
{
}

static inline uint32_t guest_offloads(void *opaque)
{
    return ((struct guest *)opaque)->caps;
}

static const struct nic_ops guest_ops = {
    .receive = guest_receive, .link_changed = guest_link, .tx_ready = guest_tx_ready, .offloads = guest_offloads, .min_len = 60,
};

static inline bool guest_start_err(struct guest *g, NetdevUser *u, Error **errp)
{
    Netdev cfg = { .id = (char *)(uintptr_t)"u", .type = NETDEV_DRIVER_USER, .u.user = *u };

    *g = (struct guest){ .rx = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref) };
    if (!netdev_create(&cfg, errp)) {
        g_ptr_array_free(g->rx, TRUE);
        return false;
    }
    g->conf.netdev = net_client_find("u");
    g->nic = nic_new(&guest_ops, &g->conf, "test", NULL, g, NULL);
    return true;
}

static inline void guest_start(struct guest *g, NetdevUser *u)
{
    Error *err = NULL;

    if (!guest_start_err(g, u, &err)) {
        g_error("%s", error_text(err));
    }
}

static inline void guest_stop(struct guest *g)
{
    nic_free(g->nic);
    g_assert_true(netdev_del("u", NULL));
    g_ptr_array_free(g->rx, TRUE);
}

#endif
