/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/access.h - how handlers reach guest memory
 *
 * Addresses are linear. The fast path is one compare against the software TLB; everything else (miss, page crossing,
 * MMIO, ROM, code page, non-canonical address, alignment check) is in mmu.c and does not return when it faults. @r is
 * the record being run: the fault's RIP, and whether a non-canonical address is #SS or #GP, come from it.
 */
#ifndef TARGET_X86_ACCESS_H
#define TARGET_X86_ACCESS_H

#include "lib/bits.h"
#include "target/x86/state.h"
#include <string.h>

uint64_t mem_ld_slow(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la, unsigned size);
void mem_st_slow(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la, uint64_t val, unsigned size);
/** mem_ld_bytes()/mem_st_bytes() - any length up to 4096: every page is translated before the first byte moves */
void mem_ld_bytes(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la, void *buf, unsigned len);
void mem_st_bytes(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la, const void *buf, unsigned len);
/** mem_probe() - fault now if the @len bytes could not be read (written); touches nothing but A/D bits */
void mem_probe(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la, unsigned len, bool write);

/*
 * x86 keeps loads in order, stores in order, and stores behind earlier loads (SDM vol. 3, 9.2.2): a driver that fills a
 * descriptor and then its index has no barrier between. Hosts that promise less get one before every access of the
 * guest's; on x86-64 there is nothing to do. Translations, code and page tables are not ordered by this.
 */
static inline void host_before_load(void)
{
#if !defined(__x86_64__)
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
#endif
}

static inline void host_before_store(void)
{
#if !defined(__x86_64__)
    __atomic_thread_fence(__ATOMIC_ACQ_REL);
#endif
}

static inline struct x86_tlb_entry *mem_tlb(struct x86_cpu *cpu, uint64_t la)
{
    return &cpu->tlb[(la >> 12) & (TLB_SIZE - 1)];
}

#define MEM_LDST(bits, type)                                                                                           \
    static inline type mem_ld##bits(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la)                         \
    {                                                                                                                  \
        const struct x86_tlb_entry *e = mem_tlb(cpu, la);                                                              \
        type v;                                                                                                        \
                                                                                                                       \
        if (unlikely(e->rtag != ((la + sizeof(v) - 1) & ~0xFFFULL))) {                                                 \
            return (type)mem_ld_slow(cpu, r, la, sizeof(v));                                                           \
        }                                                                                                              \
        host_before_load();                                                                                            \
        memcpy(&v, (const void *)(uintptr_t)(la + e->addend), sizeof(v));                                              \
        return v;                                                                                                      \
    }                                                                                                                  \
    static inline void mem_st##bits(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la, type v)                 \
    {                                                                                                                  \
        const struct x86_tlb_entry *e = mem_tlb(cpu, la);                                                              \
                                                                                                                       \
        if (unlikely(e->wtag != ((la + sizeof(v) - 1) & ~0xFFFULL))) {                                                 \
            mem_st_slow(cpu, r, la, v, sizeof(v));                                                                     \
            return;                                                                                                    \
        }                                                                                                              \
        host_before_store();                                                                                           \
        memcpy((void *)(uintptr_t)(la + e->addend), &v, sizeof(v));                                                    \
    }

MEM_LDST(8, uint8_t)
MEM_LDST(16, uint16_t)
MEM_LDST(32, uint32_t)
MEM_LDST(64, uint64_t)
#undef MEM_LDST

/**
 * mem_rmw_begin() - a place to read and write @size (1..16) bytes in
 * Return: host memory itself, or cpu->rmw_buf loaded with the bytes (after the write rights were checked). In both
 * cases the caller reads and writes *p (with an atomic operation when the record has REC_LOCK), then calls
 * mem_rmw_end().
 */
void *mem_rmw_slow(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la, unsigned size);
void mem_rmw_end_slow(struct x86_cpu *cpu, const struct x86_rec *r);

/*
 * An atomic operation on a misaligned address is a fault on most hosts but x86. There such an operand takes the slow
 * path, as one that crosses a page does: it is right for its own CPU, and not atomic against others (which aligned
 * ones are).
 */
#if defined(__x86_64__)
#define HOST_RMW_OK(la, size) true
#else
#define HOST_RMW_OK(la, size) (((la) & ((size) - 1)) == 0)
#endif

static inline void *mem_rmw_begin(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la, unsigned size)
{
    const struct x86_tlb_entry *e = mem_tlb(cpu, la);

    if (unlikely(e->wtag != ((la + size - 1) & ~0xFFFULL) || !HOST_RMW_OK(la, size))) {
        return mem_rmw_slow(cpu, r, la, size);
    }
    host_before_store();
    return (void *)(uintptr_t)(la + e->addend);
}

static inline void mem_rmw_end(struct x86_cpu *cpu, const struct x86_rec *r, void *p)
{
    if (unlikely(p == cpu->rmw_buf)) {
        mem_rmw_end_slow(cpu, r);
    }
#if !defined(__x86_64__)
    __atomic_thread_fence(__ATOMIC_SEQ_CST);        /* a locked instruction is a full barrier */
#endif
}

/** seg_linear() - segment base added, limit and type checked: the general path; raises #GP, #SS */
uint64_t seg_linear(struct x86_cpu *cpu, const struct x86_rec *r, unsigned seg, uint64_t ea, unsigned len, bool write);

/** rec_ea() - effective address of the memory operand, cut to the address size */
static inline uint64_t rec_ea(const struct x86_cpu *cpu, const struct x86_rec *r)
{
    uint64_t ea = cpu->regs[r->base] + (cpu->regs[r->index] << r->scale) + (int64_t)r->disp;

    return r->asize == 3 ? ea : r->asize == 2 ? (uint32_t)ea : (uint16_t)ea;
}

/** rec_la() - linear address of the memory operand, for an access of @len bytes */
static inline uint64_t rec_la(struct x86_cpu *cpu, const struct x86_rec *r, unsigned len, bool write)
{
    uint64_t ea = rec_ea(cpu, r);

    if (likely(r->flags & (REC_FLAT64 | REC_FLAT32))) {
        return ea;
    }
    return seg_linear(cpu, r, r->seg, ea, len, write);
}

#endif
