#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The translator under a whole system: boots in a row, parts switched off at random, hostile programs, its memory.

    tests/boot/test_jit.py [--boots N] [--seed N] [TEST...]

--boots: how many boots each test of boots makes (3 unless said; scripts/nightly makes 50). --seed: of the switches.
"""

import difflib
import os
import platform
import random
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lib'))
import guestnet  # noqa: E402
import tap  # noqa: E402
from guestnet import booted, guest_tool  # noqa: E402
from tap import check, equal  # noqa: E402
from vm import binary  # noqa: E402

QUIET = ['-nic', 'none']
BOOTS = 3
SEED = random.SystemRandom().randrange(1 << 32)
CHECK_S = 45        # check=on: how long to watch; with more boots: to the end

# what Linux says of any board without PCI Express or an AMD IOMMU, and of clocks while the host is busy
EXPECTED = re.compile(r'calibrat|nocrs|MMCONFIG|invalidation policy|AMD-Vi|RETBleed|Spectre|sev_guest|failsafe|'
                      r'printk: log_buf|regulatory|rtc_cmos.*alarm')
COMPLAINT = re.compile(r'error|fail|warn|bug|unable|invalid|not found|spurious|timeout|trap|segfault|oops|call trace',
                       re.I)
# depend on the time that things take, or on random numbers
VARIES = re.compile(r'random:|tsc:|clocksource|sched_clock|BogoMIPS|RAID|xor:|raid6|KASLR|rcu:|workqueue|cryptd|AES|'
                    r'raw6|calling|hrtimer|rtc_cmos|input:|serio|Freeing|Memory:|percpu|audit|measur|Refined')


def translator():
    """Skip where there is none."""
    p = subprocess.run([binary(), '-S', '-display', 'none', '-monitor', 'stdio', '-accel', 'jit'], input='quit\n',
                       text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if p.returncode and platform.machine() != 'x86_64':
        raise tap.Skip('no translator: ' + p.stderr.strip())
    equal(p.returncode, 0, p.stderr)


def kernel_log(vm):
    """dmesg of a guest whose script says it between LOG-1 and LOG-2."""
    text = vm.expect(r'(?s)LOG-1\n(.*)LOG-2\n').group(1)
    return [re.sub(r'^(<\d+>)?\[ *[\d.]+\] ', '', l) for l in text.splitlines()]


def clean(lines):
    bad = [l for l in lines if COMPLAINT.search(l) and not EXPECTED.search(l)]
    check(not bad, 'kernel complains: ' + ' | '.join(bad))


def shape(lines):
    """The log without what differs from boot to boot: numbers, order, a few lines."""
    return sorted(re.sub(r'0x[0-9a-f]+|[0-9a-f]{8,}|\d+', '#', l) for l in lines if not VARIES.search(l))


def poweroff(vm):
    vm.expect('PATCHBAY-TEST-END')
    equal(vm.wait(), 0, 'exit status after poweroff')
    equal(vm.errors(), '', 'what the emulator says')


def stats(vm):
    """The numbers of "info jit", by the words around them."""
    text = vm.hmp('info jit')
    found = {'translated': r'translated +(\d+) blocks', 'dropped': r'host code .*dropped (\d+) times',
             'links': r'links (\d+)', 'checked': r'(?m)^compared +(\d+)'}
    out = {}
    for name, rx in found.items():
        m = re.search(rx, text)
        if m:
            out[name] = int(m.group(1))
    return out, text


def maps(vm):
    """Lines of /proc/PID/smaps as (permissions, bytes, resident bytes, name)."""
    out = []
    with open(f'/proc/{vm.proc.pid}/smaps') as f:
        for line in f:
            m = re.match(r'([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)$', line)
            if m:
                out.append([m.group(3), int(m.group(2), 16) - int(m.group(1), 16), 0, m.group(4)])
            elif line.startswith('Rss:'):
                out[-1][2] = int(line.split()[1]) << 10
    return out


def no_writable_code(vm):
    all_maps = maps(vm)
    both = [m for m in all_maps if 'w' in m[0] and 'x' in m[0]]
    check(not both, f'writable and executable: {both}')
    cache = [m for m in all_maps if 'patchbay-jit' in m[3]]
    for kind in ('r-x', 'rw-'):
        check(any(m[0].startswith(kind) for m in cache), f'no {kind} code cache in {all_maps}')
    return cache


TOOLS = {}


def tools():
    """The guest programs, as files for the guest."""
    if not TOOLS:
        for name in ('jittorture', 'jitflood'):
            TOOLS[name] = guest_tool(name)
    return TOOLS


def on_host(name, *args):
    """A guest program's output here: it is made for any Linux on x86-64."""
    tools()
    path = guestnet.guest.cache_dir() / f'{name}-amd64'
    return subprocess.run([path, *args], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()


def torture_equal(vm):
    want = on_host('jittorture')
    equal(vm.expect(r'(?s)GO\n(.*?)TORTURE-END\n').group(1).splitlines(), want[:-1], 'checksums')


def test_boots():
    """Boot after boot to poweroff: none hangs, none has a complaint in its kernel log, and all logs say the same."""
    translator()
    first = None
    for n in range(BOOTS):
        with booted('echo LOG-1; dmesg; echo LOG-2', QUIET, accel='jit') as vm:
            lines = kernel_log(vm)
            clean(lines)
            poweroff(vm)
        check(len(lines) > 150, f'{len(lines)} lines of log')
        first = first or shape(lines)
        diff = [l for l in difflib.unified_diff(first, shape(lines), lineterm='', n=0) if re.match(r'[-+][^-+]', l)]
        check(not diff, f'boot {n + 1} differs from the first: ' + ' | '.join(diff))


def switches(rng, part):
    """Random properties of -accel beside @part, the one that switches a part off."""
    out = []
    if part == 'interpret':
        start = rng.choice([0xFFFFFFFF81000000, 0xFFFFFFFF81400000, 0xFFFFFFFF81800000, 0x400000, 0])
        out.append(f'interpret={start:#x}-{start + rng.choice([0x10000, 0x200000, 0x400000]):#x}')
    elif part:
        out.append(part)
    if rng.random() < 0.7:
        out.append(f'hot={rng.choice([1, 2, 3, 7, 40, 1000])}')
    if rng.random() < 0.7:
        # everything translated at once into a small cache is a matter of minutes, and so are blocks of one instruction
        hot, single = bool(out) and out[-1].startswith('hot='), 'one-insn' in part
        least = 1 if BOOTS > 3 else 32 if single else 3 if hot else 1
        out.append(f'tb-size={rng.randrange(least, least + 4)}')
    return ','.join(['jit'] + out)


def test_kill_switches():
    """Boots with random parts switched off, and a program whose results are compared with the host's."""
    translator()
    rng = random.Random(SEED)
    print(f'# --boots {BOOTS} --seed {SEED}', flush=True)
    parts = ['one-insn-per-tb=on', 'slots=off', 'interpret', '']
    if BOOTS > 3:
        parts += ['chain=off', 'chain=off,slots=off', 'chain=off,one-insn-per-tb=on']       # five times slower and more
    rng.shuffle(parts)
    for n in range(max(BOOTS - 1, 1)):
        accel = switches(rng, parts[n % len(parts)])
        append = 'quiet nokaslr' if 'interpret=0xf' in accel else 'quiet'
        print(f'# -accel {accel}', flush=True)
        script = 'dmesg >/log; echo GO; /jittorture; echo LOG-1; cat /log; echo LOG-2; read line'
        with booted(script, QUIET, files=tools(), accel=accel, append=append) as vm:
            torture_equal(vm)
            clean(kernel_log(vm))
            now, text = stats(vm)
            check(now['translated'] > 1000, text)
            vm.send('go\n')
            poweroff(vm)


def test_check():
    """check=on compares blocks with the interpreter while Linux boots and a hard program runs: no difference so far."""
    translator()
    limit = CHECK_S if BOOTS <= 3 else 20 * CHECK_S
    script = 'dmesg >/log; echo LOG-1; cat /log; echo LOG-2; echo GO; /jittorture; read line'
    with booted(script, QUIET, files=tools(), accel='jit,check=on') as vm:
        end = time.monotonic() + limit
        while 'TORTURE-END' not in vm.console and time.monotonic() < end and vm._pump(0.5):
            pass
        equal(vm.proc.poll(), None, 'the emulator runs: ' + vm.errors())
        equal(vm.errors(), '', 'differences')
        now, text = stats(vm)
        check(now['checked'] > 100000, text)
        if 'TORTURE-END' in vm.console:
            clean(kernel_log(vm))
            torture_equal(vm)
        else:
            print(f'# not at its end within {limit} s, {now["checked"]} runs of blocks compared')
            check(BOOTS <= 3, 'the guest is too slow or hangs')


def test_torture():
    """Strings across pages, code that changes itself, signals, faults, recursion, longjmp, contexts: as on the host."""
    translator()
    with booted('echo GO; /jittorture; echo GO; /jittorture; sleep 1', QUIET, files=tools(), accel='jit') as vm:
        torture_equal(vm)
        torture_equal(vm)
        no_writable_code(vm)
        now, text = stats(vm)
        check(now['translated'] > 1000 and now['links'] > 1000, text)
        poweroff(vm)


def test_flood():
    """A guest floods the translator: 2048 jumps in a page, functions without end. The cache stays within tb-size=."""
    translator()
    jumps, code = '12', '30000'
    script = f'sleep 1; echo READY; read line; /jitflood code {code}; /jitflood jumps {jumps}; echo FLOODED; read line'
    want = on_host('jitflood', 'code', code) + on_host('jitflood', 'jumps', jumps)
    with booted(script, QUIET, files=tools(), accel='jit,tb-size=1') as vm:
        vm.expect('READY')
        before, text = stats(vm)
        cache = no_writable_code(vm)
        size = {m[1] for m in cache}
        check(size and max(size) <= 1 << 20, f'size of the cache: {cache}')
        own = sum(m[2] for m in maps(vm) if m[1] < 200 << 20)      # all but the guest's memory
        vm.send('go\n')
        while 'FLOODED' not in vm.console:
            check(vm._pump(0.3), 'the emulator ended')
            no_writable_code(vm)
        got = [vm.expect(r'FLOOD \S+ [0-9a-f]+\n').group(0).strip() for _ in want]
        equal(got, want, 'checksums')
        grown = sum(m[2] for m in maps(vm) if m[1] < 200 << 20) - own
        now, text = stats(vm)
        check(now['dropped'] >= before['dropped'] + 10, f'dropped {before["dropped"]} times before, then: {text}')
        check(grown < 24 << 20, f'{grown >> 10} KiB more than before')
        vm.send('go\n')
        poweroff(vm)


def main():
    global BOOTS, SEED
    args = sys.argv[1:]
    for name in ('boots', 'seed'):
        if f'--{name}' in args:
            i = args.index(f'--{name}')
            n = int(args[i + 1])
            BOOTS, SEED = (n, SEED) if name == 'boots' else (BOOTS, n)
            del args[i:i + 2]
    return tap.main(globals(), args)


if __name__ == '__main__':
    sys.exit(main())
