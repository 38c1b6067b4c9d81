/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/fpu_env.c - x87 control and status words, environment and state images (SDM vol. 1, 8.1.10, 8.1.11)
 *
 *     FLDENV/FNSTENV image    32 bits: 7 dwords     16 bits: 7 words
 *       0  control word         FFFF in the upper half
 *       1  status word          likewise
 *       2  tag word             likewise
 *       3  instruction offset   protected: FIP           real, VM86: bits 15:0 of the linear address
 *       4  FCS, opcode << 16    (16 bits: FCS)           bits 31:16 << 12 | opcode
 *       5  operand offset       protected: FDP           bits 15:0
 *       6  FDS                                           bits 31:16 << 12
 *     FNSAVE/FRSTOR append the eight registers, ST(0) first, 10 bytes each.
 */
#include "target/x86/interp/fpu.h"

enum { ENV_WORDS = 7, ENV_MAX = 4 * ENV_WORDS, SAVE_MAX = ENV_MAX + 80 };

static bool env_is16(const struct x86_cpu *cpu, const struct x86_rec *r)
{
    bool os = (r->flags & (REC_OSIZE | REC_REXW)) == REC_OSIZE;

    return cpu->mode & (MODE_64 | MODE_CS32) ? os : !os;
}

static bool env_real(const struct x86_cpu *cpu)
{
    return !(cpu->mode & MODE_PE) || (cpu->mode & MODE_VM);
}

static uint16_t status_word(const struct x86_fpu *f)
{
    return (f->fsw & ~FSW_TOP) | f->top << 11;
}

/* Return: bytes in @buf */
static unsigned env_make(const struct x86_cpu *cpu, const struct x86_rec *r, uint8_t *buf)
{
    const struct x86_fpu *f = &cpu->fpu;
    uint32_t w[ENV_WORDS] = {
        0xFFFF0000u | f->fcw, 0xFFFF0000u | status_word(f), 0xFFFF0000u | fpu_tag_word(f),
    };
    uint32_t lip = (uint32_t)f->fip + ((uint32_t)f->fcs << 4), ldp = (uint32_t)f->fdp + ((uint32_t)f->fds << 4);

    if (env_is16(cpu, r)) {
        if (env_real(cpu)) {
            w[3] = lip;
            w[4] = (lip >> 16 & 15) << 12 | f->fop;
            w[5] = ldp;
            w[6] = (ldp >> 16 & 15) << 12;
        } else {
            w[3] = (uint32_t)f->fip;
            w[4] = f->fcs;
            w[5] = (uint32_t)f->fdp;
            w[6] = f->fds;
        }
        for (unsigned i = 0; i < ENV_WORDS; i++) {
            buf[2 * i] = (uint8_t)w[i];
            buf[2 * i + 1] = (uint8_t)(w[i] >> 8);
        }
        return 2 * ENV_WORDS;
    }
    if (env_real(cpu)) {
        w[3] = 0xFFFF0000u | (lip & 0xFFFF);
        w[4] = lip >> 16 << 12 | f->fop;
        w[5] = 0xFFFF0000u | (ldp & 0xFFFF);
        w[6] = ldp >> 16 << 12;
    } else {
        w[3] = (uint32_t)f->fip;
        w[4] = f->fcs | (uint32_t)f->fop << 16;
        w[5] = (uint32_t)f->fdp;
        w[6] = 0xFFFF0000u | f->fds;
    }
    memcpy(buf, w, ENV_MAX);
    return ENV_MAX;
}

