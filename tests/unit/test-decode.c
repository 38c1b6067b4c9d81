/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-decode.c - bytes to records in the three modes, dead flags, and 10 million random strings
 *
 * An encoding is checked by its text (x86_rec_print shows op, operands, sizes) and its length; what text cannot show
 * (address size, flat flags, REC_*) has tests of its own below the table.
 */
#include "target/x86/ops.h"
#include "target/x86/rec.h"
#include "target/x86/cpuid.h"
#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FLAT (MODE_FLAT_DS | MODE_FLAT_ES | MODE_FLAT_SS | MODE_FLAT_CS)
#define SIMD (MODE_OSFXSR | MODE_OSXSAVE | MODE_AVX)
#define M64 (MODE_64 | MODE_LMA | MODE_PE | FLAT | SIMD)
#define M32 (MODE_CS32 | MODE_SS32 | MODE_PE | FLAT | SIMD)
#define M16 (SIMD)

static struct x86_features all_features(void)
{
    struct x86_features f = { .intel = true };

    memset(f.word, 0xFF, sizeof(f.word));
    return f;
}

static unsigned decode_hex(const char *hex, uint32_t mode, const struct x86_features *f, struct x86_rec *r, unsigned *n)
{
    uint8_t buf[64];

    *n = 0;
    for (; *hex; hex++) {
        if (*hex != ' ') {
            buf[(*n)++] = g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]);
            hex++;
        }
    }
    return x86_decode(buf, *n, mode, 0, f, r);
}

struct row {
    uint32_t mode;
    const char *hex, *text;
};

