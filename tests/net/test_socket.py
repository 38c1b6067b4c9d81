#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Stream sockets end to end with stock guests: -netdev socket and stream between two machines, with another emulator, with daemons."""

import contextlib
import json
import os
import signal
import socket
import struct
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lib'))
import tap  # noqa: E402
from guestnet import booted, free_port  # noqa: E402
from tap import check, equal  # noqa: E402
from vm import DEADLINE, VM, TestError  # noqa: E402

QEMU = '/usr/bin/qemu-system-x86_64'
MAC = '52:54:00:aa:00:0%d'


def station(me, other, extra=''):
    """A guest's script: address 10.5.0.ME, wait for 10.5.0.OTHER, ping it; then the extra commands, then until a line is typed."""
    return ('mkdir -p /www; dd if=/dev/urandom of=/www/blob bs=1024 count=1024 2>/dev/null; httpd -p 80 -h /www; '
            f'echo SUM=$(sha256sum < /www/blob); ip addr add 10.5.0.{me}/24 dev eth0; ip link set eth0 up; '
            f'for i in $(seq 120); do ping -c 1 -W 1 10.5.0.{other} >/dev/null && break; done; '
            f'ping -q -c 10 -i 0.05 -s 1400 10.5.0.{other}; {extra} echo STATION-DONE; read x')


FETCH = 'wget -q -O /tmp/b http://10.5.0.%d/blob; echo GOT=$(sha256sum < /tmp/b); '


def finish(vm):
    text = vm.expect(r'(?s)(.*)STATION-DONE').group(1)
    check(' 0% packet loss' in text, text)
    return text


@contextlib.contextmanager
def pair(first, second, programs=(None, None), cards=('virtio-net-pci', 'virtio-net-pci')):
    """Two machines; each has the -netdev of its argument. They ping each other and each fetches a file from the other."""
    with contextlib.ExitStack() as stack:
        vms = []
        for i, netdev in enumerate((first, second)):
            args = ['-netdev', netdev, '-device', f'{cards[i]},netdev=n0,mac={MAC % (i + 1)}']
            kw = {'program': programs[i], 'accel': 'tcg'} if programs[i] else {}
            vms.append(stack.enter_context(booted(station(i + 1, 2 - i, FETCH % (2 - i)), args, **kw)))
        yield vms


def exchange(vms):
    texts = [finish(vm) for vm in vms]
    for mine, theirs in ((0, 1), (1, 0)):
        sent = texts[mine].split('SUM=')[1].split()[0]
        equal(texts[theirs].split('GOT=')[1].split()[0], sent, 'file that came over')


def need_qemu():
    if not os.path.exists(QEMU):
        raise tap.Skip('qemu-system-x86')


def wait_info(vm, word):
    """Until "info network" has the word."""
    end = time.monotonic() + DEADLINE
    while word not in vm.hmp('info network'):
        if time.monotonic() > end:
            raise TestError(f'no {word!r} in: ' + vm.hmp('info network'))
        time.sleep(0.05)


# ---- two of us ----

def test_socket_listener_first():
    """listen= and connect=, virtio and e1000."""
    port = free_port()
    with pair(f'socket,id=n0,listen=127.0.0.1:{port}', f'socket,id=n0,connect=127.0.0.1:{port}',
              cards=('virtio-net-pci', 'e1000')) as vms:
        exchange(vms)
        check('socket: connection from 127.0.0.1:' in vms[0].hmp('info network'), vms[0].hmp('info network'))
        check(f'socket: connect to 127.0.0.1:{port}' in vms[1].hmp('info network'), vms[1].hmp('info network'))


def test_socket_connector_first():
    """connect= is there before anybody listens."""
    port = free_port()
    with pair(f'socket,id=n0,connect=127.0.0.1:{port}', f'socket,id=n0,listen=:{port}', cards=('e1000e', 'virtio-net-pci')) as vms:
        exchange(vms)


def test_stream_and_socket():
    """stream as the client of socket,listen= and socket,connect= as the client of a stream server."""
    port = free_port()
    with pair(f'socket,id=n0,listen=127.0.0.1:{port}',
              f'stream,id=n0,addr.type=inet,addr.host=127.0.0.1,addr.port={port},reconnect-ms=100') as vms:
        exchange(vms)
    port = free_port()
    with pair(f'stream,id=n0,server=on,addr.type=inet,addr.host=127.0.0.1,addr.port={port}',
              f'socket,id=n0,connect=127.0.0.1:{port},reconnect-ms=100') as vms:
        exchange(vms)


