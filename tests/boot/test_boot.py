#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A stock Debian kernel on the `pc` board: boots with ACPI, IOAPIC and LAPIC, reaches the network, reboots, powers off."""

import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lib'))
import tap  # noqa: E402
from guestnet import booted  # noqa: E402
from tap import check, equal  # noqa: E402
from vm import VM  # noqa: E402
import guest  # noqa: E402

QUICK = bool(os.environ.get('PATCHBAY_TEST_QUICK'))
DHCP = 'ip link set eth0 up; udhcpc -i eth0 -n -q -t 10 -T 2 2>&1; '


def test_boot_dhcp_ping_poweroff():
    """The first guest on the network, with the words that the issue asks for."""
    script = DHCP + 'ping -c 2 10.0.2.2; cat /etc/resolv.conf'
    with booted(script, ['-nic', 'user,model=e1000'], append='') as vm:
        vm.expect(r'Linux version 6\.')
        vm.expect('PATCHBAY-INIT')
        m = vm.expect(r'LEASE ip=(\S+) mask=(\S+) router=(\S+) dns=(\S+) server=(\S+)')
        equal(m.groups(), ('10.0.2.15', '24', '10.0.2.2', '10.0.2.3', '10.0.2.2'), 'lease')
        vm.expect('2 packets transmitted, 2 packets received, 0% packet loss')
        vm.expect('nameserver 10.0.2.3')
        vm.expect('PATCHBAY-TEST-END')
        equal(vm.wait(), 0, 'exit status after poweroff')


def test_kernel_log_is_clean():
    """No complaint of the kernel about the board: interrupts, ACPI tables, timers, resources.

    Left out: what it says about any board without PCI Express or an AMD IOMMU, and about clocks calibrated while the host is busy.
    """
    if QUICK:
        raise tap.Skip('--quick')
    script = ('dmesg | grep -iE "error|fail|warn|bug|unable|invalid|not found|spurious|timeout" | grep -vE '
              '"calibrat|nocrs|MMCONFIG|invalidation policy|AMD-Vi|RETBleed|Spectre|sev_guest|failsafe|printk: log_buf|regulatory|rtc_cmos.*alarm"; '
              'echo MARK-1; cat /proc/interrupts; cat /sys/devices/system/clocksource/clocksource0/available_clocksource; '
              'grep -c "" /proc/ioports; echo MARK-2; ls /sys/firmware/acpi/tables; echo MARK-3; '
              'cat /proc/meminfo | head -1; cat /sys/bus/pci/devices/*/class | tr "\\n" " "')
    with booted(script, ['-nic', 'user,model=e1000']) as vm:
        vm.expect(r'PATCHBAY-INIT .*\n')
        bad = vm.expect(r'(?s)(.*)MARK-1').group(1)
        lines = [l for l in bad.splitlines() if l.strip() and 'e1000' not in l]
        check(not lines, 'kernel complains: ' + ' | '.join(lines))
        irqs = vm.expect(r'(?s)(.*)MARK-2').group(1)
        check('IO-APIC' in irqs, 'interrupts go through the IOAPIC: ' + irqs)
        check(re.search(r'LOC:\s+[1-9]', irqs), 'the LAPIC timer ticks')
        check('hpet' in irqs and 'acpi_pm' in irqs, 'HPET and the ACPI PM timer are clock sources')
        tables = vm.expect(r'(?s)(.*)MARK-3').group(1)
        for t in ('APIC', 'DSDT', 'FACP', 'HPET'):
            check(t in tables, f'ACPI table {t}')
        check('0x020000' in vm.expect(r'(?s)(.*)PATCHBAY-TEST-END').group(1), 'an Ethernet controller on PCI')


def test_reboot():
    """Linux reboot() restarts the kernel in the same process, and -no-reboot ends it."""
    if QUICK:
        raise tap.Skip('--quick')
    with booted('echo once; reboot -f', ['-nic', 'none']) as vm:
        vm.expect('PATCHBAY-INIT')
        equal(vm.wait(), 0, 'status with -no-reboot')
    with booted('echo once; reboot -f', ['-nic', 'none'], reboot=True) as vm:
        vm.expect('PATCHBAY-INIT')
        vm.expect('PATCHBAY-INIT')
        vm.wait_event('RESET')
        vm.qmp('quit')
        equal(vm.wait(), 0, 'status after quit')


def test_memory_sizes():
    """-m reaches the kernel, also above the hole at 3 GiB."""
    if QUICK:
        raise tap.Skip('--quick')
    for mem, low, high in (('128M', 75000, 131072), ('5G', 4700000, 5242880)):
        with booted('grep MemTotal /proc/meminfo', ['-nic', 'none'], mem=mem) as vm:
            kib = int(vm.expect(r'MemTotal:\s+(\d+) kB').group(1))
            check(low < kib < high, f'-m {mem}: {kib} KiB')


def test_memtest():
    """A guest that is no Linux: Debian's memtest86+ (a 64-bit program in a bzImage) works through 32 MiB without an error."""
    if QUICK:
        raise tap.Skip('--quick')
    image = guest.package('memtest86+') / 'boot/memtest86+x64.bin'
    with VM(['-nic', 'none'], kernel=image, append='console=ttyS0,115200', mem='32M') as vm:
        vm.expect(r'Memtest86\+', lines=False)
        vm.expect(r'#[5-9] ', lines=False)  # the screen is drawn every two seconds: the first tests may not show
        m = vm.expect(r'Pass:\s+(\d+)\s+Errors:\s+(\d+) ', lines=False)
        equal(m.group(2), '0', 'memory errors')
        equal(vm.hmp('info status').strip(), 'VM status: running', 'status')


def test_stop_cont_and_monitor():
    """stop freezes the guest's clock, cont goes on; registers and devices can be looked at."""
    if QUICK:
        raise tap.Skip('--quick')
    script = 'echo TICKING; while :; do echo tick $(cut -d" " -f1 /proc/uptime); usleep 100000; done'
    with booted(script, ['-nic', 'user,model=e1000,id=n0']) as vm:
        vm.expect('TICKING')
        before = float(vm.expect(r'tick ([\d.]+)\n').group(1))
        vm.qmp('stop')
        vm.wait_event('STOP')
        equal(vm.qmp('query-status')['status'], 'paused', 'status')
        regs = vm.hmp('info registers')
        check(re.search(r'RIP=[0-9a-f]{16}', regs), regs)
        check('e1000' in vm.hmp('info qtree'), 'qtree')
        check('8086:100e' in vm.hmp('info pci'), 'info pci')
        check('ram' in vm.hmp('info mtree'), 'info mtree')
        time.sleep(1.5)     # the guest must not see this second and a half
        vm.qmp('cont')
        vm.wait_event('RESUME')
        vm.mark = len(vm.console)
        after = float(vm.expect(r'tick ([\d.]+)\n').group(1))
        check(after - before < 1.2, f'guest clock went on while stopped: {before} -> {after}')
        vm.qmp('system_reset')
        vm.wait_event('RESET')
        vm.expect('PATCHBAY-INIT')


if __name__ == '__main__':
    sys.exit(tap.main(globals()))
