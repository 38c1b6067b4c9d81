#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""virtio-net with a stock guest's driver: every ping size, IPv6, transfers, ring formats, queues, filters, link, reload, stop and cont."""

import base64
import hashlib
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lib'))
import tap  # noqa: E402
from guestnet import Web, booted, ethtool, guest_tool  # noqa: E402
from tap import check, equal  # noqa: E402

UP = 'ip link set eth0 up; udhcpc -i eth0 -n -q -t 10 -T 2 2>&1; '
FEATURES = 'cat /sys/class/net/eth0/device/features; '
NIC = ['-netdev', 'user,id=u0', '-device']


def features(vm):
    """Negotiated feature bits, as the guest's sysfs shows them (bit 0 first)."""
    text = vm.expect(r'\n([01]{64})\n').group(1)
    return {i for i, c in enumerate(text) if c == '1'}


def test_every_ping_size():
    """DHCP, then one ping of every payload from 0 to 1472: none lost; no errors counted."""
    script = UP + FEATURES + (
        'pingall 10.0.2.2 0 1472; cd /sys/class/net/eth0/statistics; '
        'echo ERRORS=$(cat rx_errors tx_errors rx_dropped rx_length_errors rx_frame_errors)')
    with booted(script, NIC + ['virtio-net-pci,netdev=u0'], files={'bin/pingall': guest_tool('pingall')}) as vm:
        vm.expect('LEASE ip=10.0.2.15')
        f = features(vm)
        for bit in (0, 1, 5, 7, 8, 11, 12, 15, 16, 17, 29, 32):
            check(bit in f, f'feature {bit} is not negotiated: {sorted(f)}')
        equal(vm.expect(r'LOST-PINGS=(\d+)').group(1), '0', 'pings lost')
        equal(vm.expect(r'ERRORS=(.*)\n').group(1), '0 0 0 0 0', 'error counters')


def transfers(device, want=(), unwanted=(), before='', more=()):
    """1 MiB down and 1.4 MB up, hashed, over one form of the device; checks feature bits."""
    with Web(1 << 20) as web:
        script = before + UP + FEATURES + (
            f'wget -q -O /tmp/b http://10.0.2.2:{web.port}/blob; sha256sum /tmp/b; base64 /tmp/b > /tmp/c; '
            f'wget -q -O - --post-file=/tmp/c http://10.0.2.2:{web.port}/up; ping -q -c 20 -i 0.01 10.0.2.2; '
            'echo ERRORS=$(cat /sys/class/net/eth0/statistics/rx_errors); grep virtio /proc/interrupts; echo XFER-DONE; read x')
        with booted(script, NIC + [device] + list(more)) as vm:
            f = features(vm)
            for bit in want:
                check(bit in f, f'{device}: feature {bit} is not negotiated: {sorted(f)}')
            for bit in unwanted:
                check(bit not in f, f'{device}: feature {bit} is negotiated: {sorted(f)}')
            vm.expect(web.digest)
            text = vm.expect(r'(?s)(.*)XFER-DONE').group(1)
            check(' 0% packet loss' in text and 'ERRORS=0' in text, text)
            equal(web.posted, [hashlib.sha256(base64.encodebytes(web.blob)).hexdigest()], 'upload')
            drops = re.search(r'drops: (.*)', vm.hmp('info qtree'))
            check(not drops or all(w.split()[0].startswith(('rx-filter', 'rx-disabled')) for w in drops.group(1).split(', ')),
                  'drops: ' + (drops.group(1) if drops else ''))
            return text


def test_transfers_split():
    """The default device; interrupts are messages, one vector a queue."""
    text = transfers('virtio-net-pci,netdev=u0', want=(29, 32), unwanted=(34,))
    check('PCI-MSI' in text and 'virtio0-input.0' in text, text)


def test_transfers_packed():
    """packed=on."""
    transfers('virtio-net-pci,netdev=u0,packed=on', want=(34,))


def test_transfers_intx():
    """vectors=0: the interrupt pin."""
    text = transfers('virtio-net-pci,netdev=u0,vectors=0')
    check('PCI-MSI' not in text, text)


def test_transfers_legacy():
    """disable-modern=on: the legacy interface, header of 10 or 12 bytes."""
    transfers('virtio-net-pci,netdev=u0,disable-modern=on', unwanted=(32,))
    transfers('virtio-net-pci,netdev=u0,disable-modern=on,mrg_rxbuf=off', unwanted=(32, 15))


def test_transfers_variants():
    """The two other device types."""
    transfers('virtio-net-pci-non-transitional,netdev=u0', want=(32,))
    transfers('virtio-net-pci-transitional,netdev=u0', want=(32,))


