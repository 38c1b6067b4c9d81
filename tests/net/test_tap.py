#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""tap, bridge, bridged and hostonly with stock guests, in a network namespace: scripts of a distribution, large frames, jumbo frames,
descriptors handed over, queues, an interface that goes and comes back, and the command lines of programs that start guests."""

import base64
import contextlib
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lib'))
import guest  # noqa: E402
import netns  # noqa: E402
import tap  # noqa: E402
from guestnet import Web, booted, ethtool  # noqa: E402
from netns import ip, links, scripts  # noqa: E402
from tap import Skip, check, equal  # noqa: E402
from vm import ROOT, TestError, binary  # noqa: E402

GUEST_MAC = '52:54:00:12:34:56'
HOST, GUEST = '10.7.0.1', '10.7.0.2'
UP = (f'ip link set eth0 up; ip addr add {GUEST}/24 dev eth0; '
      f'for i in $(seq 50); do ping -q -c 1 -W 1 {HOST} >/dev/null && break; done; ')
IFUP = f'ip addr add {HOST}/24 dev $1; ip link set $1 up; echo up $# $1 >>@DIR@/log\n'
IFDOWN = 'echo down $# $1 $(test -e /sys/class/net/$1 && echo there) >>@DIR@/log\n'
NAMED = 'ifname=tap0,script=no,downscript=no'


def wget(port, host=HOST):
    return (f'wget -q -O /tmp/b http://{host}:{port}/blob; sha256sum /tmp/b; base64 /tmp/b > /tmp/c; '
            f'wget -q -O - --post-file=/tmp/c http://{host}:{port}/up; ')


def posted(web):
    return [hashlib.sha256(base64.encodebytes(web.blob)).hexdigest()]


def log_of(where):
    with open(f'{where}/log') as f:
        return f.read().split('\n')[:-1]


def host_tap(mtu=1500):
    """A persistent tap with the host's address, made by the administrator."""
    return links('tuntap add tap0 mode tap', f'addr add {HOST}/24 dev tap0', f'link set tap0 mtu {mtu} up', remove=['tap0'])


# ---- scripts ----

def test_default_scripts():
    """/etc/qemu-ifup and -ifdown of the distribution's place run by default: name as argument, before the guest, and at the end."""
    with scripts(ifup=IFUP, ifdown=IFDOWN) as d, tap_etc(d):
        with booted(UP + f'ping -q -c 3 {HOST}; echo DONE; read x', ['-nic', 'tap,model=virtio-net-pci,id=t']) as vm:
            vm.expect('3 packets received')
            equal(log_of(d), ['up 1 tap0'], 'log')
            check('type=tap,ifname=tap0,script=/etc/qemu-ifup,downscript=/etc/qemu-ifdown' in vm.hmp('info network'), 'info')
            vm.qmp('quit')
            vm.wait()
        equal(log_of(d), ['up 1 tap0', 'down 1 tap0 there'], 'log')
        check('tap0' not in ip('-br link').stdout, 'the interface is gone')


@contextlib.contextmanager
def tap_etc(directory):
    """The two scripts at the paths that distributions use, in this mount namespace only."""
    for name in ('ifup', 'ifdown'):
        if not os.path.exists(f'/etc/qemu-{name}'):
            raise Skip(f'/etc/qemu-{name} is not there to be replaced (package qemu-system-common)')
        netns.bind(f'{directory}/{name}', f'/etc/qemu-{name}')
    try:
        yield
    finally:
        netns.umount('/etc/qemu-ifup')
        netns.umount('/etc/qemu-ifdown')


def test_debian_script():
    """The script that Debian ships puts the tap into the bridge of the default route."""
    if not os.path.exists('/etc/qemu-ifup'):
        raise Skip('/etc/qemu-ifup (package qemu-system-common)')
    with links('link add br0 type bridge', f'addr add {HOST}/24 dev br0', 'link set br0 up', 'route add default via 10.7.0.9 dev br0',
               remove=['br0']):
        with booted(UP + f'ping -q -c 3 {HOST}; echo DONE; read x', ['-nic', 'tap,model=e1000']) as vm:
            vm.expect('3 packets received')
            check('master br0' in ip('link show tap0').stdout, 'tap0 in br0')
            equal(vm.errors(), '', 'stderr')


