#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Check that instruction handlers go on by a jump, not by a call.

A handler ends in X86_NEXT, which must come out as `jmp *(reg)` (Arm: `br reg`) in an optimised build: a call would grow
the stack with every guest instruction. What prevents it is a local whose address is taken; move the body into a noinline
function then.
Usage: check_tail_calls.py libx86.a   (exit status 77: not an optimised build, or for a host that this does not know)
"""
import re
import shutil
import subprocess
import sys

# They call through a pointer for another reason: the run loop and translated code enter handlers
ALLOWED = {"x86_cpu_run", "run_from", "run_step", "run_fault", "run_interrupts", "x86_bind_simd", "x86_bind",
           "basic_leaf", "jit_run", "jit_c_step", "jit_c_end", "jit_enter_block", "interpret_caught"}
GO_ON = r"x86_(goto|follow_slow|leave|leave_to|[a-z0-9_]+_any)"
# Platform hooks, told from records by the offset into struct x86_cpu on x86, by the function on Arm
HOOKS = {"tsc_shift", "x86_wrmsr", "x86_rdmsr", "x86_pv_wrmsr", "x86_mov_to_cr", "x86_mov_from_cr", "fpu_pending"}


class X86:
    HOOK = re.compile(r"call\s+\*0x[0-9a-f]{3,}\(")         # an offset far into struct x86_cpu: cpu->plat.*
    NEXT = re.compile(r"call\s+\*")
    JUMP = re.compile(r"\bjmp\s+\*")
    GO_ON = re.compile(r"R_X86_64_PL?T?(PC)?32\s+" + GO_ON + "-")
    CALL = re.compile(r"\tcall\s")
    ALLOWED = ALLOWED


class Arm64:
    HOOK = re.compile(r"$^")
    NEXT = re.compile(r"\tblr\t")
    JUMP = re.compile(r"\tbr\t")
    GO_ON = re.compile(r"R_AARCH64_CALL26\s+" + GO_ON + "$")
    CALL = re.compile(r"\tbl\t")
    ALLOWED = ALLOWED | HOOKS


def disassembly(lib):
    """Return: the patterns for the kind of host, lines; or None"""
    for tool, kind, arch in (("objdump", "elf64-x86-64", X86), ("objdump", "elf64-littleaarch64", Arm64),
                             ("aarch64-linux-gnu-objdump", "elf64-littleaarch64", Arm64)):
        if not shutil.which(tool):
            continue
        out = subprocess.run([tool, "-dr", "--no-show-raw-insn", lib], capture_output=True, text=True)
        if out.returncode == 0 and kind in out.stdout and "<" in out.stdout:
            # on Arm a thread's variable is found by a call through a pointer
            return arch, re.sub(r".*\tblr\t.*\n(?=.*TLSDESC)", "", out.stdout).splitlines()
    return None


def main():
    found = disassembly(sys.argv[1])
    if not found:
        return 77
    arch, lines = found
    func, last, jumps, bad = "", "", 0, []
    for line in lines:
        head = re.match(r"[0-9a-f]+ <(.*)>:$", line)
        if head:
            func = head.group(1)
            continue
        if arch.JUMP.search(line) and func.startswith("x86_"):
            jumps += 1
        before, last = last, line
        if func.split(".")[0] in arch.ALLOWED:
            continue
        if arch.NEXT.search(line) and not arch.HOOK.search(line):
            bad.append(f"{func}: {line.strip()}")
        if func.startswith("x86_") and arch.GO_ON.search(line) and arch.CALL.search(before):
            bad.append(f"{func}: {line.split()[-1]}")
    if jumps < 100:
        return 77
    for b in bad:
        print("a handler calls instead of jumping:", b)
    return 1 if bad else 0


sys.exit(main())