def test_stream_reconnects_after_kill():
    """kill -9 of the server: an event, no carrier in the guest; a new server: an event, carrier, ping."""
    with tempfile.TemporaryDirectory() as tmp:
        client_script = station(2, 1, 'echo CARRIER=$(cat /sys/class/net/eth0/carrier); echo FIRST; '
                                'while [ $(cat /sys/class/net/eth0/carrier) = 1 ]; do usleep 50000; done; echo NO-CARRIER; '
                                'while [ $(cat /sys/class/net/eth0/carrier) = 0 ]; do usleep 50000; done; echo CARRIER-AGAIN; '
                                'for i in $(seq 120); do ping -c 1 -W 1 10.5.0.1 >/dev/null && break; done; ping -q -c 5 -i 0.1 10.5.0.1;')
        server = ['-netdev', f'stream,id=n0,server=on,addr.type=unix,addr.path={tmp}/s', '-device', f'virtio-net-pci,netdev=n0,mac={MAC % 1}']
        client = ['-netdev', f'stream,id=n0,addr.type=unix,addr.path={tmp}/s,reconnect-ms=100',
                  '-device', f'virtio-net-pci,netdev=n0,mac={MAC % 2}']
        with booted(client_script, client) as c:
            wait_info(c, 'error: Failed to connect to')
            with booted(station(1, 2), server) as s:
                event = c.wait_event('NETDEV_STREAM_CONNECTED')
                equal(event['data'], {'netdev-id': 'n0', 'addr': {'type': 'unix', 'path': f'{tmp}/s'}}, 'event')
                check(f'unix:{tmp}/s' in c.hmp('info network'), c.hmp('info network'))
                c.expect('CARRIER=1')
                c.expect('FIRST')
                finish(s)
                s.proc.send_signal(signal.SIGKILL)
                s.proc.wait()
            equal(c.wait_event('NETDEV_STREAM_DISCONNECTED')['data'], {'netdev-id': 'n0'}, 'event')
            c.expect('NO-CARRIER')
            with booted(station(1, 2), server) as s:
                c.wait_event('NETDEV_STREAM_CONNECTED')
                c.expect('CARRIER-AGAIN')
                text = c.expect(r'(?s)(.*)STATION-DONE').group(1)
                check('5 packets received' in text, text)


# ---- another emulator at the other end ----

def test_qemu_socket():
    """Debian's QEMU connects to us, then we to it."""
    need_qemu()
    port = free_port()
    with pair(f'socket,id=n0,listen=127.0.0.1:{port}', f'socket,id=n0,connect=127.0.0.1:{port}', (None, QEMU)) as vms:
        exchange(vms)
    port = free_port()
    with pair(f'socket,id=n0,connect=127.0.0.1:{port}', f'socket,id=n0,listen=127.0.0.1:{port}', (None, QEMU)) as vms:
        exchange(vms)


def test_qemu_stream():
    """Debian's QEMU as client of our stream server on a UNIX socket, then as the server."""
    need_qemu()
    for us, them in (('on', 'off'), ('off', 'on')):
        with tempfile.TemporaryDirectory() as tmp:
            addr = f'addr.type=unix,addr.path={tmp}/s'
            retry = ',reconnect-ms=100' if us == 'off' else ''
            with pair(f'stream,id=n0,server={us},{addr}{retry}', f'stream,id=n0,server={them},{addr}', (None, QEMU)) as vms:
                exchange(vms)


# ---- daemons that speak the framing ----

class Daemon:
    """What gvproxy or socket_vmnet is to a guest: frames behind their lengths, 10.5.0.1 answers ARP and ping."""

    IP, MAC = bytes([10, 5, 0, 1]), b'\x5a\x94\xef\xe4\x0c\xee'

    def __init__(self):
        self.frames = []

    def serve(self, sock):
        threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def listen(self, path):
        s = socket.socket(socket.AF_UNIX)
        s.bind(path)
        s.listen(1)
        threading.Thread(target=lambda: self._serve(s.accept()[0]), daemon=True).start()
        return s

    def _serve(self, sock):
        data = b''
        with contextlib.suppress(OSError):
            while True:
                more = sock.recv(65536)
                if not more:
                    return
                data += more
                while len(data) >= 4 and len(data) >= 4 + struct.unpack('>I', data[:4])[0]:
                    n = struct.unpack('>I', data[:4])[0]
                    self._frame(sock, data[4:4 + n])
                    data = data[4 + n:]

    def _send(self, sock, frame):
        # in two pieces: streams have no borders
        sock.sendall(struct.pack('>I', len(frame)) + frame[:9])
        sock.sendall(frame[9:])

    def _frame(self, sock, f):
        self.frames.append(f)
        if f[12:14] == b'\x08\x06' and f[20:22] == b'\0\1' and f[38:42] == self.IP:
            self._send(sock, f[6:12] + self.MAC + f[12:20] + b'\0\2' + self.MAC + self.IP + f[22:32] + bytes(18))
        elif f[12:14] == b'\x08\x00' and f[23] == 1 and f[34] == 8 and f[30:34] == self.IP:
            total = struct.unpack('>H', f[16:18])[0]
            icmp = b'\0\0\0\0' + f[38:14 + total]
            s = sum(struct.unpack(f'>{(len(icmp) + 1) // 2}H', icmp + b'\0' * (len(icmp) % 2)))
            s = (s & 0xffff) + (s >> 16)
            s = ~((s & 0xffff) + (s >> 16)) & 0xffff
            self._send(sock, f[6:12] + self.MAC + f[12:26] + f[30:34] + f[26:30] + struct.pack('>HH', 0, s) + icmp[4:])


