/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/blocks.c - the cache of decoded blocks: building, finding, and forgetting what has been overwritten
 *
 * Building. RAM_CODE is set on the page before its bytes are read, so a writer in another thread either is seen by the
 * decoder or sees the flag and reports the write (mem/ram.h). A block ends at a branch, at the page end or at
 * BLOCK_MAX_RECS. An instruction that crosses into the next page is a block of its own: when it faults on the second
 * page, that is its own fault.
 *
 * Several CPUs. Each has a cache of its own; page_flags counts in its upper four bits how many of them have code of a
 * page (15: many, for good), and RAM_CODE goes when nobody has. CPUs that share memory form a ring (x86_cpu_join()):
 * who stores to a page that others have code of, and who decodes from a page that others may have write tags for,
 * leaves them a message, which they read between two blocks.
 *
 * Forgetting. Every code page has a bit for each byte that was decoded. A store to the page tests the bits of its
 * bytes: data beside code costs a look-up and no more. When bits are hit, the blocks that cover one of the bytes die
 * (engine.h) and the bits are made anew from the others.
 */
#include "core/loop.h"
#include "target/x86/interp/fast.h"
#include "target/x86/jit/jit.h"
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

/*
 * Some 25,000 blocks: a boot decodes 90,000, but 99 % of what runs is in 4,000. Full: everything goes, and the hot ones
 * are back in 10 ms.
 */
#define ARENA_SIZE (7 * MiB)
#define NO_PHYS (~0ULL)

/*
 * The handler of every record of a dead block: what is here now has to be looked up, and not in the jump cache that led
 * here
 */
static const struct x86_rec *x86_dead(struct x86_cpu *cpu, const struct x86_rec *r)
{
    cpu->regs[REG_RIP] = x86_ip(cpu, r);
    cpu->eng->jc[x86_jc_hash(x86_rip_linear(cpu))].gen = 0;
    return x86_leave_to(cpu);
}

struct x86_engine *x86_engine_new(void)
{
    struct x86_engine *e = g_new0(struct x86_engine, 1);

    e->arena = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (e->arena == MAP_FAILED) {
        g_error("cannot reserve %u MiB for decoded code", (unsigned)(ARENA_SIZE / MiB));
    }
    e->arena_size = ARENA_SIZE;
    e->ring = e;
    e->io_block = g_malloc0(sizeof(struct x86_block) + 4 * sizeof(struct x86_rec));
    g_mutex_init(&e->wrote_lock);
    return e;
}

