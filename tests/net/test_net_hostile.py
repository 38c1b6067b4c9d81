#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Security bars that need a whole process: hostile and dead peers, storms, failing system calls, thousands of comings and goings.

Names begin with the id of the bar (docs/devel/security-tests.rst says what each demands). No guest runs; frames come from sockets of this test.
As root everything is in a network namespace. Figures are printed as comments; what is asserted leaves room for a busy machine.
"""

import contextlib
import mmap
import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lib'))
import netns  # noqa: E402
import tap  # noqa: E402
from guestnet import free_port  # noqa: E402
from tap import check, equal  # noqa: E402
from vm import DEADLINE, VM, TestError, binary  # noqa: E402

CYCLES = int(os.environ.get('PATCHBAY_TEST_CYCLES', 10000))     # L3; 100,000 for a release
STAND_STILL = float(os.environ.get('PATCHBAY_TEST_STOP_S', 5))  # X4
SO_RCVBUFFORCE = 33
WHY_NO_NS = netns.enter()
if not WHY_NO_NS:
    netns.ip('link set lo multicast on')
    netns.ip('route add 224.0.0.0/4 dev lo')


def say(text):
    print(f'# {text}', flush=True)


def wait_for(what, condition, limit=DEADLINE):
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            raise TestError(f'not in time: {what}')
        time.sleep(0.01)


# ---- the process from outside ----

def cpu(vm):
    with open(f'/proc/{vm.proc.pid}/stat') as f:
        fields = f.read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def rss(vm):
    with open(f'/proc/{vm.proc.pid}/statm') as f:
        return int(f.read().split()[1]) * 4


def fds(vm):
    return len(os.listdir(f'/proc/{vm.proc.pid}/fd'))


def alive(vm):
    """QMP answers within a second; returns how long it took."""
    start = time.monotonic()
    vm.qmp('query-status')
    took = time.monotonic() - start
    check(took < 1, f'query-status took {took:.2f} s')
    return took


def stats(vm, name):
    """Counters of a client: rx, tx, and what it did not get, by reason."""
    for c in vm.qmp('query-netdev', stats=True):
        if c['name'] == name:
            s = c['stats']
            return s['rx-frames'], s['tx-frames'], {d['reason']: d['frames'] for d in s['drops']}
    raise TestError(f'no client {name}')


class Busy:
    """CPU of a process and QMP's answers over a piece of a test."""

    def __init__(self, vm):
        self.vm, self.start, self.cpu, self.worst = vm, time.monotonic(), cpu(vm), 0

    def ask(self, n, pause=0.0):
        for _ in range(n):
            self.worst = max(self.worst, alive(self.vm))
            time.sleep(pause)
        return self

    def cores(self):
        return (cpu(self.vm) - self.cpu) / (time.monotonic() - self.start)


# ---- frames and wires ----

def frame(n=0, size=1000):
    return b'\xff' * 6 + b'\x52\0\0\0\0\1\x88\xb5' + struct.pack('>I', n) + bytes(size - 18)


def framed(data):
    return struct.pack('>I', len(data)) + data


def connected(path):
    s = socket.socket(socket.AF_UNIX)
    end = time.monotonic() + DEADLINE
    while s.connect_ex(path):
        if time.monotonic() > end:
            raise TestError(f'cannot connect to {path}')
        time.sleep(0.01)
    return s


class Reader(threading.Thread):
    """Counts the bytes of a wire, which are frames of one size."""

    def __init__(self, sock, size=1000):
        super().__init__(daemon=True)
        self.sock, self.size, self.bytes = sock, size + 4, 0
        self.start()

    def run(self):
        with contextlib.suppress(OSError):
            while data := self.sock.recv(1 << 18):
                self.bytes += len(data)

    def frames(self):
        return self.bytes // self.size