static void env_load(struct x86_cpu *cpu, const struct x86_rec *r, const uint8_t *buf)
{
    struct x86_fpu *f = &cpu->fpu;
    bool is16 = env_is16(cpu, r), sel = !(f->ptr_rule & X87_NO_SELECTORS);
    uint32_t w[ENV_WORDS];

    for (unsigned i = 0; i < ENV_WORDS; i++) {
        if (is16) {
            w[i] = buf[2 * i] | buf[2 * i + 1] << 8;
        } else {
            memcpy(&w[i], buf + 4 * i, 4);
        }
    }
    f->fsw = w[1] & ~(uint32_t)FSW_TOP;
    f->top = w[1] >> 11 & 7;
    fpu_set_tag_word(f, (uint16_t)w[2]);
    f->fcs = f->fds = 0;
    if (env_real(cpu)) {
        f->fip = (w[3] & 0xFFFF) | (w[4] >> 12 << 16);
        f->fdp = (w[5] & 0xFFFF) | (w[6] >> 12 << 16);
        f->fop = w[4] & 0x7FF;
    } else {
        f->fip = w[3];
        f->fdp = w[5];
        f->fcs = sel ? (uint16_t)w[4] : 0;
        f->fds = sel ? (uint16_t)w[6] : 0;
        if (!is16) {
            f->fop = w[4] >> 16 & 0x7FF;
        }
    }
    fpu_set_cw(cpu, (uint16_t)w[0]);            /* last: ES follows from all three */
}

X87(fldcw)
{
    uint16_t v;

    fpu_wait(cpu, r);
    v = mem_ld16(cpu, r, rec_la(cpu, r, 2, false));
    fpu_set_cw(cpu, v);
}

X87(fnstcw) { mem_st16(cpu, r, rec_la(cpu, r, 2, true), cpu->fpu.fcw); }
X87(fnstsw_m) { mem_st16(cpu, r, rec_la(cpu, r, 2, true), status_word(&cpu->fpu)); }
X87(fnstsw_ax) { REG16(0) = status_word(&cpu->fpu); }
X87(fninit) { fpu_init(cpu); }

X87(fnclex)
{
    cpu->fpu.fsw &= ~(FSW_EXC | FSW_SF | FSW_ES | FSW_B);
    fph_clear();
}

X87(fnstenv)
{
    uint8_t buf[ENV_MAX];
    unsigned len = env_make(cpu, r, buf);

    mem_st_bytes(cpu, r, rec_la(cpu, r, len, true), buf, len);
    fpu_set_cw(cpu, cpu->fpu.fcw | FSW_EXC);
}

X87(fldenv)
{
    uint8_t buf[ENV_MAX];
    unsigned len = env_is16(cpu, r) ? 2 * ENV_WORDS : ENV_MAX;

    fpu_wait(cpu, r);
    mem_ld_bytes(cpu, r, rec_la(cpu, r, len, false), buf, len);
    env_load(cpu, r, buf);
}

X87(fnsave)
{
    uint8_t buf[SAVE_MAX];
    unsigned len = env_make(cpu, r, buf);

    for (unsigned i = 0; i < 8; i++, len += 10) {
        memcpy(buf + len, fpu_st(cpu, i), 10);
    }
    mem_st_bytes(cpu, r, rec_la(cpu, r, len, true), buf, len);
    fpu_init(cpu);
}

X87(frstor)
{
    uint8_t buf[SAVE_MAX];
    unsigned env = env_is16(cpu, r) ? 2 * ENV_WORDS : ENV_MAX;

    fpu_wait(cpu, r);
    mem_ld_bytes(cpu, r, rec_la(cpu, r, env + 80, false), buf, env + 80);
    env_load(cpu, r, buf);
    for (unsigned i = 0; i < 8; i++) {
        memcpy(fpu_st(cpu, i), buf + env + 10 * i, 10);
    }
}

x86_handler *fpu_bind_env(const struct x86_rec *r)
{
    switch (r->op) {
    case OP_FLDCW:
        return x86_fldcw;
    case OP_FNSTCW:
        return x86_fnstcw;
    case OP_FNSTSW_M:
        return x86_fnstsw_m;
    case OP_FNSTSW_AX:
        return x86_fnstsw_ax;
    case OP_FNINIT:
        return x86_fninit;
    case OP_FNCLEX:
        return x86_fnclex;
    case OP_FNSTENV:
        return x86_fnstenv;
    case OP_FLDENV:
        return x86_fldenv;
    case OP_FNSAVE:
        return x86_fnsave;
    case OP_FRSTOR:
        return x86_frstor;
    default:
        return NULL;
    }
}
