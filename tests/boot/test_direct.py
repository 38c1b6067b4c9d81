#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A bzImage whose kernel proper is started directly: where it lies, that this is random, from cold and warm cache, after resets."""

import contextlib
import os
import re
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lib'))
import tap  # noqa: E402
from guestnet import booted  # noqa: E402
from tap import check, equal  # noqa: E402
from vm import VM  # noqa: E402
import guest  # noqa: E402

QUICK = bool(os.environ.get('PATCHBAY_TEST_QUICK'))
LINK64, LINK32 = 0xffffffff81000000, 0xc1000000
BASE = 0x1000000
WHERE = 'echo "TEXT $(grep " _text$" /proc/kallsyms)"; echo "CODE $(grep "Kernel code" /proc/iomem)"; '


@contextlib.contextmanager
def own_cache():
    """The emulator's cache in a directory that is empty at first; the tests keep theirs."""
    saved = {k: os.environ.get(k) for k in ('PATCHBAY_CACHE', 'XDG_CACHE_HOME')}
    with tempfile.TemporaryDirectory(prefix='patchbay-cache-') as tmp:
        os.environ['PATCHBAY_CACHE'] = str(guest.cache_dir())
        os.environ['XDG_CACHE_HOME'] = tmp
        try:
            yield Path(tmp) / 'patchbay/kernels'
        finally:
            for k, v in saved.items():
                if v is None:
                    del os.environ[k]
                else:
                    os.environ[k] = v


def where(vm):
    """Virtual and physical address of the kernel's text, as the guest sees them."""
    return (int(vm.expect(r'TEXT ([0-9a-f]+) T _text\n').group(1), 16), int(vm.expect(r'CODE +([0-9a-f]+)-').group(1), 16))


def start(script='', args=(), append='quiet', **kw):
    """Boot once; (virtual, physical), and the lines of the log about the kernel."""
    with tempfile.TemporaryDirectory(prefix='patchbay-log-') as tmp:
        with booted(WHERE + script, ['-nic', 'none', '-d', 'trace,unimp', '-D', f'{tmp}/log', *args], append, **kw) as vm:
            at = where(vm)
            vm.expect('PATCHBAY-TEST-END')
            equal(vm.wait(), 0, 'exit status after poweroff')
        return at, [l for l in Path(f'{tmp}/log').read_text().splitlines() if l.startswith('kernel ')]


def logged(lines):
    """The address pair of the last "at" line, and whether it was random."""
    m = re.search(r'at 0x([0-9a-f]+), virtually 0x([0-9a-f]+)( \(random\))?$', lines[-1])
    check(m, 'the log says where the kernel is: ' + ' | '.join(lines))
    return (int(m.group(2), 16), int(m.group(1), 16)), bool(m.group(3))


def test_random_place():
    """Without nokaslr: another place each time, physically and virtually, the one that the loader chose."""
    seen = []
    for _ in range(2 if QUICK else 4):
        at, lines = start()
        equal(logged(lines), (at, True), 'place by the log')
        check(at[0] % 0x200000 == 0 and LINK64 <= at[0] < LINK64 + (1 << 30), hex(at[0]))
        check(at[1] % 0x200000 == 0 and BASE <= at[1] < 256 << 20, hex(at[1]))
        seen.append(at)
    check(len({v for v, _ in seen}) > 1, f'virtual address is always {seen[0][0]:#x}')
    if not QUICK:
        check(len({p for _, p in seen}) > 1, f'physical address is always {seen[0][1]:#x}')


def test_nokaslr():
    if QUICK:
        raise tap.Skip('--quick')
    at, lines = start(append='quiet nokaslr')
    equal(at, (LINK64, BASE), 'place')
    equal(logged(lines), (at, False), 'place by the log')


def test_decompress_off():
    """The guest unpacks itself; so it does when its command line has words that its boot stub must read."""
    if QUICK:
        raise tap.Skip('--quick')
    with own_cache() as cache:
        at, lines = start(args=['-machine', 'kernel-decompress=off'])
        check(at[0] >= LINK64 and not lines, f'{at} {lines}')
        at, lines = start(append='quiet mem=200M')
        check(at[0] >= LINK64 and len(lines) == 1 and "left to unpack itself: 'mem=200M'" in lines[0], f'{at} {lines}')
        check(not cache.exists(), 'nothing was unpacked')


def test_cold_and_warm():
    """The first start unpacks and stores, the second finds it; with kernel-cache=off nothing is read or written."""
    if QUICK:
        raise tap.Skip('--quick')
    with own_cache() as cache:
        _, lines = start(args=['-machine', 'kernel-cache=off'])
        check('unpacked' in lines[0], ' | '.join(lines))
        check(not cache.exists(), 'kernel-cache=off')
        _, lines = start()
        check('unpacked' in lines[0], ' | '.join(lines))
        name, = os.listdir(cache)
        check(re.fullmatch('[0-9a-f]{64}', name), name)
        at, lines = start()
        check(name in lines[0], ' | '.join(lines))
        equal(logged(lines), (at, True), 'place by the log')
        equal(os.listdir(cache), [name], 'files of the cache')
        _, lines = start(args=['-machine', 'kernel-cache=off'])
        check('unpacked' in lines[0], ' | '.join(lines))


def test_reset():
    """A reboot by panic (panic=-1), by the guest and by the monitor: each starts the kernel anew, at another place."""
    if QUICK:
        raise tap.Skip('--quick')
    script = WHERE + 'echo READY; read how </dev/ttyS0; [ "$how" = panic ] && echo c >/proc/sysrq-trigger; reboot -f'
    for option in ('on', 'off'):
        seen = []
        with booted(script, ['-nic', 'none', '-machine', f'kernel-cache={option}'], reboot=True) as vm:
            for how in ('panic', 'reboot', 'system_reset', None):
                seen.append(where(vm))
                vm.expect('READY')
                if how == 'system_reset':
                    vm.qmp('system_reset')
                elif how:
                    vm.send(how + '\n')
            vm.qmp('quit')
            equal(vm.wait(), 0, 'status after quit')
        check(len({v for v, _ in seen}) > 1, f'always at {seen}')


def test_memory_sizes():
    """From little more than this kernel needs to unpack itself to more than lies below the hole at 3 GiB."""
    if QUICK:
        raise tap.Skip('--quick')
    for mem in ('112M', '5G'):
        at, lines = start(mem=mem)
        equal(logged(lines), (at, True), 'place by the log')


def test_32bit():
    """Debian's 686 kernel: its virtual address goes with the physical one."""
    if QUICK:
        raise tap.Skip('--quick')
    if not guest.kernel_tree('686-pae'):
        raise tap.Skip('no way to linux-image-686-pae')
    for append in ('quiet', 'quiet nokaslr'):
        at, lines = start('uname -m; ', append=append, flavour='686-pae')
        equal(logged(lines), (at, 'nokaslr' not in append), 'place by the log')
        equal(at[0] - LINK32, at[1] - BASE, 'offset')
        check('nokaslr' not in append or at[1] == BASE, hex(at[1]))


def test_no_linux():
    """Debian's memtest86+ is a bzImage, but no Linux: it is started as ever."""
    if QUICK:
        raise tap.Skip('--quick')
    image = guest.package('memtest86+') / 'boot/memtest86+x64.bin'
    with VM(['-nic', 'none', '-d', 'unimp'], kernel=image, append='console=ttyS0,115200', mem='32M') as vm:
        vm.expect(r'Memtest86\+', lines=False)
        check('left to unpack itself' in vm.errors(), vm.errors())


if __name__ == '__main__':
    sys.exit(tap.main(globals()))