class Flood(threading.Thread):
    """Writes frames, but stays at most half a queue ahead of @reader, which therefore may not lose any."""

    def __init__(self, sock, pause, reader=None):
        super().__init__(daemon=True)
        self.sock, self.pause, self.reader, self.sent, self.stop = sock, pause, reader, 0, False
        self.blob = framed(frame()) * 50
        self.start()

    def run(self):
        with contextlib.suppress(OSError):
            while not self.stop:
                if not self.reader or self.sent - self.reader.frames() < 500:
                    self.sock.sendall(self.blob)
                    self.sent += 50
                time.sleep(self.pause)

    def end(self):
        self.stop = True
        self.join()
        return self.sent


@contextlib.contextmanager
def hub(*netdevs, args=(), program=None):
    """A machine that does not run, with a hub of "src", a stream server at yields[1]/src, and the others."""
    with tempfile.TemporaryDirectory(prefix='patchbay-hostile-') as tmp:
        cmd = ['-S']
        for netdev in (f'stream,id=src,server=on,addr.type=unix,addr.path={tmp}/src', *netdevs):
            name = re.search(r'id=(\w+)', netdev).group(1)
            cmd += ['-netdev', netdev.replace('@', tmp), '-netdev', f'hubport,id=port-{name},hubid=1,netdev={name}']
        with VM([*cmd, *args], mem='64M', program=program) as vm:
            alive(vm)
            yield vm, tmp


# ---- Q ----

def test_Q2_death_seen_with_receiver_off():
    """The guest's receiver is off, frames are waiting: the death of the peer is an event at once, and it is connected again."""
    for card in ('e1000', 'e1000e', 'virtio-net-pci'):
        with tempfile.TemporaryDirectory(prefix='patchbay-hostile-') as tmp, socket.socket(socket.AF_UNIX) as listener:
            listener.bind(f'{tmp}/s')
            listener.listen(4)
            netdev = f'stream,id=s,reconnect-ms=100,addr.type=unix,addr.path={tmp}/s'
            with VM(['-netdev', netdev, '-device', f'{card},netdev=s'], mem='64M') as vm:
                worst = 0
                for _ in range(3):
                    peer = listener.accept()[0]
                    wait_for('connected', lambda: f's: index=0,type=stream,unix:{tmp}/s' in vm.hmp('info network'))
                    peer.setblocking(False)
                    with contextlib.suppress(BlockingIOError):
                        for _ in range(20000):
                            peer.send(framed(frame()) * 10)
                    start = time.monotonic()
                    peer.close()
                    vm.wait_event('NETDEV_STREAM_DISCONNECTED')
                    worst = max(worst, time.monotonic() - start)
                listener.settimeout(DEADLINE)
                listener.accept()[0].close()
                say(f'Q2 {card}: the end of the peer is an event after {worst * 1000:.1f} ms at most (bar 50)')
                check(worst < 1, f'{worst:.2f} s')


# ---- P5 ----

