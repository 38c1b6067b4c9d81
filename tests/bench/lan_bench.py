# SPDX-License-Identifier: BSD-2-Clause
"""scripts/bench lan: throughput and round trips between two guests on one link, a pair of Patchbay processes and a pair of QEMU's in turn.

The first guest runs Debian's iperf3 as a server, the second is its client (iperf.py): TCP from it, TCP to it, datagrams of 64
bytes from it, pings. Both programs get the same options, those of QEMU 7.2. The end that listens is started first, the other one
when it does; the guests wait on their consoles until both have their addresses. CPU is that of both processes.

stream-unix stream-tcp dgram-unix dgram-udp   the -netdev of that name over that kind of socket
socket-udp socket-tcp socket-mcast            -netdev socket with udp=, listen= and connect=, mcast= (on the loopback)
"""

import argparse
import contextlib
import socket
import tempfile
import time
from pathlib import Path

import guest
import iperf
from guestnet import free_port
from measure import warn_if_busy
from vm import VM, TestError

DEADLINE = 600              # two emulators boot beside each other, perhaps on one CPU
IPERF_PORT = 5201
BARS = {'mbit': 3.0}        # gain over the peer; for all links but those that nothing is asked of
NO_BARS = ('socket-tcp', 'socket-mcast')
ROWS = iperf.rows('second to first, TCP', 'first to second, TCP')

ADDRESS = '''
ip addr add 10.5.0.{me}/24 dev eth0
ip link set eth0 up
'''
SERVER = ADDRESS + '''
iperf3 -s -p {port} --forceflush >/tmp/iperf3 2>&1 &
until grep -q listening /tmp/iperf3; do usleep 50000; done
echo MARK ready
read x
'''
CLIENT = ADDRESS + '''
echo MARK ready
read x
i=0; until ping -c 1 -W 1 10.5.0.1 >/dev/null 2>&1 || [ $i = 120 ]; do i=$((i + 1)); done
'''


def inet(end, port):
    return f'{end}.type=inet,{end}.host=127.0.0.1,{end}.port={port}'


def unix(end, path):
    return f'{end}.type=unix,{end}.path={path}'


def stream(address):
    return f'stream,server=on,{address}', f'stream,server=off,{address}'


def dgram(end, a, b):
    return f'dgram,{end("local", a)},{end("remote", b)}', f'dgram,{end("local", b)},{end("remote", a)}'


def udp_ports():
    """Two free ports that are not the same."""
    a = b = free_port(socket.SOCK_DGRAM)
    while a == b:
        b = free_port(socket.SOCK_DGRAM)
    return a, b


def socket_udp():
    a, b = udp_ports()
    return (f'socket,udp=127.0.0.1:{b},localaddr=127.0.0.1:{a}', f'socket,udp=127.0.0.1:{a},localaddr=127.0.0.1:{b}')


def socket_tcp():
    port = free_port()
    return f'socket,listen=127.0.0.1:{port}', f'socket,connect=127.0.0.1:{port}'


LINKS = {       # name: function of a directory of its own: the two -netdev
    'stream-unix': lambda d: stream(unix('addr', f'{d}/lan')),
    'stream-tcp': lambda d: stream(inet('addr', free_port())),
    'dgram-unix': lambda d: dgram(unix, f'{d}/a', f'{d}/b'),
    'dgram-udp': lambda d: dgram(inet, *udp_ports()),
    'socket-udp': lambda d: socket_udp(),
    'socket-tcp': lambda d: socket_tcp(),
    'socket-mcast': lambda d: (f'socket,mcast=239.192.168.1:{free_port(socket.SOCK_DGRAM)},localaddr=127.0.0.1',) * 2,
}


def open_sockets(pid):
    """Inodes of a process's sockets, as text."""
    inodes = set()
    for fd in Path(f'/proc/{pid}/fd').iterdir():
        with contextlib.suppress(OSError):
            target = str(fd.readlink())
            if target.startswith('socket:['):
                inodes.add(target[8:-1])
    return inodes


def listens(pid):
    """Whether a process has a listening socket: /proc/net/tcp says so with state 0A, /proc/net/unix with flag 00010000."""
    own = open_sockets(pid)
    tcp = [w for w in map(str.split, Path(f'/proc/{pid}/net/tcp').read_text().splitlines()[1:]) if w[3] == '0A']
    local = [w for w in map(str.split, Path(f'/proc/{pid}/net/unix').read_text().splitlines()[1:]) if w[3] == '00010000']
    return any(w[9] in own for w in tcp) or any(w[6] in own for w in local)


def wait_until_it_listens(vm):
    end = time.monotonic() + DEADLINE
    while not listens(vm.proc.pid):
        if vm.proc.poll() is not None or time.monotonic() > end:
            raise TestError('the first machine does not listen: ' + vm.errors())
        time.sleep(0.02)


def once(program, accel, initrds, nic, link):
    """Both guests on a new link; what the second one measured."""
    with tempfile.TemporaryDirectory(prefix='patchbay-lan-') as tmp, contextlib.ExitStack() as stack:
        vms = []
        for i, (netdev, initrd) in enumerate(zip(LINKS[link](tmp), initrds), 1):
            args = ['-cpu', 'max', '-netdev', f'{netdev},id=n0', '-device', f'{nic},netdev=n0,mac=52:54:00:00:05:{i:02x}']
            vms.append(stack.enter_context(VM(args, kernel=guest.kernel(), initrd=initrd, program=program,
                                              append='quiet loglevel=0', qmp=False, accel=accel)))
            if i == 1 and ('server=on' in netdev or 'listen=' in netdev):
                wait_until_it_listens(vms[0])
        for vm in vms:
            vm.expect(r'(?m)^MARK ready$', DEADLINE)
        vms[1].send('\n')
        return iperf.client_figures([vms[1], vms[0]], DEADLINE)


def main(argv):
    ap = argparse.ArgumentParser(prog='bench lan', description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--link', default=','.join(LINKS), help='one or several, with commas; "stream" is all that start so (default: all)')
    ap.add_argument('--nic', default='virtio-net-pci', help='NIC models of both, one after the other')
    iperf.add_options(ap)
    args = ap.parse_args(argv)
    links = []
    for word in args.link.split(','):
        found = [name for name in LINKS if name == word] or [name for name in LINKS if name.startswith(word + '-')]
        if not found:
            ap.error(f'no link {word!r}; there are ' + ' '.join(LINKS))
        links += found
    warn_if_busy()

    program = iperf.Iperf()
    results, problems = {}, []
    with tempfile.TemporaryDirectory(prefix='patchbay-bench-') as tmp:
        client = CLIENT.format(me=2) + iperf.client_script('10.5.0.1', IPERF_PORT, args.seconds)
        initrds = [guest.initrd(f'{tmp}/first', SERVER.format(me=1, port=IPERF_PORT), program.files()),
                   guest.initrd(f'{tmp}/second', client, program.files())]
        for nic in args.nic.split(','):
            for link in links:
                try:
                    ours, theirs = iperf.rounds(args, f'{link}, {nic}',
                                                lambda prog, accel: once(prog, accel, initrds, nic, link))
                except TestError as e:
                    problems.append(f'{link}, {nic}: {e}')
                    guest.progress(problems[-1])
                    continue
                iperf.print_heading(args, f'two guests, {nic} on {link}')
                iperf.print_table(ROWS, ours, theirs, {} if link in NO_BARS else BARS)
                results[link, nic] = ours, theirs
    iperf.print_summary(args, results)
    for p in problems:
        print(f'PROBLEM: {p}')
    iperf.write_json(args, results)
    return 1 if problems else 0
