/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/optable.c - the instruction table made of optable_*.inc, with an index by opcode for each map
 *
 * Each file of rows is read twice: for the rows, and for the index, where a later row of an opcode overrides an earlier
 * one. Everything is constant and built by the compiler.
 */
#include "target/x86/optable.h"

const struct x86_op_info x86_op_info[OP_COUNT] = {
#define INFO(name_, rd_, wr_, attr_) [OP_##name_] = { .name = #name_, .rd = rd_, .wr = wr_, .attr = attr_ },
    X86_OPS(INFO)
#undef INFO
};

const struct x86_pattern_info x86_patterns[PAT_COUNT] = {
#define PATTERN(name, form_, reg_, rm_, imm_, modrm_, vvvv_) \
    [PAT_##name] = { .form = form_, .reg = reg_, .rm = rm_, .imm = imm_, .modrm = modrm_, .vvvv = vvvv_ },
    X86_PATTERNS(PATTERN)
#undef PATTERN
};

#pragma GCC diagnostic ignored "-Woverride-init"

#define ROW(first_, last_, sel_, op_, pat_, size_, cls_, feat_)                                                        \
    { .first = first_, .last = last_, .sel = SEL_FULL(sel_), .op = OP_##op_, .pat = PAT_##pat_, .size = SIZE_##size_,  \
      .cls = CLS_##cls_, .feat = X86_FEAT_##feat_ },
/* __COUNTER__ goes up by one a row; the base is taken where the index starts */
#define INDEX(base, first_, last_) [(first_) ... (last_)] = __COUNTER__ - (base),

#define R(...) ROW(__VA_ARGS__)
static const struct x86_row rows_one[] = { {},
#include "target/x86/optable_one.inc"
};
static const struct x86_row rows_0f[] = { {},
#include "target/x86/optable_0f.inc"
};
static const struct x86_row rows_0f38[] = { {},
#include "target/x86/optable_0f38.inc"
};
static const struct x86_row rows_0f3a[] = { {},
#include "target/x86/optable_0f3a.inc"
};
static const struct x86_row rows_x87[] = { {},
#include "target/x86/optable_x87.inc"
};
static const struct x86_row rows_vex1[] = { {},
#include "target/x86/optable_vex1.inc"
};
static const struct x86_row rows_vex2[] = { {},
#include "target/x86/optable_vex2.inc"
};
static const struct x86_row rows_vex3[] = { {},
#include "target/x86/optable_vex3.inc"
};
#undef R

#define R(first, last, ...) INDEX(BASE_ONE, first, last)
enum { BASE_ONE = __COUNTER__ };
static const uint16_t index_one[256] = {
#include "target/x86/optable_one.inc"
};
#undef R
#define R(first, last, ...) INDEX(BASE_0F, first, last)
enum { BASE_0F = __COUNTER__ };
static const uint16_t index_0f[256] = {
#include "target/x86/optable_0f.inc"
};
#undef R
#define R(first, last, ...) INDEX(BASE_0F38, first, last)
enum { BASE_0F38 = __COUNTER__ };
static const uint16_t index_0f38[256] = {
#include "target/x86/optable_0f38.inc"
};
#undef R
#define R(first, last, ...) INDEX(BASE_0F3A, first, last)
enum { BASE_0F3A = __COUNTER__ };
static const uint16_t index_0f3a[256] = {
#include "target/x86/optable_0f3a.inc"
};
#undef R
#define R(first, last, ...) INDEX(BASE_X87, first, last)
enum { BASE_X87 = __COUNTER__ };
static const uint16_t index_x87[256] = {
#include "target/x86/optable_x87.inc"
};
#undef R
#define R(first, last, ...) INDEX(BASE_VEX1, first, last)
enum { BASE_VEX1 = __COUNTER__ };
static const uint16_t index_vex1[256] = {
#include "target/x86/optable_vex1.inc"
};
#undef R
#define R(first, last, ...) INDEX(BASE_VEX2, first, last)
enum { BASE_VEX2 = __COUNTER__ };
static const uint16_t index_vex2[256] = {
#include "target/x86/optable_vex2.inc"
};
#undef R
#define R(first, last, ...) INDEX(BASE_VEX3, first, last)
enum { BASE_VEX3 = __COUNTER__ };
static const uint16_t index_vex3[256] = {
#include "target/x86/optable_vex3.inc"
};
#undef R

#define MAP(id, rows_, index_) [id] = { #id, rows_, sizeof(rows_) / sizeof(rows_[0]), index_ }
const struct x86_map x86_maps[MAP_COUNT] = {
    MAP(MAP_ONE, rows_one, index_one),      MAP(MAP_0F, rows_0f, index_0f),       MAP(MAP_0F38, rows_0f38, index_0f38),
    MAP(MAP_0F3A, rows_0f3a, index_0f3a),   MAP(MAP_X87, rows_x87, index_x87),    MAP(MAP_VEX1, rows_vex1, index_vex1),
    MAP(MAP_VEX2, rows_vex2, index_vex2),   MAP(MAP_VEX3, rows_vex3, index_vex3),
};
