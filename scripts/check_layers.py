#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Who may include whom: reads every #include of the tree and compares it with the table of docs/devel/layers.rst.

Also checked: no "../" in an include, a private header stays in its folder (or below it), every public header compiles
alone, every file has an SPDX line, and objects of net/, hw/ and target/ hold no writable data.

    scripts/check_layers.py [--build DIR]      DIR: also look at the objects and compile the headers
Prints one line a finding; exit status 1 when there is one.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# layer -> layers whose public headers it may include. "any" means everything public.
ALLOWED = {
    'lib': set(),
    'core': {'lib'},
    'vmstate': {'lib', 'core'},
    'qapi': {'lib'},
    'mem': {'lib', 'core', 'vmstate'},
    'chardev': {'lib', 'core', 'qapi', 'vmstate'},
    'net/offload': {'lib'},
    'net': {'lib', 'core', 'qapi', 'vmstate', 'chardev', 'net/offload'},
    'target': {'lib', 'core', 'mem', 'vmstate'},
    'hw/net': {'lib', 'core', 'mem', 'vmstate', 'net', 'net/offload', 'hw/pci', 'hw/isa', 'hw/virtio'},
    'hw/pci': {'lib', 'core', 'mem', 'vmstate', 'hw/pci'},
    'hw/isa': {'lib', 'core', 'mem', 'vmstate', 'hw/isa'},
    'hw/virtio': {'lib', 'core', 'mem', 'vmstate', 'hw/pci', 'hw/virtio'},
    'hw/board': {'lib', 'core', 'mem', 'vmstate', 'qapi', 'chardev', 'block', 'net', 'target', 'hw/pci', 'hw/isa', 'hw/net',
                 'hw/board', 'hw'},
    'hw': {'lib', 'core', 'mem', 'vmstate', 'qapi', 'chardev', 'block', 'net', 'hw/pci', 'hw/isa', 'hw/board', 'hw'},
    'top': None,
    'tests/qtest': {'tests'},
    'tests': None,
}

# folder prefix -> layer; the longest prefix wins. Public headers and sources alike.
FOLDERS = {
    'include/lib': 'lib', 'softmmu/lib': 'lib',
    'include/core': 'core', 'softmmu/core': 'core',
    'include/qapi': 'qapi', 'softmmu/qapi': 'qapi',
    'include/migration': 'vmstate', 'softmmu/migration': 'vmstate',
    'include/mem': 'mem', 'softmmu/mem': 'mem',
    'include/chardev': 'chardev', 'softmmu/chardev': 'chardev',
    'include/net/offload': 'net/offload', 'net/offload': 'net/offload',
    'include/net': 'net', 'net': 'net',
    'include/target': 'target', 'target': 'target',
    'include/hw/net': 'hw/net', 'hw/net': 'hw/net',
    'include/hw/pci': 'hw/pci', 'hw/pci': 'hw/pci',
    'include/hw/isa': 'hw/isa', 'hw/isa': 'hw/isa',
    'include/hw/virtio': 'hw/virtio', 'hw/virtio': 'hw/virtio',
    'include/hw/i386': 'hw/board', 'hw/i386': 'hw/board',
    'include/hw/intc': 'hw/board', 'hw/intc': 'hw/board',
    'include/hw': 'hw', 'hw': 'hw',
    'include/monitor': 'top', 'include/cli': 'top', 'include/softmmu': 'top', 'softmmu': 'top',
    'tests/qtest': 'tests/qtest', 'tests': 'tests',
}
# the engines of one CPU share records, block cache and handlers
ENGINES = ('target/x86/interp', 'target/x86/jit')
STATELESS = ('net/', 'hw/', 'target/')


def layer_of(path):
    best = ''
    for prefix in FOLDERS:
        if (path == prefix or path.startswith(prefix + '/')) and len(prefix) > len(best):
            best = prefix
    return FOLDERS.get(best)


def resolve(inc):
    """The file an #include "..." names, relative to the tree, or None (generated, system)."""
    for base in ('include/', ''):
        if (ROOT / (base + inc)).is_file():
            return base + inc
    return None