static const struct row rows[] = {
    /* 64-bit mode: prefixes, REX, ModRM, SIB */
    { M64, "01 d8", "add eax, ebx" },
    { M64, "48 01 d8", "add rax, rbx" },
    { M64, "66 01 d8", "add ax, bx" },
    { M64, "66 48 01 d8", "add rax, rbx" },
    { M64, "48 66 01 d8", "add ax, bx" },
    { M64, "00 e0", "add al, ah" },
    { M64, "40 00 e0", "add al, spl" },
    { M64, "45 00 c8", "add r8b, r9b" },
    { M64, "03 04 8b", "add eax, [rbx+rcx*4]" },
    { M64, "67 03 04 8b", "add eax, [ebx+ecx*4]" },
    { M64, "03 04 25 10 20 30 40", "add eax, [0x40302010]" },
    { M64, "03 05 10 00 00 00", "add eax, [block+0x16]" },
    { M64, "48 8b 44 24 f8", "mov rax, [rsp-0x8]" },
    { M64, "4a 8b 04 a4", "mov rax, [rsp+r12*4]" },
    { M64, "48 8b 04 24", "mov rax, [rsp]" },
    { M64, "49 8b 45 00", "mov rax, [r13]" },
    { M64, "49 8b 04 24", "mov rax, [r12]" },
    { M64, "64 48 8b 04 25 28 00 00 00", "mov rax, fs:[0x28]" },
    { M64, "3e 48 8b 03", "mov rax, [rbx]" },
    { M64, "b8 01 00 00 80", "mov eax, -0x7fffffff" },
    { M64, "48 b8 88 77 66 55 44 33 22 11", "mov rax, 0x1122334455667788" },
    { M64, "48 c7 c0 ff ff ff ff", "mov rax, -0x1" },
    { M64, "83 c0 80", "add eax, -0x80" },
    { M64, "a1 88 77 66 55 44 33 22 11", "mov eax, [0x1122334455667788]" },
    { M64, "67 a1 44 33 22 11", "mov eax, [0x11223344]" },
    { M64, "50", "push rax" },
    { M64, "66 50", "push ax" },
    { M64, "41 57", "push r15" },
    { M64, "6a ff", "push -0x1" },
    { M64, "90", "nop" },
    { M64, "f3 90", "pause" },
    { M64, "41 90", "xchg r8d, eax" },
    { M64, "87 03", "lock xchg [rbx], eax" },
    { M64, "f0 01 03", "lock add [rbx], eax" },
    { M64, "f0 0f c7 0b", "lock cmpxchg8b [rbx]" },
    { M64, "f0 48 0f c7 0b", "lock cmpxchg16b [rbx]" },
    { M64, "eb fe", "jmp 0x0" },
    { M64, "66 e9 00 00 00 00", "jmp 0x6" },
    { M64, "0f 84 10 00 00 00", "jz 0x16" },
    { M64, "7f 02", "jg 0x4" },
    { M64, "ff d0", "call_rm rax" },
    { M64, "c3", "ret" },
    { M64, "c2 08 00", "ret 0x8" },
    { M64, "0f b6 c4", "movzx8 eax, ah" },
    { M64, "48 0f bf c1", "movsx16 rax, cx" },
    { M64, "48 63 c8", "movsxd rcx, eax" },
    { M64, "f3 48 a5", "rep movsq" },
    { M64, "f2 ae", "repne scasb" },
    { M64, "0f a4 d8 04", "shld eax, ebx, 0x4" },
    { M64, "d3 e0", "shl eax, cl" },
    { M64, "d1 e0", "shl eax, 0x1" },
    { M64, "6b c3 05", "imul_r eax, ebx, 0x5" },
    { M64, "f7 e3", "mul ebx" },
    { M64, "48 0f c8", "bswap rax" },
    { M64, "0f a2", "cpuid" },
    { M64, "44 0f 20 c0", "mov_from_cr rax, cr8" },
    { M64, "0f 22 d8", "mov_to_cr cr3, rax" },
    { M64, "8e d8", "mov_to_sreg ds, ax" },
    { M64, "0f a0", "push_sreg" },
    { M64, "0f 01 f8", "swapgs" },
    { M64, "0f 01 d0", "xgetbv" },
    { M64, "0f 05", "syscall" },
    { M64, "c8 10 00 01", "enter 0x10, 0x1" },
    { M64, "f3 0f 1e fa", "nop edx" },
    { M64, "0f 1f 44 00 00", "nop [rax+rax]" },
    { M64, "f3 0f b8 c1", "popcnt eax, ecx" },
    { M64, "f3 0f bd c1", "lzcnt eax, ecx" },
    { M64, "f2 0f 38 f0 c1", "crc32 eax, cl" },
    { M64, "f2 48 0f 38 f1 c1", "crc32 rax, rcx" },
    { M64, "66 f2 0f 38 f1 c1", "crc32 eax, cx" },
    { M64, "0f 38 f0 03", "movbe eax, [rbx]" },
    { M64, "66 0f 38 f6 c1", "adcx eax, ecx" },
    /* what 64-bit mode does not have */
    { M64, "27", "ud" },
    { M64, "06", "ud" },
    { M64, "60", "ud" },
    { M64, "9a", "ud" },
    { M64, "c4 00 00 00", "ud" },
    { M64, "ce", "ud" },
    { M64, "d5", "ud" },
    { M64, "82 00", "ud" },
    { M64, "62 00", "ud" },
    /* illegal forms */
    { M64, "f0 01 d8", "ud" },
    { M64, "f0 8b 03", "ud" },
    { M64, "f0 39 03", "ud" },
    { M64, "8d c0", "ud" },
    { M64, "8e c8", "ud" },
    { M64, "0f 0b", "ud" },
    { M64, "c6 f8", "ud" },
    { M64, "8f c8", "ud" },
    { M64, "0f 22 c8", "ud" },
    { M64, "0f 01 c1", "vmcall" }, { M64, "0f 01 d9", "vmcall" }, { M64, "0f 01 c2", "ud" },
    { M64, "8c f0", "ud" },
    { M64, "f0 0f a3 03", "ud" },
    /* SIMD */
    { M64, "0f 58 c1", "addps xmm0, xmm1" },
    { M64, "f3 0f 58 03", "addss xmm0, [rbx]" },
    { M64, "66 f2 0f 58 c1", "addsd xmm0, xmm1" },
    { M64, "0f fc c1", "paddb mm0, mm1" },
    { M64, "66 44 0f fc c1", "paddb xmm8, xmm1" },
    { M64, "66 0f 6e c1", "movd xmm0, ecx" },
    { M64, "66 48 0f 6e c1", "movq_gpr xmm0, rcx" },
    { M64, "66 48 0f 7e c1", "movq_gpr rcx, xmm0" },
    { M64, "f3 0f 7e c1", "movq xmm0, xmm1" },
    { M64, "66 0f d6 03", "movq [rbx], xmm0" },
    { M64, "0f 12 c1", "movhlps xmm0, xmm1" },
    { M64, "0f 12 03", "movlps xmm0, [rbx]" },
    { M64, "66 0f 71 d1 05", "psrlw xmm1, 0x5" },
    { M64, "0f 71 d1 05", "psrlw mm1, 0x5" },
    { M64, "66 0f 3a 0f c1 ff", "palignr xmm0, xmm1, 0xff" },
    { M64, "66 0f 3a 14 c1 02", "pextrb ecx, xmm0, 0x2" },
    { M64, "66 0f c5 c1 02", "pextrw eax, xmm1, 0x2" },
    { M64, "f2 48 0f 2a c1", "cvtsi2sd xmm0, rcx" },
    { M64, "f3 0f 2d c1", "cvtss2si eax, xmm1" },
    { M64, "66 0f d7 c1", "pmovmskb eax, xmm1" },
    { M64, "f2 0f d6 c1", "movdq2q mm0, xmm1" },
    /* VEX */
    { M64, "c5 f0 58 c2", "vaddps xmm0, xmm1, xmm2" },
    { M64, "c5 f4 58 c2", "vaddps ymm0, ymm1, ymm2" },
    { M64, "c5 f8 77", "vzeroupper" },
    { M64, "c5 fc 77", "vzeroall" },
    { M64, "c4 e2 71 00 c2", "vpshufb xmm0, xmm1, xmm2" },
    { M64, "c4 e2 7d 18 03", "vbroadcastss ymm0, [rbx]" },
    { M64, "c4 e3 71 4a c2 30", "vblendvps xmm0, xmm1, xmm2, xmm3" },
    { M64, "c4 e2 f1 b8 c2", "vfmadd231pd xmm0, xmm1, xmm2" },
    { M64, "c4 e2 70 f2 c2", "andn eax, ecx, edx" },
    { M64, "c4 e2 f3 f5 c2", "pdep rax, rcx, rdx" },
    { M64, "c4 e2 71 f7 c2", "shlx eax, edx, ecx" },
    { M64, "c4 e2 f8 f3 cb", "blsr rax, rbx" },
    { M64, "c4 e3 fb f0 c3 07", "rorx rax, rbx, 0x7" },
    { M64, "c4 e2 69 90 04 8b", "vpgatherdd xmm0, [rbx+xmm1*4], xmm2" },
    { M64, "c5 f1 71 d2 05", "vpsrlw xmm1, xmm2, 0x5" },
    { M64, "c5 fa 10 c1", "vmovss xmm0, xmm0, xmm1" },
    { M64, "c5 f8 58 c2", "vaddps xmm0, xmm0, xmm2" },
    { M64, "c5 f0 28 c2", "ud" },
    { M64, "66 c5 f0 58 c2", "ud" },
    { M64, "48 c5 f0 58 c2", "ud" },
    { M64, "c4 e2 71 90 04 8b", "ud" },
    { M64, "c4 e4 71 00 c2", "ud" },
    { M32, "c5 f0 58 c2", "vaddps xmm0, xmm1, xmm2" },
    { M32, "c5 00", "lds eax, [eax]" },
    { M32, "c4 e2 f0 f2 c2", "andn eax, ecx, edx" },
    { M16, "c5 f0", "ud" },
    /* x87 */
    { M64, "d8 03", "fadd_m32 [rbx]" },
    { M64, "dc 03", "fadd_m64 [rbx]" },
    { M64, "d8 c1", "fadd_st0_sti st1" },
    { M64, "dc c1", "fadd_sti_st0 st1" },
    { M64, "de c1", "faddp st1" },
    { M64, "de d9", "fcompp" },
    { M64, "de d8", "ud" },
    { M64, "db 2b", "fld_m80 [rbx]" },
    { M64, "d9 ff", "fcos" },
    { M64, "df e0", "fnstsw_ax" },
    { M64, "dc e1", "fsubr_sti_st0 st1" },
    { M64, "de e9", "fsubp st1" },
    { M64, "9b", "fwait" },
    { M64, "dd 3b", "fnstsw_m [rbx]" },
    { M64, "db e3", "fninit" },
    { M64, "d9 d1", "ud" },
    /* 32-bit mode */
    { M32, "48", "dec eax" },
    { M32, "40", "inc eax" },
    { M32, "01 04 24", "add [esp], eax" },
    { M32, "a1 78 56 34 12", "mov eax, [0x12345678]" },
    { M32, "8b 05 78 56 34 12", "mov eax, [0x12345678]" },
    { M32, "67 8b 07", "mov eax, [bx]" },
    { M32, "67 8b 46 fe", "mov eax, [bp-0x2]" },
    { M32, "9a 78 56 34 12 cd ab", "callf 0xabcd:0x12345678" },
    { M32, "66 ea 34 12 cd ab", "jmpf 0xabcd:0x1234" },
    { M32, "68 00 00 00 80", "push -0x80000000" },
    { M32, "63 03", "arpl [ebx], ax" },
    { M32, "62 03", "bound eax, [ebx]" },
    { M32, "62 c0", "ud" },
    { M32, "82 c0 05", "add al, 0x5" },
    { M32, "c4 03", "les eax, [ebx]" },
    { M32, "2e 8b 03", "mov eax, cs:[ebx]" },
    { M32, "d4 0a", "aam 0xa" },
    { M32, "e8 fb ff ff ff", "call 0x0" },
    /* 16-bit mode */
    { M16, "8b 07", "mov ax, [bx]" },
    { M16, "66 8b 07", "mov eax, [bx]" },
    { M16, "67 8b 03", "mov ax, [ebx]" },
    { M16, "8b 06 34 12", "mov ax, [0x1234]" },
    { M16, "8b 02", "mov ax, [bp+si]" },
    { M16, "26 8b 05", "mov ax, es:[di]" },
    { M16, "e9 fd ff", "jmp 0x0" },
    { M16, "66 e9 fa ff ff ff", "jmp 0x0" },
    { M16, "63 c0", "ud" },
    { M16, "0f 00 c0", "ud" },
    { M16, "9a 34 12 cd ab", "callf 0xabcd:0x1234" },
    { M16, "0f 01 16 00 10", "lgdt [0x1000]" },
    { M16, "c8 04 00 00", "enter 0x4, 0x0" },
};