/* One CPU more, or less, has code of the page */
#define CODE_COUNT 0x10
static void page_count(struct ram_block *ram, uint64_t page, bool more)
{
    uint8_t *flags = &ram->page_flags[page], old = __atomic_load_n(flags, __ATOMIC_SEQ_CST), new;

    do {
        new = old;
        if (old / CODE_COUNT < 15) {
            new = (uint8_t)(more ? (old | RAM_CODE) + CODE_COUNT : old >= CODE_COUNT ? old - CODE_COUNT : old);
        }
        if (new < CODE_COUNT) {
            new &= (uint8_t)~RAM_CODE;
        }
    } while (!__atomic_compare_exchange_n(flags, &old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
}

#define KEY_PAGE(key) ((key) & ((1ULL << 28) - 1))
static void pages_free(struct x86_engine *e, bool count)
{
    for (unsigned i = 0; i < ARRAY_LEN(e->pages); i++) {
        struct x86_code_page *next;

        for (struct x86_code_page *p = e->pages[i]; p; p = next) {
            next = p->next;
            if (count) {
                page_count(p->ram, KEY_PAGE(p->key), false);
            }
            g_free(p);
        }
        e->pages[i] = NULL;
    }
}

void x86_engine_free(struct x86_engine *e)
{
    if (!e) {
        return;
    }
    for (struct x86_engine *q = e; ; q = q->ring) {
        if (q->ring == e) {
            q->ring = e->ring;
            break;
        }
    }
    pages_free(e, false);       /* the memory may be gone already */
    munmap(e->arena, e->arena_size);
    g_free(e->io_block);
    g_mutex_clear(&e->wrote_lock);
    g_free(e);
}

void x86_engine_flush(struct x86_cpu *cpu)
{
    struct x86_engine *e = cpu->eng;

    memset(e->jc, 0, sizeof(e->jc));
    memset(e->hash, 0, sizeof(e->hash));
    pages_free(e, true);
    e->arena_used = 0;
    e->flushes++;
    x86_jit_flushed(cpu);
}

/*
 * Code pages
 */
static uint64_t page_key(const struct ram_block *ram, uint64_t off)
{
    return ram->id << 28 | off >> RAM_PAGE_BITS;
}

static unsigned page_hash(uint64_t key)
{
    return (unsigned)((key * 0x9E3779B97F4A7C15ULL) >> (64 - PAGE_HASH_BITS));
}

static struct x86_code_page *page_find(const struct x86_engine *e, uint64_t key)
{
    struct x86_code_page *p = e->pages[page_hash(key)];

    while (p && p->key != key) {
        p = p->next;
    }
    return p;
}

static void post(struct x86_engine *e, struct ram_block *ram, uint64_t off, uint64_t len);

/* From now on writers to the page report to us: call this before its bytes are read */
static struct x86_code_page *page_get(struct x86_cpu *cpu, struct ram_block *ram, uint64_t off)
{
    struct x86_engine *e = cpu->eng;
    uint64_t key = page_key(ram, off);
    struct x86_code_page *p = page_find(e, key);

    if (p) {
        return p;
    }
    p = g_new0(struct x86_code_page, 1);
    p->key = key;
    p->ram = ram;
    p->next = e->pages[page_hash(key)];
    e->pages[page_hash(key)] = p;
    page_count(ram, off >> RAM_PAGE_BITS, true);
    x86_tlb_code_page(cpu, ram, off & ~(uint64_t)(RAM_PAGE_SIZE - 1));
    for (struct x86_engine *q = e->ring; q != e; q = q->ring) {
        post(q, ram, off, 0);
    }
    return p;
}

/* Has byte @i of the page been decoded, for the @n bytes from @off */
static bool page_hit(const struct x86_code_page *p, unsigned off, unsigned n)
{
    unsigned end = off + n;

    while (off < end) {
        unsigned in = off & 63, take = MIN(64 - in, end - off);

        if (p->chunk[off / 64] & bits_mask(take) << in) {
            return true;
        }
        off += take;
    }
    return false;
}

static void page_mark(struct x86_code_page *p, unsigned off, unsigned n)
{
    unsigned end = MIN(off + n, RAM_PAGE_SIZE);

    while (off < end) {
        unsigned in = off & 63, take = MIN(64 - in, end - off);

        p->chunk[off / 64] |= bits_mask(take) << in;
        off += take;
    }
}

/* Which of its two page lists does @b use for page @key */
static unsigned block_side(const struct x86_block *b, uint64_t key)
{
    return b->phys >> RAM_PAGE_BITS == key ? 0 : 1;
}

/* The bytes of @b in page @key: offset and length */
static unsigned block_span(const struct x86_block *b, uint64_t key, unsigned *off)
{
    unsigned first = (unsigned)(b->phys & (RAM_PAGE_SIZE - 1)), in_first = MIN(b->bytes, RAM_PAGE_SIZE - first);

    if (block_side(b, key) == 0) {
        *off = first;
        return in_first;
    }
    *off = 0;
    return b->bytes - in_first;
}

static void page_add(struct x86_code_page *p, struct x86_block *b)
{
    unsigned off, n = block_span(b, p->key, &off), side = block_side(b, p->key);

    b->page_next[side] = p->blocks;
    p->blocks = b;
    page_mark(p, off, n);
}

static void page_unlist(struct x86_code_page *p, const struct x86_block *b)
{
    struct x86_block **pp = &p->blocks;

    while (*pp && *pp != b) {
        pp = &(*pp)->page_next[block_side(*pp, p->key)];
    }
    if (*pp) {
        *pp = b->page_next[block_side(b, p->key)];
    }
}

/* Bits and links anew, after blocks of the page have died */
static void page_refresh(struct x86_code_page *p)
{
    memset(p->chunk, 0, sizeof(p->chunk));
    for (struct x86_block *b = p->blocks; b; b = b->page_next[block_side(b, p->key)]) {
        unsigned off, n = block_span(b, p->key, &off);
        struct x86_tail *t = x86_block_tail(b);

        page_mark(p, off, n);
        for (unsigned i = 0; i < 2; i++) {
            if (t->to[i] && t->to[i]->fn == x86_dead) {
                t->to[i] = NULL;
            }
        }
    }
}

/* Nothing decoded is left: plain writes may go fast again, when no other CPU has code of the page */
static void page_drop(struct x86_engine *e, struct x86_code_page *p)
{
    struct x86_code_page **pp = &e->pages[page_hash(p->key)];

    while (*pp != p) {
        pp = &(*pp)->next;
    }
    *pp = p->next;
    page_count(p->ram, KEY_PAGE(p->key), false);
    g_free(p);
}

/*
 * Blocks
 */
static unsigned block_hash(uint64_t phys, uint32_t mode)
{
    return (unsigned)(((phys ^ (uint64_t)mode << 24) * 0x9E3779B97F4A7C15ULL) >> (64 - BLOCK_HASH_BITS));
}

static void block_kill(struct x86_engine *e, struct x86_block *b)
{
    struct x86_block **pp = &e->hash[block_hash(b->phys, b->mode)];
    unsigned n = b->nrec + (b->flags & BLOCK_HAS_END ? 1 : 0);

    while (*pp && *pp != b) {
        pp = &(*pp)->hash_next;
    }
    if (*pp) {
        *pp = b->hash_next;
    }
    for (unsigned i = 0; i < n; i++) {
        b->recs[i].fn = x86_dead;
    }
    b->flags |= BLOCK_DEAD;
    e->killed++;
    if (b->jit) {
        x86_jit_killed(e->cpu, b);
    }
}

/* Blocks of page @p that cover one of the @n bytes from @off die. Return: one did */
static bool page_kill(struct x86_engine *e, struct x86_code_page *p, unsigned off, unsigned n)
{
    struct x86_block **pp = &p->blocks;
    bool any = false;

    while (*pp) {
        struct x86_block *b = *pp;
        unsigned side = block_side(b, p->key), boff, bn = block_span(b, p->key, &boff);

        if (boff < off + n && off < boff + bn) {
            uint64_t other = side ? b->phys : b->phys2;

            *pp = b->page_next[side];
            if (b->phys2 != NO_PHYS && other >> RAM_PAGE_BITS != p->key) {
                struct x86_code_page *q = page_find(e, other >> RAM_PAGE_BITS);

                if (q) {
                    page_unlist(q, b);
                }
            }
            block_kill(e, b);
            any = true;
        } else {
            pp = &b->page_next[side];
        }
    }
    return any;
}

/*
 * A page that has lost its blocks stays one of code for a while: what is patched once is patched again, and to take the
 * write tags of a page away means to look at all of them. But a store beside code costs a call to C, and often the
 * code will not run again: the page was freed, and is a stack or a page table now. So after some of these stores the
 * page is given up with the blocks that it has; one that has both code and data gets more stores each time. Return:
 * blocks died
 */
#define MISSED_MAX 64u
static bool store_missed(struct x86_engine *e, struct x86_code_page *p)
{
    uint8_t *times = &e->mixed[page_hash(p->key)];
    bool any;

    if (++p->missed < MISSED_MAX << *times) {
        return false;
    }
    *times = (uint8_t)MIN(*times + 1u, 20u);
    e->smc_given_up++;
    any = page_kill(e, p, 0, RAM_PAGE_SIZE);
    page_drop(e, p);
    return any;
}

/* Blocks of this CPU that were decoded from @n bytes of one page. Return: some died */
static bool page_written(struct x86_engine *e, struct ram_block *ram, uint64_t off, unsigned n)
{
    unsigned in = (unsigned)(off & (RAM_PAGE_SIZE - 1));
    struct x86_code_page *p = page_find(e, page_key(ram, off));
    bool any = false;

    if (!p) {
        return false;
    }
    if (page_hit(p, in, n)) {
        e->smc_hits++;
        any = page_kill(e, p, in, n);
        page_refresh(p);
    } else {
        any = store_missed(e, p);
    }
    return any;
}

static bool range_written(struct x86_engine *e, struct ram_block *ram, uint64_t off, uint64_t len, bool tell)
{
    bool any = false;

    while (len) {
        unsigned n = (unsigned)MIN(len, RAM_PAGE_SIZE - (off & (RAM_PAGE_SIZE - 1)));
        bool mine = page_find(e, page_key(ram, off)) != NULL;
        unsigned users = __atomic_load_n(&ram->page_flags[off >> RAM_PAGE_BITS], __ATOMIC_SEQ_CST) / CODE_COUNT;

        any |= page_written(e, ram, off, n);
        if (tell && users > mine) {
            for (struct x86_engine *q = e->ring; q != e; q = q->ring) {
                post(q, ram, off, n);
            }
        }
        off += n;
        len -= n;
    }
    return any;
}

bool x86_smc_store(struct x86_cpu *cpu, struct ram_block *ram, uint64_t off, uint64_t len)
{
    cpu->eng->smc_stores++;
    return range_written(cpu->eng, ram, off, len, true);
}

bool x86_smc_beside(struct x86_cpu *cpu, struct ram_block *ram, uint64_t off, unsigned len)
{
    struct x86_engine *e = cpu->eng;
    struct x86_code_page *p = page_find(e, page_key(ram, off));
    unsigned users = __atomic_load_n(&ram->page_flags[off >> RAM_PAGE_BITS], __ATOMIC_SEQ_CST) / CODE_COUNT;

    if (!p || users != 1 || page_hit(p, (unsigned)(off & (RAM_PAGE_SIZE - 1)), len)) {
        return false;
    }
    e->smc_stores++;
    store_missed(e, p);
    return true;
}

/* @len 0: the page has code now, and its write tags have to go; they are looked at afresh, all of them */
static void post(struct x86_engine *e, struct ram_block *ram, uint64_t off, uint64_t len)
{
    struct x86_cpu *cpu;

    g_mutex_lock(&e->wrote_lock);
    if (!len) {
        e->retag = true;
    } else {
        if (e->nwrote < WROTE_MAX) {
            e->wrote[e->nwrote] = (struct x86_wrote){ ram, off, len };
        }
        e->nwrote = MIN(e->nwrote + 1, WROTE_MAX + 1);
    }
    g_mutex_unlock(&e->wrote_lock);
    cpu = __atomic_load_n(&e->cpu, __ATOMIC_ACQUIRE);
    if (cpu) {
        __atomic_fetch_or(&cpu->pending, PEND_CODE, __ATOMIC_SEQ_CST);
        __atomic_store_n(&cpu->exit_request, 1, __ATOMIC_SEQ_CST);
    }
}

void x86_cpu_wrote_ram(struct x86_cpu *cpu, struct ram_block *b, uint64_t off, uint64_t len)
{
    struct x86_engine *e = cpu->eng;

    __atomic_store_n(&e->cpu, cpu, __ATOMIC_RELEASE);
    do {
        post(e, b, off, len);
        e = e->ring;
    } while (e != cpu->eng);
}

void x86_cpu_join(struct x86_cpu *first, struct x86_cpu *cpu)
{
    first->eng->cpu = first;
    cpu->eng->cpu = cpu;
    cpu->eng->ring = first->eng->ring;
    first->eng->ring = cpu->eng;
}

void x86_engine_wrote(struct x86_cpu *cpu)
{
    struct x86_engine *e = cpu->eng;
    struct x86_wrote todo[WROTE_MAX];
    unsigned n;
    bool retag;

    g_mutex_lock(&e->wrote_lock);
    n = e->nwrote;
    memcpy(todo, e->wrote, MIN(n, WROTE_MAX) * sizeof(todo[0]));
    e->nwrote = 0;
    retag = e->retag;
    e->retag = false;
    g_mutex_unlock(&e->wrote_lock);
    if (retag) {
        x86_tlb_flush_banks(cpu);
    }
    if (n > WROTE_MAX) {
        x86_engine_flush(cpu);
        return;
    }
    for (unsigned i = 0; i < n; i++) {
        range_written(e, todo[i].ram, todo[i].off, todo[i].len, false);
    }
}

/*
 * Translated blocks live outside the arena
 */
static bool in_arena(const struct x86_engine *e, const struct x86_block *b)
{
    return (const uint8_t *)b >= e->arena && (const uint8_t *)b < e->arena + e->arena_size;
}

/* Page @p keeps its translated blocks only; @p may go altogether */
static void page_keep_hot(struct x86_engine *e, struct x86_code_page *p)
{
    struct x86_block **pp = &p->blocks;

    while (*pp) {
        struct x86_block *b = *pp, **next = &b->page_next[block_side(b, p->key)];

        if (in_arena(e, b)) {
            *pp = *next;
            continue;
        }
        memset(x86_block_tail(b)->to, 0, sizeof(x86_block_tail(b)->to));
        pp = next;
    }
    if (p->blocks) {
        page_refresh(p);
    } else {
        page_drop(e, p);
    }
}

/* The arena is full: what has been translated stays */
static void arena_flush(struct x86_cpu *cpu)
{
    struct x86_engine *e = cpu->eng;

    if (!cpu->jit) {
        x86_engine_flush(cpu);
        return;
    }
    x86_jit_forget(cpu);
    memset(e->jc, 0, sizeof(e->jc));
    for (unsigned i = 0; i < ARRAY_LEN(e->hash); i++) {
        struct x86_block **pp = &e->hash[i];

        while (*pp) {
            if (in_arena(e, *pp)) {
                *pp = (*pp)->hash_next;
            } else {
                pp = &(*pp)->hash_next;
            }
        }
    }
    for (unsigned i = 0; i < ARRAY_LEN(e->pages); i++) {
        struct x86_code_page *next;

        for (struct x86_code_page *p = e->pages[i]; p; p = next) {
            next = p->next;
            page_keep_hot(e, p);
        }
    }
    e->arena_used = 0;
    e->flushes++;
}

#if defined(__x86_64__) && !defined(X86_PORTABLE)
struct x86_block *x86_block_promote(struct x86_cpu *cpu, struct x86_block *b)
{
    struct x86_engine *e = cpu->eng;
    struct x86_code_page *p[2] = { page_find(e, b->phys >> RAM_PAGE_BITS), NULL };
    struct x86_block *hot;

    if (b->phys2 != NO_PHYS && b->phys2 >> RAM_PAGE_BITS != b->phys >> RAM_PAGE_BITS) {
        p[1] = page_find(e, b->phys2 >> RAM_PAGE_BITS);
    }
    hot = p[0] ? x86_jit_make_hot(cpu, b) : NULL;
    if (!hot) {
        return NULL;
    }
    hot->hash_next = e->hash[block_hash(hot->phys, hot->mode)];
    e->hash[block_hash(hot->phys, hot->mode)] = hot;
    for (unsigned i = 0; i < 2 && p[i]; i++) {
        page_unlist(p[i], b);
        page_add(p[i], hot);
    }
    block_kill(e, b);
    e->killed--;
    b->jit = hot->jit;          /* links that still lead here go on from here; the bytes covered are the same ones */
    b->recs[0].fn = x86_jit_moved;
    return hot;
}
#endif

/*
 * Building
 */
struct build {
    struct x86_cpu *cpu;
    uint64_t ip;                /* of the first byte */
    uint64_t la;
    uint32_t mode;
    struct fetch_slot at, at2;  /* at2.len != 0: the one instruction reaches into this page */
    unsigned nrec, bytes;       /* instructions decoded */
    bool last;                  /* the last of them ends blocks by itself */
    struct x86_rec recs[BLOCK_MAX_RECS + 1];
};

/* One instruction whose bytes are not all in plain memory of one page: put them together first */
static void build_crossing(struct build *bd)
{
    struct x86_cpu *cpu = bd->cpu;
    unsigned have = MIN(bd->at.len, 15u), more = 15 - have;
    uint8_t buf[16] = { 0 };

    if (bd->at.host) {
        memcpy(buf, bd->at.host, have);
    } else {
        x86_fetch_io(cpu, bd->at.phys, buf, have);
    }
    bd->bytes = x86_decode(buf, have, bd->mode, 0, cpu->feat, &bd->recs[0]);
    if (!bd->bytes && more) {
        uint64_t la2 = bd->la + have;

        if (!(bd->mode & (MODE_64 | MODE_FLAT_CS)) && bd->ip + have > cpu->seg[SEG_CS].limit) {
            x86_raise_err(cpu, NULL, EXC_GP, 0);        /* the limit comes before paging */
        }
        x86_fetch_page(cpu, bd->mode & MODE_64 ? la2 : (uint32_t)la2, &bd->at2);
        if (bd->at2.host) {
            if (bd->at2.ram) {
                page_get(cpu, bd->at2.ram, bd->at2.ram_off);
            }
            memcpy(buf + have, bd->at2.host, more);
        } else {
            x86_fetch_io(cpu, bd->at2.phys, buf + have, more);
        }
        bd->bytes = x86_decode(buf, 15, bd->mode, 0, cpu->feat, &bd->recs[0]);
    }
    if (!bd->bytes) {           /* the decoder never says 0 for 15 bytes; a record must come out anyhow */
        bd->recs[0] = (struct x86_rec){ .op = OP_UD, .len = 1, .index = REG_ZERO, .flags = REC_LAST };
        bd->bytes = 1;
    }
    bd->nrec = 1;
    bd->last = bd->recs[0].flags & REC_LAST;
}

static void build_decode(struct build *bd)
{
    unsigned max = bd->mode & MODE_STEP || bd->cpu->opts.one_insn ? 1 : BLOCK_MAX_RECS;

    if (!bd->at.host) {
        build_crossing(bd);
        return;
    }
    while (bd->nrec < max && bd->bytes < bd->at.len) {
        struct x86_rec *r = &bd->recs[bd->nrec];
        unsigned n = x86_decode(bd->at.host + bd->bytes, MIN(bd->at.len - bd->bytes, 15u), bd->mode, bd->bytes,
                                bd->cpu->feat, r);

        if (!n) {
            if (bd->nrec == 0) {
                build_crossing(bd);
                return;
            }
            break;
        }
        bd->nrec++;
        bd->bytes += n;
        if (r->flags & REC_LAST) {
            bd->last = true;
            break;
        }
    }
}

/* Where the last record may go, for the links */
static void build_tail(const struct build *bd, struct x86_block *b)
{
    struct x86_tail *t = x86_block_tail(b);
    const struct x86_rec *last = (const struct x86_rec *)t - 1;
    int64_t page_off = (int64_t)(bd->la & (RAM_PAGE_SIZE - 1));
    int64_t end = last->off + last->len, to = end;

    *t = (struct x86_tail){ .n = b->nrec, .records = (uint8_t)((const struct x86_rec *)t - b->recs),
                            .step = bd->mode & MODE_STEP };
    if ((last->op >= OP_JCC && last->op < OP_JCC + 16) || last->op == OP_JMP || last->op == OP_CALL ||
        (last->op >= OP_LOOP && last->op <= OP_JCXZ)) {
        to = end + (int64_t)last->imm;
    }
    t->delta[0] = (int32_t)to;
    t->delta[1] = (int32_t)end;
    t->linkable[0] = !(b->flags & BLOCK_IO) && page_off + to >= 0 && page_off + to < (int64_t)RAM_PAGE_SIZE;
    t->linkable[1] = !(b->flags & BLOCK_IO) && page_off + end < (int64_t)RAM_PAGE_SIZE;
}

/* The most that a block can take */
#define BLOCK_SPACE (sizeof(struct x86_block) + (BLOCK_MAX_RECS + 2) * sizeof(struct x86_rec) + 64)

static struct x86_block *build_place(struct build *bd, bool keep)
{
    struct x86_engine *e = bd->cpu->eng;
    unsigned total = bd->nrec + !bd->last;
    size_t size = sizeof(struct x86_block) + (total + 1) * sizeof(struct x86_rec);
    struct x86_block *b = e->io_block;

    if (keep) {
        size = align_up(size, 64);
        b = (struct x86_block *)(e->arena + e->arena_used);
        e->arena_used += size;
        e->blocks++;
    }
    memset(b, 0, sizeof(*b));
    b->mode = bd->mode;
    b->nrec = (uint16_t)bd->nrec;
    b->bytes = (uint16_t)bd->bytes;
    b->phys = b->phys2 = NO_PHYS;
    b->flags = (bd->last ? 0 : BLOCK_HAS_END) | (keep ? 0 : BLOCK_IO);
    if (!bd->last) {
        bd->recs[bd->nrec] = (struct x86_rec){ .op = OP_BLOCK_END, .off = (uint16_t)bd->bytes, .index = REG_ZERO,
                                               .base = REG_ZERO, .flags = REC_LAST };
    }
    x86_block_finish(bd->recs, total, bd->mode);
    memcpy(b->recs, bd->recs, total * sizeof(struct x86_rec));
    build_tail(bd, b);
    for (unsigned i = total; i-- > 0; ) {
        x86_bind(&b->recs[i], bd->mode);
    }
    x86_bind_pairs(b->recs, total, bd->mode);
    if (bd->cpu->jit && keep && !(bd->mode & MODE_STEP)) {
        x86_jit_attach(bd->cpu, b);
    }
    return b;
}

static uint64_t ram_phys(const struct fetch_slot *s)
{
    return s->ram->id << 40 | s->ram_off;
}

static struct x86_block *build_block(struct x86_cpu *cpu, uint64_t la, uint32_t mode, const struct fetch_slot *at)
{
    struct x86_engine *e = cpu->eng;
    struct build bd;
    struct x86_block *b;
    bool keep;

    bd.cpu = cpu;
    bd.ip = cpu->regs[REG_RIP];
    bd.la = la;
    bd.mode = mode;
    bd.at = *at;
    memset(&bd.at2, 0, sizeof(bd.at2));
    bd.nrec = bd.bytes = 0;
    bd.last = false;
    if (at->host && at->ram) {
        if (e->arena_used + BLOCK_SPACE > e->arena_size) {
            arena_flush(cpu);
        }
        page_get(cpu, at->ram, at->ram_off);
    }
    build_decode(&bd);
    keep = at->host && at->ram && (!bd.at2.len || (bd.at2.host && bd.at2.ram));
    b = build_place(&bd, keep);
    if (x86_logs(cpu, X86_LOG_IN_ASM | X86_LOG_OP)) {
        x86_log_block(cpu, la, bd.recs, bd.nrec, at->host && bd.bytes <= at->len ? at->host : NULL);
    }
    if (!keep) {
        return b;
    }
    b->phys = ram_phys(at);
    if (bd.at2.len) {
        b->phys2 = ram_phys(&bd.at2);
    }
    b->hash_next = e->hash[block_hash(b->phys, mode)];
    e->hash[block_hash(b->phys, mode)] = b;
    page_add(page_get(cpu, at->ram, at->ram_off), b);
    if (bd.at2.len && b->phys2 >> RAM_PAGE_BITS != b->phys >> RAM_PAGE_BITS) {
        page_add(page_get(cpu, bd.at2.ram, bd.at2.ram_off), b);
    }
    return b;
}

/*
 * Finding
 */

/* A block with a second page is good only while that page is what follows */
static bool second_page_ok(struct x86_cpu *cpu, const struct x86_block *b, uint64_t la)
{
    uint64_t la2 = (la | (RAM_PAGE_SIZE - 1)) + 1;
    struct fetch_slot s;

    return x86_fetch_page(cpu, b->mode & MODE_64 ? la2 : (uint32_t)la2, &s) && s.ram && ram_phys(&s) == b->phys2;
}

static struct x86_block *block_find(struct x86_cpu *cpu, uint64_t la, uint32_t mode, const struct fetch_slot *at)
{
    uint64_t phys = ram_phys(at);
    struct x86_block *b = cpu->eng->hash[block_hash(phys, mode)];

    for (; b; b = b->hash_next) {
        if (b->phys == phys && b->mode == mode && (b->phys2 == NO_PHYS || second_page_ok(cpu, b, la))) {
            return b;
        }
    }
    return NULL;
}

struct x86_block *x86_block_near(struct x86_cpu *cpu, const struct x86_block *b, int32_t delta)
{
    uint64_t phys = b->phys + (uint64_t)(int64_t)delta;
    struct x86_block *c;

    if (phys >> RAM_PAGE_BITS != b->phys >> RAM_PAGE_BITS) {
        return NULL;
    }
    for (c = cpu->eng->hash[block_hash(phys, b->mode)]; c; c = c->hash_next) {
        if (c->phys == phys && c->mode == b->mode && c->phys2 == NO_PHYS) {
            return c;
        }
    }
    return NULL;
}

/* Segment limit of a code fetch, SDM vol. 3, 5.3. The block may be longer than what is left: then go one by one */
static struct x86_block *check_limit(struct x86_cpu *cpu, struct x86_block *b, uint64_t la, const struct fetch_slot *at)
{
    uint64_t ip = cpu->regs[REG_RIP], limit = cpu->seg[SEG_CS].limit;

    if (ip + b->bytes - 1 <= limit) {
        return b;
    }
    if (!(b->mode & MODE_STEP)) {
        uint32_t mode = b->mode | MODE_STEP;
        struct x86_block *one = at->host && at->ram ? block_find(cpu, la, mode, at) : NULL;

        b = one ? one : build_block(cpu, la, mode, at);
    }
    if (ip + b->bytes - 1 > limit) {
        cpu->cur = NULL;
        x86_raise_err(cpu, NULL, EXC_GP, 0);
    }
    return b;
}

const struct x86_rec *x86_block_at(struct x86_cpu *cpu, uint32_t mode)
{
    struct x86_engine *e = cpu->eng;
    uint64_t la = x86_rip_linear(cpu);
    struct fetch_slot at;
    struct x86_block *b = NULL;
    bool flat = mode & (MODE_64 | MODE_FLAT_CS);

    if (!(mode & MODE_STEP) && flat && !x86_logs(cpu, ENTER_LOGS)) {
        const struct x86_rec *r = x86_jc_find(cpu, la);

        if (r && !(container_of(r, struct x86_block, recs)->flags & BLOCK_DEAD)) {
            return r;
        }
    }
    e->lookups++;
    cpu->cur = NULL;
    if (!flat && cpu->regs[REG_RIP] > cpu->seg[SEG_CS].limit) {
        x86_raise_err(cpu, NULL, EXC_GP, 0);            /* before the page is looked at */
    }
    if (x86_fetch_page(cpu, la, &at) && at.host && at.ram) {
        b = block_find(cpu, la, mode, &at);
    }
    if (!b) {
        b = build_block(cpu, la, mode, &at);
    }
    if (!flat) {
        b = check_limit(cpu, b, la, &at);
    } else if (!(b->flags & BLOCK_IO) && b->phys2 == NO_PHYS && mode == cpu->mode &&
               !x86_logs(cpu, ENTER_LOGS)) {
        e->jc[x86_jc_hash(la)] = (struct x86_jc_entry){ la, at.gen, b->recs, mode, 0 };
    }
    if (x86_logs(cpu, X86_LOG_EXEC | X86_LOG_CPU)) {
        x86_log_enter(cpu, mode);
    }
    return b->recs;
}

struct op_count {
    unsigned op, n;
};

static int more_first(const void *a, const void *b)
{
    const struct op_count *x = a, *y = b;

    return x->n != y->n ? (x->n < y->n ? 1 : -1) : (int)x->op - (int)y->op;
}

void x86_cpu_print_ops(struct x86_cpu *cpu, GString *out)
{
    const struct x86_engine *e = cpu->eng;
    g_autofree struct op_count *c = g_new0(struct op_count, OP_COUNT);
    unsigned total = 0;

    for (unsigned i = 0; i < OP_COUNT; i++) {
        c[i].op = i;
    }
    for (unsigned i = 0; i < ARRAY_LEN(e->hash); i++) {
        for (const struct x86_block *b = e->hash[i]; b; b = b->hash_next) {
            for (unsigned k = 0; k < b->nrec; k++) {
                c[b->recs[k].op].n++;
                total++;
            }
        }
    }
    qsort(c, OP_COUNT, sizeof(c[0]), more_first);
    g_string_append_printf(out, "%u instructions in blocks\n", total);
    for (unsigned i = 0; i < OP_COUNT && c[i].n; i++) {
        g_string_append_printf(out, "%-14s %8u  %5.2f %%\n", x86_op_info[c[i].op].name, c[i].n, c[i].n * 100.0 / total);
    }
}

void x86_engine_print_stats(struct x86_cpu *cpu, GString *out)
{
    const struct x86_engine *e = cpu->eng;

    g_string_append_printf(out, "instructions    %" PRIu64 "%s\n", cpu->icount, cpu->jit ? " interpreted" : "");
    g_string_append_printf(out, "blocks decoded  %" PRIu64 "\n", e->blocks);
    g_string_append_printf(out, "blocks dead     %" PRIu64 "\n", e->killed);
    g_string_append_printf(out, "arena           %" PRIu64 " of %" PRIu64 " KiB, dropped %" PRIu64 " times\n",
                           (uint64_t)(e->arena_used / KiB), (uint64_t)(e->arena_size / KiB), e->flushes);
    g_string_append_printf(out, "look-ups        %" PRIu64 "\n", e->lookups);
    g_string_append_printf(out, "stores to code  %" PRIu64 ", %" PRIu64 " of them hit, %" PRIu64 " pages given up\n", e->smc_stores, e->smc_hits,
                           e->smc_given_up);
    x86_jit_print_stats(cpu, out);
}
