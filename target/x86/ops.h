/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/ops.h - every operation that a record can name: one X() a row
 *
 *     X(NAME, arithmetic flags read, arithmetic flags it may write (undefined ones too), attributes)
 *
 * How names and operands go (rec.h has the layout):
 *
 * - Intel's mnemonic. The shape of the operands is the record's form, their width its size; an operand that differs
 *   in kind makes another op (MOV_TO_SREG, CALL_RM, FADD_M32). A legacy and a VEX encoding of one operation share an
 *   op: REC_VEX tells.
 * - Prefixes are resolved: size is final (3 for 64-bit stack and near branch operations), seg has the override in it,
 *   an unknown or refused encoding has become OP_UD. REC_LOCK only stands where LOCK is legal.
 * - Immediates: sign-extended to 64 bits in imm. Zero-extended: INT n, IN/OUT imm8, RET imm16, AAM/AAD, shift counts,
 *   BT* imm8, every imm8 of an MMX, SSE or VEX instruction. VEX: vvvv is beside the immediate, so use imm32 there.
 * - Jcc, JMP, CALL, LOOP*, JCXZ: imm is the displacement from the end of the instruction (off + len). size is the
 *   operand size, which RIP is cut to; asize is the width of rCX for LOOP*, JCXZ.
 * - General registers, also those of SIMD instructions (MOVD, PINSRW, PEXTRW, CVTSI2SS, MOVMSKPS, CRC32) are byte
 *   offsets into x86_cpu.regs in reg and rm; vvvv is always a plain number, so cpu->regs[vvvv].
 * - FORM_R and FORM_R_I: the register is in rm. For FORM_R_I of the accumulator, rm is 0. XCHG rAX, r (90+r):
 *   FORM_RM_R, reg = 0.
 * - String instructions, XLAT, MASKMOV*: FORM_NONE (MASKMOV*: FORM_R_RM), no REC_MEM; seg, asize and REC_FLAT*
 *   describe the operand that can be overridden (MASKMOV*: DS:rDI); the ES:rDI side of strings is flat in 64-bit
 *   mode, or when the mode has MODE_FLAT_ES and asize is 2.
 * - MOVZX8/MOVZX16/MOVSX8/MOVSX16: size is the destination's, the name has the source's.
 * - IN, OUT: FORM_I port in imm, FORM_NONE port in DX; size 0, 1, 2.
 * - MOV_*_CR, MOV_*_DR: reg is the CR or DR number, rm the general register (byte offset), size 2 or 3.
 * - SSE scalars have size 4; how much memory is read follows from the op (ADDSS: 4 bytes, CVTPS2PD xmm: 8 bytes...).
 * - PINSR*, PEXTR*, MOVD, MOVQ_GPR: the non-vector side is rm (PEXTRW 0F C5, PMOVMSKB, MOVMSKPS: reg) or memory.
 *   PEXTR*, EXTRACTPS with memory or register destination: FORM_RM_R_I; PEXTRW 0F C5: FORM_R_RM_I.
 * - MMX and XMM mixed (CVTPI2PS, CVTPS2PI, MOVQ2DQ, MOVDQ2Q): the op tells which register is which; size is 4.
 * - Shifts by immediate: legacy FORM_RM_I, VEX FORM_V_RM_I. Gathers: FORM_R_RM_V, index is an xmm number, mask is
 *   vvvv; memory element size by name; size 4 or 5 by VEX.L.
 * - VEX.128 and scalar forms zero bits 255:128 of the destination: the handler's job. FORM_RM_V_R without REC_MEM:
 *   VMOVSS/VMOVSD xmm(rm) <- vvvv, xmm(reg).
 * - BLENDVPS, PBLENDVB, SHA256RNDS2 (legacy): mask in xmm0 implied. VBLENDVPS, VPBLENDVB: FORM_R_V_RM_R4, imm32 >> 4
 *   & 15.
 * - FENCE: reg is 5, 6, 7 for LFENCE, MFENCE, SFENCE.
 * - x87: FORM_RM; memory by REC_MEM, or rm = i of ST(i); imm = FOP. FNSTSW_AX, FCHS and so on: FORM_NONE.
 * - XA_END ops end a block (REC_LAST). XA_FLT: may fault even without REC_MEM. XA_COND: flags are written only
 *   sometimes.
 */
#ifndef TARGET_X86_OPS_H
#define TARGET_X86_OPS_H

enum x86_op_flagset {       /* EFLAGS bits, SDM vol. 1, 3.4.3 */
    XF_C = 0x001, XF_P = 0x004, XF_A = 0x010, XF_Z = 0x040, XF_S = 0x080, XF_O = 0x800,
    XF_CZ = XF_C | XF_Z, XF_CA = XF_C | XF_A, XF_CO = XF_C | XF_O, XF_SO = XF_S | XF_O, XF_SZO = XF_S | XF_Z | XF_O,
    XF_LO = XF_C | XF_P | XF_A | XF_Z | XF_S, XF_NOC = XF_P | XF_A | XF_Z | XF_S | XF_O, XF_ALL = XF_C | XF_NOC,
};
enum x86_op_attr {
    XA_END  = 1 << 0,       /* ends the block */
    XA_FLT  = 1 << 1,       /* may fault without a memory operand */
    XA_STR  = 1 << 2,       /* string instruction */
    XA_FPU  = 1 << 3,       /* x87: #NM under CR0.EM or CR0.TS */
    XA_SIMD = 1 << 4,       /* MMX, SSE, AVX */
    XA_LOCK = 1 << 5,       /* LOCK is legal with a memory destination */
    XA_COND = 1 << 6,       /* writes its flags only sometimes (shift by zero): earlier flags stay live */
};