def test_P5_l2tpv3_and_dgram():
    """Wrong cookie, session, header, length and sender: dropped and counted, seen in both monitors; good ones go through."""
    n, a, b, c, d = 2000, *(free_port() for _ in range(4))
    l2tp = (f'l2tpv3,id=l2,src=127.0.0.1,dst=127.0.0.1,udp=on,srcport={a},dstport={b},txsession=16,rxsession=32,'
            'rxcookie=0x01020304,txcookie=0x05060708')
    dgram = f'dgram,id=dg,local.type=inet,local.host=127.0.0.1,local.port={c},remote.type=inet,remote.host=127.0.0.1,remote.port={d}'
    with hub(l2tp, dgram) as (vm, tmp), contextlib.ExitStack() as stack:
        src = stack.enter_context(connected(f'{tmp}/src'))
        reader = Reader(src, size=100)

        def udp(port):
            s = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            s.bind(('127.0.0.1', port))
            return s

        l2, dg, stranger = udp(b), udp(d), udp(0)
        good = struct.pack('>HHII', 3, 0, 32, 0x01020304) + frame(size=100)
        before, bad = rss(vm), {
            'wrong-cookie': struct.pack('>HHII', 3, 0, 32, 0x01020305) + frame(size=100),
            'wrong-session': struct.pack('>HHII', 3, 0, 33, 0x01020304) + frame(size=100),
            'short': good[:7],
            'bad-header': struct.pack('>HHII', 0xC802, 0, 32, 0x01020304) + frame(size=100)}

        def send(sock, port, data, counter):
            had = counter()
            for i in range(0, n, 50):
                for _ in range(50):
                    sock.sendto(data, ('127.0.0.1', port))
                wait_for(f'{had + i + 50} counted', lambda: counter() >= had + i + 50)
            return counter() - had

        for reason, data in bad.items():
            equal(send(l2, a, data, lambda: stats(vm, 'l2')[2].get(reason, 0)), n, reason)     # pylint: disable=cell-var-from-loop
        equal(send(stranger, a, good, lambda: stats(vm, 'l2')[2].get('wrong-source', 0)), n, 'spoofed source')
        equal(send(stranger, c, frame(size=100), lambda: stats(vm, 'dg')[2].get('wrong-source', 0)), n, 'wrong peer')
        equal(send(dg, c, b'', lambda: stats(vm, 'port-dg')[2].get('runt', 0)), n, 'empty datagrams')
        equal(reader.frames(), 0, 'bad ones that went through')
        dg.sendto(b'\xff' * 65507, ('127.0.0.1', c))      # a frame, if a large one
        wait_for('the longest datagram', lambda: reader.bytes == 65511)
        reader.bytes = 0
        text = vm.hmp('info network -s')
        for reason in (*bad, 'wrong-source', 'runt'):
            check(f'drop-{reason}={n}' in text, f'{reason}: {text}')
        for _ in range(10):
            l2.sendto(good, ('127.0.0.1', a))
            dg.sendto(frame(size=100), ('127.0.0.1', c))
        wait_for('the good ones', lambda: reader.frames() == 20)
        grown = rss(vm) - before
        say(f'P5 {7 * n} bad datagrams, all counted by reason; {grown:+} KiB')
        check(grown < 1024, f'{grown} KiB')


# ---- P6 ----

def storm(vm, start, what):
    start()
    wait_for('a storm', lambda: cpu(vm) > 0.1, limit=10)
    before = rss(vm)
    busy = Busy(vm).ask(150, pause=0.005)
    cores, grown = busy.cores(), rss(vm) - before
    say(f'P6 {what}: {cores:.2f} cores (bar 1), QMP within {busy.worst * 1000:.1f} ms (bar 100), {grown:+} KiB')
    check(cores < 1.3, f'{cores} cores')
    check(grown < 8192, f'{grown} KiB')


def test_P6_multicast_own_frames():
    """One's own frames come back from the group: known and dropped. Two backends of one hub in one group: a loop, bounded."""
    if WHY_NO_NS:
        raise tap.Skip(WHY_NO_NS)
    port = free_port()
    group = f'dgram,id=m%d,remote.type=inet,remote.host=230.0.0.7,remote.port={port},local.type=inet,local.host=127.0.0.1,local.port=0'
    with hub(group % 0) as (vm, tmp), connected(f'{tmp}/src') as src:
        reader = Reader(src)
        for i in range(20):
            src.sendall(framed(frame()) * 50)
            wait_for('sent', lambda: stats(vm, 'm0')[0] == 50 * (i + 1))      # pylint: disable=cell-var-from-loop
        wait_for('all own ones seen', lambda: stats(vm, 'm0')[2].get('own', 0) >= 900)
        equal(reader.frames(), 0, 'own frames on the hub')
        say(f'P6 1000 frames to the group, {stats(vm, "m0")[2]["own"]} seen again and dropped')
    with hub(group % 0, group % 1) as (vm, tmp), connected(f'{tmp}/src') as src:
        src.sendall(framed(frame()) * 20)
        busy = Busy(vm).ask(100, pause=0.005)
        say(f'P6 two backends in one group on one hub: {busy.cores():.2f} cores, QMP within {busy.worst * 1000:.1f} ms')
        check(busy.cores() < 1.3, 'bounded')


