/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/flags.c - lazy arithmetic flags, evaluated (state.h, enum x86_cc)
 *
 * cc_dst and cc_src are sign-extended from the operation's size to 64 bits, so that ZF is cc_dst == 0 and SF its sign
 * bit for every kind but CC_FLAGS. The other operand of an addition or subtraction is worked out from result and
 * cc_src: a = dst - src (ADD), dst - src - 1 (ADC), dst + src (SUB), dst + src + 1 (SBB).
 */
#include "target/x86/flags.h"

/* PF: even number of ones in the low byte (SDM vol. 1, 3.4.3.1) */
static uint32_t parity(uint64_t v)
{
    return __builtin_parity((unsigned)(v & 0xFF)) ? 0 : FL_PF;
}

uint32_t flags_arith(const struct x86_cpu *cpu)
{
    unsigned kind, n;
    uint64_t dst = cpu->cc_dst, src = cpu->cc_src, a, sign;
    uint32_t f;

    if (cpu->cc_op == CC_FLAGS) {
        return (uint32_t)src & FL_ARITH;
    }
    kind = (cpu->cc_op - 1) / 4 * 4 + 1;                /* the 8-bit member of the family */
    n = 64 - (8u << ((cpu->cc_op - 1) & 3));            /* bits above the operand */
    sign = 1ULL << 63;
    f = parity(dst);
    dst <<= n;
    f |= dst == 0 ? FL_ZF : 0;
    f |= dst & sign ? FL_SF : 0;
    switch (kind) {
    case CC_ADD8:
    case CC_ADC8:
        a = cpu->cc_dst - src - (kind == CC_ADC8);
        f |= (a ^ src ^ cpu->cc_dst) & FL_AF;
        a <<= n;
        src <<= n;
        f |= dst < src || (kind == CC_ADC8 && dst == src) ? FL_CF : 0;
        f |= (a ^ dst) & (src ^ dst) & sign ? FL_OF : 0;
        break;
    case CC_SUB8:
    case CC_SBB8:
        a = cpu->cc_dst + src + (kind == CC_SBB8);
        f |= (a ^ src ^ cpu->cc_dst) & FL_AF;
        a <<= n;
        src <<= n;
        f |= a < src || (kind == CC_SBB8 && a == src) ? FL_CF : 0;
        f |= (a ^ src) & (a ^ dst) & sign ? FL_OF : 0;
        break;
    case CC_LOGIC8:
        break;
    case CC_INC8:
        f |= src & FL_CF;
        f |= (cpu->cc_dst & 15) == 0 ? FL_AF : 0;
        f |= dst == sign ? FL_OF : 0;
        break;
    case CC_DEC8:
        f |= src & FL_CF;
        f |= (cpu->cc_dst & 15) == 15 ? FL_AF : 0;
        f |= dst == sign - (1ULL << n) ? FL_OF : 0;
        break;
    case CC_SHL8:
        src <<= n;
        f |= src & sign ? FL_CF : 0;
        f |= (src ^ dst) & sign ? FL_OF : 0;
        break;
    default:            /* CC_SAR8 */
        f |= src & 1 ? FL_CF : 0;
        f |= ((src << n) ^ dst) & sign ? FL_OF : 0;
        break;
    }
    return f;
}

/* SDM vol. 1, appendix B.1 */
bool flags_cond(const struct x86_cpu *cpu, unsigned cc)
{
    uint32_t f = flags_arith(cpu);
    bool lt = !(f & FL_SF) != !(f & FL_OF), v;

    switch (cc >> 1) {
    case 0:
        v = f & FL_OF;
        break;
    case 1:
        v = f & FL_CF;
        break;
    case 2:
        v = f & FL_ZF;
        break;
    case 3:
        v = f & (FL_CF | FL_ZF);
        break;
    case 4:
        v = f & FL_SF;
        break;
    case 5:
        v = f & FL_PF;
        break;
    case 6:
        v = lt;
        break;
    default:
        v = lt || f & FL_ZF;
        break;
    }
    return v ^ (cc & 1);
}
