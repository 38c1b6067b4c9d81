/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/engine.h - the block cache and how control goes from block to block
 *
 * Blocks live in one arena, are found by (physical address of the first byte, mode) in a hash table, and are listed by
 * the page that they were decoded from. Nothing is freed singly: when the arena is full everything is dropped at once.
 * A block that has become stale is marked by giving every one of its records the handler x86_dead(), which leaves the
 * engine at that very instruction. So a store that hits the running block takes effect at the next instruction, and a
 * pointer to a dead block (in the jump cache, in a link) is harmless: it costs a look-up.
 *
 * From a linear address to a block there are three ways, fastest first:
 *   link         struct x86_tail.to: direct branches that stay in the page. No check at all: whatever maps the page,
 *                source and target are mapped together. Never to a block that reaches into a second page.
 *   jump cache   by linear address, mode and the generation of the mapping (target/x86/mmu.h)
 *   hash table   after x86_fetch_page(), which checks rights and canonical form and raises the page fault
 */
#ifndef TARGET_X86_INTERP_ENGINE_H
#define TARGET_X86_INTERP_ENGINE_H

#include "lib/bits.h"
#include "target/x86/engine.h"
#include "target/x86/mmu.h"
#include "target/x86/state.h"
#include "target/x86/trace_log.h"
#include <glib.h>

enum { BLOCK_HAS_END = 1 << 0, BLOCK_DEAD = 1 << 1, BLOCK_IO = 1 << 2 };    /* x86_block.flags */

/* Behind the last record of every block. The last record's handler finds it at r + 1. */
struct x86_tail {
    const struct x86_rec *to[2];    /* successor: taken, not taken (or what follows); NULL: not linked (yet) */
    int32_t delta[2];               /* its RIP minus the block's */
    uint16_t n;                     /* instructions in the block */
    bool linkable[2];               /* it starts in the page in which the block starts */
    uint8_t records;                /* back to the block's first */
    bool step;                      /* one-instruction block: always back to x86_cpu_run() */
    uint16_t spare;
};
static_assert(sizeof(struct x86_tail) == sizeof(struct x86_rec), "in place of a record");

#define JC_BITS 12
struct x86_jc_entry {
    uint64_t la;
    uint64_t gen;                   /* fetch_slot.gen; 0: empty */
    const struct x86_rec *to;
    uint32_t mode;
    uint32_t spare;
};

/* Code of one guest page */
struct x86_code_page {
    uint64_t key;                   /* ram_block.id << 28 | page number */
    struct x86_code_page *next;
    struct x86_block *blocks;       /* by page_next[0] where it is the first page, page_next[1] where the second */
    struct ram_block *ram;
    uint32_t missed;                /* stores to the page that hit no block */
    uint64_t chunk[RAM_PAGE_SIZE / 64];     /* a bit a byte that some block was decoded from, a word 64 bytes */
};

struct x86_wrote {
    struct ram_block *ram;
    uint64_t off, len;
};
#define WROTE_MAX 64

/* With one of these on, every block that does not follow a link is entered by way of x86_block_at() */
#define ENTER_LOGS (X86_LOG_EXEC | X86_LOG_CPU | X86_LOG_NOCHAIN)

#define BLOCK_HASH_BITS 16
#define PAGE_HASH_BITS 13

struct x86_engine {
    struct x86_jc_entry jc[1u << JC_BITS];
    struct x86_block *hash[1u << BLOCK_HASH_BITS];
    struct x86_code_page *pages[1u << PAGE_HASH_BITS];
    uint8_t mixed[1u << PAGE_HASH_BITS];    /* how often a page with this hash was given up as one of code */
    uint8_t *arena;
    size_t arena_size, arena_used;
    bool one_insn;                  /* blocks of one instruction, to find faults in the translator */
    struct x86_block *io_block;     /* the one block that is not cached: code from MMIO */
    struct x86_engine *ring;        /* CPUs on the same memory: x86_cpu_join(); fixed while they run */
    struct x86_cpu *cpu;            /* whose it is, once it is in a ring or had a message */

    uint64_t blocks, flushes, lookups, killed, smc_stores, smc_hits, smc_given_up;

    GMutex wrote_lock;              /* guards the next three; any thread */
    struct x86_wrote wrote[WROTE_MAX];
    unsigned nwrote;                /* WROTE_MAX + 1: too many, drop everything */
    bool retag;                     /* some page has become a code page of another CPU */
};

/** x86_engine_flush() - drop every block; not while a handler may still use its record */
void x86_engine_flush(struct x86_cpu *cpu);
/** x86_engine_wrote() - act on what x86_cpu_wrote_ram() has queued (PEND_CODE); between blocks */
void x86_engine_wrote(struct x86_cpu *cpu);

/** x86_block_promote() - a translated copy of @b takes its place; NULL: not now */
struct x86_block *x86_block_promote(struct x86_cpu *cpu, struct x86_block *b);

/** x86_block_near() - the block @delta bytes from the start of @b, in the same page; NULL: none, or it reaches into another page */
struct x86_block *x86_block_near(struct x86_cpu *cpu, const struct x86_block *b, int32_t delta);

/**
 * x86_block_at() - the block at regs[REG_RIP] for @mode, decoded when it is not there yet
 * Raises what the fetch raises. Return: its first record
 */
const struct x86_rec *x86_block_at(struct x86_cpu *cpu, uint32_t mode);

static inline struct x86_tail *x86_block_tail(struct x86_block *b)
{
    return (struct x86_tail *)&b->recs[b->nrec + (b->flags & BLOCK_HAS_END ? 1 : 0)];
}

static inline const struct x86_block *x86_tail_block(const struct x86_tail *t)
{
    return container_of((const struct x86_rec *)t - t->records, struct x86_block, recs);
}

static inline unsigned x86_jc_hash(uint64_t la)
{
    return (unsigned)(la ^ (la >> JC_BITS)) & ((1u << JC_BITS) - 1);
}

/** x86_jc_find() - jump cache look-up; NULL: miss */
static inline const struct x86_rec *x86_jc_find(const struct x86_cpu *cpu, uint64_t la)
{
    const struct x86_jc_entry *e = &cpu->eng->jc[x86_jc_hash(la)];

    if (likely(e->la == la && e->mode == cpu->mode &&
               (e->gen == cpu->map_gen[MAP_GLOBAL] || e->gen == cpu->map_gen[MAP_AS]))) {
        return e->to;
    }
    return NULL;
}

/* Linear address of RIP: code is at CS.base + RIP, in 32 bits outside 64-bit mode */
static inline uint64_t x86_rip_linear(const struct x86_cpu *cpu)
{
    return cpu->mode & MODE_64 ? cpu->regs[REG_RIP] : (uint32_t)(cpu->seg[SEG_CS].base + cpu->regs[REG_RIP]);
}

#endif