def test_P6_two_hubs_joined_twice():
    """Stream wires, and datagram wires, join two hubs twice: one broadcast goes round for ever, and takes a core at most."""
    with tempfile.TemporaryDirectory(prefix='patchbay-hostile-') as tmp:
        for kind in ('stream', 'dgram'):
            args = ['-S', '-netdev', f'stream,id=src,server=on,addr.type=unix,addr.path={tmp}/src{kind}',
                    '-netdev', 'hubport,id=p,hubid=1,netdev=src']
            for i in range(2):
                for side in (1, 2):
                    me, other = f'{tmp}/{kind}{i}{side}', f'{tmp}/{kind}{i}{3 - side}'
                    netdev = (f'stream,id=w{i}{side},addr.type=unix,addr.path={tmp}/{kind}{i}' + (',server=on' if side == 1 else ',reconnect-ms=10')
                              if kind == 'stream' else f'dgram,id=w{i}{side},local.type=unix,local.path={me},remote.type=unix,remote.path={other}')
                    args += ['-netdev', netdev, '-netdev', f'hubport,id=h{i}{side},hubid={side},netdev=w{i}{side}']
            with VM(args, mem='64M') as vm, connected(f'{tmp}/src{kind}') as src:
                wait_for('both wires', lambda: 'connecting' not in vm.hmp('info network') and 'listening' not in vm.hmp('info network'))
                Reader(src, size=100)
                storm(vm, lambda: src.sendall(framed(frame(size=100)) * 5), f'two hubs joined twice by {kind}')
                vm.qmp('netdev_del', id='w11')
                vm.qmp('netdev_del', id='w12')
                wait_for('the end of the storm', lambda: stats(vm, 'w01')[0] == (time.sleep(0.1), stats(vm, 'w01')[0])[1])


# ---- P7 ----

def test_P7_300_parallel_connects():
    """One is served; the others may wait or are sent away; when they have gone, the next one works."""
    port = free_port()
    for addr, family, target in (('inet,addr.host=127.0.0.1,addr.port=%d' % port, socket.AF_INET, ('127.0.0.1', port)),
                                 ('unix,addr.path=@/srv', socket.AF_UNIX, None)):
        with hub(f'stream,id=st,server=on,addr.type={addr}') as (vm, tmp), connected(f'{tmp}/src') as src:
            wait_for('src', lambda: 'src: index=0,type=stream,listening' not in vm.hmp('info network'))
            vm.events.clear()
            reader, before, crowd = Reader(src, size=100), fds(vm), []
            for _ in range(300):
                s = socket.socket(family)
                s.setblocking(False)
                s.connect_ex(target or f'{tmp}/srv')
                crowd.append(s)
            vm.wait_event('NETDEV_STREAM_CONNECTED')
            busy = Busy(vm).ask(50, pause=0.01)
            check(fds(vm) <= before + 2, f'{fds(vm)} descriptors, {before} before')
            check(not [e for e in vm.events if e['event'] == 'NETDEV_STREAM_CONNECTED'], 'more than one was let in')
            say(f'P7 {family.name}: 1 of 300 accepted, QMP within {busy.worst * 1000:.1f} ms, {busy.cores():.2f} cores')
            check(busy.cores() < 0.5, 'CPU')
            for s in crowd:
                s.close()
            vm.wait_event('NETDEV_STREAM_DISCONNECTED')
            with socket.socket(family) as good:
                wait_for('the next one', lambda: not good.connect_ex(target or f'{tmp}/srv'))
                good.sendall(framed(frame(size=100)))
                wait_for('its frame', lambda: reader.frames() == 1)
            wait_for('descriptors back', lambda: fds(vm) == before)