#define X86_OPS_INT(X) \
    /* pseudo ops: BLOCK_END goes on at the next address; UD, NM, GP0 raise what the CPU would */ \
    X(BLOCK_END, 0, 0, XA_END | XA_FLT) X(UD, 0, 0, XA_END | XA_FLT) X(NM, 0, 0, XA_END | XA_FLT) \
    X(GP0, 0, 0, XA_END | XA_FLT) \
    X(NOP, 0, 0, 0) X(PAUSE, 0, 0, 0) X(FENCE, 0, 0, 0) X(PREFETCH, 0, 0, 0) \
    /* two-operand arithmetic */ \
    X(ADD, 0, XF_ALL, XA_LOCK) X(SUB, 0, XF_ALL, XA_LOCK) \
    X(ADC, XF_C, XF_ALL, XA_LOCK) X(SBB, XF_C, XF_ALL, XA_LOCK) \
    X(AND, 0, XF_ALL, XA_LOCK) X(OR, 0, XF_ALL, XA_LOCK) X(XOR, 0, XF_ALL, XA_LOCK) \
    X(CMP, 0, XF_ALL, 0) X(TEST, 0, XF_ALL, 0) \
    X(INC, 0, XF_NOC, XA_LOCK) X(DEC, 0, XF_NOC, XA_LOCK) \
    X(NEG, 0, XF_ALL, XA_LOCK) \
    X(NOT, 0, 0, XA_LOCK) \
    X(XADD, 0, XF_ALL, XA_LOCK) X(CMPXCHG, 0, XF_ALL, XA_LOCK) \
    X(CMPXCHG8B, 0, XF_Z, XA_LOCK | XA_FLT) X(CMPXCHG16B, 0, XF_Z, XA_LOCK | XA_FLT) \
    X(XCHG, 0, 0, XA_LOCK) \
    /* MUL, IMUL, DIV, IDIV: one operand, with rDX:rAX (AX for bytes). IMUL_R: FORM_R_RM, FORM_R_RM_I */ \
    X(MUL, 0, XF_ALL, 0) X(IMUL, 0, XF_ALL, 0) X(IMUL_R, 0, XF_ALL, 0) \
    X(DIV, 0, XF_ALL, XA_FLT) X(IDIV, 0, XF_ALL, XA_FLT) \
    /* shifts: FORM_RM_I, _1, _CL; a count of 0 writes no flag (XA_COND). SHLD: FORM_RM_R_I, SHLD_CL: FORM_RM_R */ \
    X(ROL, 0, XF_CO, XA_COND) X(ROR, 0, XF_CO, XA_COND) \
    X(RCL, XF_C, XF_CO, XA_COND) X(RCR, XF_C, XF_CO, XA_COND) \
    X(SHL, 0, XF_ALL, XA_COND) X(SHR, 0, XF_ALL, XA_COND) X(SAR, 0, XF_ALL, XA_COND) X(SHLD, 0, XF_ALL, XA_COND) \
    X(SHRD, 0, XF_ALL, XA_COND) X(SHLD_CL, 0, XF_ALL, XA_COND) X(SHRD_CL, 0, XF_ALL, XA_COND) \
    /* bits: BT* have FORM_RM_R (a memory operand reaches beyond: bit offset is signed) or FORM_RM_I */ \
    X(BT, 0, XF_C, 0) \
    X(BTS, 0, XF_C, XA_LOCK) X(BTR, 0, XF_C, XA_LOCK) X(BTC, 0, XF_C, XA_LOCK) \
    X(BSF, 0, XF_ALL, XA_COND) X(BSR, 0, XF_ALL, XA_COND) \
    X(TZCNT, 0, XF_ALL, 0) X(LZCNT, 0, XF_ALL, 0) X(POPCNT, 0, XF_ALL, 0) \
    X(BSWAP, 0, 0, 0) \
    /* moves. MOVZX8: from 8 bits, MOVZX16: from 16 bits, to `size`; MOVSXD: from 32 bits (size 1, 2: a plain move) */ \
    X(MOV, 0, 0, 0) X(MOVZX8, 0, 0, 0) X(MOVZX16, 0, 0, 0) X(MOVSX8, 0, 0, 0) X(MOVSX16, 0, 0, 0) X(MOVSXD, 0, 0, 0) \
    X(LEA, 0, 0, 0) X(MOVBE, 0, 0, 0) X(MOVNTI, 0, 0, 0) X(XLAT, 0, 0, XA_FLT) \
    X(CBW, 0, 0, 0) X(CWD, 0, 0, 0) \
    X(LAHF, XF_LO, 0, 0) \
    X(SAHF, 0, XF_LO, 0) \
    X(SALC, XF_C, 0, 0) \
    X(CLC, 0, XF_C, 0) X(STC, 0, XF_C, 0) \
    X(CMC, XF_C, XF_C, 0) \
    X(CLD, 0, 0, 0) X(STD, 0, 0, 0) \
    /* decimal */ \
    X(DAA, XF_CA, XF_ALL, 0) X(DAS, XF_CA, XF_ALL, 0) \
    X(AAA, XF_CA, XF_ALL, 0) X(AAS, XF_CA, XF_ALL, 0) \
    X(AAM, 0, XF_ALL, XA_FLT) \
    X(AAD, 0, XF_ALL, 0) \
    /* condition codes: OP_SETCC + cc, OP_CMOVCC + cc, OP_JCC + cc */ \
    X(SETO, XF_O, 0, 0) X(SETNO, XF_O, 0, 0) X(SETB, XF_C, 0, 0) X(SETAE, XF_C, 0, 0) X(SETZ, XF_Z, 0, 0) \
    X(SETNZ, XF_Z, 0, 0) X(SETBE, XF_CZ, 0, 0) X(SETA, XF_CZ, 0, 0) X(SETS, XF_S, 0, 0) X(SETNS, XF_S, 0, 0) \
    X(SETP, XF_P, 0, 0) X(SETNP, XF_P, 0, 0) X(SETL, XF_SO, 0, 0) X(SETGE, XF_SO, 0, 0) X(SETLE, XF_SZO, 0, 0) \
    X(SETG, XF_SZO, 0, 0) \
    X(CMOVO, XF_O, 0, 0) X(CMOVNO, XF_O, 0, 0) X(CMOVB, XF_C, 0, 0) X(CMOVAE, XF_C, 0, 0) X(CMOVZ, XF_Z, 0, 0) \
    X(CMOVNZ, XF_Z, 0, 0) X(CMOVBE, XF_CZ, 0, 0) X(CMOVA, XF_CZ, 0, 0) X(CMOVS, XF_S, 0, 0) X(CMOVNS, XF_S, 0, 0) \
    X(CMOVP, XF_P, 0, 0) X(CMOVNP, XF_P, 0, 0) X(CMOVL, XF_SO, 0, 0) X(CMOVGE, XF_SO, 0, 0) X(CMOVLE, XF_SZO, 0, 0) \
    X(CMOVG, XF_SZO, 0, 0) \
    X(JO, XF_O, 0, XA_END | XA_FLT) X(JNO, XF_O, 0, XA_END | XA_FLT) X(JB, XF_C, 0, XA_END | XA_FLT) \
    X(JAE, XF_C, 0, XA_END | XA_FLT) X(JZ, XF_Z, 0, XA_END | XA_FLT) X(JNZ, XF_Z, 0, XA_END | XA_FLT) \
    X(JBE, XF_CZ, 0, XA_END | XA_FLT) X(JA, XF_CZ, 0, XA_END | XA_FLT) X(JS, XF_S, 0, XA_END | XA_FLT) \
    X(JNS, XF_S, 0, XA_END | XA_FLT) X(JP, XF_P, 0, XA_END | XA_FLT) X(JNP, XF_P, 0, XA_END | XA_FLT) \
    X(JL, XF_SO, 0, XA_END | XA_FLT) X(JGE, XF_SO, 0, XA_END | XA_FLT) X(JLE, XF_SZO, 0, XA_END | XA_FLT) \
    X(JG, XF_SZO, 0, XA_END | XA_FLT) \
    /* stack */ \
    X(PUSH, 0, 0, XA_FLT) X(POP, 0, 0, XA_FLT) X(PUSH_SREG, 0, 0, XA_FLT) X(PUSHA, 0, 0, XA_FLT) \
    X(POPA, 0, 0, XA_FLT) X(PUSHF, XF_ALL, 0, XA_FLT) X(ENTER, 0, 0, XA_FLT) X(LEAVE, 0, 0, XA_FLT) \
    X(POPF, 0, XF_ALL, XA_END | XA_FLT) \
    X(POP_SREG, 0, 0, XA_END | XA_FLT) \
    /* branches */ \
    X(JMP, 0, 0, XA_END | XA_FLT) X(JMP_RM, 0, 0, XA_END | XA_FLT) X(CALL, 0, 0, XA_END | XA_FLT) \
    X(CALL_RM, 0, 0, XA_END | XA_FLT) X(RET, 0, 0, XA_END | XA_FLT) X(LOOP, 0, 0, XA_END | XA_FLT) \
    X(LOOPE, XF_Z, 0, XA_END | XA_FLT) X(LOOPNE, XF_Z, 0, XA_END | XA_FLT) \
    X(JCXZ, 0, 0, XA_END | XA_FLT) \
    X(CALLF, XF_ALL, 0, XA_END | XA_FLT) X(JMPF, XF_ALL, 0, XA_END | XA_FLT) X(RETF, XF_ALL, 0, XA_END | XA_FLT) \
    X(INT, XF_ALL, 0, XA_END | XA_FLT) X(INT3, XF_ALL, 0, XA_END | XA_FLT) X(INT1, XF_ALL, 0, XA_END | XA_FLT) \
    X(SYSCALL, XF_ALL, 0, XA_END | XA_FLT) X(SYSENTER, XF_ALL, 0, XA_END | XA_FLT) \
    X(SYSEXIT, XF_ALL, 0, XA_END | XA_FLT) \
    X(IRET, 0, XF_ALL, XA_END | XA_FLT) X(SYSRET, 0, XF_ALL, XA_END | XA_FLT) \
    X(INTO, XF_ALL, 0, XA_END | XA_FLT) \
    /* strings: size, REC_REP, REC_REPNE, seg (of the source), asize, REC_FLAT* of the source segment */ \
    X(MOVS, 0, 0, XA_STR | XA_FLT) X(STOS, 0, 0, XA_STR | XA_FLT) X(LODS, 0, 0, XA_STR | XA_FLT) \
    X(SCAS, 0, XF_ALL, XA_STR | XA_FLT | XA_COND) X(CMPS, 0, XF_ALL, XA_STR | XA_FLT | XA_COND) \
    X(INS, 0, 0, XA_STR | XA_FLT) X(OUTS, 0, 0, XA_STR | XA_FLT) \
    /* segments; MOV_TO_SREG: FORM_R_RM, MOV_FROM_SREG: FORM_RM_R, reg is SEG_*; PUSH_SREG, POP_SREG: reg is SEG_* */ \
    X(MOV_FROM_SREG, 0, 0, 0) \
    X(MOV_TO_SREG, 0, 0, XA_END | XA_FLT) X(LES, 0, 0, XA_END | XA_FLT) X(LDS, 0, 0, XA_END | XA_FLT) \
    X(LSS, 0, 0, XA_END | XA_FLT) X(LFS, 0, 0, XA_END | XA_FLT) X(LGS, 0, 0, XA_END | XA_FLT) \
    X(ARPL, 0, XF_Z, XA_FLT) X(VERR, 0, XF_Z, XA_FLT) X(VERW, 0, XF_Z, XA_FLT) \
    X(LAR, 0, XF_Z, XA_FLT) X(LSL, 0, XF_Z, XA_FLT) \
    X(BOUND, 0, 0, XA_FLT)