def test_transfers_plain():
    """No offloads, no merged buffers, no event index, no indirect descriptors, no control queue: the simplest device there is."""
    transfers('virtio-net-pci,netdev=u0,csum=off,guest_csum=off,mrg_rxbuf=off,event_idx=off,indirect_desc=off,ctrl_vq=off,status=off',
              unwanted=(0, 1, 7, 11, 15, 17, 28, 29))


def test_transfers_big_buffers():
    """Large frames without merged buffers: the driver gives buffers of 64 KiB."""
    transfers('virtio-net-pci,netdev=u0,mrg_rxbuf=off', want=(7, 8), unwanted=(15,))


def test_transfers_in_order():
    """in_order=on, split and packed: a driver that does not know it simply does not take it."""
    transfers('virtio-net-pci,netdev=u0,in_order=on')


def test_ipv6():
    """SLAAC, ping6 of several sizes, TCP over IPv6."""
    with Web(1 << 20, '::1') as web:
        script = ('ip link set eth0 up; for i in $(seq 100); do ip -6 addr show dev eth0 | grep -v tentative | '
                  'grep -q fec0 && break; usleep 200000; done; ip -6 addr show dev eth0; '
                  'for s in 8 100 1000 1452; do ping6 -q -c 5 -i 0.05 -s $s fec0::2; done; '
                  f'wget -q -O /tmp/b "http://[fec0::2]:{web.port}/blob"; sha256sum /tmp/b')
        with booted(script, NIC + ['virtio-net-pci,netdev=u0']) as vm:
            vm.expect('inet6 fec0::5054:ff:fe12:3456/64')
            for _ in range(4):
                vm.expect('5 packets transmitted, 5 packets received')
            vm.expect(web.digest)


def test_multiqueue():
    """queues=4,mq=on: the driver uses all four pairs once it is told to; downloads at the same time come out whole."""
    with Web(1 << 20) as web:
        fetch = f'wget -q -O - http://10.0.2.2:{web.port}/blob | sha256sum > /tmp/h$i & '
        script = UP + FEATURES + (
            'ethtool -L eth0 combined 4; ethtool -l eth0 | tail -5; ls /sys/class/net/eth0/queues; '
            f'for i in 1 2 3 4; do {fetch} done; wait; cat /tmp/h1 /tmp/h2 /tmp/h3 /tmp/h4; grep -c virtio0-input /proc/interrupts; '
            'ping -q -c 50 -i 0.01 10.0.2.2; ethtool -L eth0 combined 1; ping -q -c 20 -i 0.01 10.0.2.2; echo MQ-DONE; read x')
        with booted(script, NIC + ['virtio-net-pci,netdev=u0,queues=4,mq=on'], files=ethtool()) as vm:
            check(22 in features(vm), 'MQ is negotiated')
            text = vm.expect(r'(?s)(.*)MQ-DONE').group(1)
            check(re.search(r'Combined:\s+4', text), text)
            for q in range(4):
                check(f'rx-{q}' in text and f'tx-{q}' in text, text)
            equal(text.count(web.digest), 4, text)
            equal(text.count(' 0% packet loss'), 2, text)
            check('queue pairs 1 of 4' in vm.hmp('info qtree'), 'one pair in use')


def test_rss():
    """rss=on, hash=on: ethtool shows key and table, a new table is taken, traffic goes on, the header carries hashes."""
    script = UP + FEATURES + (
        'ethtool -L eth0 combined 4; ethtool -x eth0; ethtool -X eth0 weight 0 0 0 1 && echo TABLE-SET; ethtool -x eth0; '
        'ping -q -c 50 -i 0.01 10.0.2.2; grep virtio0-input /proc/interrupts; echo RSS-DONE; read x')
    with booted(script, NIC + ['virtio-net-pci,netdev=u0,queues=4,mq=on,rss=on,hash=on'], files=ethtool()) as vm:
        f = features(vm)
        check(60 in f and 57 in f, f'RSS and HASH_REPORT: {sorted(f)}')
        text = vm.expect(r'(?s)(.*)RSS-DONE').group(1)
        check('RX flow hash indirection table' in text and 'RSS hash key' in text and 'TABLE-SET' in text, text)
        check(' 0% packet loss' in text, text)
        count = {m.group(2): int(m.group(1)) for m in re.finditer(r'\s(\d+)\s+PCI-MSI.*virtio0-input\.(\d)', text)}
        check(count['3'] > 20, f'the last queue gets the pings: {count}')
        check('header 20 bytes' in vm.hmp('info qtree'), 'header with hash')