def daemon_guest(args, **kw):
    script = ('ip addr add 10.5.0.2/24 dev eth0; ip link set eth0 up; '
              'for i in $(seq 60); do ping -c 1 -W 1 10.5.0.1 >/dev/null && break; done; '
              'for s in 8 100 1000 1472; do ping -q -c 5 -i 0.05 -s $s 10.5.0.1; done; cat /sys/class/net/eth0/address; echo STATION-DONE; read x')
    return booted(script, args, **kw)


def pinged(vm):
    text = vm.expect(r'(?s)(.*)STATION-DONE').group(1)
    equal(text.count('5 packets transmitted, 5 packets received'), 4, text)
    return text


def test_podman():
    """The network part of podman machine's command line; gvproxy listens on a UNIX socket."""
    with tempfile.TemporaryDirectory() as tmp:
        d = Daemon()
        listener = d.listen(f'{tmp}/gvproxy.sock')
        args = ['-netdev', f'stream,id=vlan,server=off,addr.type=unix,addr.path={tmp}/gvproxy.sock',
                '-device', 'virtio-net-pci,netdev=vlan,mac=5a:94:ef:e4:0c:ef']
        with daemon_guest(args) as vm:
            check('5a:94:ef:e4:0c:ef' in pinged(vm), 'MAC')
            check(f'type=stream,unix:{tmp}/gvproxy.sock' in vm.hmp('info network'), vm.hmp('info network'))
        listener.close()


def test_lima():
    """Lima's two: an inherited connected socket, and stream with the retry of either version."""
    ours, theirs = socket.socketpair()
    d = Daemon()
    d.serve(theirs)
    fd = ours.fileno()
    with daemon_guest(['-netdev', f'socket,id=net1,fd={fd}', '-device', 'virtio-net-pci,netdev=net1,mac=52:55:55:12:34:56'],
                      pass_fds=(fd,)) as vm:
        ours.close()
        pinged(vm)
        check(f'type=socket,socket: fd={fd}' in vm.hmp('info network'), vm.hmp('info network'))
    for retry in ('reconnect-ms=500', 'reconnect=1'):
        with tempfile.TemporaryDirectory() as tmp:
            args = ['-netdev', f'stream,id=net1,server=off,addr.type=unix,addr.path={tmp}/vmnet,{retry}',
                    '-device', 'virtio-net-pci,netdev=net1,mac=52:55:55:12:34:56']
            with daemon_guest(args) as vm:
                wait_info(vm, 'error: Failed to connect to')    # socket_vmnet comes later
                d = Daemon()
                listener = d.listen(f'{tmp}/vmnet')
                vm.wait_event('NETDEV_STREAM_CONNECTED')
                pinged(vm)
                listener.close()


def test_vrnetlab_placeholders():
    """Cards without a link yet: many socket,listen= on a bridge; one of them gets its other end later."""
    ports = [free_port() for _ in range(8)]
    args = ['-netdev', 'user,id=p00,net=10.0.0.0/24,host=10.0.0.2,dns=10.0.0.3,dhcpstart=10.0.0.15', '-device', 'e1000,netdev=p00']
    for i, port in enumerate(ports, 1):
        args += ['-device', f'e1000,netdev=p{i:02},mac=52:54:00:cc:00:{i:02x}', '-netdev', f'socket,id=p{i:02},listen=:{port}']
    with VM(args + ['-S'], mem='128M') as vm:
        text = vm.hmp('info network')
        equal(text.count('socket: listening on 0.0.0.0:'), 8, text)
        with socket.create_connection(('127.0.0.1', ports[3])) as s:
            wait_info(vm, f'socket: connection from 127.0.0.1:{s.getsockname()[1]}')
        end = time.monotonic() + DEADLINE
        while vm.hmp('info network').count('socket: listening on') != 8 and time.monotonic() < end:
            time.sleep(0.05)
        equal(vm.hmp('info network').count('socket: listening on 0.0.0.0:'), 8, vm.hmp('info network'))
        equal(vm.errors(), '', 'stderr (vrnetlab restarts a machine that prints)')


