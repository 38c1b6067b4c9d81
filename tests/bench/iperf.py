# SPDX-License-Identifier: BSD-2-Clause
"""iperf3 and ping for the network benchmarks: the program itself, what a client guest runs, and how its figures are read and printed.

A client guest prints MARK and a phase's name before each of five phases: ping while it is idle, one TCP stream from it ("send"), one to it
("receive"), UDP datagrams of 64 bytes as fast as it can send them ("small"), and ping again, with what the load has left behind: drivers that
moderate interrupts as for a flood, caches full of other code ("after"). Throughput is what the receiving end counted. CPU is that of the emulators alone, all their threads: seconds of it for each second of the phase, and for each gigabyte that went through.
"""

import contextlib
import json
import re
import statistics
import subprocess
import threading
import time
from pathlib import Path

import guest
from guestnet import free_port
from measure import PEER, cpu_seconds, host_cpu, peer_version
from vm import TestError, binary

PACKAGES = ['iperf3', 'libiperf0', 'libssl3', 'libsctp1', 'libc6']
LIB_DIRS = ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu']
LOADER = 'lib/x86_64-linux-gnu/ld-linux-x86-64.so.2'
PINGS = 30
WARM = 10                   # pings before the first that count: both programs translate the way of a packet meanwhile
DATAGRAM = 64
OURS, THEIRS = 'patchbay', 'qemu'

# a server that has not quite finished with the last phase says that it is busy
CLIENT = '''
run() {{
    until iperf3 -c {address} -p {port} -t {seconds} -f k "$@" >/tmp/iperf3 2>&1; do
        grep -q 'server is busy' /tmp/iperf3 || break
        usleep 50000
    done
    cat /tmp/iperf3
}}
ping -c {warm} -i 0.1 {address} >/dev/null
echo MARK ping
ping -c {pings} -i 0.1 {address}
echo MARK send
run
echo MARK receive
run -R
echo MARK small
run -u -b 0 -l {datagram}
echo MARK after
ping -c {pings} -i 0.1 {address}
echo MARK end
'''


