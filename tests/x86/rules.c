/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/x86/rules.c - what is known of single operations: the group they are tested in, why some cannot be tested, and which
 * flags and results the manual leaves undefined
 */
#include "tests/x86/oracle.h"

struct group_ops {
    const char *name;
    uint16_t first, last;
};
static const struct group_ops by_op[] = {
    { "alu", OP_ADD, OP_XADD },
    { "cmpxchg", OP_CMPXCHG, OP_CMPXCHG16B },
    { "mov", OP_XCHG, OP_XCHG },
    { "muldiv", OP_MUL, OP_IDIV },
    { "shift", OP_ROL, OP_SHRD_CL },
    { "bit", OP_BT, OP_POPCNT },
    { "mov", OP_BSWAP, OP_CWD },
    { "flags", OP_LAHF, OP_STD },
    { "bcd32", OP_DAA, OP_AAD },
    { "flags", OP_SETO, OP_SETG },
    { "mov", OP_CMOVO, OP_CMOVG },
    { "branch", OP_JO, OP_JG },
    { "stack", OP_PUSH, OP_POP },
    { "stack", OP_PUSHA, OP_LEAVE },
    { "branch", OP_JMP, OP_JCXZ },
    { "branch", OP_INT, OP_INT1 },
    { "branch", OP_INTO, OP_INTO },
    { "string", OP_MOVS, OP_OUTS },
    { "stack", OP_BOUND, OP_BOUND },
    { "priv", OP_IN, OP_WRMSR },
    { "priv", OP_MOV_FROM_CR, OP_MOV_FROM_DR },
    { "priv", OP_LGDT, OP_LIDT },
    { "priv", OP_LLDT, OP_RDMSR },
    { "priv", OP_SWAPGS, OP_MONITOR },
    { "priv", OP_CLAC, OP_STAC },
    { "mov", OP_CLFLUSH, OP_CLWB },
    { "sse", OP_LDMXCSR, OP_STMXCSR },
    { "bmi", OP_ANDN, OP_SHRX },
    { "sse42", OP_CRC32, OP_CRC32 },
    { "bmi", OP_ADCX, OP_ADOX },
    { "mov", OP_NOP, OP_PREFETCH },
};
static const struct { uint16_t op; const char *why; } untestable[] = {
    { OP_CPUID, "differs by model" }, { OP_RDTSC, "time" }, { OP_RDTSCP, "time" }, { OP_RDPMC, "Linux may allow it" },
    { OP_RDPID, "CPU number" }, { OP_RDRAND, "random" }, { OP_RDSEED, "random" }, { OP_XGETBV, "XCR0 differs" },
    { OP_SYSCALL, "enters Linux" }, { OP_SYSENTER, "enters Linux" }, { OP_SGDT, "UMIP" }, { OP_SIDT, "UMIP" },
    { OP_SLDT, "UMIP" }, { OP_STR, "UMIP" }, { OP_SMSW, "UMIP" }, { OP_RDFSBASE, "thread pointer" },
    { OP_WRFSBASE, "thread pointer" }, { OP_RDGSBASE, "thread pointer" }, { OP_WRGSBASE, "thread pointer" },
    { OP_MWAIT, "Linux may allow it" }, { OP_HLT, NULL },
    { OP_SYSRET, NULL },
    { OP_LFS, "thread pointer" }, { OP_LGS, "thread pointer" },
   
    { OP_XSAVE, "XCR0 differs" }, { OP_XSAVEC, "XCR0 differs" },
    { OP_XSAVEOPT, "XCR0 differs" }, { OP_XRSTOR, "XCR0 differs" }, { OP_INVPCID, NULL }, { OP_WBINVD, NULL },
};

static const char *simd_group(enum x86_map_id map, const struct x86_row *row)
{
    switch (row->feat) {
    case X86_FEAT_FMA:      return "fma";
    case X86_FEAT_F16C:     return "f16c";
    case X86_FEAT_AVX2:     return "avx2";
    case X86_FEAT_AES:      return "aes";
    case X86_FEAT_PCLMULQDQ: return "pclmul";
    case X86_FEAT_AVX12:    return "avxint";
    case X86_FEAT_AVX:      return "avx";
    case X86_FEAT_SHA:      return "sha";
    case X86_FEAT_SSE:      return row->cls == CLS_SSE ? "sse" : "mmx";
    case X86_FEAT_SSE2:     return "sse2";
    case X86_FEAT_SSE3:     return "sse3";
    case X86_FEAT_SSSE3:    return "ssse3";
    case X86_FEAT_SSE4_1:   return "sse41";
    case X86_FEAT_SSE4_2:   return "sse42";
    }
    return "mmx";
}

