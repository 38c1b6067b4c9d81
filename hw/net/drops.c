/* SPDX-License-Identifier: BSD-2-Clause */
/* hw/net/drops.c - names and counters of dropped frames */
#include "hw/net/drops.h"
#include "lib/log.h"

#include <inttypes.h>

static const char *const names[NIC_DROPS] = {
    [NIC_DROP_BAD_RING]     = "bad-ring",
    [NIC_DROP_BAD_DMA]      = "bad-dma",
    [NIC_DROP_TX_TOO_LONG]  = "tx-too-long",
    [NIC_DROP_TX_TOO_SHORT] = "tx-too-short",
    [NIC_DROP_BAD_TSO]      = "bad-tso",
    [NIC_DROP_BAD_CSUM]     = "bad-csum",
    [NIC_DROP_MIXED_TYPES]  = "mixed-types",
    [NIC_DROP_RX_DISABLED]  = "rx-disabled",
    [NIC_DROP_RX_FILTER]    = "rx-filter",
    [NIC_DROP_RX_TOO_LONG]  = "rx-too-long",
    [NIC_DROP_RX_NO_ROOM]   = "rx-no-room",
    [NIC_DROP_BAD_CTRL]     = "bad-ctrl",
};

const char *nic_drop_name(enum nic_drop why)
{
    return why < NIC_DROPS ? names[why] : "unknown";
}

void nic_drop(struct nic_drops *d, enum nic_drop why)
{
    d->count[why]++;
    if (why != NIC_DROP_RX_FILTER && why != NIC_DROP_RX_DISABLED && log_on(LOG_GUEST_ERROR)) {
        log_guest(LOG_GUEST_ERROR, "%s: dropped: %s", d->dev, names[why]);
    }
}

void nic_drops_print(const struct nic_drops *d, GString *out, unsigned indent)
{
    const char *sep = "drops: ";
    bool any = false;

    for (unsigned i = 0; i < NIC_DROPS; i++) {
        if (d->count[i]) {
            g_string_append_printf(out, "%*s%s%s %" PRIu64, any ? 0 : (int)indent, "", sep, names[i], d->count[i]);
            sep = ", ";
            any = true;
        }
    }
    if (any) {
        g_string_append_c(out, '\n');
    }
}
