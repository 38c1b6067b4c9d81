# SPDX-License-Identifier: BSD-2-Clause
"""scripts/bench net: throughput and round trips of a guest's NIC on -nic user or tap, Patchbay and QEMU (TCG) in turn.

The guest runs Debian's iperf3 as a client of 10.0.2.2, where the same iperf3 is the server: once sending, once
receiving (-R), one TCP stream; then UDP datagrams of 64 bytes as fast as the guest can send them; then ping. With
--backend user the user network turns 10.0.2.2 into the host's loopback, and its router answers the pings. With --backend
tap it is the address of a tap in a network namespace, in which all of this runs (root only; neither program uses
vhost-net). Throughput is what the receiving end counted. CPU is that of the emulator alone, all its threads: seconds of it for each second of the phase, and for each
gigabyte that went through.
"""

import argparse
import contextlib
import json
import re
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import guest
from guestnet import free_port
import netns
from measure import PEER, cpu_seconds, host_cpu, peer_version, warn_if_busy
from vm import VM, TestError, binary

PACKAGES = ['iperf3', 'libiperf0', 'libssl3', 'libsctp1', 'libc6']
LIB_DIRS = ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu']
LOADER = 'lib/x86_64-linux-gnu/ld-linux-x86-64.so.2'
PINGS = 30
BARS = {'mbit': 4.0, 'kpps': 3.0, 'avg_ms': 2.0}      # gains over the peer
BARS_TAP_VIRTIO = {**BARS, 'mbit': 3.0}
USER, TAP = 'user', 'tap'
ROUTER = '10.0.2.2'
DATAGRAM = 64
OURS, THEIRS = 'patchbay', 'qemu'

