# SPDX-License-Identifier: BSD-2-Clause
"""What the benchmarks share: the peer, CPU time of a process, geometric means, and the build of guest programs."""

import math
import os
import subprocess
from pathlib import Path

import guest

PEER = 'qemu-system-x86_64'


def cpu_seconds(pid):
    f = Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()
    return (int(f[11]) + int(f[12])) / os.sysconf('SC_CLK_TCK')


def geomean(values):
    """Geometric mean, or None of nothing."""
    values = [v for v in values if v]
    return math.exp(sum(math.log(v) for v in values) / len(values)) if values else None


def peer_version():
    return subprocess.run([PEER, '--version'], check=True, stdout=subprocess.PIPE, text=True).stdout.split('\n')[0]


def warn_if_busy():
    """Other work on the host spoils every figure, those of the bare host most."""
    load = os.getloadavg()[0]
    if load > 0.5:
        guest.progress(f'the load average is {load:.2f}: other work on this host will show in the figures')


def host_cpu():
    for line in Path('/proc/cpuinfo').read_text().splitlines():
        if line.startswith('model name'):
            return line.split(':', 1)[1].strip()
    return 'unknown CPU'