def test_netdev_del_runs_downscript():
    """netdev_del runs the down script; netdev_add of the same name brings the NIC back."""
    with scripts(ifup=IFUP, ifdown=IFDOWN) as d:
        opts = f'tap,id=t,ifname=tap7,script={d}/ifup,downscript={d}/ifdown'
        with booted(UP + 'echo READY; read x; ' + UP + f'ping -q -c 3 {HOST}; echo DONE; read x',
                    ['-netdev', opts, '-device', 'virtio-net-pci,netdev=t']) as vm:
            vm.expect('READY')
            vm.qmp('netdev_del', id='t')
            equal(log_of(d), ['up 1 tap7', 'down 1 tap7 there'], 'log')
            equal(vm.hmp('netdev_add ' + opts), '', 'netdev_add')
            vm.send('\n')
            vm.expect('3 packets received')
            equal(vm.hmp('netdev_add tap,id=u,script=/bin/false'),
                  'Error: network script /bin/false failed with status 256 (exit code 1)\n', 'netdev_add')


# ---- frames ----

def whole_frames(nic, out, in_):
    """Transfers both ways, hashed; the longest frame on the tap in each direction."""
    with host_tap(), Web(12 << 20, HOST) as web, netns.Sniffer('tap0') as s:
        host_mac = open('/sys/class/net/tap0/address').read().strip()
        script = UP + wget(web.port) + 'echo ERRORS=$(cat /sys/class/net/eth0/statistics/rx_errors); echo XFER-DONE; read x'
        with booted(script, ['-netdev', 'tap,id=t,' + NAMED, '-device', f'{nic},netdev=t']) as vm:
            vm.expect(web.digest)
            vm.expect('ERRORS=0')
            vm.expect('XFER-DONE')
            equal(web.posted, posted(web), 'upload')
            check(s.longest[GUEST_MAC] >= out, f'longest frame of the guest: {s.longest[GUEST_MAC]}')
            check(s.longest[host_mac] >= in_, f'longest frame of the host: {s.longest[host_mac]}')
            stats = vm.hmp('info network -s')
            check('drop-bad-offload' not in stats and 'drop-queue-full' not in stats, stats)


def test_whole_virtio():
    """virtio-net: frames of up to 64 KiB cross the tap in one piece, both ways."""
    whole_frames('virtio-net-pci', 30000, 30000)


def test_whole_virtio_packed():
    """The packed ring the same."""
    whole_frames('virtio-net-pci,packed=on', 30000, 30000)


def test_whole_e1000e():
    """e1000e: its own segments leave whole; what comes in large is cut for it."""
    whole_frames('e1000e', 30000, 30000)


def test_whole_e1000():
    """e1000: the same."""
    whole_frames('e1000', 30000, 30000)


def test_jumbo():
    """MTU 9000 on both ends: pings of 8972 bytes, unfragmented, and a transfer."""
    for nic in ('virtio-net-pci', 'e1000e', 'e1000'):
        with host_tap(9000), Web(4 << 20, HOST) as web, netns.Sniffer('tap0') as s:
            script = 'ip link set eth0 mtu 9000; ' + UP + f'ping -q -c 5 -s 8972 {HOST}; ' + wget(web.port) + 'echo XFER-DONE; read x'
            with booted(script, ['-netdev', 'tap,id=t,' + NAMED, '-device', f'{nic},netdev=t']) as vm:
                vm.expect('5 packets received')
                vm.expect(web.digest)
                vm.expect('XFER-DONE')
                equal(web.posted, posted(web), f'{nic}: upload')
                check(s.longest[GUEST_MAC] >= 9014, f'{nic}: {s.longest}')


def test_tcpdump():
    """tcpdump on the tap sees what the guest sends, and the guest's answers."""
    if not shutil.which('tcpdump'):
        raise Skip('tcpdump')
    with host_tap():
        p = subprocess.Popen(['tcpdump', '-n', '-l', '-e', '-i', 'tap0', 'icmp or arp'], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True)
        try:
            for line in p.stderr:
                if 'listening on' in line:
                    break
            with booted(UP + f'ping -q -c 3 {HOST}; echo DONE; read x', ['-nic', 'tap,model=virtio-net-pci,' + NAMED]) as vm:
                vm.expect('DONE')
            p.send_signal(2)
            text = p.stdout.read()
        finally:
            p.kill()
    check(f'{GUEST_MAC} >' in text and f'{GUEST} > {HOST}: ICMP echo request' in text, text)
    check(f'{HOST} > {GUEST}: ICMP echo reply' in text, text)
    check(re.search(rf'ARP.*who-has {HOST} tell {GUEST}', text), text)


