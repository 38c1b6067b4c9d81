#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Benchmarks of the whole process, in pairs with Debian's QEMU (TCG): A B A B ..., ratios of medians and pair by pair.

    boot    kernel start to /init of a stock Debian kernel, on wall clock and CPU time, with an empty kernel cache and a filled one
    start   exec to the kernel's first instruction: the stock image with its 32-bit entry replaced by "power off"
    memory  resident memory beyond the pages that the guest touched
    idle    CPU time of an idle guest, percent of a core over 10 s

and, with options of their own (bench cpu --help and so on) and not among "all":

    cpu     benchmark programs on the bare host, on Patchbay and on QEMU: cpu_bench.py
    net     iperf3 and ping between a guest and the host, on -nic user or tap: net_bench.py
    lan     iperf3 and ping between two guests, on stream, dgram and socket: lan_bench.py
    hub     CPU time for each frame that a hub or switch delivers, 2 to 64 ports: hub_bench.py
"""

import argparse
import contextlib
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lib'))
import cpu_bench  # noqa: E402
import guest  # noqa: E402
import hub_bench  # noqa: E402
import lan_bench  # noqa: E402
import net_bench  # noqa: E402
from measure import PEER, cpu_seconds  # noqa: E402
from vm import VM, TestError, binary  # noqa: E402

APPEND = 'console=ttyS0 panic=-1'


@contextlib.contextmanager
def kernel_cache():
    """The emulator's cache of unpacked kernels in a directory of its own, which is empty at first; ours stays where it is."""
    saved = {k: os.environ.get(k) for k in ('PATCHBAY_CACHE', 'XDG_CACHE_HOME')}
    with tempfile.TemporaryDirectory(prefix='patchbay-cache-') as tmp:
        os.environ.update(PATCHBAY_CACHE=str(guest.cache_dir()), XDG_CACHE_HOME=tmp)
        try:
            yield Path(tmp) / 'patchbay'
        finally:
            for k, v in saved.items():
                os.environ.pop(k)
                if v is not None:
                    os.environ[k] = v


def boot_once(program, accel, initrd, mem='256M'):
    """Seconds from the kernel's start (its first line, or for us exec) to /init: wall, CPU, and the guest's own uptime."""
    ours = program != PEER
    with VM(['-nic', 'user,model=e1000'], kernel=guest.kernel(), initrd=initrd, mem=mem, program=program, qmp=ours,
            accel=accel) as vm:
        m = vm.expect(r'PATCHBAY-INIT ([\d.]+)')
        wall, cpu = time.monotonic() - vm.start, cpu_seconds(vm.proc.pid)
        retired = int(re.search(r'instructions\s+(\d+)', vm.hmp('info jit')).group(1)) if ours else 0
        return wall, cpu, float(m.group(1)), retired / cpu / 1e6


def pairs(n, a, b):
    """Run a and b in turn n times after one warm-up each; lists of results."""
    ra, rb = [], []
    for i in range(n + 1):
        x = a()
        y = b() if b else None
        if i:
            ra.append(x)
            rb.append(y)
    return ra, rb


def report(name, ours, peers, unit, target=''):
    a = statistics.median(ours)
    line = f'{name:44} {a:9.3f} {unit:4} (min {min(ours):.3f}, max {max(ours):.3f})'
    if peers and peers[0] is not None:
        b = statistics.median(peers)
        ratio = statistics.median(x / y for x, y in zip(ours, peers) if y)
        line += f'   QEMU TCG {b:9.3f}   ratio {ratio:.2f}'
    print(line + (f'   [{target}]' if target else ''), flush=True)


def bench_boot(args):
    with kernel_cache() as cache, tempfile.TemporaryDirectory() as tmp:
        initrd = guest.initrd(f'{tmp}/initrd', 'true')

        def cold():
            shutil.rmtree(cache, ignore_errors=True)
            return boot_once(binary(), args.accel, initrd)

        first, _ = pairs(args.runs, cold, None)
        a, b = pairs(args.runs, lambda: boot_once(binary(), args.accel, initrd),
                     None if args.without_peer else lambda: boot_once(PEER, 'tcg', initrd))
    for name, runs in (('cold', first), ('warm', a)):
        for i, what in enumerate(('wall', 'CPU', 'guest uptime')):
            report(f'boot, {name} cache: exec to init, {what}', [x[i] for x in runs], [y and y[i] for y in b], 's',
                   ('at most 0.25 x', 'at most 0.4 x', '')[i] if name == 'warm' else '')
    if args.accel == 'interp':      # translated code does not count
        report('boot: instructions a CPU second', [x[3] for x in a], None, 'M', 'about 250 M')


