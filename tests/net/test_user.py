#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The user-mode network end to end, with a stock guest: forwarding, UDP, DNS, TFTP, IPv6, two NICs, hub 0, set_link."""

import base64
import hashlib
import os
import re
import socket
import subprocess
import sys
import tempfile
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lib'))
import tap  # noqa: E402
from guestnet import UdpEcho, Web, booted, free_port, guest_tool  # noqa: E402
from tap import check, equal  # noqa: E402
from vm import binary  # noqa: E402

UP = 'ip link set eth0 up; udhcpc -i eth0 -n -q -t 10 -T 2 2>&1; '


def test_transfers_both_ways():
    """1 MiB down, 1.4 MB up over HTTP, hashed."""
    with Web(1 << 20) as web:
        script = UP + (f'wget -q -O /tmp/b http://10.0.2.2:{web.port}/blob; sha256sum /tmp/b; '
                       # busybox posts text only: it stops at the first zero byte
                       f'base64 /tmp/b > /tmp/c; wget -q -O - --post-file=/tmp/c http://10.0.2.2:{web.port}/up')
        with booted(script, ['-nic', 'user,model=e1000']) as vm:
            vm.expect(web.digest)
            vm.expect('PATCHBAY-TEST-END')
            equal(web.posted, [hashlib.sha256(base64.encodebytes(web.blob)).hexdigest()], 'upload')


def test_hostfwd_tcp_udp_and_monitor_rules():
    """The host fetches from a server in the guest, through a rule given at start and one added in the monitor."""
    tcp, udp, tcp2 = free_port(), free_port(socket.SOCK_DGRAM), free_port()
    script = UP + ('mkdir /www; echo from-the-guest > /www/index.html; httpd -p 80 -h /www; '
                   'udptool echo 7777 & sleep 1; echo SERVING; read x')
    args = ['-nic', f'user,model=e1000,id=n0,hostfwd=tcp:127.0.0.1:{tcp}-:80,hostfwd=udp:127.0.0.1:{udp}-:7777']
    with booted(script, args, files={'bin/udptool': guest_tool('udptool')}) as vm:
        vm.expect('SERVING')
        body = urllib.request.urlopen(f'http://127.0.0.1:{tcp}/index.html', timeout=60).read()
        equal(body, b'from-the-guest\n', 'HTTP from the guest')
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.settimeout(10)
        s.connect(('127.0.0.1', udp))
        for _ in range(6):
            s.send(b'hello')
            try:
                equal(s.recv(100), b'HELLO', 'UDP answer')
                break
            except socket.timeout:
                pass
        else:
            raise AssertionError('no UDP answer')
        s.close()
        check(f'TCP[HOST_FORWARD]' in vm.hmp('info usernet'), 'info usernet')
        equal(vm.hmp(f'hostfwd_add n0 tcp:127.0.0.1:{tcp2}-:80').strip(), '', 'hostfwd_add')
        body = urllib.request.urlopen(f'http://127.0.0.1:{tcp2}/', timeout=60).read()
        equal(body, b'from-the-guest\n', 'through the added rule')
        check('removed' in vm.hmp(f'hostfwd_remove n0 tcp:127.0.0.1:{tcp2}'), 'hostfwd_remove')
        with socket.socket() as c:
            equal(c.connect_ex(('127.0.0.1', tcp2)) != 0, True, 'rule is gone')


def test_udp_tftp_restrict():
    """UDP to the host, a TFTP download with the right bytes, refusal of a path outside."""
    with tempfile.TemporaryDirectory() as tftp, UdpEcho() as echo:
        data = os.urandom(100_000)
        with open(f'{tftp}/file.bin', 'wb') as f:
            f.write(data)
        os.chmod(tftp, 0o755)
        script = UP + (f'udptool send 10.0.2.2 {echo.port} abcdef; '
                       'cd /tmp; tftp -g -r file.bin 10.0.2.2; sha256sum file.bin; '
                       'tftp -g -r ../etc/passwd -l x 10.0.2.2 2>&1; ls -s x; echo TFTP-DONE')
        with booted(script, ['-nic', f'user,model=e1000,tftp={tftp}'],
                    files={'bin/udptool': guest_tool('udptool')}) as vm:
            vm.expect('UDP-ANSWER fedcba')
            vm.expect(hashlib.sha256(data).hexdigest())
            text = vm.expect(r'(?s)(.*)TFTP-DONE').group(1)
            check('root:' not in text, 'no file outside the directory: ' + text)


