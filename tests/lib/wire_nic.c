/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/lib/wire_nic.c - see wire_nic.h */
#include "wire_nic.h"
#include "core/loop.h"
#include "lib/bytes.h"
#include "qapi/keyval.h"
#include "qapi/qapi-types.h"
#include <string.h>

enum { LIMIT_S = 20 };

/* --- the NIC ------------------------------------------------------------------------------------------------------- */

static enum net_tx receive(void *opaque, const struct frame *f)
{
    struct wire_nic *w = opaque;

    if (w->full) {
        return NET_TX_BUSY;
    }
    w->total++;
    if (w->numbered && f->len >= 18) {
        uint8_t head[18];

        frame_copy_out(f, 0, head, sizeof(head));
        g_assert_cmpuint(ld_be32(head + 14), >, w->last);
        w->last = ld_be32(head + 14);
    }
    if (w->frames->len < w->keep_max) {
        uint8_t *copy = g_malloc(f->len + 1);

        frame_copy_out(f, 0, copy, f->len);
        g_ptr_array_add(w->frames, g_bytes_new_take(copy, f->len));
    }
    return NET_TX_DONE;
}

static void link_changed(void *opaque, bool up)
{
    ((struct wire_nic *)opaque)->link = up;
}

static void tx_ready(void *opaque)
{
    ((struct wire_nic *)opaque)->wakes++;
}

static uint32_t offloads(void *opaque)
{
    return ((struct wire_nic *)opaque)->caps;
}

static const struct nic_ops ops = { .receive = receive, .link_changed = link_changed, .tx_ready = tx_ready, .offloads = offloads, .min_len = 0 };

static Netdev *parse(const char *opts, Error **errp)
{
    g_autofree char *text = g_strdup_printf("%s,id=w%u", opts, g_random_int());

    return opts_parse(&qapi_type_Netdev, text, "type", errp);
}

bool wire_nic_open(struct wire_nic *w, const char *opts, Error **errp)
{
    Netdev *cfg = parse(opts, errp);

    *w = (struct wire_nic){ .keep_max = 10000 };
    if (!cfg) {
        return false;
    }
    w->net = netdev_new(cfg, errp);
    qapi_free(&qapi_type_Netdev, cfg);
    if (!w->net) {
        return false;
    }
    w->frames = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    w->conf.netdev = w->net;
    w->nic = nic_new(&ops, &w->conf, "m", NULL, w, NULL);
    g_assert_nonnull(w->nic);
    w->link = nic_link_up(w->nic);
    return true;
}

void wire_nic_open_ok(struct wire_nic *w, const char *opts)
{
    Error *err = NULL;

    if (!wire_nic_open(w, opts, &err)) {
        g_error("%s: %s", opts, error_text(err));
    }
}

char *wire_nic_fails(const char *opts)
{
    struct wire_nic w;
    Error *err = NULL;
    char *text;

    g_assert_false(wire_nic_open(&w, opts, &err));
    g_assert_nonnull(err);
    text = g_strdup(error_text(err));
    error_free(err);
    return text;
}

void wire_nic_close(struct wire_nic *w)
{
    nic_free(w->nic);
    net_client_free(w->net);
    g_ptr_array_unref(w->frames);
    w->nic = NULL;
}

/* --- frames -------------------------------------------------------------------------------------------------------- */

void wire_frame(uint8_t *p, size_t len, uint32_t seq)
{
    static const uint8_t head[14] = { 0x52, 0x54, 0, 0, 0, 1, 0x52, 0x54, 0, 0, 0, 2, 0x88, 0xB5 };

    for (size_t i = 0; i < len; i++) {
        p[i] = i < 14 ? head[i] : (uint8_t)(i * 31 + seq);
    }
    if (len >= 18) {
        st_be32(p + 14, seq);
    }
}

enum net_tx wire_nic_send_raw(struct wire_nic *w, const void *p, size_t len)
{
    struct frame f;

    g_assert_true(frame_from_buf(&f, p, len));
    return nic_send(w->nic, &f);
}

enum net_tx wire_nic_send(struct wire_nic *w, size_t len, uint32_t seq)
{
    g_autofree uint8_t *p = g_malloc(len + 1);

    wire_frame(p, len, seq);
    return wire_nic_send_raw(w, p, len);
}

void wire_nic_unblock(struct wire_nic *w)
{
    w->full = false;
    nic_rx_ready(w->nic);
}

GBytes *wire_nic_take(struct wire_nic *w)
{
    return w->frames->len ? g_ptr_array_steal_index(w->frames, 0) : NULL;
}

void wire_nic_expect(struct wire_nic *w, size_t len, uint32_t seq)
{
    g_autofree uint8_t *want = g_malloc(len + 1);
    g_autoptr(GBytes) got = NULL;

    WIRE_WAIT(w->frames->len);
    got = wire_nic_take(w);
    wire_frame(want, len, seq);
    g_assert_cmpmem(g_bytes_get_data(got, NULL), g_bytes_get_size(got), want, len);
}

uint64_t wire_nic_drops(const struct wire_nic *w, const char *name)
{
    for (unsigned i = 0; i < w->net->n_own_drops; i++) {
        if (!g_strcmp0(w->net->own_drop_names[i], name)) {
            return w->net->own_drops[i];
        }
    }
    g_error("no counter '%s'", name);
}

/* --- time ---------------------------------------------------------------------------------------------------------- */

static int64_t wait_began;              /* 0: nobody waits */

static gboolean nothing(gpointer opaque)
{
    return G_SOURCE_REMOVE;
}

void wire_turn(void)
{
    guint id = g_timeout_add(10, nothing, NULL);

    if (!wait_began) {
        wait_began = g_get_monotonic_time();
    }
    if (g_get_monotonic_time() - wait_began > LIMIT_S * G_USEC_PER_SEC) {
        g_error("waited %d s in vain", LIMIT_S);
    }
    loop_iterate(true);
    if (g_main_context_find_source_by_id(NULL, id)) {
        g_source_remove(id);
    }
}

void wire_turn_end(void)
{
    wait_began = 0;
}

void wire_settle(unsigned ms)
{
    int64_t quiet = g_get_monotonic_time();

    while (g_get_monotonic_time() - quiet < ms * 1000) {
        if (loop_iterate(false)) {
            quiet = g_get_monotonic_time();
        } else {
            g_usleep(200);
        }
    }
}
