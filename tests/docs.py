#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The documentation: Sphinx builds it without a warning, the man page formats, and option examples parse.

Every line of docs/user and the README that starts the emulator or shows options in a literal block is given to the program with
-S and a monitor that quits: a spelling that is no longer accepted fails here.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'tests/lib'))
import tap  # noqa: E402
from vm import binary  # noqa: E402


def test_sphinx():
    if not Path('/usr/bin/sphinx-build').exists():
        raise tap.Skip('python3-sphinx')
    with tempfile.TemporaryDirectory() as tmp:
        p = subprocess.run(['/usr/bin/sphinx-build', '-q', '-W', '--keep-going', str(ROOT / 'docs'), tmp],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        tap.check(p.returncode == 0, p.stdout)


def test_manual_page():
    if not shutil.which('man'):
        raise tap.Skip('man-db')
    p = subprocess.run(['man', '--warnings', '-l', '-E', 'UTF-8', str(ROOT / 'docs/patchbay.1')], stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True, env={**os.environ, 'MANWIDTH': '100'})
    tap.check(p.returncode == 0 and not p.stderr, p.stderr)
    tap.check('-netdev' in p.stdout, 'the options are in it')


def examples():
    """Option lists of literal blocks: what follows the program's name or "...", or a block that starts with an option."""
    for path in [ROOT / 'README.rst', *sorted((ROOT / 'docs/user').rglob('*.rst'))]:
        text = path.read_text().replace('\\\n', ' ')
        for block in re.findall(r'::\n\n((?:    .*\n|\n)+)', text):
            whole = ' '.join(block.split())
            if re.match(r'-(nic|netdev|net|device|m|cpu|kernel)\b', whole):
                yield path.name, whole
            for line in block.splitlines():
                m = re.match(r'\s+(?:build/patchbay-system-x86_64|\.\.\.) (-.*)', line)
                if m:
                    yield path.name, m.group(1)


def test_examples_parse():
    found = list(examples())
    tap.check(len(found) >= 5, f'examples found: {len(found)}')
    with tempfile.TemporaryDirectory() as tmp:
        (Path(tmp) / 'tftp').mkdir()
        for where, text in found:
            args = shlex.split(text.replace('/srv/tftp', f'{tmp}/tftp').replace(':2222-', ':0-'))
            for name in ('-kernel', '-initrd', '-append'):      # files that only the reader has
                if name in args:
                    i = args.index(name)
                    del args[i:i + 2]
            args = [a for a in args if a != '-nographic']
            p = subprocess.run([binary(), '-S', '-display', 'none', '-monitor', 'stdio', *args], input='quit\n',
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
            tap.check(p.returncode == 0, f'{where}: {text}: status {p.returncode}: {p.stderr}')


if __name__ == '__main__':
    sys.exit(tap.main(globals()))
