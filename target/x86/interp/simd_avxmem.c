/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/simd_avxmem.c - VMASKMOV, VPMASKMOV, gathers: memory by element
 *
 * Elements that are not selected are not touched and cannot fault. A masked store checks all its elements before it
 * writes one. A gather takes effect element by element: when one faults, those before it are in the register and
 * their mask elements are clear, so that the instruction goes on from there (SDM vol. 2, VGATHERDPS).
 */
#include "target/x86/interp/simd.h"

/* Linear address of an element at effective address @ea (not cut yet) */
static uint64_t part_la(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t ea, unsigned len, bool write)
{
    ea = r->asize == 3 ? ea : r->asize == 2 ? (uint32_t)ea : (uint16_t)ea;
    return r->flags & (REC_FLAT64 | REC_FLAT32) ? ea : seg_linear(cpu, r, r->seg, ea, len, write);
}

/*
 * Masked moves of @size (4 or 8) byte elements; the mask is the sign of vvvv's elements
 */
static __attribute__((noinline)) void maskload(struct x86_cpu *cpu, const struct x86_rec *r, unsigned size)
{
    unsigned n = (r->flags & REC_VEX_L ? 32 : 16) / size;
    const union x86_vec *m = &cpu->vec[r->vvvv];
    uint64_t ea = rec_ea(cpu, r);
    union x86_vec d;

    memset(&d, 0, sizeof(d));
    for (unsigned i = 0; i < n; i++) {
        if (size == 4 && m->sd[i] < 0) {
            d.d[i] = mem_ld32(cpu, r, part_la(cpu, r, ea + 4 * i, 4, false));
        } else if (size == 8 && m->sq[i] < 0) {
            d.q[i] = mem_ld64(cpu, r, part_la(cpu, r, ea + 8 * i, 8, false));
        }
    }
    cpu->vec[r->reg] = d;
}

static __attribute__((noinline)) void maskstore(struct x86_cpu *cpu, const struct x86_rec *r, unsigned size)
{
    unsigned n = (r->flags & REC_VEX_L ? 32 : 16) / size;
    const union x86_vec *m = &cpu->vec[r->vvvv], *s = &cpu->vec[r->reg];
    uint64_t ea = rec_ea(cpu, r);

    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned i = 0; i < n; i++) {
            uint64_t la;

            if (size == 4 ? m->sd[i] >= 0 : m->sq[i] >= 0) {
                continue;
            }
            la = part_la(cpu, r, ea + size * i, size, true);
            if (pass == 0) {
                mem_probe(cpu, r, la, size, true);
            } else if (size == 4) {
                mem_st32(cpu, r, la, s->d[i]);
            } else {
                mem_st64(cpu, r, la, s->q[i]);
            }
        }
    }
}

static X86_OP(vmaskload32) { maskload(cpu, r, 4); X86_NEXT; }
static X86_OP(vmaskload64) { maskload(cpu, r, 8); X86_NEXT; }
static X86_OP(vmaskstore32) { maskstore(cpu, r, 4); X86_NEXT; }
static X86_OP(vmaskstore64) { maskstore(cpu, r, 8); X86_NEXT; }

/*
 * Gathers: elements of @size, indices of @isize bytes; the count is what fits both registers
 */
static __attribute__((noinline)) void gather(struct x86_cpu *cpu, const struct x86_rec *r, unsigned size,
                                             unsigned isize)
{
    unsigned bytes = r->flags & REC_VEX_L ? 32 : 16, n = bytes / (size > isize ? size : isize);
    union x86_vec *d = &cpu->vec[r->reg], *m = &cpu->vec[r->vvvv];
    const union x86_vec *ix = &cpu->vec[r->index & 15];
    uint64_t base = cpu->regs[r->base] + (uint64_t)(int64_t)r->disp;

    for (unsigned i = 0; i < bytes / size; i++) {
        if (size == 4) {                    /* the whole mask first: the element is all ones or zero from here */
            m->sd[i] >>= 31;
        } else {
            m->sq[i] >>= 63;
        }
    }
    memset(m->b + bytes, 0, sizeof(*m) - bytes);        /* a fault shows this, and what has been loaded so far */
    for (unsigned i = 0; i < n; i++) {
        uint64_t ea = base + ((uint64_t)(isize == 4 ? ix->sd[i] : ix->sq[i]) << r->scale);

        if (size == 4 && m->d[i]) {
            d->d[i] = mem_ld32(cpu, r, part_la(cpu, r, ea, 4, false));
            m->d[i] = 0;
        } else if (size == 8 && m->q[i]) {
            d->q[i] = mem_ld64(cpu, r, part_la(cpu, r, ea, 8, false));
            m->q[i] = 0;
        } else {
            continue;
        }
        memset(d->b + bytes, 0, sizeof(*d) - bytes);
    }
    memset(m, 0, sizeof(*m));
    memset(d->b + n * size, 0, sizeof(*d) - n * size);
}

static X86_OP(vgatherd32) { gather(cpu, r, 4, 4); X86_NEXT; }
static X86_OP(vgatherd64) { gather(cpu, r, 8, 4); X86_NEXT; }
static X86_OP(vgatherq32) { gather(cpu, r, 4, 8); X86_NEXT; }
static X86_OP(vgatherq64) { gather(cpu, r, 8, 8); X86_NEXT; }

x86_handler *simd_bind_avxmem(const struct x86_rec *r)
{
    bool store = r->form == FORM_RM_V_R;

    switch (r->op) {
    case OP_VMASKMOVPS: case OP_VPMASKMOVD:
        return store ? x86_vmaskstore32 : x86_vmaskload32;
    case OP_VMASKMOVPD: case OP_VPMASKMOVQ:
        return store ? x86_vmaskstore64 : x86_vmaskload64;
    case OP_VGATHERDPS: case OP_VPGATHERDD:
        return x86_vgatherd32;
    case OP_VGATHERDPD: case OP_VPGATHERDQ:
        return x86_vgatherd64;
    case OP_VGATHERQPS: case OP_VPGATHERQD:
        return x86_vgatherq32;
    case OP_VGATHERQPD: case OP_VPGATHERQQ:
        return x86_vgatherq64;
    default:
        return NULL;
    }
}
