# SPDX-License-Identifier: BSD-2-Clause
"""Boot tests share this: start a Debian guest with a script, and small servers on the host's loopback."""

import contextlib
import hashlib
import http.server
import os
import socket
import socketserver
import subprocess
import tempfile
import threading

import guest
from vm import VM


@contextlib.contextmanager
def booted(script, args=(), append='quiet', files=None, flavour='amd64', **kw):
    """A guest that runs the script; yields the VM right away (use expect)."""
    with tempfile.TemporaryDirectory(prefix='patchbay-guest-') as tmp:
        initrd = guest.initrd(f'{tmp}/initrd', script, files, flavour)
        with VM(args, kernel=guest.kernel(flavour), initrd=initrd, append=append, **kw) as vm:
            yield vm


class Web:
    """HTTP on 127.0.0.1 (or another address): GET /blob gives random bytes, POST keeps the hash of what came."""

    def __init__(self, size=1 << 20, address='127.0.0.1'):
        self.blob = os.urandom(size)
        self.digest = hashlib.sha256(self.blob).hexdigest()
        self.posted = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header('Content-Length', str(len(outer.blob)))
                self.end_headers()
                self.wfile.write(outer.blob)

            def do_POST(self):
                left, h = int(self.headers['Content-Length']), hashlib.sha256()
                while left:
                    data = self.rfile.read(min(left, 65536))
                    if not data:
                        break
                    h.update(data)
                    left -= len(data)
                outer.posted.append(h.hexdigest())
                self.send_response(200)
                self.send_header('Content-Length', '3')
                self.end_headers()
                self.wfile.write(b'ok\n')

            def log_message(self, *a):
                pass

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True
            address_family = socket.AF_INET6 if ':' in address else socket.AF_INET

        self.server = Server((address, 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.server.shutdown()
        self.server.server_close()


class UdpEcho:
    """Answers each datagram with its bytes reversed."""

    def __init__(self, address='127.0.0.1'):
        self.sock = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((address, 0))
        self.port = self.sock.getsockname()[1]
        self.seen = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                data, peer = self.sock.recvfrom(65536)
            except OSError:
                return
            self.seen.append(data)
            self.sock.sendto(data[::-1], peer)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.sock.close()


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def guest_tool(name):
    """Compile a program of tests/lib/guest-tools statically for an amd64 guest; returns its bytes."""
    src = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'guest-tools', name + '.c')
    out = guest.cache_dir() / f'{name}-amd64'
    if not out.exists() or os.path.getmtime(out) < os.path.getmtime(src):
        partial = f'{out}.{os.getpid()}'
        subprocess.run(['gcc', '-std=gnu11', '-Os', '-static', '-s', '-w', '-o', partial, src], check=True)
        os.rename(partial, out)
    return out.read_bytes()


def ethtool():
    """ethtool and what it needs as files for an amd64 initramfs."""
    wanted = (('ethtool', 'sbin/ethtool', 'bin/ethtool'), ('libc6', 'libc.so.6', 'lib/x86_64-linux-gnu/libc.so.6'),
              ('libc6', 'libm.so.6', 'lib/x86_64-linux-gnu/libm.so.6'),
              ('libc6', 'ld-linux-x86-64.so.2', 'lib64/ld-linux-x86-64.so.2'),
              ('libmnl0', 'libmnl.so.0*', 'lib/x86_64-linux-gnu/libmnl.so.0'))
    return {dest: next(p for p in guest.package(name).rglob(pattern) if not p.is_symlink()).read_bytes()
            for name, pattern, dest in wanted}


def guest_modules(*names):
    """More kernel modules for an amd64 guest, as files for the initramfs: /lib/modules/NAME.ko, to be loaded with insmod."""
    tree = guest.kernel_tree() / 'lib/modules'
    return {f'lib/modules/{n}.ko': next(tree.rglob(n + '.ko')).read_bytes() for n in names}