static void test_table(void)
{
    struct x86_features f = all_features();

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct x86_rec r = { 0 };
        char text[128];
        unsigned n, len = decode_hex(rows[i].hex, rows[i].mode, &f, &r, &n);

        x86_rec_print(&r, 0, text, sizeof(text));
        if (strcmp(text, rows[i].text)) {
            g_error("%s: '%s', expected '%s'", rows[i].hex, text, rows[i].text);
        }
        if (strcmp(text, "ud")) {
            g_assert_cmpuint(len, ==, n);
        } else {
            g_assert_cmpuint(len, >, 0);
            g_assert_cmpuint(len, <=, n);
        }
        g_assert_cmpuint(r.len, ==, len);
    }
}

static void test_truncated(void)
{
    struct x86_features f = all_features();

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct x86_rec r = { 0 };
        unsigned n, len = decode_hex(rows[i].hex, rows[i].mode, &f, &r, &n);

        if (!strcmp(rows[i].text, "ud")) {
            continue;
        }
        for (unsigned cut = 0; cut < len; cut++) {
            g_autofree char *hex = g_strdup(rows[i].hex);
            unsigned left = cut, k = 0;

            while (left || hex[k] == ' ') {
                k += hex[k] == ' ' ? 1 : (left--, 2);
            }
            hex[k] = '\0';
            g_assert_cmpuint(decode_hex(hex, rows[i].mode, &f, &r, &n), ==, 0);
        }
    }
}

