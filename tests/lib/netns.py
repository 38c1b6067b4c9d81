# SPDX-License-Identifier: BSD-2-Clause
"""Tests that need interfaces of their own run in a network and a mount namespace: enter() moves this process there.

Everything that has to be downloaded is fetched before: a new network namespace has no way out. Only root may do it.
"""

import contextlib
import ctypes
import fcntl
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import threading

CLONE_NEWNS, CLONE_NEWNET, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 0x40000000, 0x1000, 0x4000, 0x40000
TUNSETIFF, IFF_TAP, IFF_MULTI_QUEUE, IFF_NO_PI, IFF_VNET_HDR = 0x400454CA, 0x2, 0x100, 0x1000, 0x4000

libc = ctypes.CDLL(None, use_errno=True)


def _mount(source, target, kind=None, flags=0):
    if libc.mount(source.encode(), target.encode(), kind.encode() if kind else None, flags, None):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), target)


def enter():
    """Returns None, or why it cannot be done."""
    if not os.access('/dev/net/tun', os.R_OK | os.W_OK):
        return 'no access to /dev/net/tun'
    if not shutil.which('ip'):
        return 'iproute2 is not installed'
    if libc.unshare(CLONE_NEWNS | CLONE_NEWNET):
        return 'namespaces need root'
    _mount('none', '/', flags=MS_REC | MS_PRIVATE)
    _mount('sysfs', '/sys', 'sysfs')
    ip('link set lo up')
    with open('/proc/sys/net/ipv6/conf/default/accept_dad', 'w') as f:
        f.write('0')
    return None


def bind(source, target):
    _mount(source, target, flags=MS_BIND)


def tmpfs(target):
    os.makedirs(target, exist_ok=True)
    _mount('tmpfs', target, 'tmpfs')


def umount(target):
    libc.umount2(target.encode(), 2)


def ip(args, check=True):
    return subprocess.run(['ip', *args.split()], check=check, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@contextlib.contextmanager
def links(*commands, remove=()):
    """ip COMMAND for each, and the links in remove deleted afterwards."""
    try:
        for c in commands:
            ip(c)
        yield
    finally:
        for name in remove:
            ip(f'link del {name}', check=False)


def open_tap(name, multi_queue=False, vnet_hdr=True):
    """A descriptor of a tap, as a launcher hands it over."""
    fd = os.open('/dev/net/tun', os.O_RDWR)
    flags = IFF_TAP | IFF_NO_PI | (IFF_MULTI_QUEUE if multi_queue else 0) | (IFF_VNET_HDR if vnet_hdr else 0)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack('16sH22x', name.encode(), flags))
    return fd


@contextlib.contextmanager
def scripts(**bodies):
    """Executable shell scripts in a directory; yields the directory."""
    with tempfile.TemporaryDirectory(prefix='patchbay-scripts-') as tmp:
        for name, body in bodies.items():
            path = f'{tmp}/{name}'
            with open(path, 'w') as f:
                f.write('#!/bin/sh\n' + body.replace('@DIR@', tmp))
            os.chmod(path, 0o755)
        yield tmp


class Sniffer:
    """Lengths of the frames on an interface by source MAC, as they cross it (large ones whole)."""

    def __init__(self, ifname):
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.sock.bind((ifname, 0))
        self.longest = {}
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.stop = False
        self.thread.start()

    def _run(self):
        self.sock.settimeout(0.2)
        while not self.stop:
            try:
                data, n = self.sock.recvmsg(256, 0, socket.MSG_TRUNC)[0], 0
            except socket.timeout:
                continue
            except OSError:
                return
            if len(data) >= 18 and data[12:14] == b'\x08\x00':
                n = 14 + struct.unpack('>H', data[16:18])[0]
            mac = data[6:12].hex(':')
            self.longest[mac] = max(self.longest.get(mac, 0), n or len(data))

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop = True
        self.thread.join()
        self.sock.close()