# ---- every spelling ----

def test_spellings():
    """stream and socket in -netdev, -nic, -net, key=value and JSON, netdev_add on both monitors."""
    with tempfile.TemporaryDirectory() as tmp:
        listeners = {}
        for name in 'abcdefg':
            listeners[name] = socket.socket(socket.AF_UNIX)
            listeners[name].bind(f'{tmp}/{name}')
            listeners[name].listen(4)

        def addr(name):
            return {'type': 'unix', 'path': f'{tmp}/{name}'}

        args = ['-netdev', f'stream,id=a,addr.type=unix,addr.path={tmp}/a',
                '-netdev', json.dumps({'type': 'stream', 'id': 'b', 'server': False, 'addr': addr('b'), 'reconnect-ms': 5000}),
                '-nic', f'stream,model=e1000,id=c,addr.type=unix,addr.path={tmp}/c',
                '-net', f'stream,id=d,addr.type=unix,addr.path={tmp}/d', '-net', 'nic',
                '-net', 'socket,listen=127.0.0.1:0']
        with VM(args + ['-S'], mem='128M') as vm:
            vm.hmp(f'netdev_add stream,id=e,addr.type=unix,addr.path={tmp}/e')
            vm.qmp('netdev_add', type='stream', id='f', addr=addr('f'), server=False)
            for name in 'abcdef':
                check(f'{name}: index=0,type=stream,unix:{tmp}/{name}' in vm.hmp('info network'), name + ': ' + vm.hmp('info network'))
            check('type=socket,socket: listening on 127.0.0.1:' in vm.hmp('info network'), vm.hmp('info network'))
            vm.qmp('netdev_del', id='e')
            vm.qmp('netdev_add', type='stream', id='e', addr=addr('g'))
            check(f'e: index=0,type=stream,unix:{tmp}/g' in vm.hmp('info network'), vm.hmp('info network'))
            vm.qmp('netdev_add', type='socket', id='s1', connect='127.0.0.1:1')
            wait_info(vm, "socket: error: Failed to connect to '127.0.0.1:1': Connection refused")
        for s in listeners.values():
            s.close()


def test_getfd():
    """A descriptor sent over the monitor, used by name."""
    ours, theirs = socket.socketpair()
    with VM(['-S'], mem='128M') as vm:
        vm.qmp('query-status')
        socket.send_fds(vm.qmp_sock, [json.dumps({'execute': 'getfd', 'arguments': {'fdname': 'wire'}}).encode() + b'\n'], [ours.fileno()])
        reply = vm._qmp_read()
        if 'error' in reply:
            raise tap.Skip('getfd: ' + reply['error']['desc'])
        ours.close()
        try:
            vm.qmp('netdev_add', type='socket', id='s1', fd='wire')
        except TestError as e:
            raise tap.Skip(str(e)) from e
        check('s1: index=0,type=socket,socket: fd=' in vm.hmp('info network'), vm.hmp('info network'))
        theirs.close()
        end = time.monotonic() + DEADLINE
        while 'closed by the other end' not in vm.hmp('info network') and time.monotonic() < end:
            time.sleep(0.05)
        check('closed by the other end' in vm.hmp('info network'), vm.hmp('info network'))


def test_bind_failure_is_fatal():
    """A server that cannot listen ends the program with the reason, not a machine without network."""
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        s.listen(1)
        port = s.getsockname()[1]
        for netdev, text in ((f'stream,id=a,server=on,addr.type=inet,addr.host=127.0.0.1,addr.port={port}',
                              f"Failed to bind socket to '127.0.0.1:{port}': Address already in use"),
                             (f'socket,id=a,listen=127.0.0.1:{port}', "can't bind ip=127.0.0.1 to socket: Address already in use")):
            with VM(['-netdev', netdev], qmp=False, mem='128M') as vm:
                equal(vm.wait(), 1, 'exit status')
                check(vm.errors().endswith(f': -netdev {netdev}: {text}\n'), vm.errors())


if __name__ == '__main__':
    sys.exit(tap.main(globals()))
