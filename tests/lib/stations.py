# SPDX-License-Identifier: BSD-2-Clause
"""Machines on one network that test each other: ping, and a file fetched from the next one."""

import contextlib
import os
import re
import subprocess

import tap
from guestnet import booted
from tap import check, equal
from vm import binary

QEMU = '/usr/bin/qemu-system-x86_64'


def need_qemu():
    if not os.path.exists(QEMU):
        raise tap.Skip('qemu-system-x86')


def script(me, count, extra=''):
    """Station ME of COUNT, 10.5.0.ME: serves a file, pings all others, fetches the file of the next one."""
    others = [n for n in range(1, count + 1) if n != me]
    nxt = me % count + 1
    return ('mkdir -p /www; dd if=/dev/urandom of=/www/blob bs=1024 count=1024 2>/dev/null; httpd -p 80 -h /www; '
            f'echo SUM=$(sha256sum < /www/blob); ip addr add 10.5.0.{me}/24 dev eth0; ip link set eth0 up; '
            + ''.join(f'for i in $(seq 120); do ping -c 1 -W 1 10.5.0.{n} >/dev/null && break; done; '
                      f'ping -c 10 -i 0.05 -s 1400 10.5.0.{n}; ' for n in others)
            + f'wget -q -O /tmp/b http://10.5.0.{nxt}/blob; echo GOT=$(sha256sum < /tmp/b); {extra} echo STATION-DONE; read x')


@contextlib.contextmanager
def machines(netdevs, cards=None, programs=None, extra='', more=()):
    """One machine for each -netdev text, which has id=n0."""
    count = len(netdevs)
    with contextlib.ExitStack() as stack:
        vms = []
        for i, netdev in enumerate(netdevs):
            program = programs[i] if programs else None
            card = cards[i] if cards else 'virtio-net-pci'
            args = ['-netdev', netdev, '-device', f'{card},netdev=n0,mac=52:54:00:aa:00:{i + 1:02x}', *more]
            kw = {'program': program} if program else {}
            if program == QEMU:
                kw['accel'] = 'tcg'
            vms.append(stack.enter_context(booted(script(i + 1, count, extra), args, **kw)))
        yield vms


def finish(vms):
    """All have done their part: no ping lost or seen twice, every file came over whole. Returns what they printed."""
    texts = [vm.expect(r'(?s)(.*)STATION-DONE').group(1) for vm in vms]
    for text in texts:
        equal(len(re.findall(r'10 packets transmitted, 10 (?:packets )?received, 0% packet loss', text)), len(vms) - 1, text)
        check('DUP' not in text and 'duplicate' not in text, text)
    for i, text in enumerate(texts):
        want = texts[(i + 1) % len(vms)].split('SUM=')[1].split()[0]
        equal(text.split('GOT=')[1].split()[0], want, 'file that came over')
    return texts


def counters(vm, name):
    """The counters of a client in "info network-stats"."""
    for line in vm.hmp('info network -s').splitlines():
        if line.startswith(name + ':'):
            return {k: int(v) for k, v in re.findall(r'([\w-]+)=(\d+)', line)}
    raise AssertionError(f'no {name} in: ' + vm.hmp('info network -s'))


@contextlib.contextmanager
def namespace(name):
    """A network namespace with loopback and multicast; yields a program that runs the emulator in it, and one to run QEMU."""
    if os.geteuid():
        raise tap.Skip('a network namespace (root)')
    ns = f'{name}-{os.getpid()}'
    if subprocess.run(['ip', 'netns', 'add', ns], stderr=subprocess.DEVNULL).returncode:
        raise tap.Skip('a network namespace (ip netns add)')
    made = []
    try:
        for cmd in ('link set lo up', 'link set lo multicast on', 'route add 224.0.0.0/4 dev lo'):
            subprocess.run(['ip', '-n', ns, *cmd.split()], check=True)

        def inside(program):
            path = f'/tmp/{ns}-{os.path.basename(program)}'
            with open(path, 'w') as f:
                f.write(f'#!/bin/sh\nexec ip netns exec {ns} {program} "$@"\n')
            os.chmod(path, 0o755)
            made.append(path)
            return path

        yield ns, inside(binary()), inside
    finally:
        subprocess.run(['ip', 'netns', 'del', ns])
        for path in made:
            os.unlink(path)
