/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/simd_crypto.c - AESNI, PCLMULQDQ, SHA (operations in simd_crypto_host.h)
 */
#include "target/x86/interp/simd.h"
#include "target/x86/interp/simd_crypto_host.h"

#define CRYPTO(X)                                                                                                      \
    X(AESENC, aesenc) X(AESENCLAST, aesenclast) X(AESDEC, aesdec) X(AESDECLAST, aesdeclast) X(AESIMC, aesimc)          \
    X(AESKEYGENASSIST, aeskeygenassist) X(PCLMULQDQ, pclmulqdq) X(SHA1RNDS4, sha1rnds4) X(SHA1NEXTE, sha1nexte)        \
    X(SHA1MSG1, sha1msg1) X(SHA1MSG2, sha1msg2) X(SHA256MSG1, sha256msg1) X(SHA256MSG2, sha256msg2)

#define MAKE(OP, n) SIMD_WHOLE(n, SIMD_NOCHECK)
CRYPTO(MAKE)

static X86_OP(sha256rnds2)
{
    v128 s = simd_rm(cpu, r, 16, true);

    LO(r->reg) = sha256_rnds2(LO(r->reg), s, LO(0));
    X86_NEXT;
}

static const struct simd_row rows[] = {
#define ROW(OP, n) SIMD_ROW(OP, n),
    CRYPTO(ROW)
    SIMD_ROW_ONE(SHA256RNDS2, sha256rnds2),
};

x86_handler *simd_bind_crypto(const struct x86_rec *r)
{
    return simd_bind_row(rows, ARRAY_LEN(rows), r);
}