# ---- X4 ----

def stopped_child(run):
    pid = os.fork()
    if not pid:
        netns.libc.prctl(1, signal.SIGKILL)
        try:
            run()
        finally:
            os._exit(0)
    return pid


def test_X4_stand_still():
    """A peer is stopped while others flood the hub: its queue is bounded, its losses counted, the others lose nothing. Then we are stopped."""
    netdevs = [f'stream,id={n},server=on,addr.type=unix,addr.path=@/{n}' for n in ('good', 'slow')]
    with hub(*netdevs) as (vm, tmp), connected(f'{tmp}/src') as src, connected(f'{tmp}/good') as good:
        count_r, count_w = os.pipe()

        def slow():
            with connected(f'{tmp}/slow') as s:
                while data := s.recv(1 << 18):
                    os.write(count_w, struct.pack('>I', len(data)))

        pid = stopped_child(slow)
        try:
            wait_for('the slow one', lambda: 'slow: index=0,type=stream,listening' not in vm.hmp('info network'))
            reader = Reader(good)
            flood = Flood(src, 0.002, reader)
            wait_for('frames', lambda: reader.frames() > 1000)
            os.kill(pid, signal.SIGSTOP)
            time.sleep(0.3)
            before, busy = rss(vm), Busy(vm)
            busy.ask(20, pause=STAND_STILL / 20)
            say(f'X4 {STAND_STILL:.0f} s: {flood.sent} frames sent, {rss(vm) - before:+} KiB (bar 2048), {busy.cores():.2f} cores')
            check(rss(vm) - before < 2048 + 1024, f'{rss(vm) - before} KiB')
            vm.proc.send_signal(signal.SIGSTOP)
            time.sleep(min(2, STAND_STILL))
            vm.proc.send_signal(signal.SIGCONT)
            os.kill(pid, signal.SIGCONT)
            seen = stats(vm, 'slow')[0]
            wait_for('it goes on', lambda: stats(vm, 'slow')[0] > seen + 1000)
            sent, got = flood.end(), 0
            wait_for('all frames', lambda: reader.frames() == sent)
            wait_for('the slow one has its rest', lambda: sum(stats(vm, 'slow')[2].values()) + stats(vm, 'slow')[0] == sent)
            rx, _, drops = stats(vm, 'slow')
            while got < rx * 1004:
                check(select.select([count_r], [], [], 30)[0], f'{got} of {rx * 1004} bytes')
                got += struct.unpack('>I', os.read(count_r, 4))[0]
            say(f'X4 {sent} sent: {reader.frames()} at the good reader, {rx} at the stopped one, {drops} counted there')
            equal(stats(vm, 'good')[2], {}, 'lost at the good reader')
            alive(vm)
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            os.close(count_r)
            os.close(count_w)


# ---- X6 ----

CALLS = {'writev': 0, 'read': 1, 'sendmmsg': 2, 'recvmmsg': 3}
EAGAIN, ENOMEM, ENOBUFS = 11, 12, 105


class Faults:
    def __init__(self, tmp):
        shim = os.path.join(os.environ.get('BUILD_DIR') or os.path.dirname(binary()), 'tests/unit/libnetfault.so')
        if not os.path.exists(shim):
            raise tap.Skip('a build without sanitizers: libnetfault.so')
        with open(f'{tmp}/control', 'wb') as f:
            f.write(bytes(4096))
        self.file = open(f'{tmp}/control', 'r+b')
        self.mem = mmap.mmap(self.file.fileno(), 4096)
        self.program = f'{tmp}/emulator'
        with open(self.program, 'w') as f:
            f.write(f'#!/bin/sh\nLD_PRELOAD={shim} NETFAULT={tmp}/control exec {binary()} "$@"\n')
        os.chmod(self.program, 0o755)

    def set(self, call, every, error, limit=1 << 30):
        struct.pack_into('<III', self.mem, CALLS[call] * 20, every, error, limit)

    def seen(self, call):
        """How often called, how often failed."""
        return struct.unpack_from('<II', self.mem, CALLS[call] * 20 + 12)


