#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""NAT, host-only and bridged from end to end, as docs/user/net/choosing.rst has them: its commands are taken from the page and run.

This process is the host, in a namespace of its own, with an eth0 whose cable ends in a second namespace: the network outside, with a
DHCP server and a web server at 203.0.113.1. "# " lines of the page run here, "guest# " lines in a guest, and the emulator gets the
page's options. What the page names and is not here gets a stand-in: dhclient, deb.debian.org, ssh (a web server on port 22).
"""

import contextlib
import http.server
import os
import re
import shlex
import subprocess
import sys
import threading
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lib'))
import guest  # noqa: E402
import netns  # noqa: E402
import tap  # noqa: E402
from guestnet import booted  # noqa: E402
from netns import ip, links, scripts  # noqa: E402
from tap import Skip, check, equal  # noqa: E402
from vm import ROOT  # noqa: E402

OUTSIDE = '203.0.113.1'
LEASES = '203.0.113.1[0-9][0-9]'
NAME = f'outside-{os.getpid()}'
SERVES_HELLO = 'mkdir -p /www; echo hello >/www/index.html; httpd -p 22 -h /www; httpd -p 80 -h /www; '

DHCP_SERVER = '''interface eth0p
start 203.0.113.100
end 203.0.113.120
option subnet 255.255.255.0
option router 203.0.113.1
lease_file @DIR@/leases
pidfile @DIR@/pid
'''
DHCLIENT = 'exec @BUSYBOX@ udhcpc -i $1 -n -q -t 10 -T 1 -s @DIR@/lease\n'
LEASE = '[ $1 = bound ] || exit 0; ip addr add $ip/24 dev $interface; ip route replace default via $router dev $interface\n'


class Section:
    """A section of the page: what to type on the host, in the guest, and to start guests."""

    def __init__(self, title):
        page = (ROOT / 'docs/user/net/choosing.rst').read_text()
        m = re.search(rf'(?ms)^{re.escape(title)}\n-+\n(.*?)(?=^[^\n]+\n---)', page)
        check(m, f'no section {title!r}')
        self.host = re.findall(r'^    # (.*)$', m.group(1), re.M)
        self.guest = re.findall(r'^    guest# (.*)$', m.group(1), re.M)
        self.starts = []
        for line in re.findall(r'^    (?:build/)?patchbay-system-x86_64 (.*)$', m.group(1), re.M):
            words = shlex.split(line.replace('-nographic', ''))
            equal(words[:2], ['-m', '512'], 'memory')
            self.starts.append(words[2:])
        check(self.guest and self.starts, f'{title}: {vars(self)}')

    def script(self, *changes):
        """The guest's commands, each with a line before it and its status behind."""
        out = SERVES_HELLO
        for i, c in enumerate(self.guest):
            for old, new in changes:
                c = c.replace(old, new)
            out += f'echo RUN-{i}; {c} 2>&1; echo RC-{i}=$?; '
        return out

    def ran(self, vm):
        """All of them have ended well; returns what each of them printed."""
        texts = []
        for i, c in enumerate(self.guest):
            m = vm.expect(rf'(?s)RUN-{i}\n(.*?)RC-{i}=(\d+)')
            equal(m.group(2), '0', f'{c}: {m.group(1)}')
            texts.append(m.group(1))
        return texts


