# SPDX-License-Identifier: BSD-2-Clause
"""What management programs rely on of the process itself: signals, pid files, background, standard input, the test server."""

import json
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

BASE = ['-display', 'none', '-S', '-net', 'none']


def wait_for(cond, what, limit=10):
    end = time.monotonic() + limit
    while not cond():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def connect(port):
    """To a server that is starting."""
    end = time.monotonic() + 10
    while True:
        try:
            return socket.create_connection(('127.0.0.1', port))
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.01)


def sigterm_is_an_orderly_exit(prog, tmp):
    sock = f'{tmp}/s'
    p = subprocess.Popen([prog, *BASE, '-qmp', f'unix:{sock},server=on,wait=off', '-pidfile', f'{tmp}/pid'])
    wait_for(lambda: os.path.exists(sock), 'no socket')
    c = socket.socket(socket.AF_UNIX)
    c.connect(sock)
    f = c.makefile('rwb')
    assert b'QMP' in f.readline()
    f.write(b'{"execute":"qmp_capabilities"}\n')
    f.flush()
    f.readline()
    assert int(open(f'{tmp}/pid').read()) == p.pid
    p.send_signal(signal.SIGTERM)
    ev = json.loads(f.readline())
    assert ev['event'] == 'SHUTDOWN' and ev['data'] == {'guest': False, 'reason': 'host-signal'}, ev
    assert p.wait(10) == 0
    assert not os.path.exists(f'{tmp}/pid'), 'pid file stays'
    assert not os.path.exists(sock), 'socket stays'


def daemonize_returns_when_ready(prog, tmp):
    sock = f'{tmp}/s'
    r = subprocess.run([prog, *BASE, '-daemonize', '-qmp', f'unix:{sock},server=on,wait=off', '-pidfile', f'{tmp}/pid'],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=10)
    assert r.returncode == 0, r.stderr
    assert os.path.exists(sock), 'parent returned before the socket was there'
    pid = int(open(f'{tmp}/pid').read())
    c = socket.socket(socket.AF_UNIX)
    c.connect(sock)
    assert b'QMP' in c.recv(4096)
    os.kill(pid, signal.SIGTERM)
    wait_for(lambda: not os.path.exists(f'{tmp}/pid'), 'daemon did not end')


def daemonize_reports_failure(prog, tmp):
    r = subprocess.run([prog, *BASE, '-daemonize', '-netdev', 'user'], stderr=subprocess.PIPE, timeout=10)
    assert r.returncode == 1 and b"Parameter 'id' is missing" in r.stderr, r


def machine_none_is_probed(prog, tmp):
    """As libvirt does: in the background, nothing of the pipes stays open, the reply to the first command is there."""
    sock = f'{tmp}/qmp.monitor'
    r = subprocess.run([prog, '-S', '-no-user-config', '-nodefaults', '-nographic',
                        '-machine', 'none,accel=kvm:mshv:tcg', '-qmp', f'unix:{sock},server=on,wait=off', '-pidfile', f'{tmp}/qmp.pid', '-daemonize'],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=10)
    assert r.returncode == 0 and not r.stdout and not r.stderr, r
    pid = int(open(f'{tmp}/qmp.pid').read())
    c = socket.socket(socket.AF_UNIX)
    c.settimeout(10)
    c.connect(sock)
    f = c.makefile('rwb')
    assert b'QMP' in f.readline()
    names = ['query-version', 'query-target', 'query-qmp-schema', 'query-commands', 'query-kvm', 'query-accelerators',
             'qom-list-types', 'query-machines', 'query-command-line-options', 'query-migrate-capabilities']
    for n, name in enumerate(['qmp_capabilities', *names]):
        f.write(json.dumps({'execute': name, 'id': f'libvirt-{n}'}).encode() + b'\n')
        f.flush()
        reply = json.loads(f.readline())
        assert reply['id'] == f'libvirt-{n}' and 'return' in reply, reply
    rss = [l for l in open(f'/proc/{pid}/status') if l.startswith('VmRSS')][0]
    assert int(rss.split()[1]) < 64 * 1024, f'no RAM, no CPU, but {rss}'
    os.kill(pid, signal.SIGTERM)
    wait_for(lambda: not os.path.exists(f'{tmp}/qmp.pid'), 'did not end')


