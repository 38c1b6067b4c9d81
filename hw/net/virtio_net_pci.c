/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/virtio_net_pci.c - virtio-net on PCI: the properties and the three device types (VIRTIO 1.2 4.1, 5.1)
 *
 * virtio-net-pci decides by disable-legacy and disable-modern which interfaces it has; -transitional has both,
 * -non-transitional the 1.x one only. One vector a queue and one for the configuration is the default.
 */
#include "hw/net/nics.h"
#include "hw/virtio/virtio_pci.h"
#include "virtio_net.h"

#include "migration/vmstate.h"

static_assert((int)VNET_HASH_TYPE_OFF == (int)OOA_OFF, "hash-* properties");

struct virtio_net_pci {
    struct virtio_pci vp;               /* first member */
    struct virtio_net net;
};

static struct virtio_net_pci *of(struct device *d)
{
    return (struct virtio_net_pci *)d;
}

static const char *model_of(const struct device *d)
{
    return d->type->name;
}

static bool net_pci_realize(struct device *d, Error **errp)
{
    struct virtio_net_pci *p = of(d);

    p->net.dev = d;
    if (!vnet_realize(&p->net, &p->vp.conf, &p->vp.pci.dma, model_of(d), errp)) {
        return false;
    }
    return virtio_pci_plug(&p->vp, &p->net.vdev, 2 * p->net.npairs + 2, errp);
}

static void net_pci_unrealize(struct device *d)
{
    virtio_pci_unplug(&of(d)->vp);
    vnet_unrealize(&of(d)->net);
}

static void net_pci_describe(struct device *d, GString *out, unsigned indent)
{
    vnet_describe(&of(d)->net, out, indent);
}

/* ---- properties ---- */

#define C(m) offsetof(struct virtio_net_pci, net.conf.m)
#define ON(name, m)  { name, &prop_bool, C(m), "on", "on/off", 0 }
#define OFF(name, m) { name, &prop_bool, C(m), "off", "on/off", 0 }
#define HASH(name, n) { name, &prop_on_off_auto, C(hash_type[n]), "auto", "on/off/auto", 0 }

#define NET_PROPS                                                                                                      \
    NIC_PROPS(struct virtio_net_pci, net.nic_conf),                                                                    \
    ON("csum", csum), ON("guest_csum", guest_csum), ON("gso", gso),                                                    \
    ON("guest_tso4", guest_tso4), ON("guest_tso6", guest_tso6), ON("guest_ecn", guest_ecn),                            \
    ON("guest_ufo", guest_ufo), ON("guest_announce", guest_announce),                                                  \
    ON("host_tso4", host_tso4), ON("host_tso6", host_tso6), ON("host_ecn", host_ecn), ON("host_ufo", host_ufo),        \
    ON("mrg_rxbuf", mrg_rxbuf), ON("status", status), ON("ctrl_vq", ctrl_vq), ON("ctrl_rx", ctrl_rx),                  \
    ON("ctrl_vlan", ctrl_vlan), ON("ctrl_rx_extra", ctrl_rx_extra), ON("ctrl_mac_addr", ctrl_mac_addr),                \
    ON("ctrl_guest_offloads", ctrl_guest_offloads), OFF("mq", mq), OFF("rss", rss), OFF("hash", hash),                 \
    HASH("hash-ipv4", 0), HASH("hash-tcp4", 1), HASH("hash-udp4", 2), HASH("hash-ipv6", 3), HASH("hash-tcp6", 4),      \
    HASH("hash-udp6", 5), HASH("hash-ipv6ex", 6), HASH("hash-tcp6ex", 7), HASH("hash-udp6ex", 8),                      \
    { "ebpf-rss-fds", &prop_str, C(ebpf_rss_fds), NULL, "accepted, without effect", 0 },                               \
    OFF("guest_rsc_ext", guest_rsc_ext),                                                                               \
    { "rsc_interval", &prop_uint32, C(rsc_interval_ns), "300000", "ns that a segment is held back at most", 0 },       \
    { "x-txtimer", &prop_uint32, C(txtimer), "150000", "accepted, without effect", 0 },                                \
    { "x-txburst", &prop_int32, C(txburst), "256", "accepted, without effect", 0 },                                    \
    { "tx", &prop_str, C(tx), NULL, "accepted, without effect", 0 },                                                   \
    { "rx_queue_size", &prop_uint16, C(rx_queue_size), "256", "256, 512 or 1024", 0 },                                 \
    { "tx_queue_size", &prop_uint16, C(tx_queue_size), "256", NULL, 0 },                                               \
    { "host_mtu", &prop_uint16, C(host_mtu), "0", "MTU that the guest is told; 0: none", 0 },                          \
    { "speed", &prop_int32, C(speed), "-1", "Mbit/s; -1: unknown", 0 },                                                \
    { "duplex", &prop_str, C(duplex), NULL, "half or full", 0 },                                                       \
    { "queues", &prop_uint32, C(queues), "0", "queue pairs; 0: as many as the netdev has", 0 },                        \
    ON("guest_uso4", guest_uso4), ON("guest_uso6", guest_uso6), ON("host_uso", host_uso),                              \
    ON("host_tunnel", tunnel[0]), ON("host_tunnel_csum", tunnel[1]), ON("guest_tunnel", tunnel[2]),                    \
    ON("guest_tunnel_csum", tunnel[3]), OFF("failover", failover)

static const struct property generic_props[] = { NET_PROPS, VIRTIO_PCI_VARIANT_PROPS(struct virtio_net_pci, vp),
                                                 { NULL } };
static const struct property variant_props[] = { NET_PROPS, { NULL } };

/* ---- state ---- */

static const struct vmstate vmstate_net_pci = {
    .name = "virtio-net-pci", .version = 1,
    .fields = (const struct vmstate_field[]){
        VMS_STRUCT(struct virtio_net_pci, net, vmstate_vnet),
        VMS_END,
    },
};

/* ---- types ---- */

enum { TRANSITIONAL_ID = 0x1000 };

static const struct virtio_pci_class generic = VIRTIO_PCI_CLASS(PCI_CLASS_ETHERNET, TRANSITIONAL_ID,
                                                                VIRTIO_PCI_GENERIC);
static const struct virtio_pci_class transitional = VIRTIO_PCI_CLASS(PCI_CLASS_ETHERNET, TRANSITIONAL_ID,
                                                                     VIRTIO_PCI_TRANSITIONAL);
static const struct virtio_pci_class non_transitional = VIRTIO_PCI_CLASS(PCI_CLASS_ETHERNET, TRANSITIONAL_ID,
                                                                         VIRTIO_PCI_NON_TRANSITIONAL);

#define TYPE .bus = "PCI", .parent = &virtio_pci_type, .size = sizeof(struct virtio_net_pci),                          \
    .category = DEVICE_CAT_NETWORK, .user_creatable = true, .hotpluggable = true, .realize = net_pci_realize,          \
    .unrealize = net_pci_unrealize, .describe = net_pci_describe, .vmsd = &vmstate_net_pci

static const struct device_type types[] = {
    { TYPE, .name = "virtio-net-pci", .alias = "virtio-net", .props = generic_props, .cls = &generic.pci },
    { TYPE, .name = "virtio-net-pci-non-transitional", .props = variant_props, .cls = &non_transitional.pci },
    { TYPE, .name = "virtio-net-pci-transitional", .props = variant_props, .cls = &transitional.pci },
};

void virtio_net_register_types(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(types); i++) {
        device_type_register(&types[i]);
    }
}
