#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""How a guest's driver is interrupted: MSI-X, MSI, INTx; removal and rescan; two NICs as functions of one slot."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lib'))
import tap  # noqa: E402
from guestnet import booted  # noqa: E402
from tap import check, equal  # noqa: E402

# try WORD: two pings through eth0, then its lines of /proc/interrupts
TRY = ('try() { ip link set eth0 up; ip addr flush dev eth0; ip addr add 10.0.2.15/24 dev eth0; '
       'for i in $(seq 50); do [ "$(cat /sys/class/net/eth0/carrier)" = 1 ] && break; usleep 100000; done; '
       'echo "TRY $1"; ping -c 2 -W 5 10.0.2.2; grep "$2" /proc/interrupts; echo "END $1"; }; ')
P = '/sys/bus/pci/devices/0000:00:03.0'


def lines_of(vm, word):
    """{name: (controller, count)} of what try() printed; both pings came back."""
    text = vm.expect(fr'(?s)TRY {word}\r?\n(.*)END {word}').group(1)
    check('2 packets received' in text, text)
    rows = re.findall(r'^ *\d+: +(\d+) +(\S+) +\S+ +(\S.*?)\r?$', text, re.M)
    return {name: (chip, int(n)) for n, chip, name in rows}


def test_e1000e_modes():
    """The driver's three modes in one boot, then remove and rescan: BARs, capabilities and vectors are there again."""
    mode = 'rmmod e1000e; insmod /lib/modules/e1000e.ko IntMode=%d; try mode%d eth0; '
    script = TRY + 'try msix eth0; ' + mode % (1, 1) + mode % (0, 0) + (
        f'echo 1 > {P}/remove; echo 1 > /sys/bus/pci/rescan; try rescan eth0; ')
    with booted(script, ['-nodefaults', '-netdev', 'user,id=u', '-device', 'e1000e,netdev=u,addr=3']) as vm:
        for word in ('msix', 'mode1', 'mode0', 'rescan'):
            got = lines_of(vm, word)
            if word in ('msix', 'rescan'):
                equal(sorted(got), ['eth0', 'eth0-rx-0', 'eth0-tx-0'], word)
            else:
                equal(list(got), ['eth0'], word)
            for name, (chip, count) in got.items():
                equal(chip, 'IO-APIC' if word == 'mode0' else 'PCI-MSI', f'{word} {name}')
                check(count > 0, f'{word} {name}: {count} interrupts')


def test_virtio_and_nomsi():
    """virtio-net by MSI-X, and by INTx when the guest (pci=nomsi) or the command line (vectors=0) wants no messages."""
    for append, dev, chip in (('', '', 'PCI-MSI'), (' pci=nomsi', '', 'IO-APIC'), ('', ',vectors=0', 'IO-APIC')):
        with booted(TRY + 'try virtio virtio', ['-nodefaults', '-netdev', 'user,id=u', '-device',
                    'virtio-net-pci,netdev=u' + dev], append='quiet' + append) as vm:
            got = lines_of(vm, 'virtio')
            equal({c for c, _ in got.values()}, {chip}, f'{append}{dev}: {got}')
            check(sum(n for _, n in got.values()) > 0, f'{append}{dev}: {got}')
            check(len(got) == 1 or chip == 'PCI-MSI', f'{append}{dev}: {got}')


def test_two_functions():
    """Two NICs in slot 5: the guest finds function 1 because function 0 says it is one of several."""
    script = ('for i in eth0 eth1; do ip link set $i up; udhcpc -i $i -n -q -t 10 -T 2 2>&1; done; '
              'for i in /sys/class/net/eth*; do echo FN $(basename $(readlink $i/device)); done')
    with booted(script, ['-nodefaults', '-netdev', 'user,id=a', '-netdev', 'user,id=b,net=10.3.0.0/24', '-device',
                         'e1000e,netdev=a,multifunction=on,addr=5.0', '-device', 'e1000,netdev=b,addr=5.1']) as vm:
        text = vm.expect(r'(?s)(.*)PATCHBAY-TEST-END').group(1)
        equal(sorted(re.findall(r'FN (\S+)', text)), ['0000:00:05.0', '0000:00:05.1'], text)
        equal(sorted(re.findall(r'LEASE ip=(\S+)', text)), ['10.0.2.15', '10.3.0.15'], text)


if __name__ == '__main__':
    sys.exit(tap.main(globals()))
