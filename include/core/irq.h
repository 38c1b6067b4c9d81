/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * core/irq.h - wires: who is told when a line changes level
 *
 * A struct irq is the sink's end: the sink (interrupt controller, gate) sets it up with irq_init(); the source holds a
 * pointer (NULL: not connected) and calls irq_set(). Machine lock held.
 */
#ifndef CORE_IRQ_H
#define CORE_IRQ_H

#include <stdbool.h>
#include <stddef.h>

typedef void irq_fn(void *opaque, unsigned n, bool level);

struct irq {
    irq_fn *fn;
    void *opaque;
    unsigned n;
    bool level;                 /* as last set */
    unsigned long count;        /* rising edges, for "info irq" */
    /* test server's tap on the line; replaces nothing, sees every change first. true: the change is swallowed */
    bool (*intercept)(void *opaque, unsigned n, bool level);
    void *intercept_opaque;
};

static inline void irq_init(struct irq *irq, irq_fn *fn, void *opaque, unsigned n)
{
    *irq = (struct irq){ .fn = fn, .opaque = opaque, .n = n };
}

static inline void irq_set(struct irq *irq, bool level)
{
    if (!irq) {
        return;
    }
    if (level != irq->level) {
        irq->count += level;
        irq->level = level;
        if (irq->intercept && irq->intercept(irq->intercept_opaque, irq->n, level)) {
            return;
        }
    }
    if (irq->fn) {
        irq->fn(irq->opaque, irq->n, level);
    }
}

static inline void irq_raise(struct irq *irq) { irq_set(irq, true); }
static inline void irq_lower(struct irq *irq) { irq_set(irq, false); }
static inline void irq_pulse(struct irq *irq) { irq_set(irq, true); irq_set(irq, false); }

#endif
