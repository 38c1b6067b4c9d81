# SPDX-License-Identifier: BSD-2-Clause
"""A small test runner that speaks TAP: functions named test_* in order of appearance, one line each.

A test fails by any exception, and is skipped by raising Skip, which names what is missing.
"""

import sys
import traceback


class Skip(Exception):
    pass


def check(cond, text):
    if not cond:
        raise AssertionError(text)


def equal(got, want, what=''):
    if got != want:
        raise AssertionError(f'{what}: got {got!r}, want {want!r}')


def main(namespace, argv=None):
    argv = sys.argv[1:] if argv is None else argv
    tests = [(n, f) for n, f in namespace.items() if n.startswith('test_') and callable(f)]
    if '--list' in argv:
        print('\n'.join(n for n, _ in tests))
        return 0
    if argv:
        tests = [(n, f) for n, f in tests if any(a in n for a in argv)]
    failed = 0
    print(f'1..{len(tests)}', flush=True)
    for i, (name, fn) in enumerate(tests, 1):
        try:
            fn()
            print(f'ok {i} {name}', flush=True)
        except Skip as s:
            print(f'ok {i} {name} # SKIP {s}', flush=True)
        except Exception as e:  # the point of a test runner
            failed += 1
            for line in traceback.format_exc().splitlines():
                print(f'# {line}')
            print(f'not ok {i} {name} - {e}'.replace('\n', ' '), flush=True)
    return 1 if failed else 0