def faulty(tmp, f, netdev, out, back, calls, lossless):
    """Frames both ways while calls fail; then all of them fail for a while, which may not keep us busy; then none."""
    with hub(netdev, program=f.program) as (vm, dir_), connected(f'{dir_}/src') as src:
        reader = Reader(src)
        for error, name in ((EAGAIN, 'EAGAIN'), (ENOBUFS, 'ENOBUFS'), (ENOMEM, 'ENOMEM')):
            for every in (7, 1):
                had_rx, _, had_drops = stats(vm, 'x')
                had_out, had_failed, back_before = out(), sum(f.seen(c)[1] for c in calls), reader.frames()
                for c in calls:
                    f.set(c, every, error, 200 if every > 1 else 1 << 30)
                if every == 1 and error == EAGAIN:      # a kernel that says "readable" and then "nothing there" is not ours to handle
                    for c in calls:
                        if c in ('read', 'recvmmsg'):
                            f.set(c, 0, 0)
                if every == 1:                      # nothing works: not a spin
                    src.sendall(framed(frame()) * 20)
                    back(20)
                    time.sleep(0.2)
                    busy, n = Busy(vm), sum(f.seen(c)[0] for c in calls)
                    busy.ask(10, pause=0.05)
                    rate = (sum(f.seen(c)[0] for c in calls) - n) / (time.monotonic() - busy.start)
                    say(f'X6 {netdev.split(",")[0]}, all of {"+".join(calls)} fail with {name}: {busy.cores():.2f} cores, {rate:.0f} calls/s')
                    check(busy.cores() < 0.3, f'{name}: {busy.cores():.2f} cores')
                    for c in calls:
                        f.set(c, 0, 0)
                    sent = 20
                else:
                    for _ in range(20):
                        src.sendall(framed(frame()) * 50)
                        back(5)
                        time.sleep(0.005)
                    sent = 1000
                check(sum(f.seen(c)[1] for c in calls) > had_failed, 'something failed')
                wait_for('all sent or counted', lambda: stats(vm, 'x')[0] - had_rx + sum(stats(vm, 'x')[2].values()) - sum(had_drops.values())
                         >= sent, limit=20)     # pylint: disable=cell-var-from-loop
                back(10)                            # it works again
                src.sendall(framed(frame()) * 10)
                wait_for(f'frames from outside after {name}', lambda: reader.frames() >= back_before + 10, limit=20)
                wait_for(f'frames to the outside after {name}', lambda: out() >= had_out + 10, limit=20)
                now_rx, _, drops = stats(vm, 'x')
                lost = sum(drops.values()) - sum(had_drops.values())
                if every > 1 and lossless and error != ENOMEM:
                    equal(lost, 0, f'{name}: frames lost')
                alive(vm)
        for c in calls:
            check(f.seen(c)[1] > 20, f'{c} failed only {f.seen(c)[1]} times')


def test_X6_failing_calls_dgram():
    """sendmmsg and recvmmsg fail with EAGAIN, ENOBUFS, ENOMEM."""
    with tempfile.TemporaryDirectory(prefix='patchbay-hostile-') as tmp:
        f = Faults(tmp)
        far = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        far.bind(f'{tmp}/far')
        got = [0]

        def drain():
            with contextlib.suppress(OSError):
                while far.recv(70000):
                    got[0] += 1

        def back(n):
            for _ in range(n):
                with contextlib.suppress(BlockingIOError, InterruptedError):
                    far.sendto(frame(), socket.MSG_DONTWAIT, f'{tmp}/near')

        threading.Thread(target=drain, daemon=True).start()
        faulty(tmp, f, f'dgram,id=x,local.type=unix,local.path={tmp}/near,remote.type=unix,remote.path={tmp}/far', lambda: got[0], back,
               ('sendmmsg', 'recvmmsg'), True)