def test_unplugged():
    """set_link and the host's link: a tap that is down loses frames, the guest's carrier stays; up again it works."""
    with host_tap():
        step = f'ping -q -c 1 -W 5 {HOST}; echo carrier=$(cat /sys/class/net/eth0/carrier); echo STEP; read x; '
        with booted(UP + step * 4, ['-nic', 'tap,model=virtio-net-pci,id=n,' + NAMED]) as vm:
            want = [True, True, False, True]
            for i, up in enumerate(want):
                text = vm.expect(r'(?s)(.*?)STEP').group(1)
                check(('1 packets received' in text) == up and f'carrier={1 if i != 2 else 0}' in text, f'{i}: {text}')
                if i == 0:
                    ip('link set tap0 down')
                    ip('link set tap0 up')
                elif i < 3:
                    vm.qmp('set_link', name='n', up=i == 2)
                    if i == 2:
                        time.sleep(0.1)
                vm.send('\n')


# ---- descriptors ----

def test_fd_inherited():
    """fd=N: a tap that the launcher has opened; fds=A:B: two queues of one."""
    for queues in (1, 2):
        fds = [netns.open_tap('tap3', multi_queue=queues > 1) for _ in range(queues)]
        ip(f'addr add {HOST}/24 dev tap3')
        ip('link set tap3 up')
        opts = f'fd={fds[0]}' if queues == 1 else 'fds=' + ':'.join(map(str, fds))
        try:
            with Web(2 << 20, HOST) as web:
                with booted(UP + wget(web.port) + 'echo XFER-DONE; read x',
                            ['-netdev', 'tap,id=t,' + opts, '-device', 'virtio-net-pci,netdev=t,mq=on'], pass_fds=fds) as vm:
                    vm.expect(web.digest)
                    vm.expect('XFER-DONE')
                    check(f'queue pairs 1 of {queues}' in vm.hmp('info qtree'), 'queue pairs')
                    equal(web.posted, posted(web), 'upload')
                    check(f'type=tap,{opts}' in vm.hmp('info network'), vm.hmp('info network'))
        finally:
            for fd in fds:
                os.close(fd)


def qmp_with_fd(vm, fd, command, **arguments):
    vm.qmp('query-status')
    msg = json.dumps({'execute': command, 'arguments': arguments}).encode() + b'\n'
    socket.send_fds(vm.qmp_sock, [msg], [fd])
    while True:
        reply = vm._qmp_read()
        if 'event' not in reply:
            return reply


def test_getfd():
    """getfd on QMP, then netdev_add with the name: the NIC gets the new tap, as libvirt does it; closefd, and the errors."""
    with booted('echo READY; read x; ' + UP + f'ping -q -c 3 {HOST}; echo DONE; read x',
                ['-netdev', 'user,id=hostnet0', '-device', 'virtio-net-pci,netdev=hostnet0,id=net0']) as vm:
        vm.expect('READY')
        vm.qmp('netdev_del', id='hostnet0')
        fd = netns.open_tap('tap4')
        ip(f'addr add {HOST}/24 dev tap4')
        ip('link set tap4 up')
        equal(qmp_with_fd(vm, fd, 'getfd', fdname='tapfd-net10'), {'return': {}}, 'getfd')
        os.close(fd)
        vm.qmp('netdev_add', type='tap', id='hostnet0', fd='tapfd-net10')
        vm.send('\n')
        vm.expect('3 packets received')
        for command, args, text in (
                ('netdev_add', {'type': 'tap', 'id': 'x', 'fd': 'tapfd-net10'}, "File descriptor named 'tapfd-net10' has not been found"),
                ('netdev_add', {'type': 'tap', 'id': 'x', 'fd': 'nosuch'}, "File descriptor named 'nosuch' has not been found"),
                ('getfd', {'fdname': 'a'}, 'No file descriptor supplied via SCM_RIGHTS'),
                ('closefd', {'fdname': 'nosuch'}, "File descriptor named 'nosuch' not found")):
            try:
                vm.qmp(command, **args)
            except TestError as e:
                check(text in str(e), str(e))
            else:
                raise AssertionError(f'{command} {args} did not fail')
        a, b = os.pipe()
        equal(qmp_with_fd(vm, b, 'getfd', fdname='1a')['error']['desc'], "Parameter 'fdname' expects a name not starting with a digit", '')
        equal(qmp_with_fd(vm, b, 'getfd', fdname='p'), {'return': {}}, 'getfd')
        os.close(b)
        vm.qmp('closefd', fdname='p')
        equal(os.read(a, 1), b'', 'closefd has closed it')
        os.close(a)
        check("Error: No file descriptor supplied" in vm.hmp('getfd x'), 'HMP')
        check("'x' not found" in vm.hmp('closefd x'), 'HMP')


