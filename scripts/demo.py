#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The demonstration behind scripts/demo: boot, DHCP, ping, an HTTP download that is hashed, and "info network".

The web server is a thread of this program on 127.0.0.1; the guest reaches it as 10.0.2.2, the host's address in the
user-mode network.
"""

import hashlib
import http.server
import os
import re
import select
import socketserver
import sys
import tempfile
import termios
import threading
import time
import tty
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'tests/lib'))
import guest  # noqa: E402
from vm import VM, TestError  # noqa: E402

BLOB_BYTES = 10 * 1000 * 1000

SCRIPT = '''
ip link set eth0 up
udhcpc -i eth0 -n -q -t 10 -T 2 2>&1
echo DEMO-DHCP-DONE
ping -c 3 10.0.2.2
echo DEMO-PING-DONE
wget -q -O /tmp/blob http://10.0.2.2:%(port)d/blob && sha256sum /tmp/blob
echo DEMO-HTTP-DONE
%(end)s
'''
SHELL = '''
echo "This is the guest's shell. The network is up: try  wget -O - http://10.0.2.2:%d/hello"
echo "poweroff -f ends the guest, Ctrl-] ends the demonstration."
echo DEMO-SHELL
setsid sh -c 'exec sh -i </dev/ttyS0 >/dev/ttyS0 2>&1'
'''


class Steps:
    """What was shown so far, for the summary and the exit status."""

    def __init__(self):
        self.done = []
        self.t0 = self.last = time.monotonic()

    def ok(self, text, held=True):
        now = time.monotonic()
        self.done.append((held, text))
        print(f'{"ok  " if held else "FAIL"} {text}  ({now - self.last:.1f} s)', flush=True)
        self.last = now
        return held

    def summary(self):
        good = sum(h for h, _ in self.done)
        print(f'\n{good} of {len(self.done)} steps held, {time.monotonic() - self.t0:.1f} s in all')
        return 0 if self.done and good == len(self.done) else 1


def serve(blob):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = blob if self.path == '/blob' else b'hello from the host\n'
            self.send_response(200)
            self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *a):
            pass

    server = socketserver.ThreadingTCPServer(('127.0.0.1', 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def hand_over(vm):
    """Connect the user's terminal to the guest's serial port until the guest ends or Ctrl-] is typed."""
    fd = sys.stdin.fileno()
    saved = termios.tcgetattr(fd)
    out = vm.proc.stdout.fileno()
    os.set_blocking(out, True)
    try:
        tty.setraw(fd)
        while True:
            r, _, _ = select.select([fd, out], [], [])
            if out in r:
                data = os.read(out, 65536)
                if not data:
                    return
                os.write(1, data)
            if fd in r:
                data = os.read(fd, 1024)
                if not data or b'\x1d' in data:
                    return
                vm.proc.stdin.write(data)
                vm.proc.stdin.flush()
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, saved)


def main():
    interactive = sys.stdin.isatty() and sys.stdout.isatty()
    steps = Steps()
    blob = os.urandom(BLOB_BYTES)
    server = serve(blob)
    port = server.server_address[1]
    kernel = guest.kernel()
    with tempfile.TemporaryDirectory() as tmp:
        script = SCRIPT % {'port': port, 'end': SHELL % port if interactive else 'true'}
        initrd = guest.initrd(f'{tmp}/initrd', script)
        print(f'-- {kernel.name} on a 82540EM (e1000), user-mode network, no KVM')
        vm = VM(['-nic', 'user,model=e1000'], kernel=kernel, initrd=initrd, append='quiet')
        try:
            vm.expect(r'PATCHBAY-INIT ([\d.]+)')
            steps.ok('the kernel is up and runs /init')
            m = vm.expect(r'(?s)(.*)DEMO-DHCP-DONE')
            lease = re.search(r'LEASE ip=(\S*) mask=\S* router=(\S*) dns=(\S*) server=(\S*)', m.group(1))
            got = lease.groups() if lease else None
            steps.ok(f'DHCP: {" ".join(got) if got else "no lease"}',
                     got == ('10.0.2.15', '10.0.2.2', '10.0.2.3', '10.0.2.2'))
            m = vm.expect(r'(?s)(.*)DEMO-PING-DONE')
            steps.ok('ping 10.0.2.2: 3 of 3', '3 packets received' in m.group(1))
            m = vm.expect(r'(?s)(.*)DEMO-HTTP-DONE')
            want = hashlib.sha256(blob).hexdigest()
            steps.ok(f'HTTP: {BLOB_BYTES // 1000000} MB from the host, SHA-256 {want[:16]}...', want in m.group(1))
            text = vm.hmp('info network')
            print('     (monitor) info network\n' + ''.join(f'     {l}\n' for l in text.splitlines()), end='')
            steps.ok('info network shows the wiring', bool(re.search(
                r'e1000\.0: index=0,type=nic,model=e1000,macaddr=52:54:00:12:34:56\n'
                r' \\ #net\d+: index=0,type=user,net=10\.0\.2\.0,restrict=off', text)))
            if interactive:
                vm.expect('DEMO-SHELL\n')
                steps.summary()
                hand_over(vm)
                return 0 if all(h for h, _ in steps.done) else 1
            steps.ok('the guest powers off and the emulator ends with status 0', vm.wait() == 0)
        except TestError as e:
            steps.ok(str(e), False)
            print('\n'.join(vm.console.splitlines()[-30:]))
            print(vm.errors())
        finally:
            vm.close()
            server.shutdown()
    return steps.summary()


if __name__ == '__main__':
    sys.exit(main())