SCRIPT = '''
ip addr add 10.0.2.15/24 dev eth0
ip link set eth0 up
ip route add default via 10.0.2.2
i=0; until ping -c 1 -W 1 10.0.2.2 >/dev/null 2>&1 || [ $i = 30 ]; do i=$((i + 1)); done
echo MARK send
iperf3 -c 10.0.2.2 -p {port} -t {seconds} -f k
echo MARK receive
iperf3 -c 10.0.2.2 -p {port} -t {seconds} -f k -R
echo MARK small
iperf3 -c 10.0.2.2 -p {port} -t {seconds} -f k -u -b 0 -l {datagram}
echo MARK ping
ping -c {pings} -i 0.1 10.0.2.2
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


def throughput(vm, phase):
    """Megabits a second, emulator's CPU seconds a second, and CPU seconds a gigabyte of one iperf3 run."""
    vm.expect(rf'(?m)^MARK {phase}$')
    c, t = cpu_seconds(vm.proc.pid), time.monotonic()
    m = vm.expect(r'(?m)([\d.]+) ([KMG]?)Bytes\s+(\d+) Kbits/sec\s+(?:[\d.]+ ms\s+\S+ \(\S+\)\s+)?receiver|'
                  r'(iperf3: (?:error|not found).*)$')
    if m.group(4):
        raise TestError(m.group(4))
    cpu = cpu_seconds(vm.proc.pid) - c
    size = float(m.group(1)) * {'': 1, 'K': 2**10, 'M': 2**20, 'G': 2**30}[m.group(2)]
    return {'mbit': int(m.group(3)) / 1000, 'kpps': int(m.group(3)) / 8 / DATAGRAM, 'cpu': cpu / (time.monotonic() - t),
            'cpu_gb': cpu / (size / 1e9) if size else None}


@contextlib.contextmanager
def network(backend):
    """What -nic gets, and the host's address that the guest reaches as ROUTER."""
    if backend == USER:
        yield 'user', '127.0.0.1'
        return
    why = netns.enter()
    if why:
        raise TestError(f'--backend tap: {why}')
    with netns.links('tuntap add tap0 mode tap', f'addr add {ROUTER}/24 dev tap0', 'link set tap0 up', remove=['tap0']):
        yield 'tap,ifname=tap0,script=no,downscript=no', ROUTER


def once(program, accel, initrd, nic, backend):
    with VM(['-cpu', 'max', '-nic', f'{backend},model={nic}'], kernel=guest.kernel(), initrd=initrd, program=program,
            append='quiet loglevel=0', qmp=False, accel=accel) as vm:
        out = {phase: throughput(vm, phase) for phase in ('send', 'receive', 'small')}
        vm.expect(r'(?m)^MARK ping$')
        m = vm.expect(r'min/avg/max = ([\d.]+)/([\d.]+)/([\d.]+) ms')
        out['ping'] = {'min_ms': float(m.group(1)), 'avg_ms': float(m.group(2)), 'max_ms': float(m.group(3))}
        vm.expect(r'(?m)^MARK end$')
    return out


FIGURES = [     # title, phase, key, digits, True: more is better
    ('guest to host, Mbit/s', 'send', 'mbit', 0, True),
    ('    CPU of the emulator, s a second', 'send', 'cpu', 2, None),
    ('    CPU of the emulator, s a GB', 'send', 'cpu_gb', 2, False),
    ('host to guest, Mbit/s', 'receive', 'mbit', 0, True),
    ('    CPU of the emulator, s a second', 'receive', 'cpu', 2, None),
    ('    CPU of the emulator, s a GB', 'receive', 'cpu_gb', 2, False),
    (f'{DATAGRAM}-byte datagrams out, 1000/s', 'small', 'kpps', 1, True),
    ('    CPU of the emulator, s a second', 'small', 'cpu', 2, None),
    ('ping, least ms', 'ping', 'min_ms', 3, False),
    ('ping, mean ms', 'ping', 'avg_ms', 3, False),
]


def median(results, phase, key):
    values = [r[phase][key] for r in results if r[phase][key] is not None]
    return statistics.median(values) if values else None


def print_table(ours, theirs, bars):
    print(f'\n{"":38} {"patchbay":>10} {"qemu":>10} {"gain":>8}')
    for title, phase, key, digits, more in FIGURES:
        a, b = median(ours, phase, key), median(theirs, phase, key) if theirs else None
        gain = '-'
        if a and b and more is not None:
            gain = f'{a / b if more else b / a:.2f}'
        bar = ''
        if b and key in bars:
            bar = f'at least {bars[key]:g}: ' + ('met' if (a / b if more else b / a) >= bars[key] else 'MISSED')
        cells = [f'{v:.{digits}f}' if v is not None else '-' for v in (a, b)]
        print(f'{title:38} {cells[0]:>10} {cells[1]:>10} {gain:>8}   {bar}'.rstrip())


def main(argv):
    ap = argparse.ArgumentParser(prog='bench net', description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--runs', type=int, default=3, help='rounds of Patchbay, QEMU; medians are printed')
    ap.add_argument('--seconds', type=int, default=5, help='of each iperf3 run')
    ap.add_argument('--backend', choices=(USER, TAP), default=USER)
    ap.add_argument('--nic', default='virtio-net-pci,e1000,e1000e', help='NIC models of both, one after the other')
    ap.add_argument('--accel', default='tcg', help='of Patchbay; tcg: its best engine')
    ap.add_argument('--no-qemu', '--without-peer', action='store_true')
    ap.add_argument('--json', metavar='FILE', help='write all figures there, too')
    args = ap.parse_args(argv)
    warn_if_busy()

    iperf = Iperf()
    guest.kernel()
    guest.base_initrd()
    figures = {'host': host_cpu(), 'accel': args.accel, 'backend': args.backend}
    with tempfile.TemporaryDirectory(prefix='patchbay-bench-') as tmp, network(args.backend) as (backend, address), \
            iperf.server(address) as port:
        script = SCRIPT.format(port=port, seconds=args.seconds, pings=PINGS, datagram=DATAGRAM)
        initrd = guest.initrd(f'{tmp}/initrd', script, iperf.files())
        for nic in args.nic.split(','):
            ours, theirs = [], []
            for i in range(args.runs):
                guest.progress(f'{nic}, round {i + 1} of {args.runs}: patchbay')
                ours.append(once(binary(), args.accel, initrd, nic, backend))
                if not args.no_qemu:
                    guest.progress(f'{nic}, round {i + 1} of {args.runs}: qemu')
                    theirs.append(once(PEER, 'tcg', initrd, nic, backend))
            print(f'\n{host_cpu()}; Patchbay -accel {args.accel}' + ('' if args.no_qemu else f'; {peer_version()}') +
                  f'; {nic} on {args.backend}, medians of {args.runs} rounds of {args.seconds} s')
            print_table(ours, theirs, BARS_TAP_VIRTIO if args.backend == TAP and nic.startswith('virtio') else BARS)
            figures[nic] = {OURS: ours, THEIRS: theirs}
    if args.json:
        Path(args.json).write_text(json.dumps(figures, indent=1) + '\n')
    return 0