def test_add_fd():
    """add-fd, query-fdsets, remove-fd."""
    with booted(None, ['-S']) as vm:
        r, w = os.pipe()
        one = qmp_with_fd(vm, w, 'add-fd', opaque='rdwr:/tmp/x')['return']
        two = qmp_with_fd(vm, w, 'add-fd', **{'fdset-id': one['fdset-id']})['return']
        os.close(w)
        equal(vm.qmp('query-fdsets'), [{'fdset-id': 0, 'fds': [{'fd': one['fd'], 'opaque': 'rdwr:/tmp/x'}, {'fd': two['fd']}]}], 'sets')
        vm.qmp('remove-fd', fdset_id=0, fd=one['fd'])
        vm.qmp('remove-fd', fdset_id=0)
        equal(vm.qmp('query-fdsets'), [], 'sets')
        equal(os.read(r, 1), b'', 'both are closed')
        os.close(r)
        try:
            vm.qmp('remove-fd', fdset_id=0)
        except TestError as e:
            check("File descriptor named 'fdset-id:0' not found" in str(e), str(e))
    r, w = os.pipe()
    with booted(None, ['-S', '-add-fd', f'fd={w},set=2,opaque=log', '-chardev', 'file,id=c,path=/dev/fdset/2', '-mon', 'chardev=c'],
                pass_fds=[w]) as vm:
        os.close(w)
        check(b"type 'help'" in os.read(r, 100), 'the monitor writes into the set')
        equal(vm.qmp('query-fdsets')[0]['fds'][0]['opaque'], 'log', 'opaque')
    os.close(r)


# ---- queues, and who starts guests ----

def test_multiqueue():
    """queues=4 on both halves: as many lines in info network, four transfers at a time over four queue pairs."""
    with links('tuntap add tap0 mode tap multi_queue', f'addr add {HOST}/24 dev tap0', 'link set tap0 up', remove=['tap0']), \
            Web(2 << 20, HOST) as web:
        fetch = f'wget -q -O - http://{HOST}:{web.port}/blob | sha256sum > /tmp/h$i & '
        script = UP + ('ethtool -L eth0 combined 4; for round in 1 2; do for i in 1 2 3 4; do ' + fetch + 'done; wait; '
                       'cat /tmp/h1 /tmp/h2 /tmp/h3 /tmp/h4; done; grep virtio0-input /proc/interrupts; echo MQ-DONE; read x')
        with booted(script, ['-netdev', f'tap,id=t,queues=4,{NAMED}', '-device', 'virtio-net-pci,netdev=t,mq=on,id=n'],
                    files=ethtool()) as vm:
            text = vm.expect(r'(?s)(.*)MQ-DONE').group(1)
            equal(text.count(web.digest), 8, text)
            used = [m for m in re.findall(r'\s(\d+)\s+PCI-MSI.*virtio0-input\.\d', text) if int(m) > 20]
            check(len(used) > 1, f'several queues got interrupts: {text}')
            info = vm.hmp('info network')
            for i in range(4):
                check(f' \\ t: index={i},type=tap,{NAMED}\n' in info and f'n: index={i},type=nic,' in info, info)


