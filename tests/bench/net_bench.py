# SPDX-License-Identifier: BSD-2-Clause
"""scripts/bench net: throughput and round trips of a guest's NIC on -nic user or tap, Patchbay and QEMU (TCG) in turn.

The guest runs Debian's iperf3 as a client of 10.0.2.2, where the same iperf3 is the server: once sending, once
receiving (-R), one TCP stream; then UDP datagrams of 64 bytes as fast as the guest can send them; ping before and after: iperf.py. With
--backend user the user network turns 10.0.2.2 into the host's loopback, and its router answers the pings. With --backend
tap it is the address of a tap in a network namespace, in which all of this runs (root only; neither program uses
vhost-net).
"""

import argparse
import contextlib
import tempfile

import guest
import iperf
import netns
from measure import warn_if_busy
from vm import VM, TestError

BARS = {'mbit': 4.0, 'kpps': 3.0, 'avg_ms': 2.0}      # gains over the peer
BARS_TAP_VIRTIO = {**BARS, 'mbit': 3.0}
USER, TAP = 'user', 'tap'
ROUTER = '10.0.2.2'
ROWS = iperf.rows('guest to host', 'host to guest')

SCRIPT = '''
ip addr add 10.0.2.15/24 dev eth0
ip link set eth0 up
ip route add default via 10.0.2.2
i=0; until ping -c 1 -W 1 10.0.2.2 >/dev/null 2>&1 || [ $i = 30 ]; do i=$((i + 1)); done
'''


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
        return iperf.client_figures([vm])


def main(argv):
    ap = argparse.ArgumentParser(prog='bench net', description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--backend', choices=(USER, TAP), default=USER)
    ap.add_argument('--nic', default='virtio-net-pci,e1000,e1000e', help='NIC models of both, one after the other')
    iperf.add_options(ap)
    args = ap.parse_args(argv)
    warn_if_busy()

    program = iperf.Iperf()
    guest.kernel()
    guest.base_initrd()
    results = {}
    with tempfile.TemporaryDirectory(prefix='patchbay-bench-') as tmp, network(args.backend) as (backend, address), \
            program.server(address) as port:
        script = SCRIPT + iperf.client_script(ROUTER, port, args.seconds)
        initrd = guest.initrd(f'{tmp}/initrd', script, program.files())
        for nic in args.nic.split(','):
            ours, theirs = iperf.rounds(args, nic, lambda prog, accel: once(prog, accel, initrd, nic, backend))
            iperf.print_heading(args, f'{nic} on {args.backend}')
            bars = BARS_TAP_VIRTIO if args.backend == TAP and nic.startswith('virtio') else BARS
            iperf.print_table(ROWS, ours, theirs, bars)
            results[args.backend, nic] = ours, theirs
    iperf.print_summary(args, results)
    iperf.write_json(args, results)
    return 0