def test_rx_filter():
    """query-rx-filter and its event follow the guest: multicast, VLAN, promiscuous, another address."""
    script = UP + ('echo STEP; read x; ip -6 addr add fe80::12:3456/64 dev eth0; ip link set eth0 promisc on; echo STEP; read x; '
                   'ip link set eth0 promisc off; ip link set eth0 down; ip link set eth0 address 52:54:00:aa:bb:cc; ip link set eth0 up; '
                   'ping -q -c 3 -W 5 10.0.2.2; echo STEP; read x')
    with booted(script, NIC + ['virtio-net-pci,netdev=u0,id=n0']) as vm:
        vm.expect('STEP')
        f = vm.qmp('query-rx-filter', name='n0')[0]
        equal((f['name'], f['promiscuous'], f['main-mac'], f['broadcast-allowed']), ('n0', False, '52:54:00:12:34:56', True), str(f))
        check('33:33:00:00:00:01' in f['multicast-table'], str(f))
        vm.send('\n')
        vm.expect('STEP')
        f = vm.qmp('query-rx-filter')[0]
        check(f['promiscuous'] and '33:33:ff:12:34:56' in f['multicast-table'], str(f))
        check(any(e['event'] == 'NIC_RX_FILTER_CHANGED' and e['data'] == {'name': 'n0', 'path': '/machine/peripheral/n0/virtio-backend'}
                  for e in vm.events), str(vm.events))
        vm.send('\n')
        text = vm.expect(r'(?s)(.*)STEP').group(1)
        check('3 packets received' in text, text)
        f = vm.qmp('query-rx-filter', name='n0')[0]
        equal((f['promiscuous'], f['main-mac']), (False, '52:54:00:aa:bb:cc'), str(f))
        check('macaddr=52:54:00:aa:bb:cc' in vm.hmp('info network'), 'info network')


def test_link_flap():
    """set_link off and on: the guest's carrier follows each time, traffic stops and returns."""
    flap = ('read a; for i in $(seq 100); do [ $(cat /sys/class/net/eth0/carrier) = %d ] && break; usleep 50000; done; '
            'echo carrier=$(cat /sys/class/net/eth0/carrier); ping -q -c 1 -W %d 10.0.2.2; echo FLAP-DONE; ')
    script = UP + 'echo FLAP-READY; ' + (flap % (0, 2) + flap % (1, 5)) * 3
    with booted(script, NIC + ['virtio-net-pci,netdev=u0,id=n0']) as vm:
        vm.expect('FLAP-READY')
        for _ in range(3):
            for up in (False, True):
                vm.qmp('set_link', name='n0', up=up)
                vm.send('\n')
                text = vm.expect(r'(?s)(.*?)FLAP-DONE').group(1)
                check(f'carrier={int(up)}' in text and f'{int(up)} packets received' in text, text)


def test_driver_reload():
    """The driver is unloaded and loaded again 20 times; the device is new each time."""
    script = UP + ('for i in $(seq 20); do rmmod virtio_net && insmod /lib/modules/virtio_net.ko && ip link set eth0 up && echo RELOADED; '
                   'done; ' + UP + 'ping -q -c 20 -i 0.01 10.0.2.2; echo RELOAD-DONE')
    with booted(script, NIC + ['virtio-net-pci,netdev=u0']) as vm:
        vm.expect('LEASE ip=10.0.2.15')
        text = vm.expect(r'(?s)(.*)RELOAD-DONE').group(1)
        equal(text.count('RELOADED'), 20, text)
        check('LEASE ip=10.0.2.15' in text and ' 0% packet loss' in text, text)


def test_reload_under_traffic():
    """The driver is removed in the middle of a flood of pings and a download, ten times; afterwards all works."""
    with Web(1 << 20) as web:
        script = UP + (
            f'for i in 1 2 3 4 5 6 7 8 9 10; do (wget -q -O /dev/null http://10.0.2.2:{web.port}/blob &); ping -q -i 0.002 10.0.2.2 >/dev/null & '
            'usleep 200000; rmmod virtio_net; kill $! ; insmod /lib/modules/virtio_net.ko; ip link set eth0 up; '
            'ip addr add 10.0.2.15/24 dev eth0; done; killall wget; echo CUT-DONE; '
            f'wget -q -O /tmp/b http://10.0.2.2:{web.port}/blob; sha256sum /tmp/b; ping -q -c 20 -i 0.01 10.0.2.2; echo TRAFFIC-DONE')
        with booted(script, NIC + ['virtio-net-pci,netdev=u0']) as vm:
            vm.expect('CUT-DONE')
            vm.expect(web.digest)
            check(' 0% packet loss' in vm.expect(r'(?s)(.*)TRAFFIC-DONE').group(1), 'pings')


def test_stop_cont_under_traffic():
    """stop and cont ten times while a download and pings run: the hash is right and no ping is lost."""
    with Web(8 << 20) as web:
        script = UP + (f'ping -q -c 300 -i 0.01 -W 20 10.0.2.2 > /tmp/p & echo STOP-READY; wget -q -O /tmp/b http://10.0.2.2:{web.port}/blob; '
                       'sha256sum /tmp/b; wait; cat /tmp/p; echo STOP-DONE')
        with booted(script, NIC + ['virtio-net-pci,netdev=u0']) as vm:
            vm.expect('STOP-READY')
            for _ in range(10):
                vm.qmp('stop')
                time.sleep(0.05)
                vm.qmp('cont')
                time.sleep(0.02)
            vm.expect(web.digest)
            text = vm.expect(r'(?s)(.*)STOP-DONE').group(1)
            check(' 0% packet loss' in text, text)


