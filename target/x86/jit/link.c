/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/jit/link.c - from translated block to translated block, and the end of such ways
 *
 * A link may be made when the target's translation holds whenever the source's does (same mode; same page, or the
 * edge compares the generation of the mapping), and when the target can live with the flags as the source leaves
 * them: what it shows must have been made visible, and by registers that it does not change before (recipe.c).
 *
 * A block that dies keeps its code until everything is dropped. Links to it go back to their cold exits, and its
 * entries become jumps to a cold exit, for the jump cache.
 */
#include "target/x86/jit/jit_int.h"
#include "target/x86/jit/link.h"

static uint8_t *rw(const struct x86_jit *j, uintptr_t rx)
{
    return j->rw + (rx - (uintptr_t)j->rx);
}

static void patch(const struct x86_jit *j, uint8_t *at, uintptr_t to)
{
    struct x64_buf b = { .to_rx = j->rx - j->rw };

    x64_patch(&b, at, to);
}

/* An exit's branch goes to @to */
static void aim(const struct x86_jit *j, struct jit_exit *x, uintptr_t to)
{
    static const uint8_t nop[5] = { 0x0F, 0x1F, 0x44, 0x00, 0x00 };

    if (x->jump && (uintptr_t)(x->rel + 4 - j->rw + j->rx) == to) {
        memcpy(x->rel - 1, nop, sizeof(nop));
        return;
    }
    if (x->jump) {
        x->rel[-1] = 0xE9;
    }
    patch(j, x->rel, to);
}

void jit_link(struct x86_cpu *cpu, struct jit_exit *x, struct x86_block *to, uint32_t gen)
{
    struct x86_jit *j = cpu->jit;
    struct x86_jblock *jb = to->jit;
    uintptr_t entry;

    if (x->linked && x->to == to) {         /* only the mapping has changed */
        x->gen = gen;
        return;
    }
    if (x->linked || j->o.no_chain || j->check || to->mode != x->mode || (x->shadow && !jb->entry_past) || (x->regs & jb->needs) || (x->vis && jb->entry_vis) ||
        (!x->cross && to->phys >> RAM_PAGE_BITS != x->b->phys >> RAM_PAGE_BITS)) {
        return;
    }
    entry = x->shadow ? jb->entry_past : x->native && !jb->guard ? jb->entry_nat : jb->entry;
    aim(j, x, entry);
    x->gen = gen;
    x->entry = jb->guard ? 0 : (uint32_t)entry;
    x->phys = to->phys >> RAM_PAGE_BITS;
    x->linked = true;
    x->to = to;
    x->next_in = jb->in;
    jb->in = x;
    j->n_links++;
}

static void unlink_exit(const struct x86_jit *j, struct jit_exit *x)
{
    aim(j, x, x->cold);
    x->gen = 0;                         /* cross: stops before the page base is moved on */
    x->entry = 0;
    x->linked = false;
    x->to = NULL;
}

/* A cross-page edge whose page now holds other code */
void jit_relink(struct x86_cpu *cpu, struct jit_exit *x)
{
    struct jit_exit **pp = &x->to->jit->in;

    while (*pp && *pp != x) {
        pp = &(*pp)->next_in;
    }
    if (*pp) {
        *pp = x->next_in;
    }
    unlink_exit(cpu->jit, x);
}

void x86_jit_killed(struct x86_cpu *cpu, struct x86_block *b)
{
    struct x86_jblock *jb = b->jit;
    struct x86_jit *j = cpu->jit;
    uint8_t *at;

    if (!jb) {
        return;
    }
    for (struct jit_exit *x = jb->in, *next; x; x = next) {
        next = x->next_in;
        unlink_exit(j, x);
    }
    jb->in = NULL;
    at = rw(j, jb->entry_ind);
    at[0] = 0xE9;
    patch(j, at + 1, jb->dead);
    j->n_killed++;
}

void jit_jc_fill(struct x86_cpu *cpu, uint64_t la, uint32_t gen, uintptr_t code)
{
    *jit_jc_at(cpu, la) = (struct x86_jit_jc){ .la = la, .gen = gen, .code = (uint32_t)code };
}

void x86_jit_flushed(struct x86_cpu *cpu)
{
    struct x86_jit *j = cpu->jit;

    if (!j) {
        return;
    }
    memset(cpu->jf.jc, 0, sizeof(cpu->jf.jc));
    j->hot_used = j->stubs_hot;
    j->cold_used = 0;
    j->meta_used = j->meta_stubs;
    j->want_flush = false;
    x86_jit_forget(cpu);
    j->n_flushes++;
}
