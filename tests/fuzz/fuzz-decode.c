/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/fuzz/fuzz-decode.c - the decoder, the printer and the block passes on hostile bytes; first byte: mode */
#include "target/x86/cpuid.h"
#include "target/x86/ops.h"
#include "target/x86/rec.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t modes[4] = {MODE_64 | MODE_PE | MODE_LMA, MODE_CS32 | MODE_PE, 0,
                                      MODE_CS32 | MODE_PE | MODE_FLAT_DS};
    struct x86_rec recs[BLOCK_MAX_RECS];
    struct x86_features f;
    unsigned n = 0;
    uint32_t mode;
    char text[128];

    if (!size) {
        return 0;
    }
    memset(&f, 0, sizeof(f));
    memset(f.word, data[0] & 0x80 ? 0 : 0xFF, sizeof(f.word));
    mode = modes[data[0] & 3] | MODE_OSFXSR | MODE_OSXSAVE | MODE_AVX | (data[0] & 4 ? MODE_TS : 0);
    for (size_t pos = 1; pos < size && n < BLOCK_MAX_RECS; n++) {
        size_t left = size - pos;
        unsigned len;

        recs[n].fn = NULL;
        len = x86_decode(data + pos, left > 64 ? 64 : (unsigned)left, mode, pos, &f, &recs[n]);
        if (!len) {
            break;
        }
        if (len > 15 || len > left || recs[n].op >= OP_COUNT) {
            abort();
        }
        x86_rec_print(&recs[n], pos, text, sizeof(text));
        pos += len;
    }
    if (n) {
        x86_block_finish(recs, n, mode);
    }
    return 0;
}