static struct x86_rec one(const char *hex, uint32_t mode, const struct x86_features *f)
{
    struct x86_rec r = { 0 };
    unsigned n;

    g_assert_cmpuint(decode_hex(hex, mode, f, &r, &n), >, 0);
    return r;
}

static void test_flat(void)
{
    struct x86_features f = all_features();
    uint16_t flat = REC_FLAT32 | REC_FLAT64;

    g_assert_cmpuint(one("8b 03", M64, &f).flags & flat, ==, REC_FLAT64);
    g_assert_cmpuint(one("67 8b 03", M64, &f).flags & flat, ==, REC_FLAT32);
    g_assert_cmpuint(one("64 8b 03", M64, &f).flags & flat, ==, 0);
    g_assert_cmpuint(one("65 67 8b 03", M64, &f).flags & flat, ==, 0);
    g_assert_cmpuint(one("36 8b 03", M64, &f).flags & flat, ==, REC_FLAT64);
    g_assert_cmpuint(one("8b 03", M32, &f).flags & flat, ==, REC_FLAT32);
    g_assert_cmpuint(one("8b 03", M32 & ~(uint32_t)MODE_FLAT_DS, &f).flags & flat, ==, 0);
    g_assert_cmpuint(one("8b 04 24", M32 & ~(uint32_t)MODE_FLAT_SS, &f).flags & flat, ==, 0);
    g_assert_cmpuint(one("8b 45 00", M32 & ~(uint32_t)MODE_FLAT_DS, &f).flags & flat, ==, REC_FLAT32);
    g_assert_cmpuint(one("64 8b 03", M32, &f).flags & flat, ==, 0);
    g_assert_cmpuint(one("67 8b 07", M32, &f).flags & flat, ==, 0);
    g_assert_cmpuint(one("a4", M32, &f).flags & flat, ==, REC_FLAT32);
    g_assert_cmpuint(one("01 c0", M32, &f).flags & REC_MEM, ==, 0);
    g_assert_cmpuint(one("67 8b 07", M32, &f).asize, ==, 1);
    g_assert_cmpuint(one("8b 07", M64, &f).asize, ==, 3);
    g_assert_cmpuint(one("8b 45 00", M64, &f).seg, ==, SEG_SS);
    g_assert_cmpuint(one("41 8b 45 00", M64, &f).seg, ==, SEG_DS);
    g_assert_cmpuint(one("8b 44 05 00", M32, &f).seg, ==, SEG_SS);
    g_assert_cmpuint(one("8b 04 28", M32, &f).seg, ==, SEG_DS);
    g_assert_cmpuint(one("1f", M32, &f).reg, ==, SEG_DS);
    g_assert_cmpuint(one("0f a9", M64, &f).reg, ==, SEG_GS);
    g_assert_cmphex(one("d9 fe", M64, &f).imm, ==, 0x1FE);
    g_assert_cmpuint(one("e8 00 00 00 00", M64, &f).size, ==, 3);
    g_assert_cmpuint(one("e3 00", M64, &f).asize, ==, 3);
    g_assert_cmpuint(one("67 e3 00", M64, &f).asize, ==, 2);
}