def test_system_reset_under_traffic():
    """system_reset while packets fly: the guest boots again and the network works."""
    script = UP + '[ -e /dev/ttyS0 ] && echo LOOP-READY; ping -q -i 0.002 10.0.2.2 > /dev/null & read x'
    with booted(script, NIC + ['virtio-net-pci,netdev=u0'], reboot=True) as vm:
        for _ in range(3):
            vm.expect('LEASE ip=10.0.2.15')
            vm.expect('LOOP-READY')
            time.sleep(0.2)
            vm.qmp('system_reset')
        vm.expect('LOOP-READY')


def test_announce_self():
    """announce-self: the guest acknowledges (its driver sees GUEST_ANNOUNCE), the status bit is clear again."""
    script = UP + 'echo ANN-READY; read x; ping -q -c 3 10.0.2.2; echo ANN-DONE'
    with booted(script, NIC + ['virtio-net-pci,netdev=u0,id=n0']) as vm:
        vm.expect('ANN-READY')
        sent = lambda: next(c for c in vm.qmp('query-netdev', stats=True) if c['name'] == 'n0')['stats']['tx-frames']
        before, end = sent(), time.monotonic() + 60
        vm.qmp('announce-self', initial=10, max=50, rounds=3, step=10)
        while sent() - before < 6:          # three of ours and at least as many of the guest
            check(time.monotonic() < end, f'{before} frames before, {sent()} now')
            time.sleep(0.1)
        vm.send('\n')
        check('3 packets received' in vm.expect(r'(?s)(.*)ANN-DONE').group(1), 'pings')


def test_mtu_speed_duplex():
    """host_mtu=, speed= and duplex= are what the guest sees."""
    script = ('ip link set eth0 up; cd /sys/class/net/eth0; echo MTU=$(cat mtu) SPEED=$(cat speed) DUPLEX=$(cat duplex)')
    with booted(script, NIC + ['virtio-net-pci,netdev=u0,host_mtu=1400,speed=2500,duplex=full']) as vm:
        equal(vm.expect(r'(MTU=.*)\n').group(1), 'MTU=1400 SPEED=2500 DUPLEX=full', 'what the guest sees')


def test_two_on_a_hub():
    """Two virtio NICs of one guest on a hub: large frames and open checksums cross it whole; bytes are right."""
    script = ('ip link set eth0 up; ip link set eth1 up; mkdir /n; ip netns 2>/dev/null; '
              'ip addr add 10.9.0.1/24 dev eth0; ip addr add 10.9.0.2/24 dev eth1; sysctl -w net.ipv4.conf.all.arp_filter=1 >/dev/null; '
              'ping -q -c 5 -I eth0 10.9.0.2; cat /sys/class/net/eth1/statistics/rx_packets; echo HUB-DONE; read x')
    args = ['-netdev', 'hubport,id=h0,hubid=1', '-netdev', 'hubport,id=h1,hubid=1', '-device', 'virtio-net-pci,netdev=h0,id=a',
            '-device', 'virtio-net-pci,netdev=h1,id=b']
    with booted(script, args) as vm:
        vm.expect('HUB-DONE')
        q = {c['name']: c['stats'] for c in vm.qmp('query-netdev', stats=True)}
        check(q['a']['tx-frames'] > 0 and q['b']['rx-frames'] > 0, str(q))


def test_names():
    """-nic model=virtio, -net nic,model=virtio, -device virtio-net."""
    for args in (['-nic', 'user,model=virtio'], ['-nic', 'user,model=virtio-net-pci'], ['-net', 'nic,model=virtio', '-net', 'user'],
                 ['-netdev', 'user,id=u', '-device', 'virtio-net,netdev=u']):
        with booted(UP, args) as vm:
            vm.expect('LEASE ip=10.0.2.15')
            check('model=virtio-net-pci,macaddr=52:54:00:12:34:56' in vm.hmp('info network'), 'info network')


def test_686():
    """Debian's 32-bit kernel."""
    with Web(1 << 20) as web:
        script = UP + f'wget -q -O /tmp/b http://10.0.2.2:{web.port}/blob; sha256sum /tmp/b; uname -m'
        with booted(script, NIC + ['virtio-net-pci,netdev=u0'], flavour='686-pae') as vm:
            vm.expect('LEASE ip=10.0.2.15')
            vm.expect(web.digest)


if __name__ == '__main__':
    sys.exit(tap.main(globals()))
