/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/intel/msix.c - the 82574's five vectors (datasheet 7.4.1, 7.4.4, 10.2.4.7-10.2.4.10)
 *
 *   31   19   16 15    12 11     8 7      4 3      0
 *   WB   V OTHER  V TXQ1   V TXQ0   V RXQ1   V RXQ0       IVAR: a vector and a valid bit for each of five causes
 *
 * A cause that happens while its IMS bit is set sends its vector's message; one that had happened while it was masked
 * does so when it is unmasked. The message "takes" the cause: the bit leaves ICR and IMS where EIAC says so, IMS where
 * EIAM (CTRL_EXT) and IAM say so; drivers unmask again when they are done. EITR keeps a vector's messages apart.
 */
#include "core.h"

enum { CAUSES = 5, CAUSE_BIT0 = 20, EITR_UNIT_NS = 256, VALID = 8 };

/* The causes, as ICR bits, that go to vector @v */
static uint32_t causes_of(const struct intel_nic *s, unsigned v)
{
    uint32_t bits = 0;

    for (unsigned i = 0; i < CAUSES; i++) {
        if (bits_get(rd(s, R_IVAR), 4 * i, 4) == (VALID | v)) {
            bits |= 1u << (CAUSE_BIT0 + i);
        }
    }
    return bits;
}

static void send(struct intel_nic *s, unsigned v)
{
    struct intel_vector *vec = &s->intr.vec[v];
    uint32_t bits = causes_of(s, v) & rd(s, R_ICR) & rd(s, R_IMS), clear = bits & rd(s, R_EIAC);
    int64_t gap = (int64_t)(rd(s, R_EITR + 4 * v) & 0xFFFF) * EITR_UNIT_NS;

    vec->waiting = false;
    vec->next_ns = gap ? clock_get_ns(CLOCK_VIRTUAL) + gap : 0;
    reg_clear(&s->regs, R_ICR, clear);
    reg_clear(&s->regs, R_IMS, clear | (rd(s, R_CTRL_EXT) & CTRL_EXT_EIAME ? bits & rd(s, R_IAM) : 0));
    stats_count(s, S_IAC);
    msix_notify(&s->pci, v);
}

static void fire(struct intel_nic *s, unsigned v)
{
    struct intel_vector *vec = &s->intr.vec[v];
    int64_t gap = (int64_t)(rd(s, R_EITR + 4 * v) & 0xFFFF) * EITR_UNIT_NS, now;

    if (timer_armed(&vec->itr)) {
        vec->waiting = true;
        return;
    }
    now = gap && vec->next_ns ? clock_get_ns(CLOCK_VIRTUAL) : 0;
    if (gap && now < vec->next_ns) {
        vec->waiting = true;
        timer_arm(&vec->itr, MIN(vec->next_ns, now + gap));
        return;
    }
    send(s, v);
}

static void itr_expired(void *opaque)
{
    struct intel_vector *vec = opaque;
    struct intel_nic *s = vec->nic;
    unsigned v = vec - s->intr.vec;

    if (vec->waiting && msix_enabled(&s->pci) && causes_of(s, v) & rd(s, R_ICR) & rd(s, R_IMS)) {
        send(s, v);
    }
    vec->waiting = false;
}

void vectors_cause(struct intel_nic *s, uint32_t causes)
{
    causes &= ICR_QUEUES & rd(s, R_IMS);
    for (unsigned v = 0; causes && v < s->model->vectors; v++) {
        if (causes & causes_of(s, v)) {
            fire(s, v);
        }
    }
}

/* 10.2.2.5 PBA_CLR: unmasking takes back what is pending in the MSI-X table */
void vectors_unmasked(struct intel_nic *s, uint32_t bits)
{
    for (unsigned v = 0; v < s->model->vectors && rd(s, R_CTRL_EXT) & CTRL_EXT_PBA_CLR; v++) {
        if (bits & causes_of(s, v)) {
            msix_clear_pending(&s->pci, v);
        }
    }
    vectors_cause(s, bits & rd(s, R_ICR));
}

/* MSI-X came on: what is enabled and has happened goes out as messages. It went off: the line takes over */
void intel_msi_changed(struct pci_device *d, int vector)
{
    struct intel_nic *s = (struct intel_nic *)d;

    if (vector < 0 && s->nic) {
        intr_update(s);
        if (msix_enabled(d)) {
            vectors_cause(s, rd(s, R_ICR));
        }
    }
}

void vectors_init(struct intel_nic *s)
{
    for (unsigned v = 0; v < s->model->vectors; v++) {
        s->intr.vec[v].nic = s;
        timer_setup(&s->intr.vec[v].itr, CLOCK_VIRTUAL, itr_expired, &s->intr.vec[v]);
    }
}

void vectors_reset(struct intel_nic *s)
{
    for (unsigned v = 0; v < s->model->vectors; v++) {
        timer_disarm(&s->intr.vec[v].itr);
        s->intr.vec[v].waiting = false;
        s->intr.vec[v].next_ns = 0;
    }
}

void vectors_fini(struct intel_nic *s)
{
    for (unsigned v = 0; v < s->model->vectors; v++) {
        timer_fini(&s->intr.vec[v].itr);
    }
}
