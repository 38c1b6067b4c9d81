#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Check that instruction handlers go on by a jump, not by a call.

A handler ends in X86_NEXT, which must come out as `jmp *(reg)` in an optimised build: a call would grow the stack with
every guest instruction. What prevents it is a local whose address is taken; move the body into a noinline function then.
Usage: check_tail_calls.py libx86.a   (exit status 77: not an optimised x86-64 build, nothing to check)
"""
import re
import subprocess
import sys

# They call through a pointer for another reason: the run loop enters handlers
ALLOWED = {"x86_cpu_run", "run_from", "run_step", "run_fault", "run_interrupts", "x86_bind_simd", "x86_bind",
           "basic_leaf"}
HOOK = re.compile(r"call\s+\*0x[0-9a-f]{3,}\(")             # an offset far into struct x86_cpu: cpu->plat.*
NEXT = re.compile(r"call\s+\*")
GO_ON = re.compile(r"R_X86_64_PL?T?(PC)?32\s+x86_(goto|follow_slow|leave|leave_to|[a-z0-9_]+_any)-")


def main():
    out = subprocess.run(["objdump", "-dr", "--no-show-raw-insn", sys.argv[1]], capture_output=True, text=True)
    if out.returncode != 0 or "elf64-x86-64" not in out.stdout:
        return 77
    func, last, jumps, bad = "", "", 0, []
    for line in out.stdout.splitlines():
        head = re.match(r"[0-9a-f]+ <(.*)>:$", line)
        if head:
            func = head.group(1)
            continue
        if re.search(r"\bjmp\s+\*", line) and func.startswith("x86_"):
            jumps += 1
        before, last = last, line
        if func.split(".")[0] in ALLOWED:
            continue
        if NEXT.search(line) and not HOOK.search(line):
            bad.append(f"{func}: {line.strip()}")
        if func.startswith("x86_") and GO_ON.search(line) and re.search(r"\tcall\s", before):
            bad.append(f"{func}: {line.split()[-1]}")
    if jumps < 100:
        return 77
    for b in bad:
        print("a handler calls instead of jumping:", b)
    return 1 if bad else 0


sys.exit(main())