static void test_modes(void)
{
    struct x86_features f = all_features(), none = { .intel = true };

    g_assert_cmpuint(one("d9 e8", M64 | MODE_TS, &f).op, ==, OP_NM);
    g_assert_cmpuint(one("d9 e8", M64 | MODE_EM, &f).op, ==, OP_NM);
    g_assert_cmpuint(one("9b", M64 | MODE_TS, &f).op, ==, OP_FWAIT);
    g_assert_cmpuint(one("9b", M64 | MODE_TS | MODE_MP, &f).op, ==, OP_NM);
    g_assert_cmpuint(one("0f 58 c1", M64 | MODE_TS, &f).op, ==, OP_NM);
    g_assert_cmpuint(one("0f 58 c1", M64 | MODE_EM, &f).op, ==, OP_UD);
    g_assert_cmpuint(one("0f 58 c1", M64 & ~(uint32_t)MODE_OSFXSR, &f).op, ==, OP_UD);
    g_assert_cmpuint(one("0f fc c1", M64 & ~(uint32_t)MODE_OSFXSR, &f).op, ==, OP_PADDB);
    g_assert_cmpuint(one("c5 f0 58 c2", M64 & ~(uint32_t)MODE_OSFXSR, &f).op, ==, OP_ADDPS);
    g_assert_cmpuint(one("c5 f0 58 c2", M64 & ~(uint32_t)MODE_AVX, &f).op, ==, OP_UD);
    g_assert_cmpuint(one("c5 f0 58 c2", M64 & ~(uint32_t)MODE_OSXSAVE, &f).op, ==, OP_UD);
    g_assert_cmpuint(one("c5 f0 58 c2", M64 | MODE_TS, &f).op, ==, OP_NM);
    g_assert_cmpuint(one("0f 38 f0 03", M64 | MODE_TS, &f).op, ==, OP_MOVBE);
    g_assert_cmpuint(one("0f 38 f0 03", M64, &none).op, ==, OP_UD);
    g_assert_cmpuint(one("f3 0f bd c1", M64, &none).op, ==, OP_BSR);
    g_assert_cmpuint(one("f3 0f bc c1", M64, &none).op, ==, OP_BSF);
    g_assert_cmpuint(one("f3 0f b8 c1", M64, &none).op, ==, OP_UD);
    g_assert_cmpuint(one("0f 18 03", M64, &none).op, ==, OP_PREFETCH);
}