#define X86_OPS_SYS(X) \
    /* system */ \
    X(IN, 0, 0, XA_FLT) X(OUT, 0, 0, XA_FLT) \
    X(CLI, 0, 0, XA_FLT) \
    X(STI, 0, 0, XA_END | XA_FLT) X(HLT, 0, 0, XA_END | XA_FLT) \
    X(MOV_TO_CR, 0, 0, XA_END | XA_FLT) X(MOV_TO_DR, 0, 0, XA_END | XA_FLT) X(LMSW, 0, 0, XA_END | XA_FLT) \
    X(CLTS, 0, 0, XA_END | XA_FLT) X(INVLPG, 0, 0, XA_END | XA_FLT) X(INVPCID, 0, 0, XA_END | XA_FLT) \
    X(WRMSR, 0, 0, XA_END | XA_FLT) X(XSETBV, 0, 0, XA_END | XA_FLT) X(MWAIT, 0, 0, XA_END | XA_FLT) \
    X(MOV_FROM_CR, 0, 0, XA_FLT) X(MOV_FROM_DR, 0, 0, XA_FLT) X(SMSW, 0, 0, XA_FLT) X(SGDT, 0, 0, XA_FLT) \
    X(SIDT, 0, 0, XA_FLT) X(LGDT, 0, 0, XA_FLT) X(LIDT, 0, 0, XA_FLT) X(SLDT, 0, 0, XA_FLT) X(STR, 0, 0, XA_FLT) \
    X(LLDT, 0, 0, XA_FLT) X(LTR, 0, 0, XA_FLT) X(INVD, 0, 0, XA_FLT) X(WBINVD, 0, 0, XA_FLT) X(RDMSR, 0, 0, XA_FLT) \
    X(RDPMC, 0, 0, XA_FLT) X(RDTSC, 0, 0, XA_FLT) X(RDTSCP, 0, 0, XA_FLT) X(RDPID, 0, 0, XA_FLT) \
    X(CPUID, 0, 0, XA_FLT) X(SWAPGS, 0, 0, XA_FLT) X(VMCALL, 0, 0, XA_FLT) X(MONITOR, 0, 0, XA_FLT) X(XGETBV, 0, 0, XA_FLT) \
    X(RDFSBASE, 0, 0, XA_FLT) X(RDGSBASE, 0, 0, XA_FLT) X(WRFSBASE, 0, 0, XA_FLT) X(WRGSBASE, 0, 0, XA_FLT) \
    X(CLAC, 0, 0, XA_END | XA_FLT) X(STAC, 0, 0, XA_END | XA_FLT) X(CLFLUSH, 0, 0, XA_FLT) X(CLFLUSHOPT, 0, 0, XA_FLT) \
    X(CLWB, 0, 0, XA_FLT) \
    X(RDRAND, 0, XF_ALL, 0) X(RDSEED, 0, XF_ALL, 0) \
    X(FXSAVE, 0, 0, XA_FLT) X(FXRSTOR, 0, 0, XA_FLT) X(XSAVE, 0, 0, XA_FLT) X(XSAVEC, 0, 0, XA_FLT) \
    X(XSAVEOPT, 0, 0, XA_FLT) X(XSAVES, 0, 0, XA_FLT) X(XRSTOR, 0, 0, XA_FLT) X(XRSTORS, 0, 0, XA_FLT) \
    X(LDMXCSR, 0, 0, XA_FLT) X(STMXCSR, 0, 0, XA_FLT) \
    /* general registers under VEX and friends: FORM_R_V_RM, FORM_R_RM_V, FORM_V_RM. CRC32: `size` is the source's */ \
    X(ANDN, 0, XF_ALL, 0) X(BLSR, 0, XF_ALL, 0) X(BLSMSK, 0, XF_ALL, 0) X(BLSI, 0, XF_ALL, 0) X(BZHI, 0, XF_ALL, 0) \
    X(BEXTR, 0, XF_ALL, 0) \
    X(PDEP, 0, 0, 0) X(PEXT, 0, 0, 0) X(MULX, 0, 0, 0) X(RORX, 0, 0, 0) X(SARX, 0, 0, 0) X(SHLX, 0, 0, 0) \
    X(SHRX, 0, 0, 0) X(CRC32, 0, 0, 0) \
    X(ADCX, XF_C, XF_C, 0) \
    X(ADOX, XF_O, XF_O, 0)