def bench_start(args):
    """mov $0x604,%dx; mov $0x2000,%ax; out %ax,%dx; hlt at the 32-bit entry (and at the 64-bit one behind it)."""
    image = bytearray(guest.kernel().read_bytes())
    setup = (image[0x1f1] or 4) * 512 + 512
    stop = bytes.fromhex('66ba0406 66b80020 66ef f4'.replace(' ', ''))
    image[setup:setup + len(stop)] = stop
    with tempfile.TemporaryDirectory() as tmp:
        path = Path(tmp) / 'vmlinuz'
        path.write_bytes(image)
        initrd = guest.initrd(f'{tmp}/initrd', 'true')

        def once(program, accel):
            t = time.monotonic()
            p = subprocess.run([program, '-accel', accel, '-display', 'none', '-m', '256M', '-nic', 'user,model=e1000',
                                '-kernel', path, '-initrd', initrd, '-append', APPEND,
                                *(['-machine', 'kernel-decompress=off'] if program != PEER else [])], timeout=60,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            if p.returncode:
                sys.exit(f'{program}: status {p.returncode}: {p.stderr.decode()}')
            return (time.monotonic() - t) * 1000

        n = max(args.runs, 9)
        a, b = pairs(n, lambda: once(binary(), args.accel), None if args.without_peer else lambda: once(PEER, 'tcg'))
    report('start: exec, first instruction, exit', a, b, 'ms', 'under 30 ms')


@contextlib.contextmanager
def idle_guest(program, accel):
    """A booted guest that does nothing more; yields the process id."""
    with tempfile.TemporaryDirectory() as tmp:
        initrd = guest.initrd(f'{tmp}/initrd', 'touch /keep-running')
        with VM(['-nic', 'user,model=e1000'], kernel=guest.kernel(), initrd=initrd, program=program, qmp=False,
                accel=accel) as vm:
            vm.expect('PATCHBAY-IDLE')
            yield vm.proc.pid


def once_each(args, measure):
    """measure(program, accel) of ours and of the peer, as the lists that report() takes."""
    return [measure(binary(), args.accel)], [None if args.without_peer else measure(PEER, 'tcg')]


def resident_beside(pid, guest_bytes):
    """Resident MiB outside the mapping that is large enough to be the guest's RAM."""
    kib = size = 0
    for line in Path(f'/proc/{pid}/smaps').read_text().splitlines():
        m = re.match(r'([0-9a-f]+)-([0-9a-f]+) ', line)
        if m:
            size = int(m.group(2), 16) - int(m.group(1), 16)
        elif line.startswith('Rss:') and size < guest_bytes:
            kib += int(line.split()[1])
    return kib / 1024


def bench_memory(args):
    def once(program, accel):
        with idle_guest(program, accel) as pid:
            return resident_beside(pid, 255 << 20)

    report('memory: resident beyond guest RAM', *once_each(args, once), 'MiB', 'under 15 MiB')


def bench_idle(args):
    def once(program, accel):
        with idle_guest(program, accel) as pid:
            time.sleep(3)
            c = cpu_seconds(pid)
            time.sleep(10)
            return (cpu_seconds(pid) - c) * 10

    report('idle: CPU of an idle guest', *once_each(args, once), '%', 'under 1 %')


BENCHES = {'boot': bench_boot, 'start': bench_start, 'memory': bench_memory, 'idle': bench_idle}


def main():
    own = {'cpu': cpu_bench.main, 'net': net_bench.main, 'lan': lan_bench.main, 'hub': hub_bench.main}
    if sys.argv[1:2] and sys.argv[1] in own:
        try:
            return own[sys.argv[1]](sys.argv[2:])
        except TestError as e:
            sys.exit(f'bench: {e}')
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('what', nargs='*', choices=[*BENCHES, []], help='default: all')
    ap.add_argument('--runs', type=int, default=3)
    ap.add_argument('--accel', default='tcg', help='of Patchbay; tcg: its best engine')
    ap.add_argument('--without-peer', action='store_true')
    args = ap.parse_args()
    for name in args.what or BENCHES:
        BENCHES[name](args)
    return 0


if __name__ == '__main__':
    sys.exit(main())
