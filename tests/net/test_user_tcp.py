#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The TCP relay of the user backend with a stock guest's TCP: bulk both ways, loss, many at once, half close, forwarding, libslirp instead."""

import hashlib
import os
import socket
import sys
import threading
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lib'))
import tap  # noqa: E402
from guestnet import Web, booted, ethtool, free_port  # noqa: E402
from tap import check, equal  # noqa: E402

UP = 'ip link set eth0 up; udhcpc -i eth0 -n -q -t 10 -T 2 2>&1; '
MIB = 1 << 20


class Taker:
    """Reads each connection to its end, then answers with the hash of what came and closes: needs half-closed connections."""

    def __init__(self, slow=0.0):
        self.sock = socket.socket()
        self.sock.bind(('127.0.0.1', 0))
        self.sock.listen(64)
        self.port = self.sock.getsockname()[1]
        self.slow = slow
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                c, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self._take, args=(c,), daemon=True).start()

    def _take(self, c):
        h = hashlib.sha256()
        time.sleep(self.slow)               # the guest's window closes meanwhile
        while data := c.recv(1 << 16):
            h.update(data)
        c.sendall(b'HASH ' + h.hexdigest().encode() + b'\n')
        c.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.sock.close()


def bulk(nic, more=''):
    """8 MiB down and up, hashed."""
    with Web(8 * MIB) as web, Taker(0.5) as taker:
        script = UP + (f'wget -q -O /tmp/b http://10.0.2.2:{web.port}/blob; sha256sum /tmp/b; '
                       f'nc 10.0.2.2 {taker.port} < /tmp/b; echo BULK-DONE; read x')
        with booted(script, ['-nic', f'user,model={nic},id=n0{more}']) as vm:
            vm.expect(web.digest + '  /tmp/b')
            vm.expect('HASH ' + web.digest)
            vm.expect('BULK-DONE')
            return vm.hmp('info network -s')


def test_bulk_virtio():
    """virtio-net: large frames both ways."""
    check('tcp-checksum' not in bulk('virtio'), 'a sound segment was dropped')


def test_bulk_e1000():
    """e1000: frames are cut on the way to the guest."""
    check('tcp-checksum' not in bulk('e1000'), 'a sound segment was dropped')


def test_bulk_e1000e_without_offloads():
    """e1000e that sums and cuts nothing itself: each segment's checksum is the guest's. No window scaling, no selective acknowledgements."""
    with Web(4 * MIB) as web, Taker() as taker:
        script = UP + (f'wget -q -O /tmp/b http://10.0.2.2:{web.port}/blob; sha256sum /tmp/b; nc 10.0.2.2 {taker.port} < /tmp/b')
        with booted('echo 0 > /proc/sys/net/ipv4/tcp_window_scaling; echo 0 > /proc/sys/net/ipv4/tcp_sack; '
                    'ethtool -K eth0 tx off tso off rx off; ' + script, ['-nic', 'user,model=e1000e'], files=ethtool()) as vm:
            vm.expect(web.digest + '  /tmp/b')
            vm.expect('HASH ' + web.digest)


def test_libslirp_instead():
    """fast-tcp=off."""
    bulk('virtio', ',fast-tcp=off')


def test_loss():
    """The cable is pulled now and then during a transfer in each direction: what was under way is lost, and every byte arrives all the same."""
    with Web(24 * MIB) as web, Taker() as taker:
        script = UP + (f'wget -q -O /tmp/b http://10.0.2.2:{web.port}/blob; sha256sum /tmp/b; echo UP-NOW; '
                       f'nc 10.0.2.2 {taker.port} < /tmp/b; echo LOSS-DONE; read x')
        with booted(script, ['-nic', 'user,model=virtio,id=n0']) as vm:
            vm.expect('LEASE ip')
            for words in ((web.digest + '  /tmp/b', 'UP-NOW'), ('HASH ' + web.digest, 'LOSS-DONE')):
                for _ in range(6):
                    vm.qmp('set_link', name=backend(vm), up=False)
                    time.sleep(0.02)
                    vm.qmp('set_link', name=backend(vm), up=True)
                    time.sleep(0.1)
                for w in words:
                    vm.expect(w)
            check('drop-link-down=' in vm.hmp('info network -s'), 'nothing was lost')