#define X86_OPS_FPU(X) \
    /* x87. Memory kinds: M16 M32 M64 integers or floats by mnemonic, M80. ST(i): i is in rm. imm: FOP (11 bits) */ \
    X(FADD_M32, 0, 0, XA_FPU | XA_FLT) X(FMUL_M32, 0, 0, XA_FPU | XA_FLT) X(FCOM_M32, 0, 0, XA_FPU | XA_FLT) \
    X(FCOMP_M32, 0, 0, XA_FPU | XA_FLT) X(FSUB_M32, 0, 0, XA_FPU | XA_FLT) X(FSUBR_M32, 0, 0, XA_FPU | XA_FLT) \
    X(FDIV_M32, 0, 0, XA_FPU | XA_FLT) X(FDIVR_M32, 0, 0, XA_FPU | XA_FLT) \
    X(FADD_M64, 0, 0, XA_FPU | XA_FLT) X(FMUL_M64, 0, 0, XA_FPU | XA_FLT) X(FCOM_M64, 0, 0, XA_FPU | XA_FLT) \
    X(FCOMP_M64, 0, 0, XA_FPU | XA_FLT) X(FSUB_M64, 0, 0, XA_FPU | XA_FLT) X(FSUBR_M64, 0, 0, XA_FPU | XA_FLT) \
    X(FDIV_M64, 0, 0, XA_FPU | XA_FLT) X(FDIVR_M64, 0, 0, XA_FPU | XA_FLT) \
    X(FIADD_M16, 0, 0, XA_FPU | XA_FLT) X(FIMUL_M16, 0, 0, XA_FPU | XA_FLT) X(FICOM_M16, 0, 0, XA_FPU | XA_FLT) \
    X(FICOMP_M16, 0, 0, XA_FPU | XA_FLT) X(FISUB_M16, 0, 0, XA_FPU | XA_FLT) X(FISUBR_M16, 0, 0, XA_FPU | XA_FLT) \
    X(FIDIV_M16, 0, 0, XA_FPU | XA_FLT) X(FIDIVR_M16, 0, 0, XA_FPU | XA_FLT) \
    X(FIADD_M32, 0, 0, XA_FPU | XA_FLT) X(FIMUL_M32, 0, 0, XA_FPU | XA_FLT) X(FICOM_M32, 0, 0, XA_FPU | XA_FLT) \
    X(FICOMP_M32, 0, 0, XA_FPU | XA_FLT) X(FISUB_M32, 0, 0, XA_FPU | XA_FLT) X(FISUBR_M32, 0, 0, XA_FPU | XA_FLT) \
    X(FIDIV_M32, 0, 0, XA_FPU | XA_FLT) X(FIDIVR_M32, 0, 0, XA_FPU | XA_FLT) \
    X(FADD_ST0_STI, 0, 0, XA_FPU | XA_FLT) X(FMUL_ST0_STI, 0, 0, XA_FPU | XA_FLT) \
    X(FSUB_ST0_STI, 0, 0, XA_FPU | XA_FLT) X(FSUBR_ST0_STI, 0, 0, XA_FPU | XA_FLT) \
    X(FDIV_ST0_STI, 0, 0, XA_FPU | XA_FLT) X(FDIVR_ST0_STI, 0, 0, XA_FPU | XA_FLT) \
    X(FCOM_STI, 0, 0, XA_FPU | XA_FLT) X(FCOMP_STI, 0, 0, XA_FPU | XA_FLT) \
    X(FADD_STI_ST0, 0, 0, XA_FPU | XA_FLT) X(FMUL_STI_ST0, 0, 0, XA_FPU | XA_FLT) \
    X(FSUB_STI_ST0, 0, 0, XA_FPU | XA_FLT) X(FSUBR_STI_ST0, 0, 0, XA_FPU | XA_FLT) \
    X(FDIV_STI_ST0, 0, 0, XA_FPU | XA_FLT) X(FDIVR_STI_ST0, 0, 0, XA_FPU | XA_FLT) \
    X(FADDP, 0, 0, XA_FPU | XA_FLT) X(FMULP, 0, 0, XA_FPU | XA_FLT) X(FSUBP, 0, 0, XA_FPU | XA_FLT) \
    X(FSUBRP, 0, 0, XA_FPU | XA_FLT) X(FDIVP, 0, 0, XA_FPU | XA_FLT) X(FDIVRP, 0, 0, XA_FPU | XA_FLT) \
    X(FCOMPP, 0, 0, XA_FPU | XA_FLT) X(FUCOM, 0, 0, XA_FPU | XA_FLT) X(FUCOMP, 0, 0, XA_FPU | XA_FLT) \
    X(FUCOMPP, 0, 0, XA_FPU | XA_FLT) \
    X(FLD_M32, 0, 0, XA_FPU | XA_FLT) X(FLD_M64, 0, 0, XA_FPU | XA_FLT) X(FLD_M80, 0, 0, XA_FPU | XA_FLT) \
    X(FLD_STI, 0, 0, XA_FPU | XA_FLT) X(FST_M32, 0, 0, XA_FPU | XA_FLT) X(FST_M64, 0, 0, XA_FPU | XA_FLT) \
    X(FST_STI, 0, 0, XA_FPU | XA_FLT) X(FSTP_M32, 0, 0, XA_FPU | XA_FLT) X(FSTP_M64, 0, 0, XA_FPU | XA_FLT) \
    X(FSTP_M80, 0, 0, XA_FPU | XA_FLT) X(FSTP_STI, 0, 0, XA_FPU | XA_FLT) \
    X(FILD_M16, 0, 0, XA_FPU | XA_FLT) X(FILD_M32, 0, 0, XA_FPU | XA_FLT) X(FILD_M64, 0, 0, XA_FPU | XA_FLT) \
    X(FIST_M16, 0, 0, XA_FPU | XA_FLT) X(FIST_M32, 0, 0, XA_FPU | XA_FLT) X(FISTP_M16, 0, 0, XA_FPU | XA_FLT) \
    X(FISTP_M32, 0, 0, XA_FPU | XA_FLT) X(FISTP_M64, 0, 0, XA_FPU | XA_FLT) X(FISTTP_M16, 0, 0, XA_FPU | XA_FLT) \
    X(FISTTP_M32, 0, 0, XA_FPU | XA_FLT) X(FISTTP_M64, 0, 0, XA_FPU | XA_FLT) \
    X(FBLD, 0, 0, XA_FPU | XA_FLT) X(FBSTP, 0, 0, XA_FPU | XA_FLT) X(FXCH, 0, 0, XA_FPU | XA_FLT) \
    X(FCHS, 0, 0, XA_FPU | XA_FLT) X(FABS, 0, 0, XA_FPU | XA_FLT) X(FTST, 0, 0, XA_FPU | XA_FLT) \
    X(FXAM, 0, 0, XA_FPU | XA_FLT) X(FLD1, 0, 0, XA_FPU | XA_FLT) X(FLDL2T, 0, 0, XA_FPU | XA_FLT) \
    X(FLDL2E, 0, 0, XA_FPU | XA_FLT) X(FLDPI, 0, 0, XA_FPU | XA_FLT) X(FLDLG2, 0, 0, XA_FPU | XA_FLT) \
    X(FLDLN2, 0, 0, XA_FPU | XA_FLT) X(FLDZ, 0, 0, XA_FPU | XA_FLT) \
    X(F2XM1, 0, 0, XA_FPU | XA_FLT) X(FYL2X, 0, 0, XA_FPU | XA_FLT) X(FPTAN, 0, 0, XA_FPU | XA_FLT) \
    X(FPATAN, 0, 0, XA_FPU | XA_FLT) X(FXTRACT, 0, 0, XA_FPU | XA_FLT) X(FPREM1, 0, 0, XA_FPU | XA_FLT) \
    X(FDECSTP, 0, 0, XA_FPU | XA_FLT) X(FINCSTP, 0, 0, XA_FPU | XA_FLT) X(FPREM, 0, 0, XA_FPU | XA_FLT) \
    X(FYL2XP1, 0, 0, XA_FPU | XA_FLT) X(FSQRT, 0, 0, XA_FPU | XA_FLT) X(FSINCOS, 0, 0, XA_FPU | XA_FLT) \
    X(FRNDINT, 0, 0, XA_FPU | XA_FLT) X(FSCALE, 0, 0, XA_FPU | XA_FLT) X(FSIN, 0, 0, XA_FPU | XA_FLT) \
    X(FCOS, 0, 0, XA_FPU | XA_FLT) \
    X(FCMOVB, XF_C, 0, XA_FPU | XA_FLT) \
    X(FCMOVE, XF_Z, 0, XA_FPU | XA_FLT) \
    X(FCMOVBE, XF_CZ, 0, XA_FPU | XA_FLT) \
    X(FCMOVU, XF_P, 0, XA_FPU | XA_FLT) \
    X(FCMOVNB, XF_C, 0, XA_FPU | XA_FLT) \
    X(FCMOVNE, XF_Z, 0, XA_FPU | XA_FLT) \
    X(FCMOVNBE, XF_CZ, 0, XA_FPU | XA_FLT) \
    X(FCMOVNU, XF_P, 0, XA_FPU | XA_FLT) \
    X(FCOMI, 0, XF_ALL, XA_FPU | XA_FLT) X(FCOMIP, 0, XF_ALL, XA_FPU | XA_FLT) X(FUCOMI, 0, XF_ALL, XA_FPU | XA_FLT) \
    X(FUCOMIP, 0, XF_ALL, XA_FPU | XA_FLT) \
    X(FNOP, 0, 0, XA_FPU | XA_FLT) X(FNCLEX, 0, 0, XA_FPU | XA_FLT) X(FNINIT, 0, 0, XA_FPU | XA_FLT) \
    X(FFREE, 0, 0, XA_FPU | XA_FLT) X(FFREEP, 0, 0, XA_FPU | XA_FLT) X(FLDCW, 0, 0, XA_FPU | XA_FLT) \
    X(FNSTCW, 0, 0, XA_FPU | XA_FLT) X(FLDENV, 0, 0, XA_FPU | XA_FLT) X(FNSTENV, 0, 0, XA_FPU | XA_FLT) \
    X(FNSAVE, 0, 0, XA_FPU | XA_FLT) X(FRSTOR, 0, 0, XA_FPU | XA_FLT) X(FNSTSW_M, 0, 0, XA_FPU | XA_FLT) \
    X(FNSTSW_AX, 0, 0, XA_FPU | XA_FLT) X(FWAIT, 0, 0, XA_FPU | XA_FLT)

