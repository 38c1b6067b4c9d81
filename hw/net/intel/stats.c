/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/intel/stats.c - the statistics registers (8254x SDM 13.7): read-only, cleared by reading, stuck at all ones
 *
 * Octet counters are 64 bits in two registers; reading the upper half clears both. Lengths count the FCS.
 */
#include "core.h"

static void add(struct intel_nic *s, uint32_t off, uint32_t n)
{
    uint32_t v;

    reg_set(&s->regs, off, __builtin_add_overflow(rd(s, off), n, &v) ? UINT32_MAX : v);
}

static void add64(struct intel_nic *s, uint32_t low, uint64_t n)
{
    uint64_t v = rd(s, low) | (uint64_t)rd(s, low + 4) << 32;

    v = __builtin_add_overflow(v, n, &v) ? UINT64_MAX : v;
    reg_set(&s->regs, low, v);
    reg_set(&s->regs, low + 4, v >> 32);
}

void stats_count(struct intel_nic *s, uint32_t off)
{
    add(s, off, 1);
}

/* PRC64.., PTC64..: six registers by length, 13.7.17-22 and 13.7.51-56 */
static void add_size_class(struct intel_nic *s, uint32_t off64, size_t len, uint32_t n)
{
    static const uint16_t upto[] = { 64, 127, 255, 511, 1023 };
    unsigned i = 0;

    while (i < ARRAY_LEN(upto) && len > upto[i]) {
        i++;
    }
    add(s, off64 + 4 * i, n);
}

static bool is_broadcast(const uint8_t *dst)
{
    return (dst[0] & dst[1] & dst[2] & dst[3] & dst[4] & dst[5]) == 0xFF;
}

void stats_tx(struct intel_nic *s, const struct frame *f, const uint8_t *dst)
{
    const struct pkt_meta *m = &f->meta;
    uint32_t n = 1;
    size_t each = f->len + FCS_LEN + (m->flags & PKT_VLAN ? 4 : 0);
    uint64_t octets = each;

    if (m->gso && m->gso_size && m->hdr_len && m->hdr_len < f->len) {
        size_t payload = f->len - m->hdr_len;

        n = (payload + m->gso_size - 1) / m->gso_size;
        octets = payload + (uint64_t)n * (each - f->len + m->hdr_len);
        each = each - f->len + m->hdr_len + MIN(payload, m->gso_size);
        add(s, S_TSCTC, 1);
    }
    add(s, S_TPT, n);
    add(s, S_GPTC, n);
    add64(s, S_TOTL, octets);
    add64(s, S_GOTCL, octets);
    add_size_class(s, S_PTC64, each, n);
    if (is_broadcast(dst)) {
        add(s, S_BPTC, n);
    } else if (dst[0] & 1) {
        add(s, S_MPTC, n);
    }
}

void stats_rx(struct intel_nic *s, size_t len, const uint8_t *dst)
{
    len += FCS_LEN;
    add(s, S_TPR, 1);
    add(s, S_GPRC, 1);
    add64(s, S_TORL, len);
    add64(s, S_GORCL, len);
    add_size_class(s, S_PRC64, len, 1);
    if (is_broadcast(dst)) {
        add(s, S_BPRC, 1);
    } else if (dst[0] & 1) {
        add(s, S_MPRC, 1);
    }
}

/* Reading the upper half (which clear_on_read clears) clears the lower half too */
uint32_t stats_high_read(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;

    reg_set(&s->regs, a->reg->off - 4, 0);
    return a->val;
}
