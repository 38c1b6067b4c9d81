#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Datagram networks end to end with stock guests: dgram, socket udp= and mcast=, l2tpv3, vde; with QEMU, vde_switch and the kernel at the other end."""

import contextlib
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lib'))
import stations  # noqa: E402
import tap  # noqa: E402
from guestnet import booted, free_port  # noqa: E402
from stations import QEMU, counters, finish, machines, namespace, need_qemu  # noqa: E402
from tap import check, equal  # noqa: E402
from vm import DEADLINE  # noqa: E402


def udp_ports(n):
    """Different free ports."""
    ports = set()
    while len(ports) < n:
        ports.add(free_port(socket.SOCK_DGRAM))
    return list(ports)


def inet(local, remote):
    return (f'dgram,id=n0,local.type=inet,local.host=127.0.0.1,local.port={local},'
            f'remote.type=inet,remote.host=127.0.0.1,remote.port={remote}')


# ---- dgram ----

def test_dgram_inet():
    """Two machines, a virtio card and an e1000; strangers' datagrams are counted and change nothing."""
    a, b = udp_ports(2)
    with machines([inet(a, b), inet(b, a)], cards=['virtio-net-pci', 'e1000']) as vms:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            for data in (b'', b'x' * 60, b'y' * 65507):
                s.sendto(data, ('127.0.0.1', a))
        finish(vms)
        check(f'type=dgram,udp=127.0.0.1:{a}/127.0.0.1:{b}' in vms[0].hmp('info network'), vms[0].hmp('info network'))
        equal(counters(vms[0], 'n0').get('drop-wrong-source'), 3, 'datagrams of a stranger')


def test_dgram_unix():
    """Paths; they are gone when the machines are."""
    with tempfile.TemporaryDirectory() as tmp:
        def end(me, other):
            return f'dgram,id=n0,local.type=unix,local.path={tmp}/{me},remote.type=unix,remote.path={tmp}/{other}'
        with machines([end('a', 'b'), end('b', 'a')]) as vms:
            finish(vms)
            check(f'udp={tmp}/a:{tmp}/b' in vms[0].hmp('info network'), vms[0].hmp('info network'))
            for vm in vms:
                vm.qmp('quit')
                vm.proc.wait(DEADLINE)
        equal(os.listdir(tmp), [], 'paths left')


def test_mcast_bus():
    """Three machines on a bus: dgram, socket,mcast= and, where there is one, QEMU. Nobody sees his own frames."""
    with namespace('pbmc') as (ns, ours, inside):
        dgram = 'dgram,id=n0,remote.type=inet,remote.host=230.0.0.1,remote.port=1234'
        old = 'socket,id=n0,mcast=230.0.0.1:1234'
        third = inside(QEMU) if os.path.exists(QEMU) else ours
        with machines([dgram, old, old], programs=[ours, ours, third]) as vms:
            finish(vms)
            check('type=dgram,mcast=230.0.0.1:1234' in vms[0].hmp('info network'), vms[0].hmp('info network'))
            for vm in vms[:2]:
                check(counters(vm, 'n0').get('drop-own', 0) > 100, 'own frames came back and were dropped: ' + str(counters(vm, 'n0')))


# ---- GNS3 ----

class Bridge(threading.Thread):
    """What GNS3 puts between two machines: datagrams in at one port, out of the other. Looks at what passes."""

    def __init__(self, ends):
        super().__init__(daemon=True)
        self.socks, self.to, self.types, self.bad = [], [], set(), 0
        for own, machine in ends:
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            s.bind(('127.0.0.1', own))
            self.socks.append(s)
            self.to.append(('127.0.0.1', machine))
        self.start()

    def run(self):
        while True:
            try:
                ready, _, _ = select.select(self.socks, [], [])
                for s in ready:
                    data = s.recv(65536)
                    self.bad += not 14 <= len(data) <= 1514
                    self.types.add(struct.unpack('>H', data[12:14])[0])
                    i = self.socks.index(s)
                    self.socks[1 - i].sendto(data, self.to[1 - i])
            except (OSError, ValueError):
                return

    def close(self):
        for s in self.socks:
            s.close()


def gns3(n, remote, local, program=None):
    """The network part of GNS3's command line."""
    mac = f'0c:00:00:00:00:{n:02x}'
    args = ['-net', 'none', '-device', f'e1000,mac={mac},netdev=gns3-0',
            '-netdev', f'socket,id=gns3-0,udp=127.0.0.1:{remote},localaddr=127.0.0.1:{local}']
    kw = {'program': program, 'accel': 'tcg'} if program else {}
    extra = 'echo CUT; while [ $(cat /sys/class/net/eth0/carrier) = 1 ]; do usleep 50000; done; echo CARRIER-LOST; '
    return booted(stations.script(n, 2, extra if n == 1 else ''), args, **kw)