def tracked():
    """Files of the tree: what git knows or does not ignore; without git, everything outside build folders."""
    try:
        out = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard'], cwd=ROOT, check=True,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        names = out.splitlines()
    except (OSError, subprocess.CalledProcessError):
        names = [str(p.relative_to(ROOT)) for p in ROOT.rglob('*')]
        names = [n for n in names if not n.startswith(('build', '.git/')) and '__pycache__' not in n]
    return [f for f in names if (ROOT / f).is_file()]


def check_includes(path, text, found):
    me = layer_of(path)
    if me is None:
        found(f'{path}: in no layer; add its folder to scripts/check_layers.py')
        return
    for n, line in enumerate(text.splitlines(), 1):
        m = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if not m:
            continue
        inc = m.group(1)
        if '../' in inc:
            found(f'{path}:{n}: "../" in an include')
        target = resolve(inc)
        if target is None:
            if (ROOT / path).parent.joinpath(inc).is_file():
                target = str((ROOT / path).parent.joinpath(inc).relative_to(ROOT))
            else:
                if inc.startswith('qapi/') and ALLOWED[me] is not None and me != 'qapi' and 'qapi' not in ALLOWED[me]:
                    found(f'{path}:{n}: {me} may not include {inc}')
                continue
        other = layer_of(target)
        if not target.startswith('include/') and me not in ('tests', 'tests/qtest'):
            folder = str(Path(target).parent)
            if not path.startswith(folder + '/') and not (folder in ENGINES and path.startswith('target/x86/')):
                found(f'{path}:{n}: {inc} is private to {folder}/')
        allowed = ALLOWED[me]
        if allowed is not None and other != me and other not in allowed:
            found(f'{path}:{n}: {me} may not include {other} ({inc})')


def check_objects(build, found):
    for obj in sorted(Path(build).rglob('*.o')):
        parts = str(obj.relative_to(build))
        if not parts.startswith(STATELESS):
            continue
        out = subprocess.run(['objdump', '-t', obj], stdout=subprocess.PIPE, text=True).stdout
        for line in out.splitlines():
            m = re.match(r'[0-9a-f]+ .{7} (\S+)\s+([0-9a-f]+) (?:\.hidden )?(\S+)$', line)
            # .data.rel.ro holds const tables of pointers; sanitizers add data of their own
            if m and re.match(r'\.(data|bss|tdata|tbss)(?!\.rel\.ro)', m.group(1)) and int(m.group(2), 16) and \
                    not m.group(3).startswith(('__', '.', 'DW.')):
                found(f'{parts}: writable data "{m.group(3)}": state lives in the object it belongs to')


def check_headers(build, files, found):
    pc = subprocess.run(['pkg-config', '--cflags', 'glib-2.0'], stdout=subprocess.PIPE,
                        text=True).stdout.split()
    for f in files:
        if not (f.startswith('include/') and f.endswith('.h')):
            continue
        r = subprocess.run(['cc', '-std=gnu11', '-D_GNU_SOURCE', '-fsyntax-only', '-Wall', '-Wno-pragma-once-outside-header',
                            f'-I{ROOT}/include', f'-I{ROOT}', f'-I{build}', f'-I{build}/softmmu', *pc, '-x', 'c',
                            str(ROOT / f)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if r.returncode:
            found(f'{f}: does not compile alone: {r.stdout.strip().splitlines()[0]}')


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--build', help='build directory: check objects and headers too')
    args = ap.parse_args()
    findings = []
    files = tracked()
    for f in files:
        path = ROOT / f
        if f.endswith(('.c', '.h')):
            text = path.read_text()
            check_includes(f, text, findings.append)
        elif not f.endswith(('.py', '.sh', 'meson.build', '.json')):
            continue
        else:
            text = path.read_text()
        if 'SPDX-License-Identifier: BSD-2-Clause' not in text[:400]:
            findings.append(f'{f}: no SPDX line')
    if args.build:
        check_objects(args.build, findings.append)
        check_headers(args.build, files, findings.append)
    for line in findings:
        print(line)
    print(f'{len(files)} files, {len(findings)} findings')
    return 1 if findings else 0


if __name__ == '__main__':
    sys.exit(main())