def test_dns():
    """10.0.2.3 passes questions to the host's name server: a known name, an unknown one."""
    if os.geteuid() or subprocess.run(['unshare', '-m', '-n', 'true'], stderr=subprocess.DEVNULL).returncode:
        raise tap.Skip('a mount and network namespace of our own (root, not in a chroot) for a name server')
    here = os.path.dirname(os.path.abspath(__file__))
    with tempfile.TemporaryDirectory() as tmp:
        with open(f'{tmp}/resolv.conf', 'w') as f:
            f.write('nameserver 127.0.0.1\n')
        with open(f'{tmp}/run', 'w') as f:
            f.write('#!/bin/sh\n'
                    'exec unshare -m -n sh -c \'ip link set lo up; mount --bind "$0" /etc/resolv.conf; '
                    f'python3 {here}/../lib/dnsd.py & exec "$@"\' {tmp}/resolv.conf {binary()} "$@"\n')
        os.chmod(f'{tmp}/run', 0o755)
        script = UP + 'nslookup patchbay.test; nslookup nowhere.test; echo DNS-DONE'
        with booted(script, ['-nic', 'user,model=e1000'], program=f'{tmp}/run') as vm:
            text = vm.expect(r'(?s)(.*)DNS-DONE').group(1)
            check('192.0.2.7' in text, text)
            check('NXDOMAIN' in text, text)


def test_restrict():
    """restrict=on: a lease without router and DNS; the host's services cannot be reached, 10.0.2.2 answers ping."""
    with Web(1000) as web:
        script = UP + (f'wget -T 5 -q -O - http://10.0.2.2:{web.port}/blob >/dev/null && echo WGET-REACHED; '
                       'ping -c 1 10.0.2.2')
        with booted(script, ['-nic', 'user,model=e1000,restrict=on']) as vm:
            lease = vm.expect(r'LEASE (.*)\n').group(1)
            check('router= ' in lease and 'dns= ' in lease, 'lease without router and DNS: ' + lease)
            text = vm.expect(r'(?s)(.*)PATCHBAY-TEST-END').group(1)
            check('WGET-REACHED' not in text, 'restricted guest reached the host')
            check('1 packets received' in text, 'ping 10.0.2.2')


def test_ipv6():
    """SLAAC from fec0::/64, ping6 to the host address, TCP over IPv6."""
    with Web(1 << 18, '::1') as web:
        script = ('ip link set eth0 up; for i in $(seq 100); do ip -6 addr show dev eth0 | grep -v tentative | '
                  'grep -q fec0 && break; usleep 200000; done; ip -6 addr show dev eth0; ping6 -c 2 fec0::2; '
                  f'wget -q -O /tmp/b "http://[fec0::2]:{web.port}/blob"; sha256sum /tmp/b')
        with booted(script, ['-nic', 'user,model=e1000,ipv6=on,ipv4=on']) as vm:
            vm.expect('inet6 fec0::5054:ff:fe12:3456/64')
            vm.expect('2 packets transmitted, 2 packets received')
            vm.expect(web.digest)


def test_two_nics():
    """Two NICs on two netdevs with networks of their own; `info network` shows both pairs."""
    script = UP + ('ip link set eth1 up; udhcpc -i eth1 -n -q -t 10 -T 2 2>&1; ip -4 addr; '
                   'ping -c 1 -I eth1 192.168.76.2; cat /sys/class/net/eth*/address; echo NICS-DONE')
    args = ['-netdev', 'user,id=a', '-device', 'e1000,netdev=a,id=nic-a',
            '-netdev', 'user,id=mynet0,net=192.168.76.0/24,dhcpstart=192.168.76.9',
            '-device', 'e1000,netdev=mynet0,mac=52:54:00:aa:bb:cc']
    with booted(script, args) as vm:
        vm.expect('LEASE ip=10.0.2.15')
        m = vm.expect(r'LEASE ip=(\S+) mask=(\S+) router=(\S+) dns=(\S+)')
        equal(m.groups(), ('192.168.76.9', '24', '192.168.76.2', '192.168.76.3'), 'second lease')
        vm.expect('1 packets received')
        vm.expect('52:54:00:12:34:56\n52:54:00:aa:bb:cc')
        text = vm.hmp('info network')
        for part in ('nic-a: index=0,type=nic,model=e1000,macaddr=52:54:00:12:34:56\n'
                     ' \\ a: index=0,type=user,net=10.0.2.0,restrict=off',
                     'e1000.0: index=0,type=nic,model=e1000,macaddr=52:54:00:aa:bb:cc\n'
                     ' \\ mynet0: index=0,type=user,net=192.168.76.0,restrict=off'):
            check(part in text, text)


