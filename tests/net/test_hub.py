#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Hubs and switches end to end with stock guests: several guests on one segment, rings, VLANs, netdev_swap, the link that follows."""

import contextlib
import os
import re
import socket
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lib'))
import tap  # noqa: E402
from guestnet import booted, free_port, guest_modules  # noqa: E402
from tap import check, equal  # noqa: E402
from vm import DEADLINE, VM, TestError  # noqa: E402

MAC = '52:54:00:bb:00:0%d'
UP = 'ip link set eth0 up; udhcpc -i eth0 -n -q -t 10 -T 2 2>&1; '


def reach(address, dev='', tries=120):
    """Shell: ping until it answers, then "REACHED ADDRESS"."""
    return (f'for i in $(seq {tries}); do ping -c 1 -W 1 {dev} {address} >/dev/null && {{ echo REACHED {address}; break; }}; done; ')


def wait_for(what, condition):
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            raise TestError(f'not in time: {what}')
        time.sleep(0.05)


# ---- hubs ----

def test_two_guests_and_user_on_one_hub():
    """One process has a hub with a guest, a user stack and a socket; the second guest comes through the socket and gets its lease there."""
    with tempfile.TemporaryDirectory(prefix='patchbay-hub-') as tmp:
        first = ['-netdev', 'user,id=u', '-netdev', f'stream,id=s,server=on,addr.type=unix,addr.path={tmp}/s',
                 '-netdev', 'hubport,id=h0,hubid=4', '-netdev', 'hubport,id=h1,hubid=4,netdev=u', '-netdev', 'hubport,id=h2,hubid=4,netdev=s',
                 '-device', f'virtio-net-pci,netdev=h0,mac={MAC % 1}']
        second = ['-netdev', f'stream,id=s,reconnect-ms=100,addr.type=unix,addr.path={tmp}/s', '-device', f'e1000,netdev=s,mac={MAC % 2}']
        with booted(UP + reach('10.0.2.16') + 'ping -q -c 20 -i 0.05 -s 1400 10.0.2.16; echo FIRST-DONE; read x', first) as a:
            a.expect('LEASE ip=10.0.2.15')
            with booted(UP + reach('10.0.2.15') + 'ping -c 3 10.0.2.2; echo SECOND-READY; read x', second) as b:
                b.expect('LEASE ip=10.0.2.16')
                b.expect('REACHED 10.0.2.15')
                b.expect('3 packets transmitted, 3 packets received')
                text = a.expect(r'(?s)(.*)FIRST-DONE').group(1)
                check(' 0% packet loss' in text and 'duplicates' not in text, text)
                text = a.hmp('info network')
                check(re.match(r'hub 4\n \\ h2: s: .*\n \\ h1: u: .*\n \\ h0: virtio-net-pci\.0: ', text), text)


def test_legacy_sockets():
    """-net nic -net socket,listen= and connect=, as scripts have written it for twenty years; and vlan=1 on one side."""
    port = free_port()
    def script(me, other):
        return f'ip addr add 10.6.0.{me}/24 dev eth0; ip link set eth0 up; ' + reach(f'10.6.0.{other}') + 'read x'

    first = ['-net', f'nic,model=e1000,macaddr={MAC % 1}', '-net', f'socket,listen=127.0.0.1:{port}']
    second = ['-net', f'nic,vlan=1,model=virtio,macaddr={MAC % 2}', '-net', f'socket,vlan=1,connect=127.0.0.1:{port}']
    with booted(script(1, 2), first) as a, booted(script(2, 1), second) as b:
        a.expect('REACHED 10.6.0.2')
        b.expect('REACHED 10.6.0.1')
        check(b.hmp('info network').startswith('hub 1\n'), b.hmp('info network'))
        check('vlan=1 is deprecated' in b.errors(), b.errors())