def backend(vm):
    """The name that -nic made up for the backend."""
    return vm.hmp('info network').split('\\ ')[1].split(':')[0]


def test_many_at_once():
    """24 downloads and 24 uploads side by side."""
    with Web(MIB) as web, Taker() as taker:
        script = UP + (f'for i in $(seq 24); do (wget -q -O /tmp/b$i http://10.0.2.2:{web.port}/blob; sha256sum /tmp/b$i; '
                       f'nc 10.0.2.2 {taker.port} < /tmp/b$i) & done; wait; echo MANY-DONE; read x')
        with booted(script, ['-nic', 'user,model=virtio']) as vm:
            text = vm.expect(r'(?s)(.*)MANY-DONE').group(1)
            equal(text.count(web.digest + '  /tmp/b'), 24, 'downloads')
            equal(text.count('HASH ' + web.digest), 24, 'uploads')
            rows = vm.hmp('info usernet')
            check('TCP[ESTABLISHED]' not in rows, rows)


def test_refused():
    """A closed port answers at once."""
    port = free_port()
    script = UP + f'nc 10.0.2.2 {port} < /dev/null; echo RC=$?; echo REFUSED-DONE'
    with booted(script, ['-nic', 'user,model=virtio']) as vm:
        text = vm.expect(r'(?s)(.*)REFUSED-DONE').group(1)
        check('RC=1' in text and 'refused' in text, text)


def test_hostfwd_bulk():
    """4 MiB out of a server in the guest and into it, through a forwarded TCP port and a UNIX socket; a connection made before the guest is up."""
    port, late = free_port(), free_port()
    with Web(4 * MIB) as web:
        sock = f'/tmp/patchbay-fwd-{os.getpid()}'
        script = UP + (f'mkdir /www; wget -q -O /www/b http://10.0.2.2:{web.port}/blob; httpd -p 80 -h /www; '
                       '(nc -l -p 99 > /tmp/in; echo INPUT $(sha256sum < /tmp/in)) & '
                       '(nc -l -p 98 > /tmp/early; echo EARLY $(cat /tmp/early)) & echo SERVING; read x')
        args = ['-nic', f'user,model=virtio,hostfwd=tcp:127.0.0.1:{port}-:80,hostfwd=unix:{sock}-:99,hostfwd=tcp:127.0.0.1:{late}-:98']
        with booted(script, args) as vm:
            vm.expect('SERVING')
            body = urllib.request.urlopen(f'http://127.0.0.1:{port}/b', timeout=120).read()
            equal(hashlib.sha256(body).hexdigest(), web.digest, 'out of the guest')
            with socket.socket(socket.AF_UNIX) as c:
                c.connect(sock)
                c.sendall(web.blob)
                c.shutdown(socket.SHUT_WR)
                vm.expect('INPUT ' + web.digest)
            with socket.create_connection(('127.0.0.1', late)) as c:
                c.sendall(b'hello-guest\n')
            vm.expect('EARLY hello-guest')
        check(not os.path.exists(sock) or os.unlink(sock) is None, 'socket file')


def test_host_waits_for_guest():
    """A connection that the host makes while the guest still boots is served when it is up."""
    port = free_port()
    script = UP + 'echo hello-host | nc -l -p 77; echo WAIT-DONE'
    with booted(script, ['-nic', f'user,model=virtio,hostfwd=tcp:127.0.0.1:{port}-:77']) as vm:
        vm.qmp('query-status')
        with socket.create_connection(('127.0.0.1', port), timeout=120) as c:
            # a guest whose address is there before its server refuses: then again
            text = b''
            while not text:
                try:
                    text = c.recv(100)
                except ConnectionResetError:
                    pass
                if not text:
                    time.sleep(0.1)
                    c = socket.create_connection(('127.0.0.1', port), timeout=120)
            equal(text, b'hello-host\n', 'from the guest')
            c.close()
        vm.expect('WAIT-DONE')


if __name__ == '__main__':
    sys.exit(tap.main(globals()))