def test_hub0():
    """-net nic -net user: through hub 0, and the default when nothing is said."""
    for args in (['-net', 'nic', '-net', 'user'], []):
        with booted(UP + 'ping -c 1 10.0.2.2; echo PING-DONE; read x', args) as vm:
            vm.expect('LEASE ip=10.0.2.15')
            vm.expect('1 packets received')
            vm.expect('PING-DONE')
            text = re.sub(r'#net\d+', '#netNNN', vm.hmp('info network'))
            lines = {' \\ hub0port0: e1000.0: index=0,type=nic,model=e1000,macaddr=52:54:00:12:34:56',
                     ' \\ hub0port1: #netNNN: index=0,type=user,net=10.0.2.0,restrict=off'}
            if args:
                equal(text.splitlines()[0], 'hub 0', text)
                equal(set(text.splitlines()[1:]), lines, 'hub 0')
            else:
                equal(len(text.splitlines()), 3, text)


def test_set_link():
    """set_link off takes the carrier away from the guest and stops traffic; on brings both back."""
    script = UP + ('cat /sys/class/net/eth0/carrier; echo LINK-READY; read a; '
                   'for i in $(seq 50); do [ $(cat /sys/class/net/eth0/carrier) = 0 ] && break; usleep 100000; done; '
                   'echo carrier=$(cat /sys/class/net/eth0/carrier); ping -c 1 -W 2 10.0.2.2; echo DOWN-DONE; read a; '
                   'for i in $(seq 50); do [ $(cat /sys/class/net/eth0/carrier) = 1 ] && break; usleep 100000; done; '
                   'echo carrier=$(cat /sys/class/net/eth0/carrier); ping -c 1 -W 5 10.0.2.2; echo UP-DONE')
    with booted(script, ['-nic', 'user,model=e1000,id=n0']) as vm:
        vm.expect('LINK-READY')
        vm.qmp('set_link', name='n0', up=False)
        vm.send('\n')
        text = vm.expect(r'(?s)(.*)DOWN-DONE').group(1)
        check('carrier=0' in text and '0 packets received' in text, text)
        check('link=down' in vm.hmp('info network'), 'info network says link=down')
        vm.hmp('set_link n0 on')
        vm.send('\n')
        text = vm.expect(r'(?s)(.*)UP-DONE').group(1)
        check('carrier=1' in text and '1 packets received' in text, text)


def test_driver_reload_and_lost_packets():
    """The e1000 driver is unloaded and loaded again; 200 pings of growing size all come back."""
    script = UP + ('rmmod e1000; insmod /lib/modules/e1000.ko; ' + UP +
                   'for s in 0 1 18 100 500 1000 1400 1472; do ping -q -c 25 -i 0.01 -s $s 10.0.2.2 || ping -q -c 25 -s $s 10.0.2.2; done; '
                   'cat /sys/class/net/eth0/statistics/rx_errors /sys/class/net/eth0/statistics/rx_crc_errors')
    with booted(script, ['-nic', 'user,model=e1000']) as vm:
        vm.expect('LEASE ip=10.0.2.15')
        vm.expect('LEASE ip=10.0.2.15')
        text = vm.expect(r'(?s)(.*)PATCHBAY-TEST-END').group(1)
        equal(text.count(' 0% packet loss'), 8, text)
        check(text.rstrip().endswith('0\n0'), 'receive errors: ' + text[-60:])


if __name__ == '__main__':
    sys.exit(tap.main(globals()))