static void test_length_limit(void)
{
    struct x86_features f = all_features();
    struct x86_rec r = { 0 };
    uint8_t buf[20];

    memset(buf, 0x66, sizeof(buf));
    memcpy(buf + 13, "\x01\xd8", 2);
    g_assert_cmpuint(x86_decode(buf, 15, M64, 0, &f, &r), ==, 15);
    g_assert_cmpuint(r.op, ==, OP_ADD);
    memset(buf, 0x66, sizeof(buf));
    g_assert_cmpuint(x86_decode(buf, 14, M64, 0, &f, &r), ==, 0);
    g_assert_cmpuint(x86_decode(buf, 20, M64, 0, &f, &r), ==, 15);
    g_assert_cmpuint(r.op, ==, OP_GP0);
    memcpy(buf + 14, "\x01\xd8", 2);
    g_assert_cmpuint(x86_decode(buf, 20, M64, 0, &f, &r), ==, 15);
    g_assert_cmpuint(r.op, ==, OP_GP0);
}

/* Decode a run of code, finish it, and say which records are marked */
static unsigned marked(const char *hex, uint16_t flag)
{
    struct x86_features f = all_features();
    struct x86_rec recs[16];
    uint8_t buf[64];
    unsigned n = 0, pos = 0, count = 0, mask = 0;

    for (; *hex; hex++) {
        if (*hex != ' ') {
            buf[n++] = g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]);
            hex++;
        }
    }
    while (pos < n) {
        recs[count].fn = NULL;
        pos += x86_decode(buf + pos, n - pos, M64, pos, &f, &recs[count]);
        count++;
    }
    x86_block_finish(recs, count, M64);
    for (unsigned i = 0; i < count; i++) {
        mask |= recs[i].flags & flag ? 1u << i : 0;
    }
    return mask;
}

static void test_flags(void)
{
    g_assert_cmphex(marked("01 d8 01 d8", REC_NF), ==, 1);                  /* add, add */
    g_assert_cmphex(marked("01 d8 11 d8", REC_NF), ==, 0);                  /* add, adc reads CF */
    g_assert_cmphex(marked("01 d8 8b 03 01 d8", REC_NF), ==, 0);            /* a load between may fault */
    g_assert_cmphex(marked("01 d8 8d 03 01 d8", REC_NF), ==, 1);            /* LEA may not */
    g_assert_cmphex(marked("01 d8 ff c0 01 d8", REC_NF), ==, 3);            /* inc dead too */
    g_assert_cmphex(marked("01 d8 ff c0", REC_NF), ==, 0);                  /* inc keeps CF of add alive */
    g_assert_cmphex(marked("01 d8 d3 e0", REC_NF), ==, 0);                  /* shift by CL may keep them */
    g_assert_cmphex(marked("01 d8 c1 e0 03", REC_NF), ==, 1);
    g_assert_cmphex(marked("01 d8 c1 e0 20", REC_NF), ==, 0);               /* count 32 is 0 */
    g_assert_cmphex(marked("01 18 01 d8", REC_NF), ==, 0);                  /* a store may hit the block */
    g_assert_cmphex(marked("01 d8 f7 f3 01 d8", REC_NF), ==, 2);            /* DIV may fault; its own flags are dead */
    g_assert_cmphex(marked("01 d8 0f 94 c0 01 d8", REC_NF), ==, 0);         /* SETZ */
    g_assert_cmphex(marked("01 d8 75 00", REC_NF), ==, 0);
    g_assert_cmphex(marked("39 d8 75 00", REC_X2), ==, 1);
    g_assert_cmphex(marked("85 c0 90 75 00", REC_X2), ==, 0);
}

