/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/intc/apic.h - local APICs (xAPIC and x2APIC) and the bus that carries interrupt messages to them
 *
 * One struct apic a CPU, device "apic". All of them hang on one struct apic_bus, together with the I/O APIC and the
 * wire of the 8259 (LINT0). The CPU is reached through struct apic_cpu_ops, so that nothing here depends on an engine,
 * and a machine without CPU (test server) works the same. Machine lock held throughout.
 *
 * Time: the bus clock is 1 GHz. The TSC counts nanoseconds of CLOCK_VIRTUAL from an offset that the guest may change.
 */
#ifndef HW_INTC_APIC_H
#define HW_INTC_APIC_H

#include "core/device.h"
#include "core/timer.h"
#include "mem/region.h"

#define TYPE_APIC       "apic"
#define APIC_BASE       0xFEE00000u
#define APIC_CPUS_MAX   255

enum apic_delivery {            /* SDM vol. 3, 10.5.1 and 10.6.1 */
    APIC_DM_FIXED = 0, APIC_DM_LOWEST = 1, APIC_DM_SMI = 2, APIC_DM_NMI = 4, APIC_DM_INIT = 5, APIC_DM_STARTUP = 6,
    APIC_DM_EXTINT = 7,
};

enum apic_lvt { LVT_TIMER, LVT_THERMAL, LVT_PERF, LVT_LINT0, LVT_LINT1, LVT_ERROR, LVT_COUNT };

enum {                          /* IA32_APIC_BASE, SDM vol. 3, 10.4.4 and 10.12.1 */
    APIC_BASE_BSP = 1 << 8, APIC_BASE_EXTD = 1 << 10, APIC_BASE_EN = 1 << 11,
};

enum { MSR_APIC_BASE = 0x1B, MSR_TSC_DEADLINE = 0x6E0, MSR_X2APIC_FIRST = 0x800, MSR_X2APIC_LAST = 0x8FF,
       MSR_APIC_PV_EOI = 0x4B564D04 };

/* An interrupt message as it travels between APICs */
struct apic_msg {
    uint32_t dest;
    bool logical;
    uint8_t mode;               /* enum apic_delivery */
    uint8_t vector;
    bool level;                 /* trigger mode: the receiver's EOI is broadcast */
};

/* The CPU's pins and its counter. None may be NULL. */
struct apic_cpu_ops {
    void (*intr)(void *opaque, bool level);
    void (*nmi)(void *opaque);
    void (*init)(void *opaque);
    void (*sipi)(void *opaque, uint8_t vector);
    uint64_t (*tsc)(void *opaque);
};

struct apic;
struct ioapic;

struct apic_bus {
    struct apic *cpu[APIC_CPUS_MAX];
    unsigned n;
    struct ioapic *ioapic;              /* told of EOIs; NULL: none */
    int (*pic_ack)(void *opaque);       /* INTA cycle to the 8259; NULL: none */
    void *pic_opaque;
    bool pic_level;                     /* INTR output of the 8259 */
    struct region mmio;                 /* 4 KiB; answers for the CPU that accesses it */
    unsigned current;                   /* index of that CPU; the CPU thread sets it once there are several */
};

struct apic {
    struct device dev;          /* first member */
    struct apic_bus *bus;       /* set by the board, as are the next four */
    const struct apic_cpu_ops *ops;
    void *opaque;
    unsigned index;             /* CPU number and initial APIC id */
    bool has_x2apic, has_deadline;
    struct addr_space *mem;     /* where the guest's EOI flag is; NULL: there is no PV-EOI */

    uint64_t base;              /* IA32_APIC_BASE */
    uint32_t id, ldr, dfr, svr, esr, esr_new;
    uint64_t icr;
    uint8_t tpr;
    uint32_t irr[8], isr[8], tmr[8];
    uint32_t lvt[LVT_COUNT];
    uint32_t init_count, divide;
    int64_t timer_start;        /* CLOCK_VIRTUAL at which init_count was loaded */
    uint64_t deadline;          /* TSC value, 0: none */
    struct timer timer;
    bool lint1;                 /* level of the pin */
    bool extint;                /* an ExtINT message came from the I/O APIC and was not yet acknowledged */
    uint64_t pv_eoi;            /* MSR_APIC_PV_EOI */
    bool pv_offered;            /* the flag was set for the vector in service: the guest may clear it as its EOI */
    bool intr_level;            /* what the CPU was told */
    unsigned long interrupts;   /* acknowledged here */
    unsigned long pv_eois;      /* EOIs that the guest gave by its flag */
};

/** apic_bus_init() - the MMIO window is placed in @mem at APIC_BASE */
void apic_bus_init(struct apic_bus *b, struct region *mem);
void apic_bus_fini(struct apic_bus *b);
/** apic_bus_deliver() - send a message; messages nobody is addressed by vanish */
void apic_bus_deliver(struct apic_bus *b, const struct apic_msg *m);
/**
 * apic_bus_msi() - a message signalled interrupt: a DMA write of @data to @addr in 0xFEExxxxx (SDM vol. 3, 10.11)
 * Return: false when @addr is not in that range; nothing was done.
 */
bool apic_bus_msi(struct apic_bus *b, uint64_t addr, uint32_t data);
/** apic_bus_set_pic() - level of the 8259's output */
void apic_bus_set_pic(struct apic_bus *b, bool level);

/** apic_virtual_wire() - what firmware leaves behind: enabled, 8259 through LINT0, NMI on LINT1 (MP 1.4, 3.6.2.2) */
void apic_virtual_wire(struct apic *s);
/** apic_init() - INIT: as reset, but APIC id and base stay (SDM vol. 3, 10.4.7.3) */
void apic_init(struct apic *s);
/** apic_set_lint1() - the NMI wire of the board */
void apic_set_lint1(struct apic *s, bool level);

/** apic_ack() - vector to be served now, out of IRR into ISR or from the 8259; -1: nothing any more */
int apic_ack(struct apic *s);
/** apic_rdmsr()/_wrmsr() - MSR_APIC_BASE, MSR_TSC_DEADLINE, MSR_APIC_PV_EOI, x2APIC range; false: #GP */
bool apic_rdmsr(struct apic *s, uint32_t msr, uint64_t *val);
bool apic_wrmsr(struct apic *s, uint32_t msr, uint64_t val);
static inline uint8_t apic_cr8_get(const struct apic *s) { return s->tpr >> 4; }
void apic_cr8_set(struct apic *s, uint8_t v);

/** apic_print() - "info lapic" */
void apic_print(const struct apic *s, GString *out);

extern const struct device_type apic_type;

#endif