def test_proxmox():
    """The network part of what Proxmox VE starts: one name for both halves, vhost=on, two queues, scripts; then its netdev_del, _add."""
    with scripts(up=IFUP, down=IFDOWN) as d:
        opts = f'type=tap,id=net0,ifname=tap100i0,script={d}/up,downscript={d}/down,vhost=on,queues=2'
        nic = ('virtio-net-pci,mac=BC:24:11:00:00:01,netdev=net0,bus=pci.0,addr=0x12,id=net0,vectors=6,mq=on,packed=on,'
               'rx_queue_size=1024,tx_queue_size=256,bootindex=300,host_mtu=1500,host_tunnel=off')
        script = (UP + f'ping -q -c 3 {HOST}; cat /sys/class/net/eth0/address; echo STEP; read x; ') * 2
        with booted(script, ['-netdev', opts, '-device', nic]) as vm:
            vm.expect('3 packets received')
            vm.expect('bc:24:11:00:00:01')
            check('going on in user space' in vm.errors(), vm.errors())
            vm.qmp('set_link', name='net0', up=False)
            vm.qmp('set_link', name='net0', up=True)
            vm.qmp('netdev_del', id='net0')
            vm.qmp('netdev_add', **{'type': 'tap', 'id': 'net0', 'ifname': 'tap100i0', 'script': f'{d}/up', 'downscript': f'{d}/down',
                                    'vhost': True, 'queues': 2})
            vm.send('\n')
            vm.expect('3 packets received')
            equal(vm.qmp('query-rx-filter', name='net0')[0]['main-mac'], 'bc:24:11:00:00:01', 'query-rx-filter')
            equal(log_of(d)[:3], ['up 1 tap100i0', 'down 1 tap100i0 there', 'up 1 tap100i0'], 'scripts')


def test_vrnetlab():
    """The network part of what vrnetlab starts: a management NIC, a data NIC on a tap with its script, a placeholder; no word on stderr."""
    with scripts(**{'tc-tap-ifup': IFUP}) as d:
        args = ['-device', 'e1000,netdev=p00,mac=52:54:00:00:00:01',
                '-netdev', 'user,id=p00,net=10.0.0.0/24,host=10.0.0.2,dns=10.0.0.3,dhcpstart=10.0.0.15,hostfwd=tcp:127.0.0.1:0-10.0.0.15:22',
                '-device', f'virtio-net-pci,netdev=p01,mac={GUEST_MAC}',
                '-netdev', f'tap,id=p01,ifname=tap1,script={d}/tc-tap-ifup,downscript=no',
                '-device', 'e1000,netdev=p02,mac=52:54:00:00:00:03', '-netdev', 'socket,id=p02,listen=:10002']
        script = ('for n in /sys/class/net/eth*; do grep -q ' + GUEST_MAC + ' $n/address && D=$(basename $n); done; ' +
                  UP.replace('eth0', '$D') + f'ping -q -c 3 {HOST}; echo DONE; read x')
        with booted(script, args) as vm:
            vm.expect('3 packets received')
            equal(vm.errors(), '', 'stderr')
            equal(log_of(d), ['up 1 tap1'], 'script')


# ---- an interface that goes ----

def cpu_seconds(pid):
    with open(f'/proc/{pid}/stat') as f:
        w = f.read().rsplit(')', 1)[1].split()
    return (int(w[11]) + int(w[12])) / os.sysconf('SC_CLK_TCK')


def test_vanish():
    """ip link del under load: event within a second, link down in the guest, no CPU burnt; made again, it works again."""
    with host_tap():
        script = (UP + f'ping -f {HOST} >/dev/null & echo READY; read x; kill %1; '
                  'for i in $(seq 100); do [ $(cat /sys/class/net/eth0/carrier) = 0 ] && break; usleep 50000; done; '
                  'echo carrier=$(cat /sys/class/net/eth0/carrier); read x; ' +
                  'for i in $(seq 200); do [ $(cat /sys/class/net/eth0/carrier) = 1 ] && break; usleep 50000; done; ' +
                  f'ping -q -c 3 {HOST}; echo DONE; read x')
        with booted(script, ['-netdev', 'tap,id=t,' + NAMED, '-device', 'virtio-net-pci,netdev=t']) as vm:
            vm.expect('READY')
            vm.qmp('query-status')
            start = time.monotonic()
            ip('link del tap0')
            event = vm.wait_event('NETDEV_VANISHED')
            took = time.monotonic() - start
            equal(event['data'], {'netdev-id': 't', 'ifname': 'tap0'}, 'event')
            check(took < 1, f'{took:.2f} s')
            vm.send('\n')
            vm.expect('carrier=0')
            before = cpu_seconds(vm.proc.pid)
            time.sleep(1)
            check(cpu_seconds(vm.proc.pid) - before < 0.3, f'{cpu_seconds(vm.proc.pid) - before} CPU seconds in one')
            for c in ('tuntap add tap0 mode tap', f'addr add {HOST}/24 dev tap0', 'link set tap0 up'):
                ip(c)
            vm.send('\n')
            vm.expect('3 packets received')


