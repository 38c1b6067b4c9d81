/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/passes.c - passes over a decoded block: which arithmetic flags are dead, which pairs fuse
 *
 * Flags are live behind the last record (whoever runs next may look), and before every record that can leave the
 * block with state the guest sees: one that may fault, or ends it. A record gets REC_NF when none of the flags that
 * it may write is live behind it. A memory destination never gets it: its store may hit the block's own code, and
 * then the block is left right behind the store, and what follows is decoded afresh.
 *
 * A record that writes its flags only sometimes (XA_COND) kills nothing.
 */
#include "target/x86/ops.h"
#include "target/x86/rec.h"

/* LEA and hints name memory without touching it */
static bool touches_memory(const struct x86_rec *r)
{
    return (r->flags & REC_MEM) && r->op != OP_LEA && r->op != OP_NOP && r->op != OP_PREFETCH;
}

static bool may_store(const struct x86_rec *r)
{
    if (!(r->flags & REC_MEM) || r->op == OP_CMP || r->op == OP_TEST) {
        return false;
    }
    switch (r->form) {
    case FORM_R_RM:
    case FORM_R_RM_I:
    case FORM_R_V_RM:
    case FORM_R_V_RM_I:
    case FORM_R_RM_V:
    case FORM_R_V_RM_R4:
    case FORM_V_RM:
    case FORM_V_RM_I:
        return false;
    default:
        return true;
    }
}

static unsigned flags_killed(const struct x86_rec *r, const struct x86_op_info *info)
{
    if (info->attr & XA_COND) {
        bool shift = r->op == OP_SHL || r->op == OP_SHR || r->op == OP_SAR || r->op == OP_ROL || r->op == OP_ROR;

        if (!shift || (r->form != FORM_RM_I && r->form != FORM_RM_1) || !(r->imm & (r->size == 3 ? 63 : 31))) {
            return 0;
        }
    }
    return info->wr;
}

static void mark_dead_flags(struct x86_rec *recs, unsigned n)
{
    unsigned live = XF_ALL;

    for (unsigned i = n; i-- > 0;) {
        struct x86_rec *r = &recs[i];
        const struct x86_op_info *info = &x86_op_info[r->op];

        if ((info->attr & XA_END) || (r->flags & REC_LAST)) {
            live = XF_ALL;
            continue;
        }
        if (info->wr && !(info->wr & live) && !may_store(r)) {
            r->flags |= REC_NF;
        }
        live = (live & ~flags_killed(r, info)) | info->rd;
        if ((info->attr & XA_FLT) || touches_memory(r)) {
            live = XF_ALL;
        }
    }
}

static void mark_pairs(struct x86_rec *recs, unsigned n)
{
    for (unsigned i = 0; i + 1 < n; i++) {
        unsigned next = recs[i + 1].op;

        if ((recs[i].op == OP_CMP || recs[i].op == OP_TEST) && next >= OP_JCC && next < OP_JCC + 16) {
            recs[i].flags |= REC_X2;
        }
    }
}

void x86_block_finish(struct x86_rec *recs, unsigned n, uint32_t mode)
{
    mark_dead_flags(recs, n);
    mark_pairs(recs, n);
}
