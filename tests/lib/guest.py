# SPDX-License-Identifier: BSD-2-Clause
"""Guests for tests: stock Debian kernels and a busybox initramfs, fetched once and kept in a cache outside the tree.

kernel(flavour) gives the path of a vmlinuz of Debian's linux-image-FLAVOUR. initrd(flavour, script) gives an initramfs:
busybox, the network modules of that kernel, and /init, which mounts the usual file systems, loads modules and
runs /test.sh (the script) on the serial console, then powers off. A second cpio archive holds the script, so that
the big part is made once.
"""

import contextlib
import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

MODULES = [  # in load order is not needed: modprobe resolves it
    'kernel/drivers/pps/pps_core.ko',
    'kernel/drivers/ptp/ptp.ko',
    'kernel/drivers/net/ethernet/intel/e1000/e1000.ko',
    'kernel/drivers/net/ethernet/intel/e1000e/e1000e.ko',
    'kernel/drivers/virtio/virtio_ring.ko',
    'kernel/drivers/virtio/virtio.ko',
    'kernel/drivers/virtio/virtio_pci_modern_dev.ko',
    'kernel/drivers/virtio/virtio_pci_legacy_dev.ko',
    'kernel/drivers/virtio/virtio_pci.ko',
    'kernel/net/core/failover.ko',
    'kernel/drivers/net/net_failover.ko',
    'kernel/drivers/net/virtio_net.ko',
    'kernel/net/packet/af_packet.ko',
]

INIT = '''#!/bin/busybox sh
/bin/busybox mkdir -p /bin /sbin /proc /sys /dev /tmp /etc /run
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev 2>/dev/null
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts 2>/dev/null
export PATH=/bin:/sbin HOME=/ TERM=vt100
echo "PATCHBAY-INIT $(cut -d' ' -f1 /proc/uptime)"
for m in $(cat /modules.list); do insmod /lib/modules/$m 2>/dev/null; done
hostname guest
ip link set lo up
if [ -f /test.sh ]; then
    . /test.sh
    echo PATCHBAY-TEST-END
else
    setsid sh -c 'exec sh </dev/ttyS0 >/dev/ttyS0 2>&1'
fi
[ -f /keep-running ] && { echo PATCHBAY-IDLE; while :; do sleep 1000; done; }
poweroff -f
'''

UDHCPC = '''#!/bin/sh
# what the lease says, in the words the tests look for
case $1 in
bound|renew)
    ip addr flush dev $interface
    ip addr add $ip/$mask dev $interface
    for r in $router; do ip route add default via $r dev $interface; done
    : > /etc/resolv.conf
    for d in $dns; do echo nameserver $d >> /etc/resolv.conf; done
    echo "LEASE ip=$ip mask=$mask router=$router dns=$dns server=$serverid domain=$domain host=$hostname"
    ;;
deconfig)
    ip link set $interface up
    ;;
esac
'''