@contextlib.contextmanager
def tap_interface(name):
    if WHY_NO_NS:
        raise tap.Skip(WHY_NO_NS)
    netns.ip(f'tuntap add {name} mode tap')
    with open(f'/proc/sys/net/ipv6/conf/{name}/disable_ipv6', 'w') as f:
        f.write('1')
    netns.ip(f'link set {name} up')
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24)
    s.bind((name, 0))
    try:
        yield s
    finally:
        s.close()
        netns.ip(f'link del {name}', check=False)


def test_X6_failing_calls_tap():
    """writev and read fail with EAGAIN, ENOBUFS, ENOMEM."""
    with tempfile.TemporaryDirectory(prefix='patchbay-hostile-') as tmp, tap_interface('pbx6') as s:
        f, got = Faults(tmp), [0]

        def drain():
            with contextlib.suppress(OSError):
                while True:
                    got[0] += s.recvfrom(70000)[1][2] != socket.PACKET_OUTGOING

        def back(n):
            for _ in range(n):
                with contextlib.suppress(OSError):
                    s.send(frame())

        threading.Thread(target=drain, daemon=True).start()
        faulty(tmp, f, 'tap,id=x,ifname=pbx6,script=no,downscript=no', lambda: got[0], back, ('writev', 'read'), False)


def test_X6_tap_down_and_gone():
    """Under load the interface goes down and up, and is deleted: event, no spin, no growth; the next one works."""
    with tap_interface('pbx6'), hub('tap,id=x,ifname=pbx6,script=no,downscript=no') as (vm, tmp), connected(f'{tmp}/src') as src:
        Reader(src)
        flood = Flood(src, 0.001)
        for _ in range(10):
            netns.ip('link set pbx6 down')
            alive(vm)
            netns.ip('link set pbx6 up')
        seen = stats(vm, 'x')[0]
        wait_for('it goes on', lambda: stats(vm, 'x')[0] > seen + 500)
        start = time.monotonic()
        netns.ip('link del pbx6')
        event = vm.wait_event('NETDEV_VANISHED')['data']
        took = time.monotonic() - start
        equal(event['netdev-id'], 'x', 'event')
        before = rss(vm)
        busy = Busy(vm).ask(50, pause=0.01)
        say(f'X6 deleted under load: event after {took * 1000:.0f} ms with ip(8) (bar 1000), {busy.cores():.2f} cores, {rss(vm) - before:+} KiB')
        check(took < 3 and rss(vm) - before < 1024, 'event, memory')
        vm.qmp('netdev_del', id='x')
        with tap_interface('pbx6'):
            vm.qmp('netdev_add', type='tap', id='x', ifname='pbx6', script='no', downscript='no')
            vm.qmp('netdev_add', type='hubport', id='again', hubid=1, netdev='x')
            wait_for('the next one', lambda: stats(vm, 'x')[0] > 100)
            vm.qmp('netdev_del', id='again')
            vm.qmp('netdev_del', id='x')
        flood.end()


# ---- L3 ----