#define X86_OPS_SIMD(X) \
    /* MMX (size 3), XMM (4), YMM (5); moves: FORM_R_RM loads, FORM_RM_R stores */ \
    /* MOVD: 32, MOVQ_GPR: 64 bits, to or from a general register or memory; MOVQ: vector or m64, upper zeroed */ \
    X(EMMS, 0, 0, XA_SIMD | XA_FLT) X(MOVD, 0, 0, XA_SIMD | XA_FLT) X(MOVQ_GPR, 0, 0, XA_SIMD | XA_FLT) \
    X(MOVQ, 0, 0, XA_SIMD | XA_FLT) X(MOVDQA, 0, 0, XA_SIMD | XA_FLT) X(MOVDQU, 0, 0, XA_SIMD | XA_FLT) \
    X(LDDQU, 0, 0, XA_SIMD | XA_FLT) X(MOVNTQ, 0, 0, XA_SIMD | XA_FLT) X(MOVNTDQ, 0, 0, XA_SIMD | XA_FLT) \
    X(MOVNTDQA, 0, 0, XA_SIMD | XA_FLT) X(MOVNTPS, 0, 0, XA_SIMD | XA_FLT) X(MOVNTPD, 0, 0, XA_SIMD | XA_FLT) \
    X(MASKMOVQ, 0, 0, XA_SIMD | XA_FLT) X(MASKMOVDQU, 0, 0, XA_SIMD | XA_FLT) \
    X(MOVDQ2Q, 0, 0, XA_SIMD | XA_FLT) X(MOVQ2DQ, 0, 0, XA_SIMD | XA_FLT) X(MOVUPS, 0, 0, XA_SIMD | XA_FLT) \
    X(MOVUPD, 0, 0, XA_SIMD | XA_FLT) X(MOVAPS, 0, 0, XA_SIMD | XA_FLT) X(MOVAPD, 0, 0, XA_SIMD | XA_FLT) \
    X(MOVSS, 0, 0, XA_SIMD | XA_FLT) X(MOVSD, 0, 0, XA_SIMD | XA_FLT) X(MOVLPS, 0, 0, XA_SIMD | XA_FLT) \
    X(MOVLPD, 0, 0, XA_SIMD | XA_FLT) X(MOVHPS, 0, 0, XA_SIMD | XA_FLT) X(MOVHPD, 0, 0, XA_SIMD | XA_FLT) \
    X(MOVHLPS, 0, 0, XA_SIMD | XA_FLT) X(MOVLHPS, 0, 0, XA_SIMD | XA_FLT) \
    X(MOVSLDUP, 0, 0, XA_SIMD | XA_FLT) X(MOVSHDUP, 0, 0, XA_SIMD | XA_FLT) X(MOVDDUP, 0, 0, XA_SIMD | XA_FLT) \
    X(MOVMSKPS, 0, 0, XA_SIMD | XA_FLT) X(MOVMSKPD, 0, 0, XA_SIMD | XA_FLT) X(PMOVMSKB, 0, 0, XA_SIMD | XA_FLT) \
    /* packed integers */ \
    X(PADDB, 0, 0, XA_SIMD | XA_FLT) X(PADDW, 0, 0, XA_SIMD | XA_FLT) X(PADDD, 0, 0, XA_SIMD | XA_FLT) \
    X(PADDQ, 0, 0, XA_SIMD | XA_FLT) X(PADDSB, 0, 0, XA_SIMD | XA_FLT) X(PADDSW, 0, 0, XA_SIMD | XA_FLT) \
    X(PADDUSB, 0, 0, XA_SIMD | XA_FLT) X(PADDUSW, 0, 0, XA_SIMD | XA_FLT) X(PSUBB, 0, 0, XA_SIMD | XA_FLT) \
    X(PSUBW, 0, 0, XA_SIMD | XA_FLT) X(PSUBD, 0, 0, XA_SIMD | XA_FLT) X(PSUBQ, 0, 0, XA_SIMD | XA_FLT) \
    X(PSUBSB, 0, 0, XA_SIMD | XA_FLT) X(PSUBSW, 0, 0, XA_SIMD | XA_FLT) X(PSUBUSB, 0, 0, XA_SIMD | XA_FLT) \
    X(PSUBUSW, 0, 0, XA_SIMD | XA_FLT) \
    X(PMULLW, 0, 0, XA_SIMD | XA_FLT) X(PMULHW, 0, 0, XA_SIMD | XA_FLT) X(PMULHUW, 0, 0, XA_SIMD | XA_FLT) \
    X(PMULUDQ, 0, 0, XA_SIMD | XA_FLT) X(PMULDQ, 0, 0, XA_SIMD | XA_FLT) X(PMULLD, 0, 0, XA_SIMD | XA_FLT) \
    X(PMULHRSW, 0, 0, XA_SIMD | XA_FLT) X(PMADDWD, 0, 0, XA_SIMD | XA_FLT) X(PMADDUBSW, 0, 0, XA_SIMD | XA_FLT) \
    X(PSADBW, 0, 0, XA_SIMD | XA_FLT) X(MPSADBW, 0, 0, XA_SIMD | XA_FLT) X(PAVGB, 0, 0, XA_SIMD | XA_FLT) \
    X(PAVGW, 0, 0, XA_SIMD | XA_FLT) \
    X(PAND, 0, 0, XA_SIMD | XA_FLT) X(PANDN, 0, 0, XA_SIMD | XA_FLT) X(POR, 0, 0, XA_SIMD | XA_FLT) \
    X(PXOR, 0, 0, XA_SIMD | XA_FLT) X(PCMPEQB, 0, 0, XA_SIMD | XA_FLT) X(PCMPEQW, 0, 0, XA_SIMD | XA_FLT) \
    X(PCMPEQD, 0, 0, XA_SIMD | XA_FLT) X(PCMPEQQ, 0, 0, XA_SIMD | XA_FLT) X(PCMPGTB, 0, 0, XA_SIMD | XA_FLT) \
    X(PCMPGTW, 0, 0, XA_SIMD | XA_FLT) X(PCMPGTD, 0, 0, XA_SIMD | XA_FLT) X(PCMPGTQ, 0, 0, XA_SIMD | XA_FLT) \
    X(PMINUB, 0, 0, XA_SIMD | XA_FLT) X(PMINSW, 0, 0, XA_SIMD | XA_FLT) X(PMAXUB, 0, 0, XA_SIMD | XA_FLT) \
    X(PMAXSW, 0, 0, XA_SIMD | XA_FLT) X(PMINSB, 0, 0, XA_SIMD | XA_FLT) X(PMINSD, 0, 0, XA_SIMD | XA_FLT) \
    X(PMINUW, 0, 0, XA_SIMD | XA_FLT) X(PMINUD, 0, 0, XA_SIMD | XA_FLT) X(PMAXSB, 0, 0, XA_SIMD | XA_FLT) \
    X(PMAXSD, 0, 0, XA_SIMD | XA_FLT) X(PMAXUW, 0, 0, XA_SIMD | XA_FLT) X(PMAXUD, 0, 0, XA_SIMD | XA_FLT) \
    X(PACKSSWB, 0, 0, XA_SIMD | XA_FLT) X(PACKSSDW, 0, 0, XA_SIMD | XA_FLT) X(PACKUSWB, 0, 0, XA_SIMD | XA_FLT) \
    X(PACKUSDW, 0, 0, XA_SIMD | XA_FLT) X(PUNPCKLBW, 0, 0, XA_SIMD | XA_FLT) X(PUNPCKLWD, 0, 0, XA_SIMD | XA_FLT) \
    X(PUNPCKLDQ, 0, 0, XA_SIMD | XA_FLT) X(PUNPCKLQDQ, 0, 0, XA_SIMD | XA_FLT) X(PUNPCKHBW, 0, 0, XA_SIMD | XA_FLT) \
    X(PUNPCKHWD, 0, 0, XA_SIMD | XA_FLT) X(PUNPCKHDQ, 0, 0, XA_SIMD | XA_FLT) X(PUNPCKHQDQ, 0, 0, XA_SIMD | XA_FLT) \
    X(PSLLW, 0, 0, XA_SIMD | XA_FLT) X(PSLLD, 0, 0, XA_SIMD | XA_FLT) X(PSLLQ, 0, 0, XA_SIMD | XA_FLT) \
    X(PSRLW, 0, 0, XA_SIMD | XA_FLT) X(PSRLD, 0, 0, XA_SIMD | XA_FLT) X(PSRLQ, 0, 0, XA_SIMD | XA_FLT) \
    X(PSRAW, 0, 0, XA_SIMD | XA_FLT) X(PSRAD, 0, 0, XA_SIMD | XA_FLT) X(PSLLDQ, 0, 0, XA_SIMD | XA_FLT) \
    X(PSRLDQ, 0, 0, XA_SIMD | XA_FLT) X(PALIGNR, 0, 0, XA_SIMD | XA_FLT) \
    X(PSHUFB, 0, 0, XA_SIMD | XA_FLT) X(PSHUFW, 0, 0, XA_SIMD | XA_FLT) X(PSHUFD, 0, 0, XA_SIMD | XA_FLT) \
    X(PSHUFLW, 0, 0, XA_SIMD | XA_FLT) X(PSHUFHW, 0, 0, XA_SIMD | XA_FLT) X(PHADDW, 0, 0, XA_SIMD | XA_FLT) \
    X(PHADDD, 0, 0, XA_SIMD | XA_FLT) X(PHADDSW, 0, 0, XA_SIMD | XA_FLT) X(PHSUBW, 0, 0, XA_SIMD | XA_FLT) \
    X(PHSUBD, 0, 0, XA_SIMD | XA_FLT) X(PHSUBSW, 0, 0, XA_SIMD | XA_FLT) X(PSIGNB, 0, 0, XA_SIMD | XA_FLT) \
    X(PSIGNW, 0, 0, XA_SIMD | XA_FLT) X(PSIGND, 0, 0, XA_SIMD | XA_FLT) X(PABSB, 0, 0, XA_SIMD | XA_FLT) \
    X(PABSW, 0, 0, XA_SIMD | XA_FLT) X(PABSD, 0, 0, XA_SIMD | XA_FLT) \
    X(PMOVSXBW, 0, 0, XA_SIMD | XA_FLT) X(PMOVSXBD, 0, 0, XA_SIMD | XA_FLT) X(PMOVSXBQ, 0, 0, XA_SIMD | XA_FLT) \
    X(PMOVSXWD, 0, 0, XA_SIMD | XA_FLT) X(PMOVSXWQ, 0, 0, XA_SIMD | XA_FLT) X(PMOVSXDQ, 0, 0, XA_SIMD | XA_FLT) \
    X(PMOVZXBW, 0, 0, XA_SIMD | XA_FLT) X(PMOVZXBD, 0, 0, XA_SIMD | XA_FLT) X(PMOVZXBQ, 0, 0, XA_SIMD | XA_FLT) \
    X(PMOVZXWD, 0, 0, XA_SIMD | XA_FLT) X(PMOVZXWQ, 0, 0, XA_SIMD | XA_FLT) X(PMOVZXDQ, 0, 0, XA_SIMD | XA_FLT) \
    X(PHMINPOSUW, 0, 0, XA_SIMD | XA_FLT) \
    X(PINSRB, 0, 0, XA_SIMD | XA_FLT) X(PINSRW, 0, 0, XA_SIMD | XA_FLT) X(PINSRD, 0, 0, XA_SIMD | XA_FLT) \
    X(PINSRQ, 0, 0, XA_SIMD | XA_FLT) X(PEXTRB, 0, 0, XA_SIMD | XA_FLT) X(PEXTRW, 0, 0, XA_SIMD | XA_FLT) \
    X(PEXTRD, 0, 0, XA_SIMD | XA_FLT) X(PEXTRQ, 0, 0, XA_SIMD | XA_FLT) X(PBLENDVB, 0, 0, XA_SIMD | XA_FLT) \
    X(PBLENDW, 0, 0, XA_SIMD | XA_FLT) \
    X(PTEST, 0, XF_ALL, XA_SIMD | XA_FLT) \
    X(PCMPESTRM, 0, XF_ALL, XA_SIMD | XA_FLT) X(PCMPESTRI, 0, XF_ALL, XA_SIMD | XA_FLT) \
    X(PCMPISTRM, 0, XF_ALL, XA_SIMD | XA_FLT) X(PCMPISTRI, 0, XF_ALL, XA_SIMD | XA_FLT) \
    X(PCLMULQDQ, 0, 0, XA_SIMD | XA_FLT) X(AESENC, 0, 0, XA_SIMD | XA_FLT) X(AESENCLAST, 0, 0, XA_SIMD | XA_FLT) \
    X(AESDEC, 0, 0, XA_SIMD | XA_FLT) X(AESDECLAST, 0, 0, XA_SIMD | XA_FLT) X(AESIMC, 0, 0, XA_SIMD | XA_FLT) \
    X(AESKEYGENASSIST, 0, 0, XA_SIMD | XA_FLT) \
    X(SHA1RNDS4, 0, 0, XA_SIMD | XA_FLT) X(SHA1NEXTE, 0, 0, XA_SIMD | XA_FLT) X(SHA1MSG1, 0, 0, XA_SIMD | XA_FLT) \
    X(SHA1MSG2, 0, 0, XA_SIMD | XA_FLT) X(SHA256RNDS2, 0, 0, XA_SIMD | XA_FLT) X(SHA256MSG1, 0, 0, XA_SIMD | XA_FLT) \
    X(SHA256MSG2, 0, 0, XA_SIMD | XA_FLT) \
    /* floating point */ \
    X(ADDPS, 0, 0, XA_SIMD | XA_FLT) X(ADDPD, 0, 0, XA_SIMD | XA_FLT) X(ADDSS, 0, 0, XA_SIMD | XA_FLT) \
    X(ADDSD, 0, 0, XA_SIMD | XA_FLT) X(SUBPS, 0, 0, XA_SIMD | XA_FLT) X(SUBPD, 0, 0, XA_SIMD | XA_FLT) \
    X(SUBSS, 0, 0, XA_SIMD | XA_FLT) X(SUBSD, 0, 0, XA_SIMD | XA_FLT) X(MULPS, 0, 0, XA_SIMD | XA_FLT) \
    X(MULPD, 0, 0, XA_SIMD | XA_FLT) X(MULSS, 0, 0, XA_SIMD | XA_FLT) X(MULSD, 0, 0, XA_SIMD | XA_FLT) \
    X(DIVPS, 0, 0, XA_SIMD | XA_FLT) X(DIVPD, 0, 0, XA_SIMD | XA_FLT) X(DIVSS, 0, 0, XA_SIMD | XA_FLT) \
    X(DIVSD, 0, 0, XA_SIMD | XA_FLT) X(MINPS, 0, 0, XA_SIMD | XA_FLT) X(MINPD, 0, 0, XA_SIMD | XA_FLT) \
    X(MINSS, 0, 0, XA_SIMD | XA_FLT) X(MINSD, 0, 0, XA_SIMD | XA_FLT) X(MAXPS, 0, 0, XA_SIMD | XA_FLT) \
    X(MAXPD, 0, 0, XA_SIMD | XA_FLT) X(MAXSS, 0, 0, XA_SIMD | XA_FLT) X(MAXSD, 0, 0, XA_SIMD | XA_FLT) \
    X(SQRTPS, 0, 0, XA_SIMD | XA_FLT) X(SQRTPD, 0, 0, XA_SIMD | XA_FLT) X(SQRTSS, 0, 0, XA_SIMD | XA_FLT) \
    X(SQRTSD, 0, 0, XA_SIMD | XA_FLT) X(CMPPS, 0, 0, XA_SIMD | XA_FLT) X(CMPPD, 0, 0, XA_SIMD | XA_FLT) \
    X(CMPSS, 0, 0, XA_SIMD | XA_FLT) X(CMPSD, 0, 0, XA_SIMD | XA_FLT) \
    X(RCPPS, 0, 0, XA_SIMD | XA_FLT) X(RCPSS, 0, 0, XA_SIMD | XA_FLT) X(RSQRTPS, 0, 0, XA_SIMD | XA_FLT) \
    X(RSQRTSS, 0, 0, XA_SIMD | XA_FLT) X(ANDPS, 0, 0, XA_SIMD | XA_FLT) X(ANDPD, 0, 0, XA_SIMD | XA_FLT) \
    X(ANDNPS, 0, 0, XA_SIMD | XA_FLT) X(ANDNPD, 0, 0, XA_SIMD | XA_FLT) X(ORPS, 0, 0, XA_SIMD | XA_FLT) \
    X(ORPD, 0, 0, XA_SIMD | XA_FLT) X(XORPS, 0, 0, XA_SIMD | XA_FLT) X(XORPD, 0, 0, XA_SIMD | XA_FLT) \
    X(UNPCKLPS, 0, 0, XA_SIMD | XA_FLT) X(UNPCKLPD, 0, 0, XA_SIMD | XA_FLT) X(UNPCKHPS, 0, 0, XA_SIMD | XA_FLT) \
    X(UNPCKHPD, 0, 0, XA_SIMD | XA_FLT) X(SHUFPS, 0, 0, XA_SIMD | XA_FLT) X(SHUFPD, 0, 0, XA_SIMD | XA_FLT) \
    X(ADDSUBPS, 0, 0, XA_SIMD | XA_FLT) X(ADDSUBPD, 0, 0, XA_SIMD | XA_FLT) X(HADDPS, 0, 0, XA_SIMD | XA_FLT) \
    X(HADDPD, 0, 0, XA_SIMD | XA_FLT) X(HSUBPS, 0, 0, XA_SIMD | XA_FLT) X(HSUBPD, 0, 0, XA_SIMD | XA_FLT) \
    X(COMISS, 0, XF_ALL, XA_SIMD | XA_FLT) X(COMISD, 0, XF_ALL, XA_SIMD | XA_FLT) \
    X(UCOMISS, 0, XF_ALL, XA_SIMD | XA_FLT) X(UCOMISD, 0, XF_ALL, XA_SIMD | XA_FLT) \
    /* conversions. CVTSI2SS: from 32 or (REC_REXW) 64 bits, general register or memory; CVTSS2SI: likewise to */ \
    X(CVTSI2SS, 0, 0, XA_SIMD | XA_FLT) X(CVTSI2SD, 0, 0, XA_SIMD | XA_FLT) X(CVTSS2SI, 0, 0, XA_SIMD | XA_FLT) \
    X(CVTSD2SI, 0, 0, XA_SIMD | XA_FLT) X(CVTTSS2SI, 0, 0, XA_SIMD | XA_FLT) X(CVTTSD2SI, 0, 0, XA_SIMD | XA_FLT) \
    X(CVTPI2PS, 0, 0, XA_SIMD | XA_FLT) X(CVTPI2PD, 0, 0, XA_SIMD | XA_FLT) X(CVTPS2PI, 0, 0, XA_SIMD | XA_FLT) \
    X(CVTPD2PI, 0, 0, XA_SIMD | XA_FLT) X(CVTTPS2PI, 0, 0, XA_SIMD | XA_FLT) X(CVTTPD2PI, 0, 0, XA_SIMD | XA_FLT) \
    X(CVTSS2SD, 0, 0, XA_SIMD | XA_FLT) X(CVTSD2SS, 0, 0, XA_SIMD | XA_FLT) X(CVTPS2PD, 0, 0, XA_SIMD | XA_FLT) \
    X(CVTPD2PS, 0, 0, XA_SIMD | XA_FLT) X(CVTDQ2PS, 0, 0, XA_SIMD | XA_FLT) X(CVTPS2DQ, 0, 0, XA_SIMD | XA_FLT) \
    X(CVTTPS2DQ, 0, 0, XA_SIMD | XA_FLT) X(CVTDQ2PD, 0, 0, XA_SIMD | XA_FLT) X(CVTPD2DQ, 0, 0, XA_SIMD | XA_FLT) \
    X(CVTTPD2DQ, 0, 0, XA_SIMD | XA_FLT) \
    X(ROUNDPS, 0, 0, XA_SIMD | XA_FLT) X(ROUNDPD, 0, 0, XA_SIMD | XA_FLT) X(ROUNDSS, 0, 0, XA_SIMD | XA_FLT) \
    X(ROUNDSD, 0, 0, XA_SIMD | XA_FLT) X(DPPS, 0, 0, XA_SIMD | XA_FLT) X(DPPD, 0, 0, XA_SIMD | XA_FLT) \
    X(BLENDPS, 0, 0, XA_SIMD | XA_FLT) X(BLENDPD, 0, 0, XA_SIMD | XA_FLT) X(BLENDVPS, 0, 0, XA_SIMD | XA_FLT) \
    X(BLENDVPD, 0, 0, XA_SIMD | XA_FLT) X(INSERTPS, 0, 0, XA_SIMD | XA_FLT) X(EXTRACTPS, 0, 0, XA_SIMD | XA_FLT) \
    /* AVX only */ \
    X(VBROADCASTSS, 0, 0, XA_SIMD | XA_FLT) X(VBROADCASTSD, 0, 0, XA_SIMD | XA_FLT) \
    X(VBROADCASTF128, 0, 0, XA_SIMD | XA_FLT) X(VBROADCASTI128, 0, 0, XA_SIMD | XA_FLT) \
    X(VPBROADCASTB, 0, 0, XA_SIMD | XA_FLT) X(VPBROADCASTW, 0, 0, XA_SIMD | XA_FLT) \
    X(VPBROADCASTD, 0, 0, XA_SIMD | XA_FLT) X(VPBROADCASTQ, 0, 0, XA_SIMD | XA_FLT) \
    X(VINSERTF128, 0, 0, XA_SIMD | XA_FLT) X(VINSERTI128, 0, 0, XA_SIMD | XA_FLT) \
    X(VEXTRACTF128, 0, 0, XA_SIMD | XA_FLT) X(VEXTRACTI128, 0, 0, XA_SIMD | XA_FLT) \
    X(VPERM2F128, 0, 0, XA_SIMD | XA_FLT) X(VPERM2I128, 0, 0, XA_SIMD | XA_FLT) X(VPERMILPS, 0, 0, XA_SIMD | XA_FLT) \
    X(VPERMILPD, 0, 0, XA_SIMD | XA_FLT) X(VPERMD, 0, 0, XA_SIMD | XA_FLT) X(VPERMPS, 0, 0, XA_SIMD | XA_FLT) \
    X(VPERMQ, 0, 0, XA_SIMD | XA_FLT) X(VPERMPD, 0, 0, XA_SIMD | XA_FLT) \
    X(VMASKMOVPS, 0, 0, XA_SIMD | XA_FLT) X(VMASKMOVPD, 0, 0, XA_SIMD | XA_FLT) \
    X(VPMASKMOVD, 0, 0, XA_SIMD | XA_FLT) X(VPMASKMOVQ, 0, 0, XA_SIMD | XA_FLT) X(VZEROALL, 0, 0, XA_SIMD | XA_FLT) \
    X(VZEROUPPER, 0, 0, XA_SIMD | XA_FLT) \
    X(VTESTPS, 0, XF_ALL, XA_SIMD | XA_FLT) X(VTESTPD, 0, XF_ALL, XA_SIMD | XA_FLT) \
    X(VPSLLVD, 0, 0, XA_SIMD | XA_FLT) X(VPSLLVQ, 0, 0, XA_SIMD | XA_FLT) X(VPSRLVD, 0, 0, XA_SIMD | XA_FLT) \
    X(VPSRLVQ, 0, 0, XA_SIMD | XA_FLT) X(VPSRAVD, 0, 0, XA_SIMD | XA_FLT) X(VPBLENDD, 0, 0, XA_SIMD | XA_FLT) \
    X(VCVTPH2PS, 0, 0, XA_SIMD | XA_FLT) X(VCVTPS2PH, 0, 0, XA_SIMD | XA_FLT) X(VBLENDVPS, 0, 0, XA_SIMD | XA_FLT) \
    X(VBLENDVPD, 0, 0, XA_SIMD | XA_FLT) X(VPBLENDVB, 0, 0, XA_SIMD | XA_FLT) \
    X(VGATHERDPS, 0, 0, XA_SIMD | XA_FLT) X(VGATHERDPD, 0, 0, XA_SIMD | XA_FLT) \
    X(VGATHERQPS, 0, 0, XA_SIMD | XA_FLT) X(VGATHERQPD, 0, 0, XA_SIMD | XA_FLT) \
    X(VPGATHERDD, 0, 0, XA_SIMD | XA_FLT) X(VPGATHERDQ, 0, 0, XA_SIMD | XA_FLT) \
    X(VPGATHERQD, 0, 0, XA_SIMD | XA_FLT) X(VPGATHERQQ, 0, 0, XA_SIMD | XA_FLT) \
    X(VFMADD132PS, 0, 0, XA_SIMD | XA_FLT) X(VFMADD132PD, 0, 0, XA_SIMD | XA_FLT) \
    X(VFMADD132SS, 0, 0, XA_SIMD | XA_FLT) X(VFMADD132SD, 0, 0, XA_SIMD | XA_FLT) \
    X(VFMADD213PS, 0, 0, XA_SIMD | XA_FLT) X(VFMADD213PD, 0, 0, XA_SIMD | XA_FLT) \
    X(VFMADD213SS, 0, 0, XA_SIMD | XA_FLT) X(VFMADD213SD, 0, 0, XA_SIMD | XA_FLT) \
    X(VFMADD231PS, 0, 0, XA_SIMD | XA_FLT) X(VFMADD231PD, 0, 0, XA_SIMD | XA_FLT) \
    X(VFMADD231SS, 0, 0, XA_SIMD | XA_FLT) X(VFMADD231SD, 0, 0, XA_SIMD | XA_FLT) \
    X(VFMSUB132PS, 0, 0, XA_SIMD | XA_FLT) X(VFMSUB132PD, 0, 0, XA_SIMD | XA_FLT) \
    X(VFMSUB132SS, 0, 0, XA_SIMD | XA_FLT) X(VFMSUB132SD, 0, 0, XA_SIMD | XA_FLT) \
    X(VFMSUB213PS, 0, 0, XA_SIMD | XA_FLT) X(VFMSUB213PD, 0, 0, XA_SIMD | XA_FLT) \
    X(VFMSUB213SS, 0, 0, XA_SIMD | XA_FLT) X(VFMSUB213SD, 0, 0, XA_SIMD | XA_FLT) \
    X(VFMSUB231PS, 0, 0, XA_SIMD | XA_FLT) X(VFMSUB231PD, 0, 0, XA_SIMD | XA_FLT) \
    X(VFMSUB231SS, 0, 0, XA_SIMD | XA_FLT) X(VFMSUB231SD, 0, 0, XA_SIMD | XA_FLT) \
    X(VFNMADD132PS, 0, 0, XA_SIMD | XA_FLT) X(VFNMADD132PD, 0, 0, XA_SIMD | XA_FLT) \
    X(VFNMADD132SS, 0, 0, XA_SIMD | XA_FLT) X(VFNMADD132SD, 0, 0, XA_SIMD | XA_FLT) \
    X(VFNMADD213PS, 0, 0, XA_SIMD | XA_FLT) X(VFNMADD213PD, 0, 0, XA_SIMD | XA_FLT) \
    X(VFNMADD213SS, 0, 0, XA_SIMD | XA_FLT) X(VFNMADD213SD, 0, 0, XA_SIMD | XA_FLT) \
    X(VFNMADD231PS, 0, 0, XA_SIMD | XA_FLT) X(VFNMADD231PD, 0, 0, XA_SIMD | XA_FLT) \
    X(VFNMADD231SS, 0, 0, XA_SIMD | XA_FLT) X(VFNMADD231SD, 0, 0, XA_SIMD | XA_FLT) \
    X(VFNMSUB132PS, 0, 0, XA_SIMD | XA_FLT) X(VFNMSUB132PD, 0, 0, XA_SIMD | XA_FLT) \
    X(VFNMSUB132SS, 0, 0, XA_SIMD | XA_FLT) X(VFNMSUB132SD, 0, 0, XA_SIMD | XA_FLT) \
    X(VFNMSUB213PS, 0, 0, XA_SIMD | XA_FLT) X(VFNMSUB213PD, 0, 0, XA_SIMD | XA_FLT) \
    X(VFNMSUB213SS, 0, 0, XA_SIMD | XA_FLT) X(VFNMSUB213SD, 0, 0, XA_SIMD | XA_FLT) \
    X(VFNMSUB231PS, 0, 0, XA_SIMD | XA_FLT) X(VFNMSUB231PD, 0, 0, XA_SIMD | XA_FLT) \
    X(VFNMSUB231SS, 0, 0, XA_SIMD | XA_FLT) X(VFNMSUB231SD, 0, 0, XA_SIMD | XA_FLT) \
    X(VFMADDSUB132PS, 0, 0, XA_SIMD | XA_FLT) X(VFMADDSUB132PD, 0, 0, XA_SIMD | XA_FLT) \
    X(VFMADDSUB213PS, 0, 0, XA_SIMD | XA_FLT) X(VFMADDSUB213PD, 0, 0, XA_SIMD | XA_FLT) \
    X(VFMADDSUB231PS, 0, 0, XA_SIMD | XA_FLT) X(VFMADDSUB231PD, 0, 0, XA_SIMD | XA_FLT) \
    X(VFMSUBADD132PS, 0, 0, XA_SIMD | XA_FLT) X(VFMSUBADD132PD, 0, 0, XA_SIMD | XA_FLT) \
    X(VFMSUBADD213PS, 0, 0, XA_SIMD | XA_FLT) X(VFMSUBADD213PD, 0, 0, XA_SIMD | XA_FLT) \
    X(VFMSUBADD231PS, 0, 0, XA_SIMD | XA_FLT) X(VFMSUBADD231PD, 0, 0, XA_SIMD | XA_FLT)

#define X86_OPS(X) X86_OPS_INT(X) X86_OPS_SYS(X) X86_OPS_FPU(X) X86_OPS_SIMD(X)

enum x86_op {
#define X86_OP_ENUM(name, rd, wr, attr) OP_##name,
    X86_OPS(X86_OP_ENUM)
#undef X86_OP_ENUM
    OP_COUNT,
    OP_SETCC = OP_SETO, OP_CMOVCC = OP_CMOVO, OP_JCC = OP_JO,
};

/* What is known of an op without its operands; target/x86/optable.c */
struct x86_op_info {
    const char *name;           /* lower case mnemonic with our suffixes */
    unsigned short rd, wr;      /* XF_* */
    unsigned short attr;        /* XA_* */
};
extern const struct x86_op_info x86_op_info[OP_COUNT];

#endif
