#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The layer check as one test: scripts/check_layers.py finds nothing in the tree, and does find planted faults."""

import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / 'lib'))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'scripts'))
import tap  # noqa: E402
import check_layers  # noqa: E402

BUILD = sys.argv.pop(1) if len(sys.argv) > 1 else None


def test_tree():
    cmd = [sys.executable, check_layers.__file__] + (['--build', BUILD] if BUILD else [])
    p = subprocess.run(cmd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    tap.check(p.returncode == 0, p.stdout)


def test_planted_faults():
    rows = [
        ('net/x.c', '#include "hw/pci/pci.h"\n', 'net may not include'),
        ('target/x86/x.c', '#include "net/client.h"\n', 'target may not include'),
        ('softmmu/lib/x.c', '#include "core/loop.h"\n', 'lib may not include'),
        ('hw/net/x.c', '#include "softmmu/mem/space_internal.h"\n', 'is private to'),
        ('net/x.c', '#include "../net/hub.h"\n', '"../" in an include'),
        ('net/x.c', '#include "net/client.h"\n', None),
    ]
    for path, text, want in rows:
        got = []
        check_layers.check_includes(path, text, got.append)
        if want is None:
            tap.equal(got, [], text)
        else:
            tap.check(any(want in g for g in got), f'{path} with {text.strip()}: {got}')


def test_planted_data():
    """Writable data in an object of net/ is found, a const table of pointers is not."""
    source = ('static int hidden; int *get(void); int *get(void) { return &hidden; } int open_one = 3; '
              'static const char *const names[] = { "a" }; const char *const *table(void); '
              'const char *const *table(void) { return names; }')
    with tempfile.TemporaryDirectory() as tmp:
        (Path(tmp) / 'net').mkdir()
        subprocess.run(['gcc', '-fPIC', '-c', '-x', 'c', '-', '-o', f'{tmp}/net/x.o'], input=source.encode(), check=True)
        got = []
        check_layers.check_objects(tmp, got.append)
        tap.equal(sorted(g.split('"')[1] for g in got), ['hidden', 'open_one'], 'writable data')


if __name__ == '__main__':
    sys.exit(tap.main(globals()))
