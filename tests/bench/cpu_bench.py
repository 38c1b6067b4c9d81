# SPDX-License-Identifier: BSD-2-Clause
"""scripts/bench cpu: our benchmark programs on the bare host, on Patchbay and on Debian's QEMU (TCG), in turn.

The programs of tests/bench/cpu are built statically, 64- and 32-bit, and put with busybox into an initramfs; the same
files run in all three places and print the same checksums. One boot of a 64-bit Debian kernel runs both widths. A
round is host, Patchbay, QEMU; the best time of all rounds counts. Ratios: patchbay/native (1.0 is the bare host) and
qemu/patchbay (how many times faster than QEMU).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import guest
from measure import PEER, geomean, host_cpu, peer_version, warn_if_busy
from vm import VM, TestError, binary

SOURCES = Path(__file__).resolve().parent / 'cpu'
CFLAGS = ['-std=gnu11', '-O2', '-static', '-no-pie', '-fno-pie', '-fno-tree-vectorize', '-ffp-contract=off',
          '-fno-tree-loop-distribute-patterns', '-fno-math-errno', '-Wall', '-Wextra', '-Werror']
# asm/*.h of the kernel are in the folder of the 64-bit architecture, for both; gcc-multilib would be a link to it
WIDTH_FLAGS = {64: [], 32: ['-m32', '-msse2', '-mfpmath=sse', '-idirafter', '/usr/include/x86_64-linux-gnu']}
LINE_LIMIT_S = 180          # a test ends itself after 120 s

# what is asked of the geometric means: name, classes, at least x QEMU, at most x the bare host
BARS = [
    ('integer', ('int',), 3.0, 2.0),
    ('FP and SIMD', ('fp', 'simd'), 12.0, 1.8),
    ('crypto', ('crypto',), None, None),
    ('memory, string', ('mem',), 8.0, None),
    ('system', ('sys',), 2.5, None),
    ('code generation', ('smc',), 8.0, None),
    ('applications', ('app',), 3.5, None),
]
NATIVE, OURS, THEIRS = 'native', 'patchbay', 'qemu'


class Result:
    """One test at one width in one place: the best time, or why there is none."""

    def __init__(self, kind, words):
        self.seconds = self.units = self.checksum = self.absent = self.failed = None
        if kind == 'BENCH':
            self.seconds, self.units, self.checksum = float(words[0]), int(words[1]), words[2]
        elif kind == 'ABSENT':
            self.absent = ' '.join(words)
        else:
            self.failed = ' '.join(words)

    def merge(self, other):
        """The better of two rounds; a failure in either stays."""
        if self.failed or other.failed:
            return self if self.failed else other
        if self.checksum != other.checksum:
            self.failed = 'two rounds differ in their checksums'
            return self
        return self if self.absent or self.seconds <= other.seconds else other


def build(bits):
    """The program of this width, built again when a source is newer."""
    out = guest.cache_dir() / f'cpubench{bits}'
    newest = max(os.path.getmtime(p) for p in [*SOURCES.iterdir(), Path(__file__)])
    if not out.exists() or os.path.getmtime(out) < newest:
        partial = f'{out}.{os.getpid()}'
        cmd = ['gcc', *CFLAGS, *WIDTH_FLAGS[bits], '-o', partial, *sorted(map(str, SOURCES.glob('*.c')))]
        p = subprocess.run(cmd, stderr=subprocess.PIPE, text=True)
        if p.returncode:
            hint = '\n(32-bit programs need libc6-dev-i386 and lib32gcc-*-dev)' if bits == 32 else ''
            sys.exit(f'bench: cannot build the {bits}-bit programs:\n{p.stderr}{hint}')
        os.rename(partial, out)
    return out


def busybox(bits):
    """A static busybox of this width, or None."""
    if bits == 64:
        return guest.busybox()
    tree = guest.fetch_i386('busybox-static')
    return tree and tree / 'bin/busybox'


class Setup:
    """The programs, and how to call them."""

    def __init__(self, args):
        self.args = args
        self.bits = [args.bits] if args.bits else [64, 32]
        self.programs = {b: build(b) for b in self.bits}
        cmd = [self.programs[self.bits[0]], '-l']
        listing = subprocess.run(cmd, check=True, stdout=subprocess.PIPE, text=True).stdout
        known = [line.split() for line in listing.splitlines()]
        self.names = [n for word in args.only for n in word.split(',')]
        for n in self.names:
            if not any(n in pair for pair in known):
                words = ' '.join(dict.fromkeys(sum(known, [])))
                sys.exit(f'bench: no class and no test is called {n}; there are: {words}')
        apps = not self.names or any(n in pair for n in self.names for pair in known if pair[0] == 'app')
        self.busyboxes = {b: busybox(b) if apps else None for b in self.bits}

    def command(self, bits, program, box, folder):
        a = self.args
        cmd = [str(program), '-s', str(a.scale), '-r', str(a.repeats), '-t', str(a.budget), '-d', folder]
        if self.busyboxes[bits]:
            cmd += ['-b', str(box)]
        return cmd + self.names

    def host(self):
        """(width, line) of all tests on the bare host."""
        with tempfile.TemporaryDirectory(prefix='patchbay-bench-') as tmp:
            for b in self.bits:
                cmd = self.command(b, self.programs[b], self.busyboxes[b], tmp)
                p = subprocess.run(cmd, stdout=subprocess.PIPE, text=True)
                for line in p.stdout.splitlines():
                    yield b, line

    def files(self):
        files = {f'cpubench{b}': self.programs[b].read_bytes() for b in self.bits}
        files.update({f'busybox{b}': self.busyboxes[b].read_bytes() for b in self.bits if self.busyboxes[b]})
        return files

    def in_guest(self, program, accel):
        """(width, line) of all tests in a guest."""
        script = ''.join(f'echo WIDTH {b}\n{" ".join(self.command(b, f"/cpubench{b}", f"/busybox{b}", "/tmp"))}\n'
                         for b in self.bits)
        with tempfile.TemporaryDirectory(prefix='patchbay-bench-') as tmp:
            initrd = guest.initrd(f'{tmp}/initrd', script, self.files())
            with VM(['-cpu', 'max', '-nic', 'none'], kernel=guest.kernel(), initrd=initrd, append='quiet loglevel=0',
                    mem='512M', program=program, qmp=False, accel=accel) as vm:
                width = None
                while True:
                    m = vm.expect(r'(?m)^(BENCH|ABSENT|FAILED|WIDTH|PATCHBAY-TEST-END)(.*)$', deadline=LINE_LIMIT_S)
                    if m.group(1) == 'PATCHBAY-TEST-END':
                        return
                    if m.group(1) == 'WIDTH':
                        width = int(m.group(2))
                    else:
                        yield width, m.group(0)


def collect(results, place, lines, verbose):
    """Merge what one run printed into results[width, class, test][place]. Return: what ended it early, or None."""
    try:
        for bits, line in lines:
            add_line(results, place, bits, line, verbose)
    except TestError as e:
        return f'{place}: {e}'


def add_line(results, place, bits, line, verbose):
    kind, cls, test, *words = line.split()
    if kind not in ('BENCH', 'ABSENT', 'FAILED'):
        return
    if verbose:
        guest.progress(f'{place:9} {bits} {line}')
    r = Result(kind, words)
    row = results.setdefault((bits, cls, test), {})
    row[place] = row[place].merge(r) if place in row else r


def complaints(results, places):
    """What makes the comparison worthless: tests that failed, never ran, or computed something else."""
    for (bits, cls, test), row in results.items():
        for p, r in row.items():
            if r.failed:
                yield f'{bits}-bit {test}: {p}: {r.failed}'
        sums = {p: (r.checksum, r.units) for p, r in row.items() if r.checksum}
        if len(set(sums.values())) > 1:
            yield f'{bits}-bit {test}: checksums differ: ' + ', '.join(f'{p} {s[0]}' for p, s in sums.items())
    for p in places:
        lack = [f'{bits}-bit {test}' for (bits, _, test), row in results.items() if p not in row]
        if lack:
            yield f'{p}: {len(lack)} tests did not run, the first of them {lack[0]}'


def ratio(row, over, under):
    a, b = row.get(over), row.get(under)
    return a.seconds / b.seconds if a and b and a.seconds and b.seconds else None


def fmt(v, digits):
    return f'{v:.{digits}f}' if v is not None else '-'


def print_table(results, places):
    print(f'\n{"test":17} {"native s":>10} {"patchbay s":>11} {"qemu s":>10} '
          f'{"pb/native":>10} {"qemu/pb":>8} {"qemu/native":>12}')
    last = None
    for (bits, cls, test), row in results.items():
        if (bits, cls) != last:
            print(f'{bits}-bit {cls}')
            last = bits, cls
        notes = '; '.join(f'skipped on {p}: no {row[p].absent}' for p in places if p in row and row[p].absent)
        notes += '; '.join(f'{p} FAILED' for p in places if p in row and row[p].failed)
        cells = [fmt(row[p].seconds if p in row else None, 4) for p in (NATIVE, OURS, THEIRS)]
        print(f'  {test:15} {cells[0]:>10} {cells[1]:>11} {cells[2]:>10} {fmt(ratio(row, OURS, NATIVE), 2):>10} '
              f'{fmt(ratio(row, THEIRS, OURS), 2):>8} {fmt(ratio(row, THEIRS, NATIVE), 2):>12}  {notes}'.rstrip())


def means(results, classes, bits):
    """Geometric means of patchbay/native, qemu/patchbay and qemu/native over some classes and widths."""
    rows = [r for (b, c, _), r in results.items() if c in classes and b in bits]
    return tuple(geomean([ratio(r, over, under) for r in rows])
                 for over, under in ((OURS, NATIVE), (THEIRS, OURS), (THEIRS, NATIVE)))


def verdict(what, value, bar, at_least):
    if bar is None:
        return []
    met = 'not measured' if value is None else 'met' if (value >= bar if at_least else value <= bar) else 'MISSED'
    return [f'{what} at {"least" if at_least else "most"} {bar:g}: {met}']


def print_means(results, widths):
    groups = [(f'{b}-bit', (b,)) for b in widths] + ([('both', tuple(widths))] if len(widths) > 1 else [])
    print(f'\n{"geometric means":25} {"pb/native":>10} {"qemu/pb":>8} {"qemu/native":>12}')
    for name, classes, over_peer, over_native in BARS:
        if not any(c in classes for _, c, _ in results):
            continue
        for label, bits in groups:
            a, b, c = means(results, classes, bits)
            says = verdict('qemu/pb', b, over_peer, True) + verdict('pb/native', a, over_native, False)
            print(f'  {name:16} {label:6} {fmt(a, 2):>10} {fmt(b, 2):>8} {fmt(c, 2):>12}   {"; ".join(says)}'.rstrip())
    gains = {f'{b}-bit {t}': ratio(r, THEIRS, OURS) for (b, _, t), r in results.items()}
    slower = [f'{name} {g:.2f}' for name, g in gains.items() if g and g < 1]
    if any(gains.values()):
        print(f'  no test slower than QEMU: {"MISSED" if slower else "met"}')
    for line in textwrap.wrap(', '.join(slower), 116):
        print('    ' + line)


def as_json(results, args, problems):
    rows = [{'bits': b, 'class': c, 'test': t,
             **{p: {k: v for k, v in vars(r).items() if v is not None} for p, r in row.items()}}
            for (b, c, t), row in results.items()]
    names = ('patchbay_native', 'qemu_patchbay', 'qemu_native')
    summary = [{'name': name, 'bits': b, 'bar_qemu': over_peer, 'bar_native': over_native,
                **dict(zip(names, means(results, classes, (b,))))}
               for name, classes, over_peer, over_native in BARS for b in sorted({k[0] for k in results})]
    return {'host': host_cpu(), 'accel': args.accel, 'scale': args.scale, 'tests': rows, 'means': summary,
            'problems': problems}


def main(argv):
    ap = argparse.ArgumentParser(prog='bench cpu', description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--only', action='append', default=[], metavar='CLASS|TEST[,...]',
                    help='int fp simd crypto mem sys smc app, or a test')
    ap.add_argument('--bits', type=int, choices=(64, 32), help='default: both')
    ap.add_argument('--runs', type=int, default=2, help='rounds of host, Patchbay, QEMU')
    ap.add_argument('--repeats', type=int, default=5, help='repetitions of a test within a run; the best counts')
    ap.add_argument('--budget', type=float, default=1.2, help='no more repetitions after so many seconds')
    ap.add_argument('--scale', type=float, default=1.0, help='factor on the work (0.05 for the interpreter)')
    ap.add_argument('--accel', default='tcg', help='of Patchbay; tcg: its best engine')
    ap.add_argument('--no-qemu', '--without-peer', action='store_true')
    ap.add_argument('--no-patchbay', action='store_true', help='only the host and QEMU')
    ap.add_argument('--json', metavar='FILE', help='write all figures there, too')
    ap.add_argument('--verbose', action='store_true', help='each line as it comes')
    args = ap.parse_args(argv)
    warn_if_busy()

    setup, results, problems = Setup(args), {}, []
    runs = {NATIVE: setup.host}
    if not args.no_patchbay:
        runs[OURS] = lambda: setup.in_guest(binary(), args.accel)
    if not args.no_qemu:
        runs[THEIRS] = lambda: setup.in_guest(PEER, 'tcg')
    for i in range(args.runs):
        for place, lines in runs.items():
            guest.progress(f'round {i + 1} of {args.runs}: {place}')
            early = collect(results, place, lines(), args.verbose)
            problems += [early] if early else []
    print(f'{host_cpu()}; Patchbay -accel {args.accel}' + ('' if args.no_qemu else f'; {peer_version()}') +
          f'; scale {args.scale:g}, best of {args.runs} rounds')
    print_table(results, runs)
    print_means(results, setup.bits)
    problems += complaints(results, runs)
    print(f'\n{len(results)} tests, ' + ('checksums equal' if not problems else f'{len(problems)} PROBLEMS:'))
    for p in problems:
        print('  ' + p)
    if args.json:
        Path(args.json).write_text(json.dumps(as_json(results, args, problems), indent=1) + '\n')
    return 1 if problems else 0
