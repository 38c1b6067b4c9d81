#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs every test of a build and sums them up: "N passed, N failed, N skipped" on the last line.

    tests/run.py --build DIR [--san-build DIR] [--quick] [--only WORD] [--jobs N]

A suite is a program that prints TAP. C suites are what meson knows (tests/unit, tests/x86, tests/qtest); Python suites
are tests/{compat,boot,net}/*.py. A program that ends without its plan fulfilled counts as one more failure.
"""

import argparse
import concurrent.futures
import json
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SUITE_LIMIT_S = 1500


class Suite:
    def __init__(self, name, cmd, env=None, tap=True):
        self.name, self.cmd, self.env, self.tap = name, cmd, env or {}, tap
        self.passed = self.failed = self.skipped = 0
        self.notes = []
        self.seconds = 0.0

    def run(self):
        start = time.monotonic()
        try:
            p = subprocess.run(self.cmd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env={**os.environ, **self.env}, timeout=SUITE_LIMIT_S, cwd=ROOT)
            out, err, status = p.stdout.decode(errors='replace'), p.stderr.decode(errors='replace'), p.returncode
        except subprocess.TimeoutExpired as e:
            out, err, status = (e.stdout or b'').decode(errors='replace'), f'no end within {SUITE_LIMIT_S} s', -1
        self.seconds = time.monotonic() - start
        if self.tap:
            self.parse(out, err, status)
        else:
            self.by_status(out, err, status)
        return self

    def by_status(self, out, err, status):
        """A program that says all by its exit status is one test."""
        if status == 0:
            self.passed = 1
        elif status == 77:                  # meson's sign
            self.skipped = 1
            self.notes.append(f'skipped {self.name}: {(out + err).strip() or "nothing to check here"}')
        else:
            self.failed = 1
            self.notes.append(f'FAILED {self.name}: status {status}')
            self.notes += ['    ' + l for l in (out + err).splitlines()[-40:]]

    def parse(self, out, err, status):
        planned, comments = None, []
        for line in out.splitlines():
            m = re.match(r'1\.\.(\d+)(?:\s*# SKIP\s*(.*))?$', line)
            if m:
                planned = int(m.group(1))
                if planned == 0:
                    self.skipped += 1
                    self.notes.append(f'skipped {self.name}: {m.group(2) or "no reason given"}')
                continue
            m = re.match(r'(not )?ok\b\s*\d*\s*(.*)$', line)
            if m:
                text = m.group(2)
                skip = re.search(r'#\s*SKIP\s*(.*)', text, re.I)
                if skip:
                    self.skipped += 1
                    self.notes.append(f'skipped {self.name}: {text}')
                elif m.group(1):
                    self.failed += 1
                    self.notes.append(f'FAILED {self.name}: {text}')
                    self.notes += comments[-60:]
                else:
                    self.passed += 1
                comments = []
            elif line.startswith('#'):
                comments.append('    ' + line)
        done = self.passed + self.failed + self.skipped
        if planned is None or (planned and done < planned) or (status and not self.failed):
            self.failed += 1
            self.notes.append(f'FAILED {self.name}: ended with status {status} after {done} of {planned} tests')
            self.notes += comments[-30:] + ['    ' + l for l in (out.splitlines()[-5:] + err.splitlines()[-40:])]


def wrapped(cmd, wrapper):
    """A program of another kind of host is run by @wrapper; a script is not."""
    if not wrapper:
        return cmd
    with open(cmd[0], 'rb') as f:
        return shlex.split(wrapper) + cmd if f.read(4) == b'\x7fELF' else cmd


def c_suites(build, prefix='', only_suites=('unit', 'x86', 'qtest'), quick=False, wrapper=''):
    tests = json.loads(subprocess.run(['meson', 'introspect', '--tests', build], check=True,
                                      stdout=subprocess.PIPE).stdout)
    found = []
    for t in tests:
        kind = t['suite'][0].split(':')[-1]
        if kind not in only_suites:
            continue
        env = {**t['env'], 'BUILD_DIR': str(build), 'G_TEST_SRCDIR': str(ROOT)}
        if quick:
            env['PATCHBAY_TEST_QUICK'] = '1'
        if wrapper:
            env['MESON_EXE_WRAPPER'] = wrapper
        if prefix:
            env.setdefault('ASAN_OPTIONS', 'detect_leaks=0:abort_on_error=1:detect_stack_use_after_return=0')
            env.setdefault('UBSAN_OPTIONS', 'halt_on_error=1:print_stacktrace=1')
        found.append(Suite(f'{prefix}{kind}/{t["name"]}', wrapped(t['cmd'], wrapper), env, t.get('protocol') == 'tap'))
    return found


def py_suites(build, folders, quick):
    found = []
    for folder in folders:
        for f in sorted((ROOT / 'tests' / folder).glob('*.py')):
            if f.name.startswith('_') or (folder == 'compat' and f.name != 'run.py'):
                continue
            env = {'BUILD_DIR': str(build), 'PYTHONPATH': str(ROOT / 'tests/lib')}
            if quick:
                env['PATCHBAY_TEST_QUICK'] = '1'
            found.append(Suite(f'{folder}/{f.stem}', [sys.executable, str(f)], env))
    return found


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--build', default=str(ROOT / 'build'))
    ap.add_argument('--san-build', help='a build with sanitizers: its unit and qtest suites run too')
    ap.add_argument('--quick', action='store_true')
    ap.add_argument('--c-only', action='store_true', help='no Python suites')
    ap.add_argument('--wrapper', default='', help='what runs programs of a cross-build')
    ap.add_argument('--only', help='suites whose name contains this')
    ap.add_argument('--jobs', type=int, default=os.cpu_count() or 1)
    args = ap.parse_args()

    suites = c_suites(args.build, quick=args.quick, wrapper=args.wrapper)
    if not args.c_only:
        suites.append(Suite('layers', [sys.executable, str(ROOT / 'tests/layers.py'), args.build]))
        suites.append(Suite('docs', [sys.executable, str(ROOT / 'tests/docs.py')], {'BUILD_DIR': args.build}))
        suites += py_suites(args.build, ('compat',) if args.quick else ('boot', 'net', 'compat'), args.quick)
    if args.quick and not args.c_only:
        suites += [s for s in py_suites(args.build, ('boot',), True) if s.name == 'boot/test_boot']
    if args.san_build:
        suites += c_suites(args.san_build, 'sanitized ', ('unit', 'qtest'), args.quick)
        suites += [s for s in c_suites(args.san_build, 'sanitized ', ('x86',), True) if 'golden' not in s.name]
    if args.only:
        suites = [s for s in suites if args.only in s.name]

    passed = failed = skipped = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        futures = [pool.submit(s.run) for s in suites]
        for n, f in enumerate(concurrent.futures.as_completed(futures), 1):
            s = f.result()
            passed, failed, skipped = passed + s.passed, failed + s.failed, skipped + s.skipped
            print(f'[{n}/{len(suites)}] {s.name}: {s.passed} passed, {s.failed} failed, {s.skipped} skipped '
                  f'({s.seconds:.1f} s)', flush=True)
            for note in s.notes:
                print('  ' + note, flush=True)
    print(f'{passed} passed, {failed} failed, {skipped} skipped')
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main())
