#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A stock Debian kernel on the `pc` board: boots with ACPI, IOAPIC and LAPIC, reaches the network, reboots, powers off."""

import os
import re
import sys
import tempfile
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


def test_kvm_clock():
    """Linux finds KVM's clock and uses it: the right date, the pace of the host, ends of interrupts by a bit in memory."""
    script = ('dmesg | grep -iE "kvm|paravirt"; cat /sys/devices/system/clocksource/clocksource0/current_clocksource; '
              'echo DATE $(date +%s); echo START $(cat /proc/uptime); sleep 3; echo STOP $(cat /proc/uptime); '
              'while :; do usleep 100000; done')
    with booted(script, ['-nic', 'user,model=e1000']) as vm:
        text = vm.expect(r'(?s)(.*)DATE (\d+)\n')
        check(abs(int(text.group(2)) - time.time()) < 3, 'date of the guest: ' + text.group(2))
        text = text.group(1)
        check('Booting paravirtualized kernel on KVM' in text, text)
        check('kvm-clock: Using msrs 4b564d01 and 4b564d00' in text, text)
        check(re.search(r'^kvm-clock$', text, re.M), 'clock source: ' + text)
        before = float(vm.expect(r'START ([\d.]+) ').group(1))
        t = time.monotonic()
        after = float(vm.expect(r'STOP ([\d.]+) ').group(1))
        t = time.monotonic() - t
        check(abs(after - before - t) < 0.5, f'{after - before} s of the guest took {t} s')
        lapic = vm.hmp('info lapic')
        m = re.search(r'PV EOI   0x[0-9a-f]+.*, (\d+) given', lapic)
        check(m and int(m.group(1)) > 100, lapic)


def test_kvm_clock_off():
    """kvm=off hides all of it; and the date that -rtc base= asks for is what kvmclock shows too."""
    if QUICK:
        raise tap.Skip('--quick')
    script = ('dmesg | grep -iE "hypervisor|kvm|paravirt"; '
              'echo CLOCK $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource); date -u "+DATE %Y-%m-%d %H"')
    with booted(script, ['-nic', 'none', '-cpu', 'qemu64,kvm=off']) as vm:
        m = vm.expect(r'(?s)(.*)CLOCK (\S+)\n')
        check('on KVM' not in m.group(1) and 'kvm-clock' not in m.group(1), m.group(1))
        check(m.group(2) in ('hpet', 'tsc-early', 'tsc', 'acpi_pm'), 'clock source ' + m.group(2))   # a second later: tsc
    with booted(script, ['-nic', 'none', '-rtc', 'base=2006-06-17T16:01:21']) as vm:
        equal(vm.expect(r'CLOCK (\S+)\n').group(1), 'kvm-clock', 'clock source')
        equal(vm.expect(r'DATE (.*)\n').group(1), '2006-06-17 16', 'date')


def test_logs():
    """-d into -D's file, narrowed by -dfilter; more and less of it by the monitor while the guest runs."""
    if QUICK:
        raise tap.Skip('--quick')
    with tempfile.TemporaryDirectory(prefix='patchbay-log-') as tmp:
        script = 'echo READY; while :; do usleep 10000; done'
        args = ['-nic', 'none', '-d', 'in_asm,exec,cpu_reset', '-dfilter', '0x100000..0x1000ff', '-D', f'{tmp}/a%d.log',
                '-machine', 'kernel-decompress=off']
        with booted(script, args) as vm:
            vm.expect('READY')
            name, = os.listdir(tmp)
            check(re.fullmatch(r'a\d+\.log', name), name)
            vm.hmp('log none')
            with open(f'{tmp}/{name}') as f:
                text = f.read()
            check(text.startswith('CPU Reset (CPU 0)\n'), text[:200])
            check(re.search(r'IN:\n0x00100000:  [0-9a-f ]+ \w', text), 'the first block of the kernel')
            check('Trace 0: [00000000/0000000000100000/' in text, 'and that it ran')
            check(not re.search(r'^IN:\n0x(?!001000..:)', text, re.M), 'no block that starts outside -dfilter')
            equal(vm.hmp(f'logfile {tmp}/b.log'), '', 'logfile')
            vm.hmp('log int')
            time.sleep(0.5)
            vm.hmp('log none')
            with open(f'{tmp}/b.log') as f:
                text = f.read()
            check(len(re.findall(r'^CPU 0: v=[0-9a-f]{2} e=0000 i=0 hw cpl=[03] ', text, re.M)) > 5, 'timer interrupts: ' + text[:500])
            size = os.path.getsize(f'{tmp}/b.log')
            time.sleep(0.3)
            equal(os.path.getsize(f'{tmp}/b.log'), size, 'size of the log after "log none"')
            vm.qmp('quit')
            equal(vm.wait(), 0, 'status after quit')


if __name__ == '__main__':
    sys.exit(tap.main(globals()))