def test_L3_cycles():
    """Thousands of netdev_add, set_link, object-add, object-del, netdev_del under load: descriptors and memory stay."""
    port = free_port()
    with hub('stream,id=sink,server=on,addr.type=unix,addr.path=@/sink') as (vm, tmp), contextlib.ExitStack() as stack:
        unix = {'type': 'unix', 'path': f'{tmp}/u'}
        kinds = [
            {'type': 'hubport', 'hubid': 2},
            {'type': 'switch', 'switchid': 2},
            {'type': 'stream', 'server': True, 'addr': unix},
            {'type': 'stream', 'addr': {'type': 'unix', 'path': f'{tmp}/nobody'}, 'reconnect-ms': 5},
            {'type': 'stream', 'addr': {'type': 'unix', 'path': f'{tmp}/meet'}, 'reconnect-ms': 1},
            {'type': 'stream', 'server': True, 'addr': {'type': 'inet', 'host': '127.0.0.1', 'port': str(port)}},
            {'type': 'socket', 'listen': f'127.0.0.1:{port}'},
            {'type': 'socket', 'udp': f'127.0.0.1:{port + 1}', 'localaddr': f'127.0.0.1:{port}'},
            {'type': 'dgram', 'local': {'type': 'unix', 'path': f'{tmp}/d'}, 'remote': {'type': 'unix', 'path': f'{tmp}/e'}},
            {'type': 'dgram', 'local': {'type': 'inet', 'host': '127.0.0.1', 'port': str(port)},
             'remote': {'type': 'inet', 'host': '127.0.0.1', 'port': str(port + 1)}},
            {'type': 'l2tpv3', 'src': '127.0.0.1', 'dst': '127.0.0.1', 'udp': True, 'srcport': str(port), 'dstport': str(port + 1), 'txsession': 1},
        ]
        built = subprocess.run([binary(), '-netdev', 'help'], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
        if 'user' in built:
            kinds.append({'type': 'user', 'restrict': True})
        if 'vde' in built:
            kinds.append({'type': 'vde', 'sock': f'ptp://{tmp}/ptp'})
        if not WHY_NO_NS:
            stack.enter_context(tap_interface('pbl3'))
            kinds += [{'type': 'tap', 'ifname': 'pbl3', 'script': 'no', 'downscript': 'no'}, {'type': 'socket', 'mcast': f'230.0.0.9:{port}'}]
        meet = stack.enter_context(socket.socket(socket.AF_UNIX))
        meet.bind(f'{tmp}/meet')
        meet.listen(16)
        threading.Thread(target=lambda: [meet.accept()[0].close() for _ in range(1 << 30)], daemon=True).start()
        src, sink = stack.enter_context(connected(f'{tmp}/src')), stack.enter_context(connected(f'{tmp}/sink'))
        reader, marks, start = Reader(sink), [], time.monotonic()
        flood = Flood(src, 0.002, reader)

        def mark():
            wait_for('closed descriptors', lambda: fds(vm) == marks[0][0] if marks else True, limit=10)
            marks.append((fds(vm), rss(vm)))

        for i in range(CYCLES):
            args = dict(kinds[i % len(kinds)], id='x')
            vm.qmp('netdev_add', **args)
            if args['type'] not in ('hubport', 'switch'):
                vm.qmp('netdev_add', type='hubport', id='hx', hubid=1, netdev='x')
            if i % 3 == 0:
                vm.qmp('set_link', name='x', up=False)
                vm.qmp('object-add', **{'qom-type': 'secret', 'id': 'o', 'data': 'x'})
                vm.qmp('object-del', id='o')
            if i % 6 == 0:
                vm.qmp('set_link', name='x', up=True)
            vm.qmp('netdev_del', id='x')
            if args['type'] not in ('hubport', 'switch'):
                vm.qmp('netdev_del', id='hx')
            vm.events.clear()
            if i + 1 in (CYCLES // 10, CYCLES // 2, CYCLES):
                mark()
        seconds, sent = time.monotonic() - start, flood.end()
        wait_for('all frames', lambda: reader.frames() == sent)
        grown = marks[2][1] - marks[1][1]
        say(f'L3 {CYCLES} cycles over {len(kinds)} backends in {seconds:.1f} s with {sent} frames through the hub: {marks[2][0] - marks[0][0]:+} '
            f'descriptors, {grown:+} KiB in the second half')
        equal(marks[2][0], marks[0][0], 'descriptors')
        check(grown <= 1024, f'{grown} KiB')
        equal(len(vm.qmp('query-netdev')), 4, 'clients left')


if __name__ == '__main__':
    sys.exit(tap.main(globals()))