def outside(command, expect_ok=True):
    p = subprocess.run(['ip', 'netns', 'exec', NAME, *shlex.split(command)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True)
    check((p.returncode == 0) == expect_ok, f'outside: {command}: status {p.returncode}: {p.stdout}')
    return p.stdout


@contextlib.contextmanager
def host():
    """eth0 with a lease, and the network behind it; yields a function that runs the page's commands for the host."""
    busybox = str(guest.busybox())
    with scripts(dhclient=DHCLIENT.replace('@BUSYBOX@', busybox), lease=LEASE) as d, contextlib.ExitStack() as stack:
        with open(f'{d}/udhcpd.conf', 'w') as f:
            f.write(DHCP_SERVER.replace('@DIR@', d))
        for name in ('leases', 'index.html'):
            with open(f'{d}/{name}', 'w') as f:
                f.write('outside\n' if name == 'index.html' else '')
        ip(f'netns add {NAME}')
        stack.callback(ip, f'netns del {NAME}', check=False)
        stack.enter_context(links(f'link add eth0 type veth peer name eth0p netns {NAME}', 'link set eth0 up', remove=['eth0', 'br0']))
        for c in ('link set lo up', f'addr add {OUTSIDE}/24 dev eth0p', 'link set eth0p up'):
            ip(f'-n {NAME} {c}')
        for server in (['udhcpd', '-f', f'{d}/udhcpd.conf'], ['httpd', '-f', '-p', f'{OUTSIDE}:80', '-h', d]):
            p = subprocess.Popen(['ip', 'netns', 'exec', NAME, busybox, *server], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.callback(p.wait)
            stack.callback(p.kill)
        netns.tmpfs('/etc/qemu')
        stack.callback(netns.umount, '/etc/qemu')

        def run(*commands):
            for c in commands:
                p = subprocess.run(['sh', '-c', c], env={**os.environ, 'PATH': f'{d}:{os.environ["PATH"]}'},
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                check(p.returncode == 0, f'{c}: {p.stdout}')

        run('dhclient eth0')
        yield run


def fetched(url):
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=60) as f:
        return f.read().decode()


def address(device):
    return re.search(r'inet ([\d.]+)/', ip(f'-4 addr show {device}').stdout).group(1)


class Quiet(http.server.BaseHTTPRequestHandler):
    """Any page is "host"."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'host\n')

    def log_message(self, *a):
        pass


def test_nat():
    """The guest gets out behind the host's address and is reached through the forwarded port of the loopback, from nowhere else."""
    s = Section('NAT: out, but not in')
    with host(), booted(s.script(('deb.debian.org', OUTSIDE)) + 'echo READY; read x', s.starts[0]) as vm:
        check('LEASE ip=10.0.2.15 ' in s.ran(vm)[0], 'lease')
        vm.expect('READY')
        equal(fetched('http://127.0.0.1:2222/'), 'hello\n', 'forwarded port')
        outside(f'{guest.busybox()} nc -w 3 {address("eth0")} 2222', expect_ok=False)


def test_hostonly():
    """The host's loopback is reached, the network outside is not, and the host gets in."""
    s = Section('Host-only: in from the host, nowhere out')
    script = s.script() + f'ping -c 1 {OUTSIDE} 2>&1; echo READY; read x'
    with http.server.ThreadingHTTPServer(('127.0.0.1', 8000), Quiet) as web, host(), booted(script, s.starts[0]) as vm:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        try:
            check('LEASE ip=192.168.56.101 ' in s.ran(vm)[0], 'lease')
            check('Network is unreachable' in vm.expect(r'(?s)(.*)READY').group(1), 'nowhere else')
            equal(fetched('http://127.0.0.1:2222/'), 'hello\n', 'forwarded port')
        finally:
            web.shutdown()


def test_hostonly_bridge():
    """Two guests and the host reach each other, and nobody the network outside."""
    s = Section('Host-only for several guests')
    equal(len(s.starts), 2, 'guests')
    last = (f'ping -c 1 {OUTSIDE} 2>&1; echo READY; read x; '
            'wget -q -O - http://192.168.57.@OTHER@/; echo FETCHED; read x')
    with host() as run:
        run(*s.host)
        with booted(s.script() + last.replace('@OTHER@', '3'), s.starts[0]) as one, \
                booted(s.script(('57.2/', '57.3/')) + last.replace('@OTHER@', '2'), s.starts[1]) as two:
            for vm in (one, two):
                s.ran(vm)
                check('Network is unreachable' in vm.expect(r'(?s)(.*)READY').group(1), 'nowhere else')
            for vm in (one, two):
                vm.send('\n')
                check('hello' in vm.expect(r'(?s)(.*)FETCHED').group(1), 'the other guest')
            for n in (2, 3):
                equal(fetched(f'http://192.168.57.{n}/'), 'hello\n', 'from the host')


def on_the_network(s, vm):
    """The guest has a lease of the network outside, reaches it and is reached from there; returns its address."""
    lease = re.search(rf'LEASE ip=({LEASES}) ', s.ran(vm)[0])
    check(lease, 'a lease of the network')
    check('outside' in vm.expect(r'(?s)(.*)READY').group(1), 'the network')
    equal(outside(f'{guest.busybox()} wget -q -O - http://{lease.group(1)}/'), 'hello\n', 'from outside')
    return lease.group(1)


def test_bridged():
    """A lease from the network's own server; reached from outside and from the host, whose own address is the bridge's now."""
    s = Section('Bridged: one more machine on the network')
    with host() as run:
        run(*s.host)
        check(re.match(LEASES, address('br0')) and 'inet ' not in ip('-4 addr show eth0').stdout, 'the host has moved')
        with booted(s.script() + f'wget -q -O - http://{OUTSIDE}/; echo READY; read x', s.starts[0]) as vm:
            where = on_the_network(s, vm)
            equal(fetched(f'http://{where}/'), 'hello\n', 'from the host')
            ports = subprocess.run(['bridge', 'link'], check=True, stdout=subprocess.PIPE, text=True).stdout
            check('eth0' in ports and 'tap0' in ports, ports)


def test_bridged_macvtap():
    """The same straight on the interface, where the host keeps its address; the two do not see each other."""
    s = Section('Bridged, without a bridge')
    with host():
        if ip('link add link eth0 name mvx type macvtap mode bridge', check=False).returncode:
            raise Skip('this kernel has no macvtap')
        ip('link del mvx')
        script = s.script() + (f'wget -q -O - http://{OUTSIDE}/; echo READY; read x; '
                               f'ping -c 2 -W 1 {address("eth0")}; echo PINGED; read x')
        with booted(script, s.starts[0]) as vm:
            on_the_network(s, vm)
            vm.send('\n')
            check('100% packet loss' in vm.expect(r'(?s)(.*)PINGED').group(1), 'not the host')


if __name__ == '__main__':
    guest.kernel()
    guest.base_initrd('amd64')
    why = netns.enter() if '--list' not in sys.argv else None
    if why:
        print(f'1..0 # SKIP {why}')
        sys.exit(0)
    sys.exit(tap.main(globals()))