def cpu_seconds(pid):
    with open(f'/proc/{pid}/stat') as f:
        fields = f.read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def test_hubs_in_a_ring():
    """Two hubs with three cables between them and one broadcast: a storm, but of one core at most, and the monitor answers at once."""
    args = ['-S', '-netdev', 'hubport,id=in,hubid=1', '-device', 'e1000,netdev=in']
    for i in range(3):
        args += ['-netdev', f'hubport,id=a{i},hubid=1', '-netdev', f'hubport,id=b{i},hubid=2,netdev=a{i}']
    with VM(args, mem='64M') as vm:
        vm.hmp('info network')
        vm.qmp('announce-self', initial=10, max=10, rounds=1, step=0)
        frames = lambda: max(int(n) for n in re.findall(r'rx-frames=(\d+)', vm.hmp('info network -s')))  # noqa: E731
        wait_for('a storm', lambda: frames() > 10000)
        worst, start, cpu = 0.0, time.monotonic(), cpu_seconds(vm.proc.pid)
        for _ in range(200):
            t = time.monotonic()
            vm.qmp('query-status')
            worst = max(worst, time.monotonic() - t)
        used = (cpu_seconds(vm.proc.pid) - cpu) / (time.monotonic() - start)
        print(f'# query-status answered within {worst * 1000:.1f} ms, {used:.2f} cores')
        check(worst < 0.5, f'query-status took {worst:.3f} s')       # 100 ms is the figure; a busy test machine has its own
        check(used < 1.5, f'{used:.2f} cores')
        with open(f'/proc/{vm.proc.pid}/statm') as f:
            rss = int(f.read().split()[1]) * 4 / 1024
        check(rss < 150, f'{rss:.0f} MiB resident')
        vm.hmp('netdev_del a1')
        vm.hmp('netdev_del a2')             # no ring any more: the storm ends
        before = frames()
        wait_for('the end of the storm', lambda: frames() == frames())
        check(before > 0, 'frames')


# ---- switches ----

def test_switch_vlans():
    """A guest on a trunk with a VLAN interface, one on an access port of that VLAN, a user stack in VLAN 1: who reaches whom."""
    with tempfile.TemporaryDirectory(prefix='patchbay-switch-') as tmp:
        first = ['-netdev', 'user,id=u', '-netdev', 'switch,id=p0,switchid=1,netdev=u',
                 '-netdev', 'switch,id=p1,switchid=1,trunk=20', '-device', f'virtio-net-pci,netdev=p1,mac={MAC % 1}',
                 '-netdev', f'stream,id=s,server=on,addr.type=unix,addr.path={tmp}/s', '-netdev', 'switch,id=p2,switchid=1,vlan=20,netdev=s']
        second = ['-netdev', f'stream,id=s,reconnect-ms=100,addr.type=unix,addr.path={tmp}/s', '-device', f'e1000,netdev=s,mac={MAC % 2}']
        modules = guest_modules('llc', 'stp', 'mrp', 'garp', '8021q')
        script = ('for m in llc stp mrp garp 8021q; do insmod /lib/modules/$m.ko; done; ' + UP +
                  'ip link add link eth0 name eth0.20 type vlan id 20 && ip addr add 10.7.0.1/24 dev eth0.20; ip link set eth0.20 up; ' +
                  reach('10.7.0.2') + 'ping -q -c 20 -i 0.05 -s 1400 10.7.0.2; echo FIRST-DONE; read x')
        with booted(script, first, files=modules) as a:
            a.expect('LEASE ip=10.0.2.15')
            script = ('ip addr add 10.7.0.2/24 dev eth0; ip addr add 10.0.2.99/24 dev eth0; ip link set eth0 up; ' + reach('10.7.0.1') +
                      'ping -c 2 -W 1 10.0.2.2; echo SECOND-READY; read x')
            with booted(script, second) as b:
                b.expect('REACHED 10.7.0.1')
                text = b.expect(r'(?s)(.*)SECOND-READY').group(1)
                check('0 packets received' in text, 'VLAN 1 is reached from VLAN 20: ' + text)
                text = a.expect(r'(?s)(.*)FIRST-DONE').group(1)
                check(' 0% packet loss' in text, text)
                macs = {(m['mac'], m['vlan'], m['port']) for m in a.qmp('query-switch')[0]['macs']}
                for m in ((MAC % 1, 20, 'p1'), (MAC % 1, 1, 'p1'), (MAC % 2, 20, 'p2')):
                    check(m in macs, f'{m} is not among {macs}')
                check(f'vlan 20   {MAC % 2} at p2' in a.hmp('info switch'), a.hmp('info switch'))


# ---- swap and link ----