def qmp_on_stdio_answers_everything_before_quit(prog, tmp):
    text = b'{"execute":"qmp_capabilities"}{"execute":"query-qmp-schema"}{"execute":"query-kvm"}{"execute":"quit"}'
    r = subprocess.run([prog, *BASE, '-qmp', 'stdio'], input=text, stdout=subprocess.PIPE, timeout=20)
    assert r.returncode == 0
    replies = [json.loads(l) for l in r.stdout.splitlines()]
    assert [next(iter(x)) for x in replies[:5]] == ['QMP', 'return', 'return', 'return', 'return'], r.stdout[:500]
    assert len(replies[2]['return']) > 50
    assert replies[3]['return'] == {'enabled': False, 'present': False}


def hmp_over_tcp_echoes_the_command(prog, tmp):
    """GNS3 looks for the typed command in one piece, then reads what follows."""
    srv = socket.create_server(('127.0.0.1', 0))
    port = srv.getsockname()[1]
    srv.close()
    p = subprocess.Popen([prog, *BASE, '-monitor', f'tcp:127.0.0.1:{port},server,nowait'])
    try:
        for _ in range(2):                  # a connection for each command
            c = connect(port)
            f = c.makefile('rwb')
            assert f.readline().endswith(b"monitor - type 'help' for more information\r\n")
            f.write(b'info status\n')
            f.flush()
            assert b'info status' in f.readline()
            assert f.readline() == b'VM status: paused (prelaunch)\r\n'
            f.close()
            c.close()
    finally:
        p.terminate()
        assert p.wait(10) == 0


def serial_over_telnet_greets(prog, tmp):
    srv = socket.create_server(('127.0.0.1', 0))
    port = srv.getsockname()[1]
    srv.close()
    p = subprocess.Popen([prog, *BASE, '-serial', f'telnet:127.0.0.1:{port},server,nowait'])
    try:
        c = connect(port)
        got = b''
        while len(got) < 12:
            got += c.recv(12 - len(got))
        assert got == bytes.fromhex('fffb01fffb03fffb00fffd00'), got.hex()
    finally:
        p.terminate()
        assert p.wait(10) == 0


def nographic_shares_the_terminal(prog, tmp):
    """Ctrl-a h, Ctrl-a c to the monitor and back, Ctrl-a x; the terminal is as before afterwards."""
    master, slave = pty.openpty()
    import termios
    before = termios.tcgetattr(slave)
    p = subprocess.Popen([prog, '-nographic', '-S', '-net', 'none'], stdin=slave, stdout=slave, stderr=slave)

    def read_until(text, limit=10):
        got, end = b'', time.monotonic() + limit
        while text not in got:
            assert time.monotonic() < end, got
            if select.select([master], [], [], 0.1)[0]:
                got += os.read(master, 4096)
        return got

    try:
        wait_for(lambda: not termios.tcgetattr(slave)[3] & termios.ICANON, 'terminal not raw')
        os.write(master, b'\x01h')
        read_until(b'switch between console and monitor')
        os.write(master, b'\x01c')
        read_until(b'(qemu) ')
        os.write(master, b'info version\n')
        read_until(b'Patchbay')
        os.write(master, b'\x01c\x01x')
        read_until(b'Terminated')
        assert p.wait(10) == 0
        after = termios.tcgetattr(slave)
        assert after == before, 'terminal not restored'
    finally:
        p.kill()
        os.close(master)
        os.close(slave)


def exit_with_parent(prog, tmp):
    sh = subprocess.Popen(['sh', '-c', f'{prog} {" ".join(BASE)} -run-with exit-with-parent=on -pidfile {tmp}/pid & wait'])
    wait_for(lambda: os.path.exists(f'{tmp}/pid') and open(f'{tmp}/pid').read().endswith('\n'), 'did not start')
    sh.kill()
    sh.wait()
    wait_for(lambda: not os.path.exists(f'{tmp}/pid'), 'program outlived its parent')


class Qtest:
    """The harness's side: it listens, the emulator connects."""

    def __init__(self, prog, tmp, args=()):
        srv = socket.socket(socket.AF_UNIX)
        srv.bind(f'{tmp}/qtest')
        srv.listen(1)
        self.p = subprocess.Popen([prog, '-display', 'none', '-qtest', f'unix:{tmp}/qtest', '-qtest-log', '/dev/null', '-accel', 'kvm',
                                   '-accel', 'qtest', *args], stderr=subprocess.DEVNULL)
        srv.settimeout(20)
        self.sock, _ = srv.accept()
        self.sock.settimeout(20)
        self.f = self.sock.makefile('rwb')
        self.irqs = []

    def cmd(self, line):
        self.f.write(line.encode() + b'\n')
        self.f.flush()
        while True:
            reply = self.f.readline().decode().rstrip('\n')
            assert reply, 'the emulator closed the connection'
            if not reply.startswith('IRQ'):
                return reply
            self.irqs.append(reply)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.p.terminate()
        status = self.p.wait(30)
        if not exc[0]:
            assert status == 0, f'exit status {status}'


