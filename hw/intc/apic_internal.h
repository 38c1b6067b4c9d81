/* SPDX-License-Identifier: BSD-2-Clause */
/* hw/intc/apic_internal.h - between apic.c, apic_timer.c, apic_regs.c and apic_bus.c */
#ifndef HW_INTC_APIC_INTERNAL_H
#define HW_INTC_APIC_INTERNAL_H

#include "hw/intc/apic.h"
#include "lib/bits.h"

enum {                          /* LVT entries, SDM vol. 3, figure 10-8 */
    LVT_VECTOR = 0xFF, LVT_MODE_SHIFT = 8, LVT_STATUS = 1 << 12, LVT_POLARITY = 1 << 13, LVT_REMOTE_IRR = 1 << 14,
    LVT_LEVEL = 1 << 15, LVT_MASKED = 1 << 16, LVT_TIMER_MODE_SHIFT = 17,
};
enum { TIMER_ONESHOT, TIMER_PERIODIC, TIMER_DEADLINE };
enum { SVR_ENABLE = 1 << 8 };
enum { ESR_SEND_ILLEGAL = 1 << 5, ESR_RECEIVE_ILLEGAL = 1 << 6, ESR_ILLEGAL_REG = 1 << 7 };

static inline bool apic_hw_enabled(const struct apic *s) { return s->base & APIC_BASE_EN; }
static inline bool apic_x2(const struct apic *s) { return s->base & APIC_BASE_EXTD; }
static inline bool apic_sw_enabled(const struct apic *s) { return apic_hw_enabled(s) && (s->svr & SVR_ENABLE); }

/* apic.c */
void apic_update(struct apic *s);
void apic_accept(struct apic *s, const struct apic_msg *m);
void apic_lvt_fire(struct apic *s, enum apic_lvt n);
void apic_error(struct apic *s, uint32_t bit);
void apic_end(struct apic *s);
void apic_eoi(struct apic *s);
uint8_t apic_ppr(const struct apic *s);

/* apic_pv.c */
void apic_pv_sync(struct apic *s);              /* see whether the guest has given its EOI by the flag */
void apic_pv_resolve(struct apic *s);           /* the same; then the flag is taken back. vCPU thread */
void apic_pv_offer(struct apic *s);             /* for the vector just taken into service. vCPU thread */
bool apic_pv_set(struct apic *s, uint64_t v);   /* write of MSR_APIC_PV_EOI; false: #GP. vCPU thread */

/* apic_timer.c */
void apic_timer_setup(struct apic *s);
void apic_timer_schedule(struct apic *s);
uint32_t apic_timer_current(const struct apic *s);
void apic_timer_set_count(struct apic *s, uint32_t v);
void apic_timer_set_divide(struct apic *s, uint32_t v);
void apic_timer_set_lvt(struct apic *s, uint32_t v);
void apic_timer_set_deadline(struct apic *s, uint64_t v);

/*
 * apic_regs.c: registers by index (xAPIC offset >> 4, x2APIC MSR - 0x800); false: no such register, or not that way
 * round
 */
bool apic_reg_read(struct apic *s, unsigned reg, uint32_t *val);
bool apic_reg_write(struct apic *s, unsigned reg, uint32_t val);
void apic_icr_write(struct apic *s, uint64_t icr);
extern const struct region_ops apic_mmio_ops;   /* opaque: struct apic_bus */

/* apic_bus.c */
void apic_bus_moved(struct apic_bus *b);        /* IA32_APIC_BASE changed: place the window */
void apic_bus_ipi(struct apic_bus *b, struct apic *from, const struct apic_msg *m, unsigned shorthand);
#endif
