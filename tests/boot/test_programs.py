#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The CPU benchmark programs compute the same in a guest as on the bare host: tests/bench/cpu, a hundredth of the work.

No figure is looked at. 60 programs from quicksort to AES, x87 and busybox's awk run for long enough to be translated;
each prints a checksum over all that it computed.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tests/lib'))
import tap  # noqa: E402


def compare(bits):
    with tempfile.TemporaryDirectory() as tmp:
        out = Path(tmp) / 'figures'
        cmd = [sys.executable, str(ROOT / 'tests/bench/bench.py'), 'cpu', '--no-qemu', '--bits', str(bits)]
        cmd += ['--runs', '1', '--repeats', '2', '--scale', '0.01', '--json', str(out)]
        p = subprocess.run(cmd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        tap.check(p.returncode == 0, p.stdout[-3000:])
        figures = json.loads(out.read_text())
    tap.equal(figures['problems'], [], 'problems')
    tests = figures['tests']
    tap.check(len(tests) >= 59, f'{len(tests)} programs')
    both = [t for t in tests if 'checksum' in t['native'] and 'checksum' in t['patchbay']]
    tap.check(len(both) >= 50, f'{len(both)} programs ran in both places')
    for t in both:
        tap.equal(t['patchbay']['checksum'], t['native']['checksum'], t['test'])


def test_programs_64():
    compare(64)


def test_programs_32():
    if not Path('/usr/lib32/libc.a').exists():
        raise tap.Skip('libc6-dev-i386')
    compare(32)


if __name__ == '__main__':
    sys.exit(tap.main(globals()))