class Iperf:
    """iperf3 and its libraries from Debian's packages, unpacked, not installed: for the host and for the guest."""

    def __init__(self):
        trees = [guest.package(p) for p in PACKAGES]
        self.libc = trees[-1]
        self.program = trees[0] / 'usr/bin/iperf3'
        self.path = ':'.join(str(t / d) for t in trees for d in LIB_DIRS if (t / d).is_dir())

    def command(self, *args):
        return [str(self.libc / LOADER), '--library-path', self.path, str(self.program), *args]

    def files(self):
        """The program with all libraries that it loads, by the names under which it asks for them."""
        loader = self.libc / LOADER
        out = subprocess.run([str(loader), '--library-path', self.path, '--list', str(self.program)], check=True,
                             stdout=subprocess.PIPE, text=True).stdout
        files = {'bin/iperf3': self.program.read_bytes(), 'lib64/ld-linux-x86-64.so.2': loader.read_bytes()}
        for name, path in re.findall(r'(\S+) => (/\S+)', out):
            if '/' not in name:
                files[f'lib/x86_64-linux-gnu/{name}'] = Path(path).read_bytes()
        return files

    @contextlib.contextmanager
    def server(self, address='127.0.0.1'):
        """The server on a free port of an address of this host; yields the port."""
        port = free_port()
        p = subprocess.Popen(self.command('-s', '-B', address, '-p', str(port), '--forceflush'), text=True,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            for line in p.stdout:
                if 'Server listening' in line:
                    break
            else:
                raise TestError('the iperf3 server does not start')
            threading.Thread(target=p.stdout.read, daemon=True).start()
            yield port
        finally:
            p.kill()
            p.wait()


def client_script(address, port, seconds):
    """What a client guest runs once it has an address and the server answers pings."""
    return CLIENT.format(address=address, port=port, seconds=seconds, datagram=DATAGRAM, pings=PINGS, warm=WARM)


def throughput(vms, phase, deadline):
    """Megabits a second, the emulators' CPU seconds a second, and CPU seconds a gigabyte of one iperf3 run; vms[0] is the client."""
    def cpu_of_all():
        return sum(cpu_seconds(vm.proc.pid) for vm in vms)

    vms[0].expect(rf'(?m)^MARK {phase}$', deadline)
    c, t = cpu_of_all(), time.monotonic()
    m = vms[0].expect(r'(?m)([\d.]+) ([KMG]?)Bytes\s+(\d+) Kbits/sec\s+(?:[\d.]+ ms\s+\S+ \(\S+\)\s+)?receiver|'
                      r'(iperf3: (?:error|not found).*)$', deadline)
    if m.group(4):
        raise TestError(f'{phase}: {m.group(4)}')
    cpu = cpu_of_all() - c
    size = float(m.group(1)) * {'': 1, 'K': 2**10, 'M': 2**20, 'G': 2**30}[m.group(2)]
    return {'mbit': int(m.group(3)) / 1000, 'kpps': int(m.group(3)) / 8 / DATAGRAM, 'cpu': cpu / (time.monotonic() - t),
            'cpu_gb': cpu / (size / 1e9) if size else None}


def pings(vm, phase, deadline):
    """Round trips in milliseconds."""
    vm.expect(rf'(?m)^MARK {phase}$', deadline)
    m = vm.expect(r'min/avg/max = ([\d.]+)/([\d.]+)/([\d.]+) ms|(?m:^MARK \w+$)', deadline)
    if not m.group(1):
        raise TestError(f'{phase}: no ping was answered')
    return [float(v) for v in m.groups()]


def client_figures(vms, deadline=None):
    """All phases of vms[0], which runs client_script(); the CPU time of all vms counts."""
    least, mean, most = pings(vms[0], 'ping', deadline)
    out = {phase: throughput(vms, phase, deadline) for phase in ('send', 'receive', 'small')}
    out['ping'] = {'min_ms': least, 'avg_ms': mean, 'max_ms': most}
    out['after'] = {'after_ms': pings(vms[0], 'after', deadline)[1]}
    vms[0].expect(r'(?m)^MARK end$', deadline)
    return out


def rows(send, receive):
    """The rows of print_table(), named after the two directions: title, phase, key, digits, True: more is better."""
    return [
        (f'{send}, Mbit/s', 'send', 'mbit', 0, True),
        ('    CPU of the emulator, s a second', 'send', 'cpu', 2, None),
        ('    CPU of the emulator, s a GB', 'send', 'cpu_gb', 2, False),
        (f'{receive}, Mbit/s', 'receive', 'mbit', 0, True),
        ('    CPU of the emulator, s a second', 'receive', 'cpu', 2, None),
        ('    CPU of the emulator, s a GB', 'receive', 'cpu_gb', 2, False),
        (f'{DATAGRAM}-byte datagrams out, 1000/s', 'small', 'kpps', 1, True),
        ('    CPU of the emulator, s a second', 'small', 'cpu', 2, None),
        ('ping, least ms', 'ping', 'min_ms', 3, False),
        ('ping, mean ms', 'ping', 'avg_ms', 3, False),
        ('    after the load, mean ms', 'after', 'after_ms', 3, False),
    ]


def median(results, phase, key):
    values = [r[phase][key] for r in results if r[phase][key] is not None]
    return statistics.median(values) if values else None


def print_table(table, ours, theirs, bars):
    """Medians of both, the gain, and whether it reaches bars[key]."""
    print(f'\n{"":38} {"patchbay":>10} {"qemu":>10} {"gain":>8}')
    for title, phase, key, digits, more in table:
        a, b = median(ours, phase, key), median(theirs, phase, key) if theirs else None
        gain = '-'
        if a and b and more is not None:
            gain = f'{a / b if more else b / a:.2f}'
        bar = ''
        if a and b and key in bars:
            bar = f'at least {bars[key]:g}: ' + ('met' if (a / b if more else b / a) >= bars[key] else 'MISSED')
        cells = [f'{v:.{digits}f}' if v is not None else '-' for v in (a, b)]
        print(f'{title:38} {cells[0]:>10} {cells[1]:>10} {gain:>8}   {bar}'.rstrip(), flush=True)


def add_options(ap):
    """The options that net and lan have in common."""
    ap.add_argument('--runs', type=int, default=3, help='rounds of Patchbay, QEMU; medians are printed')
    ap.add_argument('--seconds', type=int, default=5, help='of each iperf3 run')
    ap.add_argument('--accel', default='tcg', help='of Patchbay; tcg: its best engine')
    ap.add_argument('--no-qemu', '--without-peer', action='store_true')
    ap.add_argument('--json', metavar='FILE', help='write all figures there, too')


def rounds(args, what, once):
    """once(program, accel) for Patchbay and QEMU in turn; both lists of results, of which QEMU's may be empty."""
    ours, theirs = [], []
    for i in range(args.runs):
        guest.progress(f'{what}, round {i + 1} of {args.runs}: patchbay')
        ours.append(once(binary(), args.accel))
        if not args.no_qemu:
            guest.progress(f'{what}, round {i + 1} of {args.runs}: qemu')
            theirs.append(once(PEER, 'tcg'))
    return ours, theirs


def print_heading(args, what):
    print(f'\n{host_cpu()}; Patchbay -accel {args.accel}' + ('' if args.no_qemu else f'; {peer_version()}') +
          f'; {what}, medians of {args.runs} rounds of {args.seconds} s')


def print_summary(args, results):
    """TCP both ways of {(link, NIC): (ours, theirs)}, as a table that can be put into docs/user/net/choosing.rst."""
    def pair(values, digits):
        return ' / '.join('-' if v is None else f'{v:.{digits}f}' for v in values)

    cells = [('link', 'NIC', 'Mbit/s Patchbay', 'Mbit/s QEMU', 'ratio')]
    for (link, nic), both in results.items():
        a, b = ([median(r, phase, 'mbit') for phase in ('send', 'receive')] for r in both)
        ratios = [x / y if x and y else None for x, y in zip(a, b)]
        cells.append((f'``{link}``', f'``{nic}``', pair(a, 0), pair(b, 0), pair(ratios, 1)))
    widths = [max(map(len, column)) for column in zip(*cells)]
    bar = '  '.join('=' * w for w in widths)
    lines = ['  '.join(c.ljust(w) for c, w in zip(row, widths)).rstrip() for row in cells]
    print_heading(args, 'TCP from the client\'s guest / to it')
    print('\n'.join(['', bar, lines[0], bar, *lines[1:], bar]), flush=True)


def write_json(args, results):
    """All figures of {(link, NIC): (ours, theirs)}, for --json."""
    if args.json:
        links = [{'link': link, 'nic': nic, OURS: ours, THEIRS: theirs} for (link, nic), (ours, theirs) in results.items()]
        Path(args.json).write_text(json.dumps({'host': host_cpu(), 'accel': args.accel, 'links': links}, indent=1) + '\n')
