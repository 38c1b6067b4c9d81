#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Transcripts of the command line and the monitors (tests/compat/*.txt), and of processes (process.py): prints TAP

    run.py [WORD...]            only cases whose name contains a WORD

A transcript file is a list of cases:

    [name]
    args: -netdev user          the command line behind "-display none -S"; {TMP} a private directory, {BUSY} a port in use
    exit: 1                     the program must end by itself with this status; without it it runs until the case is done
    out:                        what stdout must hold, exactly; the lines follow, indented by two blanks
    err:                        the same for stderr; {PROG} is the program's name
    hmp: info network           a line of the human monitor, through human-monitor-command; its output follows
    qmp: {"execute":"stop"}     a QMP command; its reply follows as JSON (events are skipped)
    event: RESUME               this event has come, or comes within 5 s
    file: NAME HEX              create {TMP}/NAME with these bytes

#netNNN stands for any made-up netdev name. An expected line "~ REGEX" is a pattern; "..." as the last one: whatever comes.
"""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIMIT_S = 20


def binary():
    return os.environ.get('PATCHBAY_BINARY') or str(
        Path(os.environ.get('BUILD_DIR') or HERE.parents[1] / 'build') / 'patchbay-system-x86_64')


class Mismatch(Exception):
    pass


class Case:
    def __init__(self, where, name):
        self.where, self.name, self.steps = where, name, []


def load(path):
    cases, case = [], None
    for no, line in enumerate(path.read_text().splitlines(), 1):
        if case and case.steps and line.startswith('  '):
            case.steps[-1][2].append(line[2:])
        elif not line.strip() or line.startswith('#'):
            continue
        elif line.startswith('['):
            case = Case(f'{path.name}:{no}', line.strip('[]'))
            cases.append(case)
        else:
            key, _, value = line.partition(':')
            case.steps.append((key, value.strip(), []))
    return cases


def mask(text):
    return re.sub(r'#net\d+', '#netNNN', text)


def compare(what, got, want):
    got = mask(got).replace('\r\n', '\n').split('\n')
    if got and got[-1] == '':
        got.pop()
    for i, w in enumerate(want):
        if w == '...':
            return
        ok = i < len(got) and (re.fullmatch(w[2:], got[i]) if w.startswith('~ ') else got[i] == w)
        if not ok:
            raise Mismatch(f'{what}: line {i + 1}: want {w!r}\n' + '\n'.join('  got: ' + g for g in got))
    if len(got) != len(want):
        raise Mismatch(f'{what}: {len(got)} lines instead of {len(want)}\n' + '\n'.join('  got: ' + g for g in got))


class Qmp:
    def __init__(self, path, proc):
        end = time.monotonic() + LIMIT_S
        self.buf, self.events = b'', []
        while True:
            self.sock = socket.socket(socket.AF_UNIX)
            try:
                self.sock.connect(path)
                break
            except OSError:
                self.sock.close()
                if proc.poll() is not None or time.monotonic() > end:
                    raise Mismatch('the program ended or made no QMP socket') from None
                time.sleep(0.01)
        self.sock.settimeout(LIMIT_S)
        self.message()
        self.command({'execute': 'qmp_capabilities'})

    def message(self):
        while b'\n' not in self.buf:
            data = self.sock.recv(65536)
            if not data:
                raise Mismatch('QMP connection closed')
            self.buf += data
        line, self.buf = self.buf.split(b'\n', 1)
        return json.loads(line)

    def command(self, cmd):
        self.sock.sendall((cmd if isinstance(cmd, str) else json.dumps(cmd)).encode() + b'\n')
        while True:
            m = self.message()
            if 'event' not in m:
                return m
            self.events.append(m['event'])

    def hmp(self, line):
        r = self.command({'execute': 'human-monitor-command', 'arguments': {'command-line': line}})
        if 'error' in r:
            raise Mismatch(f'hmp {line}: {r["error"]}')
        return r['return']

    def event(self, name):
        self.sock.settimeout(5)
        while name not in self.events:
            try:
                m = self.message()
            except socket.timeout:
                raise Mismatch(f'event {name} did not come') from None
            self.events.append(m.get('event'))
        self.events.remove(name)
        self.sock.settimeout(LIMIT_S)


def run_case(case, tmp, busy_port):
    def fill(s):
        return s.replace('{TMP}', tmp).replace('{BUSY}', str(busy_port)).replace('{PROG}', os.path.basename(binary()))

    keys = {k for k, _, _ in case.steps}
    cmd = [binary(), '-display', 'none', '-S']
    for key, value, _ in case.steps:
        if key == 'args':
            cmd += shlex.split(fill(value))
        elif key == 'file':
            name, _, data = value.partition(' ')
            Path(tmp, name).write_bytes(bytes.fromhex(data))
    ends = 'exit' in keys
    if not ends:
        cmd += ['-qmp', f'unix:{tmp}/compat-qmp,server=on,wait=off']
    proc = subprocess.Popen(cmd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        if not ends:
            talk(case, Qmp(f'{tmp}/compat-qmp', proc), fill)
        out, err = proc.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        raise Mismatch('the program did not end') from None
    finally:
        proc.kill()
        proc.wait()
    for key, value, want in case.steps:
        want = [fill(w) for w in want]
        if key == 'exit' and proc.returncode != int(value):
            raise Mismatch(f'exit status {proc.returncode}, want {value}; stderr:\n{err.decode()}')
        if key == 'out':
            compare('stdout', out.decode(), want)
        if key == 'err':
            compare('stderr', err.decode(), want)
    if 'err' not in keys:
        compare('stderr', err.decode(), [])
    if not ends and proc.returncode:
        raise Mismatch(f'exit status {proc.returncode} after quit')


def talk(case, qmp, fill):
    for key, value, want in case.steps:
        want = [fill(w) for w in want]
        if key == 'hmp':
            compare('hmp ' + value, qmp.hmp(fill(value)), want)
        elif key == 'qmp':
            reply = qmp.command(fill(value))
            if want and want[0].startswith('~ '):
                compare('qmp ' + value, json.dumps(reply), want)
            elif reply != json.loads(' '.join(want)):
                raise Mismatch(f'qmp {value}: got {json.dumps(reply)}')
        elif key == 'event':
            qmp.event(value)
    qmp.command({'execute': 'quit'})


def main():
    sys.path.insert(0, str(HERE))
    import process
    words = sys.argv[1:]
    cases = [c for f in sorted(HERE.glob('*.txt')) for c in load(f)]
    tests = [(f'{c.where} {c.name}', lambda t, b, c=c: run_case(c, t, b)) for c in cases]
    tests += [(f'process {f.__name__}', lambda t, b, f=f: f(binary(), t)) for f in process.TESTS]
    if words:
        tests = [t for t in tests if any(w in t[0] for w in words)]
    busy = socket.create_server(('127.0.0.1', 0))
    failed = 0
    print(f'1..{len(tests)}')
    for i, (name, fn) in enumerate(tests, 1):
        tmp = tempfile.mkdtemp(prefix='patchbay-compat-')
        try:
            fn(tmp, busy.getsockname()[1])
            print(f'ok {i} {name}', flush=True)
        except (Mismatch, AssertionError, OSError, ValueError, subprocess.SubprocessError) as e:
            failed += 1
            print(''.join(f'# {l}\n' for l in f'{type(e).__name__}: {e}'.splitlines()) + f'not ok {i} {name}', flush=True)
        finally:
            shutil.rmtree(tmp, ignore_errors=True)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