def test_gns3():
    """Two machines with a bridge of GNS3's kind between them: raw Ethernet frames in datagrams; "set_link" cuts the cable."""
    a, b, ra, rb = udp_ports(4)
    bridge = Bridge([(ra, a), (rb, b)])
    with gns3(1, ra, a) as first, gns3(2, rb, b) as second:
        first.expect('CUT')
        second.expect('GOT=')           # what it fetches comes over this link
        check(f'socket: udp=127.0.0.1:{ra}' in first.hmp('info network'), first.hmp('info network'))
        equal(first.hmp('set_link gns3-0 off').strip(), '', 'set_link')
        first.expect('CARRIER-LOST')
        first.mark = second.mark = 0
        finish([first, second])
    bridge.close()
    equal(bridge.bad, 0, 'datagrams that are no frames')
    check({0x0800, 0x0806} <= bridge.types <= {0x0800, 0x0806, 0x86DD}, f'{bridge.types}')


def test_gns3_with_qemu():
    """The same link, straight to a QEMU."""
    need_qemu()
    a, b = udp_ports(2)
    with gns3(1, b, a) as first, gns3(2, a, b, QEMU) as second:
        first.expect('CUT')
        second.expect('GOT=')
        first.hmp('set_link gns3-0 off')
        first.expect('CARRIER-LOST')
        first.mark = second.mark = 0
        finish([first, second])


# ---- l2tpv3 ----

def tunnel(n, more, ports=None, tx=1, rx=2):
    udp = f',udp=on,srcport={ports[0]},dstport={ports[1]}' if ports else ''
    return f'l2tpv3,id=n0,src=127.0.0.{n},dst=127.0.0.{3 - n},txsession={tx},rxsession={rx}{udp}{more}'


def test_l2tpv3_udp():
    """Cookies, sequence numbers, an offset."""
    a, b = udp_ports(2)
    more = [',txcookie=0x11,rxcookie=0x22,counter=on,offset=4', ',txcookie=0x22,rxcookie=0x11,counter=on,offset=4']
    with machines([tunnel(1, more[0], (a, b)), tunnel(2, more[1], (b, a), 2, 1)]) as vms:
        finish(vms)
        check('type=l2tpv3,l2tpv3: connected' in vms[0].hmp('info network'), vms[0].hmp('info network'))
        check(not [k for k in counters(vms[0], 'n0') if k.startswith('drop-')], 'nothing was dropped')


def test_l2tpv3_raw():
    """Straight on IP."""
    if os.geteuid():
        raise tap.Skip('raw IP sockets (root)')
    more = [',cookie64=on,txcookie=0x1122334455667788,rxcookie=1', ',cookie64=on,txcookie=1,rxcookie=0x1122334455667788']
    with machines([tunnel(1, more[0]), tunnel(2, more[1], tx=2, rx=1)]) as vms:
        finish(vms)


