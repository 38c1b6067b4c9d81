/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/announce.c - RARP announcements
 *
 * A round sends one frame from every chosen NIC; the pause grows from initial by step up to max milliseconds. The frame goes out as if the
 * guest had sent it, so every switch on the way learns the port.
 */
#include "net/announce.h"
#include "core/timer.h"
#include "lib/bytes.h"
#include "net/net_int.h"
#include "net/nic.h"

void announce_frame(const uint8_t mac[6], uint8_t out[ANNOUNCE_LEN])
{
    memset(out, 0, ANNOUNCE_LEN);
    memset(out, 0xFF, 6);
    memcpy(out + 6, mac, 6);
    st_be16(out + 12, 0x8035);              /* RARP */
    st_be16(out + 14, 1);                   /* Ethernet */
    st_be16(out + 16, 0x0800);              /* IPv4 */
    out[18] = 6;
    out[19] = 4;
    st_be16(out + 20, 3);                   /* request reverse */
    memcpy(out + 22, mac, 6);
    memcpy(out + 32, mac, 6);
}

struct announce {
    struct timer timer;
    struct announce_params p;
    int64_t pause_ms, left;
    char **interfaces;
};

static void announce_one(struct net_client *c, void *opaque)
{
    struct announce *a = opaque;
    uint8_t buf[ANNOUNCE_LEN];
    struct frame f;

    if (!c->nic || (a->interfaces && !g_strv_contains((const char *const *)a->interfaces, c->name))) {
        return;
    }
    announce_frame(nic_get_conf(c->nic)->mac, buf);
    frame_from_buf(&f, buf, sizeof(buf));
    net_send_queued(c, &f);
    nic_announce(c->nic);
}

static void announce_round(void *opaque)
{
    struct announce *a = opaque;

    net_client_foreach(announce_one, a);
    if (--a->left <= 0) {
        timer_fini(&a->timer);
        g_strfreev(a->interfaces);
        g_free(a);
        return;
    }
    timer_arm(&a->timer, clock_get_ns(CLOCK_RT) + a->pause_ms * NS_PER_MS);
    a->pause_ms = MIN(a->pause_ms + a->p.step, a->p.max);
}

void announce_start(const struct announce_params *p, const char *const *interfaces)
{
    struct announce *a = g_new0(struct announce, 1);

    a->p = *p;
    a->p.step = CLAMP(p->step, 0, 1000000);
    a->p.max = CLAMP(p->max, 1, 1000000);
    a->pause_ms = CLAMP(p->initial, 1, a->p.max);
    a->left = CLAMP(p->rounds, 1, 1000);
    a->interfaces = g_strdupv((char **)(uintptr_t)interfaces);
    timer_setup(&a->timer, CLOCK_RT, announce_round, a);
    announce_round(a);
}