def cache_dir():
    base = os.environ.get('PATCHBAY_CACHE') or os.path.join(
        os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache'), 'patchbay')
    Path(base).mkdir(parents=True, exist_ok=True)
    return Path(base)


def progress(text):
    print(f'== {text}', file=sys.stderr, flush=True)


def _run(args, **kw):
    return subprocess.run(args, check=True, stdout=subprocess.PIPE, text=True, **kw).stdout


def _download(package, dest):
    """Fetch a .deb by name with apt and unpack it into dest (not installed: nothing of the host changes)."""
    with tempfile.TemporaryDirectory() as tmp:
        os.chmod(tmp, 0o755)
        subprocess.run(['apt-get', 'download', '-q', package], cwd=tmp, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deb = next(Path(tmp).glob('*.deb'))
        partial = Path(str(dest) + '.partial')
        shutil.rmtree(partial, ignore_errors=True)
        subprocess.run(['dpkg-deb', '-x', deb, partial], check=True)
        partial.rename(dest)


@contextlib.contextmanager
def _apt_i386():
    """apt's options for the i386 port though dpkg here may not know that architecture: lists of its own, and a directory."""
    with tempfile.TemporaryDirectory() as tmp:
        os.chmod(tmp, 0o755)
        for d in ('state/lists/partial', 'cache/archives/partial', 'deb'):
            os.makedirs(f'{tmp}/{d}')
        Path(f'{tmp}/state/status').touch()
        opts = ['-q']
        for o in ('APT::Architecture=i386', 'APT::Architectures=i386', 'APT::Sandbox::User=', f'Dir::State={tmp}/state',
                  f'Dir::State::status={tmp}/state/status', f'Dir::Cache={tmp}/cache', 'Acquire::Languages=none'):
            opts += ['-o', o]
        # an update that fails in part may still be enough
        subprocess.run(['apt-get', *opts, 'update'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        yield opts, f'{tmp}/deb'


def fetch_i386(package):
    """The unpacked tree of a package of the i386 port, or None. "linux-image-686-pae": the image that it depends on."""
    pattern = f'{package}-i386' if not package.startswith('linux-image-686') else f'linux-image-[0-9]*-{package[12:]}-i386'
    have = sorted(p for p in cache_dir().glob(pattern) if p.is_dir())
    if have:
        return have[-1]
    progress(f'fetching {package}:i386')
    with _apt_i386() as (opts, tmp):
        if package.startswith('linux-image-686'):
            out = subprocess.run(['apt-cache', *opts, 'depends', package], stdout=subprocess.PIPE, text=True).stdout
            m = re.search(r'Depends: (linux-image-\S+)', out)
            if not m:
                return None
            package = m.group(1)
        subprocess.run(['apt-get', *opts, 'download', package], cwd=tmp, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deb = next(Path(tmp).glob('*.deb'), None)
        if not deb:
            return None
        dest = cache_dir() / f'{package}-i386'
        subprocess.run(['dpkg-deb', '-x', deb, f'{dest}.partial'], check=True)
        Path(f'{dest}.partial').rename(dest)
    return dest


def _fetch(package):
    dest = cache_dir() / package
    if not dest.exists():
        progress(f'fetching {package}')
        _download(package, dest)
    return dest


def _image_package(flavour):
    """The package with the kernel itself: what linux-image-FLAVOUR depends on. A cached one is used as it is."""
    have = sorted(p.name for p in cache_dir().glob(f'linux-image-[0-9]*-{flavour}') if p.is_dir())
    if have:
        return have[-1]
    out = _run(['apt-cache', 'depends', f'linux-image-{flavour}'])
    for line in out.splitlines():
        word = line.strip().split()
        if len(word) == 2 and word[0] == 'Depends:' and word[1].startswith('linux-image-'):
            return word[1].split(':')[0]
    raise RuntimeError(f'no kernel package for linux-image-{flavour} in the package lists')


def kernel_tree(flavour='amd64'):
    """Unpacked; for a flavour of i386 None when there is no way to it."""
    return fetch_i386(f'linux-image-{flavour}') if flavour.startswith('686') else _fetch(_image_package(flavour))


def kernel(flavour='amd64'):
    return next((kernel_tree(flavour) / 'boot').glob('vmlinuz-*'))


def package(name):
    """The unpacked tree of any Debian package."""
    return _fetch(name)


class Cpio:
    """A newc archive writer: the format that Linux unpacks (Documentation/driver-api/early-userspace/buffer-format.rst)."""

    def __init__(self):
        self.out = bytearray()
        self.ino = 1
        self.dirs = set()

    def add(self, name, data=b'', mode=0o100644, rdev=(0, 0)):
        parent = os.path.dirname(name)
        if parent and parent not in self.dirs:
            self.dirs.add(parent)
            self.add(parent, mode=0o40755)
        if mode & 0o40000 and not mode & 0o100000:
            self.dirs.add(name)
        name_b = name.encode() + b'\0'
        head = '070701' + ''.join(f'{v:08X}' for v in (
            self.ino, mode, 0, 0, 1, 0, len(data), 0, 0, rdev[0], rdev[1], len(name_b), 0))
        self.ino += 1
        self.out += head.encode() + name_b
        self.out += b'\0' * (-len(self.out) % 4)
        self.out += data
        self.out += b'\0' * (-len(self.out) % 4)

    def finish(self):
        self.add('TRAILER!!!')
        self.out += b'\0' * (-len(self.out) % 512)
        return bytes(self.out)


def busybox(flavour='amd64'):
    tree = fetch_i386('busybox-static') if flavour.startswith('686') else _fetch('busybox-static')
    return tree / 'bin/busybox'


def base_initrd(flavour='amd64'):
    tree = kernel_tree(flavour)
    path = cache_dir() / f'initrd-{tree.name}.cpio.gz'
    newest = max(os.path.getmtime(__file__), os.path.getmtime(tree))
    if path.exists() and os.path.getmtime(path) >= newest:
        return path
    mods = next((tree / 'lib/modules').iterdir())
    c = Cpio()
    c.add('init', INIT.encode(), 0o100755)
    c.add('bin/busybox', busybox(flavour).read_bytes(), 0o100755)
    c.add('etc/udhcpc/default.script', UDHCPC.encode(), 0o100755)
    c.add('dev/console', mode=0o20600, rdev=(5, 1))
    names = []
    for m in MODULES:
        if (mods / m).exists():
            names.append(os.path.basename(m))
            c.add('lib/modules/' + names[-1], (mods / m).read_bytes())
    c.add('modules.list', ('\n'.join(names) + '\n').encode())
    partial = path.with_suffix('.partial')
    partial.write_bytes(gzip.compress(c.finish(), 6))
    partial.rename(path)
    return path


def initrd(dest, script=None, files=None, flavour='amd64'):
    """Write an initramfs to dest: the base one plus /test.sh and the given {name: bytes}."""
    c = Cpio()
    if script is not None:
        c.add('test.sh', script.encode())
    for name, data in (files or {}).items():
        c.add(name, data, 0o100755)
    base = base_initrd(flavour).read_bytes()
    # each compressed member is unpacked by itself; the plain archive in front starts on a 4-byte border
    Path(dest).write_bytes(c.finish() + base)
    return dest


if __name__ == '__main__':
    out = Path(sys.argv[1] if len(sys.argv) > 1 else '.')
    out.mkdir(parents=True, exist_ok=True)
    shutil.copy(kernel(), out / 'vmlinuz')
    initrd(out / 'initrd')
    print(out / 'vmlinuz', out / 'initrd')
