# SPDX-License-Identifier: BSD-2-Clause
"""Running the emulator from a test: serial console, QMP, HMP; waits for events with generous deadlines, never for time.

    with VM(['-nic', 'user,model=e1000'], kernel=..., initrd=...) as vm:
        vm.expect('login:')
        vm.hmp('info network')
"""

import json
import os
import re
import select
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = float(os.environ.get('PATCHBAY_TEST_DEADLINE', 180))


def binary():
    return os.environ.get('PATCHBAY_BINARY') or str(
        Path(os.environ.get('BUILD_DIR') or ROOT / 'build') / 'patchbay-system-x86_64')


class TestError(Exception):
    pass


class VM:
    """One emulator process. Serial port 0 is its stdout; QMP is on a unix socket in a private directory."""

    def __init__(self, args=(), kernel=None, initrd=None, append='', mem='256M', program=None, qmp=True,
                 accel=None, echo=None, reboot=False, pass_fds=()):
        self.dir = tempfile.mkdtemp(prefix='patchbay-test-')
        self.console = ''
        self.mark = 0           # expect() looks at what comes after it
        self.echo = echo        # file to copy the console to as it comes
        cmd = [program or binary(), '-display', 'none', '-serial', 'stdio', '-monitor', 'none']
        if not reboot:
            cmd += ['-no-reboot']
        if accel:
            cmd += ['-accel', accel]
        if mem:
            cmd += ['-m', mem]
        if kernel:
            cmd += ['-kernel', str(kernel)]
            cmd += ['-append', ('console=ttyS0 panic=-1 ' + append).strip()]
        if initrd:
            cmd += ['-initrd', str(initrd)]
        if qmp:
            cmd += ['-qmp', f'unix:{self.dir}/qmp,server=on,wait=off']
        self.cmd = cmd + [str(a) for a in args]
        self.stderr = open(f'{self.dir}/stderr', 'wb+')
        self.start = time.monotonic()
        self.proc = subprocess.Popen(self.cmd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.stderr,
                                     pass_fds=pass_fds)
        os.set_blocking(self.proc.stdout.fileno(), False)
        self.qmp_sock = None
        self.events = []
        self.qmp_buf = b''
        self.ids = 0

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if exc[0] is not None:
            print(f'# command: {" ".join(self.cmd)}')
            print('# console:\n' + ''.join(f'#   {l}\n' for l in self.console.splitlines()[-60:]))
            print('# stderr:\n' + ''.join(f'#   {l}\n' for l in self.errors().splitlines()[-20:]))
        self.close()

    def close(self):
        if self.proc.poll() is None:
            self.proc.kill()
        self.proc.wait()
        if self.qmp_sock:
            self.qmp_sock.close()
        self.proc.stdin.close()
        self.proc.stdout.close()
        self.stderr.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def errors(self):
        self.stderr.flush()
        return Path(f'{self.dir}/stderr').read_text(errors='replace')

    # ---- serial console ----

    def _pump(self, timeout):
        """Read what the console has; False when it is closed."""
        r, _, _ = select.select([self.proc.stdout], [], [], timeout)
        if not r:
            return True
        data = os.read(self.proc.stdout.fileno(), 65536)
        if not data:
            return False
        text = data.decode('utf-8', 'replace').replace('\r', '')
        self.console += text
        if self.echo:
            self.echo.write(text)
            self.echo.flush()
        return True

    def expect(self, pattern, deadline=None, lines=True):
        """Wait for a regular expression in the complete lines of the console after the last match; returns the match object.

        Whole lines: half a line could match a pattern that ends in "what follows". lines=False is for guests that draw a
        screen with cursor movements.
        """
        rx = re.compile(pattern)
        end = time.monotonic() + (deadline or DEADLINE)
        alive = True
        while True:
            m = rx.search(self.console, self.mark, self.console.rfind('\n') + 1 if alive and lines else len(self.console))
            if m:
                self.mark = m.end()
                return m
            if not alive:
                raise TestError(f'the emulator ended (status {self.proc.wait()}) before {pattern!r}')
            if time.monotonic() > end:
                raise TestError(f'no {pattern!r} on the console in time')
            alive = self._pump(0.2)

    def send(self, text):
        self.proc.stdin.write(text.encode())
        self.proc.stdin.flush()

    def wait(self, deadline=None):
        """Wait for the process to end by itself; returns its exit status."""
        end = time.monotonic() + (deadline or DEADLINE)
        while self._pump(0.1) and self.proc.poll() is None:
            if time.monotonic() > end:
                raise TestError('the emulator did not end in time')
        return self.proc.wait(timeout=DEADLINE)

    # ---- QMP ----

    def _qmp_connect(self):
        end = time.monotonic() + DEADLINE
        while True:
            s = socket.socket(socket.AF_UNIX)
            try:
                s.connect(f'{self.dir}/qmp')
                break
            except OSError:
                s.close()
                if self.proc.poll() is not None or time.monotonic() > end:
                    raise TestError('cannot connect to QMP: ' + self.errors())
                time.sleep(0.02)
        s.settimeout(DEADLINE)
        self.qmp_sock = s
        self._qmp_read()
        self.qmp('qmp_capabilities')

    def _qmp_read(self):
        while b'\n' not in self.qmp_buf:
            data = self.qmp_sock.recv(65536)
            if not data:
                raise TestError('QMP closed')
            self.qmp_buf += data
        line, self.qmp_buf = self.qmp_buf.split(b'\n', 1)
        return json.loads(line)

    def qmp(self, command, **arguments):
        if not self.qmp_sock:
            self._qmp_connect()
        msg = {'execute': command}
        if arguments:
            msg['arguments'] = {k.replace('_', '-'): v for k, v in arguments.items()}
        self.qmp_sock.sendall(json.dumps(msg).encode() + b'\n')
        while True:
            reply = self._qmp_read()
            if 'event' in reply:
                self.events.append(reply)
            elif 'error' in reply:
                raise TestError(f"{command}: {reply['error']['class']}: {reply['error']['desc']}")
            else:
                return reply['return']

    def wait_event(self, name):
        """Wait for a QMP event (one that came since the last call counts)."""
        if not self.qmp_sock:
            self._qmp_connect()
        while True:
            for i, e in enumerate(self.events):
                if e['event'] == name:
                    return self.events.pop(i)
            reply = self._qmp_read()
            if 'event' in reply:
                self.events.append(reply)

    def hmp(self, line):
        return self.qmp('human-monitor-command', command_line=line).replace('\r', '')