const char *ox_group(enum x86_map_id map, const struct x86_row *row, const char **why)
{
    *why = NULL;
    for (unsigned i = 0; i < sizeof(untestable) / sizeof(untestable[0]); i++) {
        if (untestable[i].op == row->op && untestable[i].why) {
            *why = untestable[i].why;
            return NULL;
        }
    }
    if (ox_is_far(row->op)) {
        return "far";
    }
    if (map == MAP_X87 || row->op == OP_FWAIT) {
        return "x87";
    }
    if (row->op == OP_FXSAVE || row->op == OP_FXRSTOR) {
        return "x87";
    }
    for (unsigned i = 0; i < sizeof(by_op) / sizeof(by_op[0]); i++) {
        if (row->op >= by_op[i].first && row->op <= by_op[i].last) {
            return by_op[i].name;
        }
    }
    if (x86_op_info[row->op].attr & XA_SIMD) {
        return simd_group(map, row);
    }
    *why = "no group";
    return NULL;
}

/*
 * What the manual leaves open
 */

static unsigned shift_count(const struct ox_case *c)
{
    const struct x86_rec *r = &c->rec;
    unsigned n = r->form == FORM_RM_CL || r->op == OP_SHLD_CL || r->op == OP_SHRD_CL ? (unsigned)c->in.gpr[R_CX]
                                                                                     : (unsigned)r->imm;

    return n & (r->size == 3 ? 63 : 31);
}

uint32_t ox_undefined_flags(const struct ox_case *c)
{
    const struct x86_rec *r = &c->rec;
    unsigned bits = 8u << r->size, n;

    switch (r->op) {            /* SDM vol. 2, "Flags Affected" of each instruction */
    case OP_AND: case OP_OR: case OP_XOR: case OP_TEST:
        return XF_A;
    case OP_MUL: case OP_IMUL: case OP_IMUL_R:
        return XF_S | XF_Z | XF_A | XF_P;
    case OP_DIV: case OP_IDIV:
        return XF_ALL;
    case OP_ROL: case OP_ROR: case OP_RCL: case OP_RCR:
        return shift_count(c) > 1 ? XF_O : 0;
    case OP_SHL: case OP_SHR: case OP_SAR:
        n = shift_count(c);
        return !n ? 0 : XF_A | (n > 1 ? XF_O : 0) | (n >= bits && r->op != OP_SAR ? XF_C : 0);
    case OP_SHLD: case OP_SHRD: case OP_SHLD_CL: case OP_SHRD_CL:
        n = shift_count(c);
        return !n ? 0 : n > bits ? XF_ALL : XF_A | (n > 1 ? XF_O : 0);
    case OP_BT: case OP_BTS: case OP_BTR: case OP_BTC:
        return XF_O | XF_S | XF_A | XF_P;
    case OP_BSF: case OP_BSR:
        return XF_ALL & ~XF_Z;
    case OP_TZCNT: case OP_LZCNT:
        return XF_O | XF_S | XF_P | XF_A;
    case OP_BZHI: case OP_BLSR: case OP_BLSMSK: case OP_BLSI: case OP_ANDN:
        return XF_A | XF_P;
    case OP_BEXTR:
        return XF_A | XF_S | XF_P;
    case OP_AAA: case OP_AAS:
        return XF_O | XF_S | XF_Z | XF_P;
    case OP_AAM: case OP_AAD:
        return XF_O | XF_A | XF_C;
    case OP_DAA: case OP_DAS:
        return XF_O;
    }
    return 0;
}

bool ox_undefined_result(const struct ox_case *c)
{
    const struct x86_rec *r = &c->rec;

    switch (r->op) {
    case OP_BSWAP:
        return r->size == 1;
    case OP_SHLD: case OP_SHRD: case OP_SHLD_CL: case OP_SHRD_CL:
        return shift_count(c) > (8u << r->size);
    }
    return false;
}