# ---- bridges ----

def bridge(opts, conf, mac=GUEST_MAC):
    """A guest on a bridge through a helper."""
    with links('link add br0 type bridge', f'addr add {HOST}/24 dev br0', 'link set br0 mtu 1400 up', remove=['br0']), \
            Web(2 << 20, HOST) as web:
        netns.tmpfs('/etc/qemu')
        try:
            with open('/etc/qemu/bridge.conf', 'w') as f:
                f.write(conf)
            with booted('ip link set eth0 mtu 1400; ' + UP + wget(web.port) + 'echo XFER-DONE; read x', opts) as vm:
                vm.expect(web.digest)
                vm.expect('XFER-DONE')
                equal(web.posted, posted(web), 'upload')
                link = ip('link show tap0').stdout
                check('master br0' in link and 'mtu 1400' in link and 'link/ether fe:' in link, link)
                return vm.hmp('info network')
        finally:
            netns.umount('/etc/qemu')


def test_bridge():
    """-nic bridge with our own helper, found beside the program, and an access list."""
    info = bridge(['-nic', 'bridge,br=br0,model=virtio-net-pci'], '# all of them\nallow all\n')
    check(re.search(r'type=tap,helper=\S*/patchbay-bridge-helper,br=br0\n', info), info)


def test_bridge_distribution():
    """The same with the distribution's helper, and through -netdev tap,helper=."""
    helper = '/usr/lib/qemu/qemu-bridge-helper'
    if not os.path.exists(helper):
        raise Skip(f'{helper} (package qemu-system-common)')
    info = bridge(['-netdev', f'bridge,id=b,helper={helper}', '-device', 'e1000,netdev=b'], 'allow br0\n')
    check(f'type=tap,helper={helper},br=br0\n' in info, info)
    info = bridge(['-netdev', f'tap,id=b,helper={helper} --br=br0', '-device', 'virtio-net-pci,netdev=b'], 'allow br0\n')
    check(f'type=tap,helper={helper} --br=br0\n' in info, info)


def test_bridge_denied():
    """An access list that says no ends the program with the helper's words."""
    with links('link add br0 type bridge', remove=['br0']):
        netns.tmpfs('/etc/qemu')
        try:
            with open('/etc/qemu/bridge.conf', 'w') as f:
                f.write('deny br0\nallow all\n')
            with booted(None, ['-netdev', 'bridge,id=b']) as vm:
                equal(vm.wait(), 1, 'status')
                check('access denied by acl file' in vm.errors() and 'bridge helper failed' in vm.errors(), vm.errors())
        finally:
            netns.umount('/etc/qemu')


# ---- macvtap ----

def veth():
    """A network whose other end has the host's address: pv0 is the interface that guests are put on."""
    return links('link add pv0 type veth peer name pv1', 'link set pv0 up', f'addr add {HOST}/24 dev pv1', 'link set pv1 up', remove=['pv0'])


def macvtap_or_skip(parent='pv0'):
    if ip(f'link add link {parent} name mvx type macvtap mode bridge', check=False).returncode:
        raise Skip('this kernel has no macvtap')
    ip('link del mvx')


def test_bridged():
    """-nic bridged: the guest is a machine on the interface's network, with its own MAC address; nothing is left at the end."""
    with veth(), Web(4 << 20, HOST) as web:
        macvtap_or_skip()
        with booted(UP + wget(web.port) + 'echo XFER-DONE; read x', ['-nic', 'bridged,ifname=pv0,model=virtio-net-pci']) as vm:
            vm.expect(web.digest)
            vm.expect('XFER-DONE')
            equal(web.posted, posted(web), 'upload')
            link = ip('-d link show pbtap0').stdout
            check(GUEST_MAC in link and 'macvtap mode bridge' in link, link)
            check('type=bridged,ifname=pv0,mode=bridge,macvtap=pbtap0' in vm.hmp('info network'), 'info')
            vm.qmp('quit')
            equal(vm.wait(), 0, 'status')
        check('pbtap0' not in ip('-br link').stdout, 'removed')