def test_l2tpv3_qemu():
    """A QEMU at the other end: 32-bit cookies, then 64-bit ones with sequence numbers."""
    need_qemu()
    p = subprocess.run([QEMU, '-netdev', 'help', '-M', 'none'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if 'l2tpv3' not in p.stdout:
        raise tap.Skip('a QEMU with l2tpv3')
    for ours, theirs in ((',txcookie=1,rxcookie=2', ',txcookie=2,rxcookie=1'),
                         (',cookie64=on,txcookie=1,rxcookie=2,counter=on', ',cookie64=on,txcookie=2,rxcookie=1,counter=on')):
        a, b = udp_ports(2)
        with machines([tunnel(1, ours, (a, b)), tunnel(2, theirs, (b, a), 2, 1)], programs=[None, QEMU]) as vms:
            finish(vms)


def test_l2tpv3_kernel():
    """The kernel's own L2TPv3 at the other end."""
    with namespace('pbl2') as (ns, ours, inside):
        a, b = 5001, 5002

        def ip(line):
            return subprocess.run(['ip', '-n', ns, *line.split()], stderr=subprocess.PIPE, text=True)

        p = ip(f'l2tp add tunnel tunnel_id 1 peer_tunnel_id 1 encap udp local 127.0.0.2 remote 127.0.0.1 udp_sport {b} udp_dport {a}')
        if p.returncode:
            raise tap.Skip('the kernel\'s L2TP (modules l2tp_netlink, l2tp_eth)')
        for line in ('l2tp add session name l2k tunnel_id 1 session_id 2 peer_session_id 1 cookie 00000022 peer_cookie 00000011 l2spec_type none',
                     'addr add 10.5.0.9/24 dev l2k', 'link set l2k up'):
            equal(ip(line).returncode, 0, line)
        script = ('ip addr add 10.5.0.1/24 dev eth0; ip link set eth0 up; for i in $(seq 60); do ping -c 1 -W 1 10.5.0.9 && break; done; '
                  'ping -c 10 -i 0.05 -s 1300 10.5.0.9')
        netdev = f'l2tpv3,id=n0,src=127.0.0.1,dst=127.0.0.2,udp=on,srcport={a},dstport={b},txsession=2,rxsession=1,txcookie=0x22,rxcookie=0x11'
        with booted(script, ['-netdev', netdev, '-device', 'virtio-net-pci,netdev=n0'], program=ours) as vm:
            vm.expect('10 packets received')


# ---- vde ----

@contextlib.contextmanager
def vde_switch(path):
    if not shutil.which('vde_switch'):
        raise tap.Skip('vde_switch (vde2)')
    p = subprocess.Popen(['vde_switch', '-s', path], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        with socket.socket(socket.AF_UNIX) as s:
            if not s.connect_ex(f'{path}/ctl'):     # it is there before somebody listens at it
                break
        time.sleep(0.01)
    try:
        yield p
    finally:
        p.kill()
        p.wait()
        p.stdin.close()


def need(kind, what):
    p = subprocess.run([stations.binary(), '-netdev', 'help'], stdout=subprocess.PIPE, text=True)
    if kind not in p.stdout.split():
        raise tap.Skip(f'a build with {what}')


def test_vde_switch():
    """A path and a URL; the switch dies, the guest loses its link, and gets it back with the next switch."""
    need('vde', 'libvdeplug')
    extra = ('echo CUT; while [ $(cat /sys/class/net/eth0/carrier) = 1 ]; do usleep 50000; done; echo CARRIER-LOST; '
             'while [ $(cat /sys/class/net/eth0/carrier) = 0 ]; do usleep 50000; done; echo CARRIER-BACK; ')
    with tempfile.TemporaryDirectory() as tmp:
        path = f'{tmp}/sw'
        with contextlib.ExitStack() as stack:
            with vde_switch(path):
                vms = stack.enter_context(machines([f'vde,id=n0,sock={path}', f'vde,id=n0,sock=vde://{path}'],
                                                   cards=['virtio-net-pci', 'e1000e'], extra=extra))
                for vm in vms:
                    vm.expect('CUT')
                check(f'type=vde,sock={path},fd=' in vms[0].hmp('info network'), vms[0].hmp('info network'))
            for vm in vms:
                vm.expect('CARRIER-LOST')
            shutil.rmtree(path, ignore_errors=True)
            with vde_switch(path):
                for vm in vms:
                    vm.expect('CARRIER-BACK')
                    vm.mark = 0
                finish(vms)


def test_vde_ptp():
    """Two machines without a switch between them."""
    need('vde', 'libvdeplug')
    with tempfile.TemporaryDirectory() as tmp:
        with machines([f'vde,id=n0,sock=ptp://{tmp}/p'] * 2) as vms:
            finish(vms)


# ---- af-xdp ----

def test_af_xdp():
    """Two machines on the two ends of a veth pair, past the host's network stack; nothing is left on the interfaces."""
    need('af-xdp', 'AF_XDP')
    with namespace('pbxdp') as (ns, ours, inside):
        if subprocess.run(['ip', '-n', ns, 'link', 'add', 'xa', 'type', 'veth', 'peer', 'name', 'xb'], stderr=subprocess.DEVNULL).returncode:
            raise tap.Skip('veth interfaces')
        for dev in ('xa', 'xb'):
            subprocess.run(['ip', '-n', ns, 'link', 'set', dev, 'up'], check=True)
        probe = subprocess.run([ours, '-S', '-display', 'none', '-monitor', 'stdio', '-nic', 'af-xdp,ifname=xa,mode=skb'], input='quit\n',
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if probe.returncode and ('AF_XDP' in probe.stderr or 'XDP program' in probe.stderr):
            raise tap.Skip('a kernel with AF_XDP: ' + probe.stderr.strip())
        with machines(['af-xdp,id=n0,ifname=xa,mode=skb', 'af-xdp,id=n0,ifname=xb'], cards=['virtio-net-pci', 'e1000'],
                      programs=[ours, ours]) as vms:
            finish(vms)
            check('type=af-xdp,af-xdp0 to xa' in vms[0].hmp('info network'), vms[0].hmp('info network'))
            vms[0].proc.kill()
            vms[0].proc.wait()
        links = subprocess.run(['ip', '-n', ns, 'link', 'show'], stdout=subprocess.PIPE, text=True).stdout
        check('xdp' not in links, links)


if __name__ == '__main__':
    sys.exit(tap.main(globals()))