static void test_random(void)
{
    static const uint32_t modes[] = { M64, M32, M16, M32 & ~(uint32_t)FLAT, M64 | MODE_TS };
    struct x86_features f = all_features();
    unsigned page = getpagesize();
    uint8_t *map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *end;
    uint64_t s = 0x9E3779B97F4A7C15;
    unsigned loops = g_test_slow() ? 100000000 : 10000000, len_sum = 0;

    g_assert_true(map != MAP_FAILED);
    g_assert_cmpint(mprotect(map + page, page, PROT_NONE), ==, 0);
    end = map + page;
    for (unsigned i = 0; i < loops; i++) {
        struct x86_rec r;
        unsigned avail = 1 + i % 16, len;
        char text[160];

        r.fn = NULL;
        for (unsigned k = 0; k < 2; k++) {
            s ^= s << 13, s ^= s >> 7, s ^= s << 17;
            memcpy(end - 16 + 8 * k, &s, 8);
        }
        if (i & 16) {
            end[-(int)avail] = "\x0F\xC4\xC5\x66\xF3\xF2\x48\xD9"[i >> 5 & 7];
        }
        len = x86_decode(end - avail, avail, modes[i % 5], 0, &f, &r);
        g_assert_true(len <= avail && len <= 15 && (len || avail < 15));
        if (len) {
            g_assert_true(r.op < OP_COUNT && r.len == len && r.op != OP_BLOCK_END);
            g_assert_true(!(r.flags & REC_MEM) || (r.base <= REG_ZERO && r.index <= REG_ZERO));
            if (i % 64 == 0) {
                x86_rec_print(&r, i, text, sizeof(text));
                g_assert_true(text[0]);
            }
        }
        len_sum += len;
    }
    g_assert_cmpuint(len_sum, >, 0);
    munmap(map, 2 * page);
}

static void test_speed(void)
{
    static const uint8_t code[] = {
        /* a plain function body: moves, tests, calls */
        0x55, 0x48, 0x89, 0xE5, 0x53, 0x48, 0x83, 0xEC, 0x18, 0x48, 0x8B, 0x47, 0x08, 0x48, 0x85, 0xC0, 0x74,
        0x10, 0x8B, 0x50, 0x10, 0x39, 0xD6, 0x0F, 0x8F, 0,    1,    0,    0,    0x48, 0x8D, 0x0D, 4,    3,
        2,    1,    0x31, 0xC0, 0xE8, 0,    0,    0,    0,    0x0F, 0xB6, 0x44, 0x24, 0x07, 0x5B, 0x5D, 0xC3,
    };
    struct x86_features f = all_features();
    unsigned count = 0;
    gint64 t = g_get_monotonic_time();

    for (unsigned i = 0; i < 20000; i++) {
        for (unsigned pos = 0; pos < sizeof(code); count++) {
            struct x86_rec r;

            r.fn = NULL;
            pos += x86_decode(code + pos, sizeof(code) - pos, M64, pos, &f, &r);
            g_assert_cmpuint(r.op, !=, OP_UD);
        }
    }
    t = g_get_monotonic_time() - t;
    g_test_message("%.1f ns an instruction", 1000.0 * t / count);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/decode/table", test_table);
    g_test_add_func("/decode/truncated", test_truncated);
    g_test_add_func("/decode/flat", test_flat);
    g_test_add_func("/decode/modes", test_modes);
    g_test_add_func("/decode/length-limit", test_length_limit);
    g_test_add_func("/decode/flags", test_flags);
    g_test_add_func("/decode/random", test_random);
    g_test_add_func("/decode/speed", test_speed);
    return g_test_run();
}