def test_macvtap_by_name():
    """-netdev tap,ifname= of a macvtap opens its device; when it is deleted, an event comes within a second."""
    with veth(), Web(2 << 20, HOST) as web:
        macvtap_or_skip()
        ip('link add link pv0 name mv0 type macvtap mode bridge')
        ip(f'link set mv0 address {GUEST_MAC} up')
        with booted(UP + wget(web.port) + 'echo XFER-DONE; read x', ['-nic', 'tap,ifname=mv0,script=no,downscript=no,model=e1000e']) as vm:
            vm.expect(web.digest)
            vm.expect('XFER-DONE')
            vm.qmp('query-status')
            start = time.monotonic()
            ip('link del mv0')
            vm.wait_event('NETDEV_VANISHED')
            check(time.monotonic() - start < 1.5, 'event in time')


# ---- host-only ----

def test_hostonly():
    """The host's loopback is reached at the gateway, on any port; no router, no name server, nothing beyond; hostfwd= the other way."""
    with Web(1 << 20) as web, links('addr add 10.99.0.1/32 dev lo'), \
            Web(1000, '10.99.0.1') as beyond, socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
        s.close()
        script = ('ip link set eth0 up; udhcpc -i eth0 -n -q -t 10 -T 2 2>&1; ip route; '
                  f'ping -q -c 2 192.168.56.1; wget -q -O /tmp/b http://192.168.56.1:{web.port}/blob; sha256sum /tmp/b; '
                  'ip route add default via 192.168.56.1; '
                  f'wget -T 3 -q -O - http://10.99.0.1:{beyond.port}/blob && echo LEAK; '
                  f'nslookup example.org 192.168.56.254 >/dev/null 2>&1 && echo LEAK; '
                  f'wget -T 3 -q -O - http://192.168.56.77:{web.port}/blob && echo LEAK; '
                  'echo hello > /tmp/index.html; httpd -p 80 -h /tmp; echo READY; read x')
        with booted(script, ['-nic', f'hostonly,model=virtio-net-pci,id=h,hostfwd=tcp:127.0.0.1:{port}-:80']) as vm:
            lease = vm.expect(r'LEASE (.*)').group(1)
            check('ip=192.168.56.101' in lease and 'router= ' in lease and 'dns= ' in lease, lease)
            vm.expect('2 packets received')
            vm.expect(web.digest)
            text = vm.expect(r'(?s)(.*)READY').group(1)
            check('LEAK' not in text, text)
            check('type=hostonly,net=192.168.56.0/24,host=192.168.56.1' in vm.hmp('info network'), 'info')
            out = subprocess.run(['curl', '-s', f'http://127.0.0.1:{port}/'], stdout=subprocess.PIPE, text=True) \
                if shutil.which('curl') else None
            check(out is None or out.stdout == 'hello\n', str(out))
            check(' not-for-us=' in vm.hmp('info network -s').replace(',', ' '), vm.hmp('info network -s'))
    with booted('ip link set eth0 up; udhcpc -i eth0 -n -q -t 10 -T 2 2>&1', ['-nic', 'hostonly,net=10.20.30.0/28,model=e1000']) as vm:
        check('ip=10.20.30.2' in vm.expect(r'LEASE (.*)').group(1), 'a small network')


# ---- the documentation ----

def test_recipes():
    """The pages of docs/user/net on this: their "ip" commands and their command lines work as they stand."""
    for page in ('tap', 'bridge'):
        text = (ROOT / f'docs/user/net/{page}.rst').read_text()
        with links('link add eth0 type veth peer name eth0p', 'link set eth0 up', remove=['eth0', 'tap0', 'br0']):
            netns.tmpfs('/etc/qemu')
            try:
                with open('/etc/qemu/bridge.conf', 'w') as f:
                    f.write('allow br0\n')
                commands = re.findall(r'^ +(?:# (ip) |(patchbay-system-x86_64) )(.*)$', text, re.M)
                check(len(commands) > 2, f'{page}: {commands}')
                for is_ip, _, args in commands:
                    if page == 'tap' and 'bridged' in args:
                        macvtap_or_skip('eth0')
                    if is_ip:
                        ip(args)
                    else:
                        p = subprocess.run([binary(), '-S', '-display', 'none', '-monitor', 'stdio', *args.split()], input='quit\n', text=True,
                                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
                        equal((p.returncode, p.stderr), (0, ''), args)
            finally:
                netns.umount('/etc/qemu')


if __name__ == '__main__':
    guest.kernel()
    guest.base_initrd('amd64')
    ethtool()
    why = netns.enter() if '--list' not in sys.argv else None
    if why:
        print(f'1..0 # SKIP {why}')
        sys.exit(0)
    sys.exit(tap.main(globals()))