WATCH = ('echo CARRIER=$(cat /sys/class/net/eth0/carrier); last=1; '
         'while :; do c=$(cat /sys/class/net/eth0/carrier); [ $c != $last ] && { echo CARRIER=$c; last=$c; '
         '[ $c = 1 ] && { %s }; }; usleep 20000; done')


def check_swap(card):
    args = ['-netdev', 'user,id=one', '-netdev', 'user,id=two,net=10.9.0.0/24', '-device', f'{card},id=n,netdev=one,mac={MAC % 5}']
    again = 'ip addr flush dev eth0; udhcpc -i eth0 -n -q -t 10 -T 2 2>&1; ping -c 2 -W 5 $router; echo MAC=$(cat /sys/class/net/eth0/address);'
    with booted(UP + 'ping -c 1 10.0.2.2; ' + WATCH % again.replace('$router', '$(ip route | sed -n "s/default via \\([0-9.]*\\).*/\\1/p")'),
                args) as vm:
        vm.expect('LEASE ip=10.0.2.15')
        vm.expect('1 packets received')
        vm.expect('CARRIER=1')
        for backend, lease in (('two', '10.9.0.15'), ('one', '10.0.2.15')):
            if backend == 'two':
                vm.hmp(f'netdev_swap n {backend}')
            else:
                vm.qmp('nic-connect', nic='n', netdev=backend)
            event = vm.wait_event('NETDEV_LINK_CHANGED')['data']
            equal(event, {'name': 'n', 'up': False}, 'event')
            vm.expect('CARRIER=0')
            vm.expect('CARRIER=1')
            equal(vm.wait_event('NETDEV_LINK_CHANGED')['data'], {'name': 'n', 'up': True}, 'event')
            vm.expect('LEASE ip=' + lease)
            vm.expect('2 packets received')
            vm.expect('MAC=' + MAC % 5)


def test_netdev_swap_virtio():
    """netdev_swap and nic-connect with a running guest: carrier lost and found, a lease of the other network, the same MAC."""
    check_swap('virtio-net-pci')


def test_netdev_swap_e1000():
    check_swap('e1000')


def watch_peer(netdev, card='virtio-net-pci'):
    """A guest that says what its carrier does."""
    args = ['-netdev', netdev, '-device', f'{card},netdev=s,id=n']
    script = ('ip link set eth0 up; echo WATCHING; last=2; while :; do c=$(cat /sys/class/net/eth0/carrier); '
              '[ $c != $last ] && { echo CARRIER=$c; last=$c; }; usleep 20000; done')
    return booted(script, args)


def test_link_follows_the_peer():
    """stream: the guest sees the peer as its carrier (link=follow is the default); with link=up it does not."""
    with tempfile.TemporaryDirectory(prefix='patchbay-link-') as tmp:
        path = f'{tmp}/s'
        base = f'stream,id=s,server=on,addr.type=unix,addr.path={path}'
        with watch_peer(base) as vm:
            vm.expect('WATCHING')
            vm.expect('CARRIER=0')
            check('listening' in vm.hmp('info network'), 'events are told from here on')
            for _ in range(2):
                with contextlib.closing(socket.socket(socket.AF_UNIX)) as s:
                    s.connect(path)
                    vm.expect('CARRIER=1')
                    equal(vm.wait_event('NETDEV_LINK_CHANGED')['data'], {'name': 'n', 'up': True}, 'event')
                vm.expect('CARRIER=0')
                equal(vm.wait_event('NETDEV_LINK_CHANGED')['data'], {'name': 'n', 'up': False}, 'event')
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        with watch_peer(base + ',link=up') as vm:
            vm.expect('WATCHING')
            vm.expect('CARRIER=1')
            vm.hmp('info network')
            for _ in range(2):
                with contextlib.closing(socket.socket(socket.AF_UNIX)) as s:
                    s.connect(path)
                    vm.wait_event('NETDEV_STREAM_CONNECTED')
                vm.wait_event('NETDEV_STREAM_DISCONNECTED')
            vm.hmp('set_link n off')
            m = vm.expect(r'CARRIER=(\d)')      # the first change since the start
            equal(m.group(1), '0', 'carrier')


if __name__ == '__main__':
    sys.exit(tap.main(globals()))