def qtest_protocol(prog, tmp):
    with Qtest(prog, tmp, ['-net', 'none']) as q:
        for line, want in [
                ('endianness', 'OK little'),
                ('write 0x1000 4 0x01020304', 'OK'), ('read 0x1000 4', 'OK 0x01020304'), ('read 0x1000 6', 'OK 0x010203040000'),
                ('readl 0x1000', 'OK 0x0000000004030201'), ('readw 4096', 'OK 0x0000000000000201'),
                ('writeq 0x2000 0x1122334455667788', 'OK'), ('readb 0x2000', 'OK 0x0000000000000088'),
                ('write 0x1000 6 0xff', 'OK'), ('read 0x1000 6', 'OK 0xff0000000000'),
                ('memset 0x3000 16 0xab', 'OK'), ('read 0x3008 9', 'OK 0xabababababababab00'),
                ('b64write 0x4000 3 SGkh', 'OK'), ('b64read 0x4000 3', 'OK SGkh'), ('read 0x4000 3', 'OK 0x486921'),
                ('clock_step 100', 'OK 100'), ('clock_set 5000', 'OK 5000'), ('clock_step 1000', 'OK 6000'),
                ('module_load a b', 'OK'), ('outl 0xcf8 0x80000000', 'OK'), ('inl 0xcfc', 'OK 0x12378086'),
                ('inw 0xcfe', 'OK 0x1237'),
                ('irq_intercept_out ioapic', 'FAIL Unknown device'), ('irq_intercept_in nosuch', 'FAIL Unknown device'),
                ('bogus 1', "FAIL Unknown command 'bogus'"), ('read 1', 'FAIL read: wrong number of arguments'),
                ('readl xyz', "FAIL readl: 'xyz' is not a number"), ('read 0 0x7fffffffffffffff', 'FAIL size too large')]:
            got = q.cmd(line)
            assert got == want, f'{line}: {got!r}, want {want!r}'
        q.f.write(b'\n# a comment\n')         # no reply to these
        assert q.cmd('inb 0x80').startswith('OK 0x')


def qtest_without_a_machine(prog, tmp):
    with Qtest(prog, tmp, ['-machine', 'none']) as q:
        for line, want in [('endianness', 'OK little'), ('readl 0', 'OK 0x00000000ffffffff'), ('writel 0 1', 'OK'),
                           ('readl 0', 'OK 0x00000000ffffffff'), ('inb 0x60', 'OK 0x00ff'), ('outb 0x60 1', 'OK'),
                           ('inl 0xcfc', 'OK 0xffffffff'), ('clock_step 100', 'OK 100'),
                           ('irq_intercept_in ioapic', 'FAIL Unknown device')]:
            got = q.cmd(line)
            assert got == want, f'{line}: {got!r}, want {want!r}'


def qtest_interrupts_and_timers(prog, tmp):
    """PIT channel 0, mode 0: the I/O APIC's pin 2 (or 0) rises when the count ends, before the OK of the step."""
    with Qtest(prog, tmp, ['-net', 'none']) as q:
        assert q.cmd('irq_intercept_in ioapic') == 'OK'
        assert q.cmd('irq_intercept_in /machine/unattached/ioapic') == 'OK'
        q.cmd('outb 0x43 0x30')
        q.cmd('outb 0x40 0xff')
        q.cmd('outb 0x40 0x00')
        q.irqs.clear()
        assert q.cmd('clock_step 100000').startswith('OK')
        assert not [i for i in q.irqs if 'raise' in i], q.irqs
        assert q.cmd('clock_step 200000').startswith('OK')      # 255 ticks of 838 ns are over
        assert [i for i in q.irqs if i.startswith('IRQ raise')], q.irqs
        assert q.cmd('clock_step').split()[0] in ('OK', 'FAIL')


def option_pages_are_what_the_schema_says(prog, tmp):
    script = Path(__file__).resolve().parents[2] / 'scripts/gen_manpage.py'
    r = subprocess.run([sys.executable, str(script), '--check'], stdout=subprocess.PIPE)
    assert r.returncode == 0, r.stdout


TESTS = [sigterm_is_an_orderly_exit, daemonize_returns_when_ready, daemonize_reports_failure,
         machine_none_is_probed, qtest_without_a_machine,
         qmp_on_stdio_answers_everything_before_quit, hmp_over_tcp_echoes_the_command, serial_over_telnet_greets,
         nographic_shares_the_terminal, exit_with_parent, qtest_protocol, qtest_interrupts_and_timers,
         option_pages_are_what_the_schema_says]
