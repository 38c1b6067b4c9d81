#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""test_corpus.py - the replay of fuzz corpora is one: it runs every input, and a damaged or empty file is an error

Usage: test_corpus.py PROGRAM CORPUS_DIRECTORY TARGET...        PROGRAM is any fuzz target with our driver. Prints TAP.
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'scripts'))
import fuzz_corpus      # noqa: E402

INPUTS = [b'{"a": 1}', b'[]', b'x' * 700]
number = 0


def check(good, name):
    global number
    number += 1
    print(f'{"ok" if good else "not ok"} {number} {name}')


def replay(program, data):
    """Inputs replayed; None: the program called it an error"""
    with tempfile.NamedTemporaryFile() as f:
        f.write(data)
        f.flush()
        run = subprocess.run([program, f'-corpus={f.name}', '-runs=1'], capture_output=True, text=True, timeout=60)
    found = re.search(r'^ok 1 (\d+) inputs of the corpus', run.stdout, re.M)
    return int(found[1]) if run.returncode == 0 and found else None


def damaged(good):
    """Name and bytes of files that must not pass"""
    line, _, body = good.partition(b'\n')
    words = line.split(b' ')
    short = fuzz_corpus.packed(INPUTS + [b'y'])
    yield 'no-header', body
    yield 'nothing', b''
    yield 'header-only', line
    yield 'no-input', fuzz_corpus.packed([])
    yield 'changed-byte', good[:-1] + bytes([good[-1] ^ 1])
    yield 'cut-off', good[:-1]
    yield 'trailing-byte', good + b'x'
    yield 'other-version', good.replace(b'corpus 1 ', b'corpus 2 ', 1)
    yield 'other-number', b' '.join(words[:2] + [b'9'] + words[3:]) + b'\n' + body
    yield 'other-sum', line + b'\n' + short.partition(b'\n')[2]
    for name, wrong in (('cut-off-with-sum', body[:-1]), ('half-a-length-with-sum', body + b'x')):
        yield name, b' '.join(words[:3] + [fuzz_corpus.hashlib.sha256(wrong).hexdigest().encode()]) + b'\n' + wrong


def main(program, directory, targets):
    good = fuzz_corpus.packed(INPUTS)

    check(fuzz_corpus.unpacked(good) == sorted(INPUTS, key=len), 'pack-and-unpack')
    check(replay(program, good) == len(INPUTS), 'every-input-is-run')
    for name, data in damaged(good):
        check(replay(program, data) is None, name)
    missing = subprocess.run([program, '-corpus=/nonexistent'], capture_output=True, check=False)
    check(missing.returncode != 0, 'missing-file')
    for target in targets:
        data = (Path(directory) / f'{target}.corpus').read_bytes()
        check(len(fuzz_corpus.unpacked(data)) >= 20 and len(data) <= 300_000, f'corpus-of-{target}')
    print(f'1..{number}')


main(sys.argv[1], sys.argv[2], sys.argv[3:])
