/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/pv.c - kvmclock, the KVM leaves and hypercalls (pv.h)
 *
 * kvmclock. The guest names a page; we write down a pair (TSC, system time) and how to go on from it:
 *     time = system_time + ((tsc - tsc_timestamp) << shift) * mul / 2^32
 * The TSC counts nanoseconds of CLOCK_VIRTUAL, so the factor is one (mul = 2^31, shift = 1) and the pair holds until
 * the guest moves its TSC: no page is written between. While the machine is stopped both stand still. The pair of
 * every CPU names the same clock, which is what the flag TSC_STABLE promises: readers need not compare CPUs.
 *
 * A reader copies the page between two reads of `version` that are equal and even. We write it odd, then the rest, then
 * even. Pages are reached by DMA accessors: an address that is no RAM does nothing.
 *
 * Wall clock: the date at system time 0; the guest adds the system time. It is the date that the board's clock shows.
 */
#include "target/x86/pv.h"
#include "core/clock.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include "mem/dma.h"

struct time_page {                      /* struct pvclock_vcpu_time_info */
    le32 version, pad;
    le64 tsc_timestamp, system_time;
    le32 mul;
    int8_t shift;
    uint8_t flags, pad2[2];
};
static_assert(sizeof(struct time_page) == 32, "guest-visible layout");
struct wall_page {                      /* struct pvclock_wall_clock */
    le32 version, sec, nsec;
};
static_assert(sizeof(struct wall_page) == 12, "guest-visible layout");

enum { FLAG_TSC_STABLE = 1 << 0 };
enum { ENABLE = 1 << 0 };
/* Linux: include/uapi/linux/kvm_para.h */
enum { HC_VAPIC_POLL_IRQ = 1, KVM_EPERM = 1, KVM_ENOSYS = 1000 };

/* --- pages ---------------------------------------------------------------------------------------------------------- */

static struct dma memory(const struct x86_cpu *cpu)
{
    return (struct dma){ .as = cpu->mem, .enabled = true };
}

/*
 * Write a page whose first word is its version, by the protocol above; *page has the rest. Of a page that is not RAM
 * nothing is written.
 */
static void page_write(const struct x86_cpu *cpu, uint64_t addr, void *page, size_t len)
{
    struct dma d = memory(cpu);
    uint8_t old[sizeof(struct time_page)];
    uint32_t version;
    le32 w;

    if (!dma_read(&d, addr, old, len)) {
        return;
    }
    version = (ld_le32(old) + 1) | 1;
    w = le32_of(version);
    if (!dma_write(&d, addr, &w, sizeof(w))) {
        return;                         /* ROM */
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    dma_write(&d, addr + sizeof(w), (char *)page + sizeof(w), len - sizeof(w));
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    w = le32_of(version + 1);
    dma_write(&d, addr, &w, sizeof(w));
}

static void time_write(struct x86_cpu *cpu)
{
    int64_t now = clock_get_ns(CLOCK_VIRTUAL);
    struct time_page p = {
        .tsc_timestamp = le64_of((uint64_t)now + cpu->tsc_offset), .system_time = le64_of((uint64_t)now),
        .mul = le32_of(1u << 31), .shift = 1,
        .flags = x86_feat(cpu->feat, X86_FEAT_KVMCLOCK_STABLE) ? FLAG_TSC_STABLE : 0,
    };

    if (cpu->pv_time & ENABLE) {
        page_write(cpu, cpu->pv_time & ~(uint64_t)ENABLE, &p, sizeof(p));
    }
}

static void wall_write(const struct x86_cpu *cpu)
{
    int64_t date = cpu->wall_ns(cpu->wall_opaque) - clock_get_ns(CLOCK_VIRTUAL), at_zero = MAX(date, 0);
    struct wall_page p = {
        .sec = le32_of((uint32_t)(at_zero / NS_PER_SEC)), .nsec = le32_of((uint32_t)(at_zero % NS_PER_SEC)),
    };

    page_write(cpu, cpu->pv_wall, &p, sizeof(p));
}

static int64_t host_date(void *opaque)
{
    return clock_get_ns(CLOCK_HOST);
}

void x86_cpu_set_wall_clock(struct x86_cpu *cpu, int64_t (*wall_ns)(void *opaque), void *opaque)
{
    cpu->wall_ns = wall_ns ? wall_ns : host_date;
    cpu->wall_opaque = opaque;
}

/* --- registers ------------------------------------------------------------------------------------------------------ */

/* Both generations of numbers mean the same registers; a page has to be aligned to four bytes */
static bool is_time(const struct x86_cpu *cpu, uint32_t msr)
{
    return (msr == MSR_KVM_SYSTEM_TIME && x86_feat(cpu->feat, X86_FEAT_KVMCLOCK2)) ||
           (msr == MSR_KVM_SYSTEM_TIME_OLD && x86_feat(cpu->feat, X86_FEAT_KVMCLOCK));
}

static bool is_wall(const struct x86_cpu *cpu, uint32_t msr)
{
    return (msr == MSR_KVM_WALL_CLOCK && x86_feat(cpu->feat, X86_FEAT_KVMCLOCK2)) ||
           (msr == MSR_KVM_WALL_CLOCK_OLD && x86_feat(cpu->feat, X86_FEAT_KVMCLOCK));
}

bool x86_pv_rdmsr(const struct x86_cpu *cpu, uint32_t msr, uint64_t *v)
{
    if (is_time(cpu, msr)) {
        *v = cpu->pv_time;
        return true;
    }
    if (is_wall(cpu, msr)) {
        *v = cpu->pv_wall;
        return true;
    }
    return false;
}

bool x86_pv_wrmsr(struct x86_cpu *cpu, uint32_t msr, uint64_t v)
{
    if (is_time(cpu, msr)) {
        cpu->pv_time = v & 2 ? 0 : v;
        time_write(cpu);
        return true;
    }
    if (is_wall(cpu, msr)) {
        cpu->pv_wall = v;
        if (!(v & 3)) {
            wall_write(cpu);
        }
        return true;
    }
    return false;
}

void x86_pv_tsc_changed(struct x86_cpu *cpu)
{
    time_write(cpu);
}

void x86_pv_reset(struct x86_cpu *cpu)
{
    cpu->pv_time = cpu->pv_wall = 0;
}

/* --- leaves, calls -------------------------------------------------------------------------------------------------- */

struct x86_cpuid_regs x86_pv_leaf(const struct x86_cpu *cpu, uint32_t leaf)
{
    switch (leaf) {
    case 0x40000001:
        return (struct x86_cpuid_regs){ cpu->feat->word[FEAT_KVM] & ~(1u << X86_FEAT_KVM % 32), 0, 0, 0 };
    case 0x40000010:        /* kHz of the TSC and of the APIC timer's clock */
        return (struct x86_cpuid_regs){ X86_TSC_HZ / 1000, X86_APIC_HZ / 1000, 0, 0 };
    default:
        return (struct x86_cpuid_regs){ 0 };
    }
}

uint64_t x86_pv_hypercall(const struct x86_cpu *cpu, uint64_t nr)
{
    bool wide = cpu->mode & MODE_64;
    int64_t ret = cpu->cpl ? -KVM_EPERM : (wide ? nr : (uint32_t)nr) == HC_VAPIC_POLL_IRQ ? 0 : -KVM_ENOSYS;

    return wide ? (uint64_t)ret : (uint32_t)ret;
}
