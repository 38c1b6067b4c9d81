/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/nic.h - the net layer as a NIC model sees it
 *
 *     struct mynic { struct pci_device pci; struct nic_conf conf; struct nic *nic; ... };
 *     props:      NIC_PROPS(struct mynic, conf), { NULL }
 *     realize:    s->nic = nic_new(&my_ops, &s->conf, "mynic", s->pci.dev.id, s, errp);     (conf.mac is final after it)
 *     transmit:   frame_init(&f); frame_append(&f, ...); f.meta = ...; switch (nic_send(s->nic, &f)) ...   from the NIC's ring bottom half
 *     unrealize:  nic_free(s->nic); s->nic = NULL;
 */
#ifndef NET_NIC_H
#define NET_NIC_H

#include "core/property.h"
#include "net/client.h"
#include "net/macaddr.h"

struct nic;

/* All members are set. Called with the machine lock held, in the main loop, never from inside nic_send() or another call of these. */
struct nic_ops {
    /*
     * A frame from the wire, at least min_len and at most FRAME_MAX bytes; only with meta that offloads() covers.
     * DONE: in the guest's memory. DROP: not for us, receiver switched off, too long... (as the hardware would).
     * BUSY: receiver on, no buffer free: the core keeps the frame and order and delivers nothing until nic_rx_ready().
     * Not called while the machine is stopped: frames wait in the queue.
     */
    enum net_tx (*receive)(void *opaque, const struct frame *f);
    void (*link_changed)(void *opaque, bool up);    /* also with the same value as before: compare */
    void (*tx_ready)(void *opaque);                 /* nic_send() had said BUSY: schedule the transmit work again */
    uint32_t (*offloads)(void *opaque);             /* PKT_CAP_* that receive() takes at this moment; 0 for plain NICs */
    size_t min_len;                                 /* shorter frames are padded with zeros: 60 for Ethernet hardware, 0: never */
};

/* User's part of a NIC: in the device's struct, filled by its properties. */
struct nic_conf {
    uint8_t mac[6];                 /* all zero until realize: then the next free default */
    struct net_client *netdev;      /* backend or hub port to plug into, or NULL; the core clears it when that one goes */
    int32_t bootindex;              /* -1: none */
};

extern const struct prop_kind prop_mac;     /* uint8_t[6]: strict, "Property 'e1000.mac' doesn't take value 'zz'" */
extern const struct prop_kind prop_netdev;  /* struct net_client *: "Property 'e1000.netdev' can't find value 'zz'" */

#define NIC_PROPS(type, field)                                                                                         \
    { "mac", &prop_mac, offsetof(type, field.mac), NULL, "Ethernet 6-byte MAC Address, example: 52:54:00:12:34:56", 0 }, \
    { "netdev", &prop_netdev, offsetof(type, field.netdev), NULL, "ID of a netdev to use as a backend", 0 },             \
    { "bootindex", &prop_int32, offsetof(type, field.bootindex), "-1", NULL, 0 }

/**
 * nic_new() - create the NIC's end of the cable and plug it into conf->netdev
 * @conf:   borrowed until nic_free(); mac is chosen here when it is all zero
 * @model:  as "info network" shows it; borrowed, constant
 * @id:     name of the client, or NULL: MODEL.N
 * Return: NULL: *errp is set (multicast MAC, netdev already in use, name taken)
 */
struct nic *nic_new(const struct nic_ops *ops, struct nic_conf *conf, const char *model, const char *id, void *opaque, Error **errp);
/** nic_free() - unplug and free; NULL is fine. No callback comes any more when it returns. */
void nic_free(struct nic *nic);

/**
 * nic_send() - transmit; f->meta says what is left to do (checksum, segmentation, tag)
 * Return: DONE; BUSY: keep the descriptor, tx_ready() will be called; DROP: lost and counted, go on as if sent.
 * A frame whose meta is nonsense is dropped, never trusted. Answers arrive by receive() from a bottom half later.
 */
enum net_tx nic_send(struct nic *nic, const struct frame *f);
/** nic_loopback() - send to the NIC itself (MAC or PHY loopback): through the queue, bounded; receive() comes from a bottom half */
enum net_tx nic_loopback(struct nic *nic, const struct frame *f);
/** nic_rx_ready() - receive() may succeed again: new buffers, receiver on, reset. The waker. Any thread; cheap when nothing waits. */
void nic_rx_ready(struct nic *nic);
/** nic_purge() - forget frames waiting for this NIC (device reset) */
void nic_purge(struct nic *nic);
/** nic_plug_into() - move the cable to @to, which is free, or plug it in where the NIC had nothing; see netdev_swap() */
void nic_plug_into(struct nic *nic, struct net_client *to);
/** nic_link_up() - what the guest should see now */
bool nic_link_up(const struct nic *nic);
/** nic_has_peer() - something is plugged in */
bool nic_has_peer(const struct nic *nic);
/** nic_set_info() - refresh "info network" after the guest has changed its MAC; nic_new() has set it once */
void nic_set_info(struct nic *nic, const uint8_t mac[6]);
struct net_client *nic_client(struct nic *nic);
const char *nic_name(const struct nic *nic);
const char *nic_model(const struct nic *nic);
/** nic_of() - the NIC behind a client, NULL if it is none */
struct nic *nic_of(struct net_client *c);
struct nic_conf *nic_get_conf(struct nic *nic);

/* What query-rx-filter shows. Tables belong to the query and are freed by it. */
enum nic_rx_mode { NIC_RX_NONE, NIC_RX_NORMAL, NIC_RX_ALL };    /* names in QMP: none, normal, all */
struct nic_rx_filter {
    bool promiscuous, broadcast_allowed, unicast_overflow, multicast_overflow;
    enum nic_rx_mode unicast, multicast, vlan;
    uint8_t main_mac[6];
    GArray *unicast_table, *multicast_table;    /* of uint8_t[6] */
    GArray *vlan_table;                         /* of uint16_t; empty when vlan is not NORMAL */
};
typedef void nic_rx_filter_fn(void *opaque, struct nic_rx_filter *out);

/** nic_set_rx_filter_fn() - the model can tell its receive filter: @fn fills in @out, whose tables are there and empty */
void nic_set_rx_filter_fn(struct nic *nic, nic_rx_filter_fn *fn);
/**
 * nic_rx_filter_changed() - the guest has changed what nic_rx_filter_fn would say: NIC_RX_FILTER_CHANGED, once until it is asked again
 * @path: of the object in the tree: "/machine/peripheral/n/virtio-backend"
 */
void nic_rx_filter_changed(struct nic *nic, const char *path);
/** nic_set_announce_fn() - the model can ask its guest to announce itself; announce-self calls @fn each round, after our own frame */
typedef void nic_announce_fn(void *opaque);
void nic_set_announce_fn(struct nic *nic, nic_announce_fn *fn);
void nic_announce(struct nic *nic);
/** nic_failover_negotiated() - the guest can use this NIC as stand-by for another: FAILOVER_NEGOTIATED; @id NULL: "" */
void nic_failover_negotiated(struct nic *nic, const char *id);
/**
 * nic_query_rx_filter() - query-rx-filter of one NIC; end with nic_rx_filter_fini()
 * Errors: "invalid net client name: zz", "net client(u0) isn't a NIC", "net client(n) doesn't support rx-filter querying"
 */
bool nic_query_rx_filter(const char *name, struct nic_rx_filter *out, Error **errp);
void nic_rx_filter_fini(struct nic_rx_filter *f);

#endif
