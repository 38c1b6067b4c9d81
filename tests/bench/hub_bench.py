# SPDX-License-Identifier: BSD-2-Clause
"""bench hub: CPU time for each frame that an emulated hub or switch delivers, in a process that has nothing else (bench-hub).

nic        receivers in the process that do nothing: the hub by itself; -gso: 64 KiB frames that they take whole; -cut: that are cut for them
nic-slow   one receiver, or half of them, take nothing
stream     receivers behind UNIX stream sockets, system calls included
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

from measure import warn_if_busy
from vm import binary

BAR_US, BAR_KIB = 1.0, 96


def main(argv):
    ap = argparse.ArgumentParser(prog='bench hub', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--frames', type=int, default=1000000, help='deliveries in each figure')
    ap.add_argument('--kind', choices=['hub', 'switch', 'both'], default='both')
    args = ap.parse_args(argv)
    program = Path(binary()).parent / 'tests/bench/bench-hub'
    if not program.exists():
        sys.exit(f'bench: {program} has not been built')
    warn_if_busy()
    worst = 0.0
    for kind in ['hub', 'switch'] if args.kind == 'both' else [args.kind]:
        p = subprocess.run([program, kind, '--frames', str(args.frames)], check=True, stdout=subprocess.PIPE, text=True)
        for m in re.finditer(r'(\w+) (\S+) ports=(\d+) size=(\d+) us=([\d.]+) kib_per_port=(-?\d+)', p.stdout):
            us = float(m.group(5))
            worst = max(worst, us)
            print(f'{m.group(1):7}{m.group(2):14}{m.group(3):>3} ports {m.group(4):>6} bytes {us:8.3f} us   {m.group(6):>4} KiB a port'
                  + ('   ABOVE THE BAR' if us > BAR_US else ''), flush=True)
    print(f'worst: {worst:.3f} us CPU for a delivered frame   [at most {BAR_US} us]')
    return worst > BAR_US
