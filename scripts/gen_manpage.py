#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""gen_manpage.py - the option reference from the schema: docs/user/options.rst and the manual page

Usage: gen_manpage.py [--check]             write both; --check: only say whether docs/user/options.rst is up to date
The manual page goes to docs/patchbay.1.
"""
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'scripts'))
sys.dont_write_bytecode = True
import qapi_gen     # noqa: E402

FILES = ['net.json', 'control.json', 'machine.json', 'char.json', 'options.json']
EXAMPLES = [
    ('Start a kernel with a serial console on the terminal (Ctrl-a x ends, Ctrl-a c is the monitor)',
     'patchbay-system-x86_64 -nographic -kernel bzImage -initrd initrd.gz -append console=ttyS0'),
    ('A card with its own network, port 2222 of the host going to port 22 of the guest',
     'patchbay-system-x86_64 -nographic -kernel bzImage -nic user,model=e1000,hostfwd=tcp:127.0.0.1:2222-:22'),
    ('The same in two parts, with a monitor for programs',
     'patchbay-system-x86_64 -netdev user,id=n0 -device e1000,netdev=n0 -qmp unix:/tmp/qmp,server=on,wait=off'),
]


def schema():
    return qapi_gen.Schema([str(ROOT / 'softmmu/qapi' / f) for f in FILES])


def option_title(e):
    names = ['-' + a for a in e.get('aliases', [])] + ['-' + e['option']]
    return ', '.join(n + (' ' + e['arg'] if e.get('arg') else '') for n in names)


def word(s, t):
    k = s.kind(t)
    if k == 'enum':
        return '\\|'.join(s.types[t][0]['data'])
    return {'bool': 'on\\|off', 'String': 'str', 'path': 'file'}.get(t, t)


def member_rows(s, tname, skip=()):
    e, doc = s.types[tname]
    return [(m, word(s, t), opt, lst, doc.members.get(m, '')) for m, t, opt, lst in s.members(e)
            if m not in skip and s.kind(t) not in ('struct', 'union')]


def rst_members(rows):
    out, quiet = [], [r[0] for r in rows if not r[4]]
    for m, w, opt, lst, text in (r for r in rows if r[4]):
        out.append('``%s=``\\ *%s*%s%s' % (m, w, '' if opt else ' (mandatory)', ', may be repeated' if lst else ''))
        out.append('   %s\n' % text)
    if quiet:
        out.append('Accepted, without effect today: %s.\n' % ', '.join('``%s=``' % m for m in quiet))
    return out


def rst(s):
    out = ['.. SPDX-License-Identifier: BSD-2-Clause', '.. made by scripts/gen_manpage.py from softmmu/qapi; do not edit', '',
           'Command-line options', '====================', '',
           'Every option can be written with one dash or two. Structured arguments are ``key=value`` pairs separated by commas (a comma',
           'in a value is written twice) or, for ``-netdev``, ``-nic``, ``-net``, ``-device``, ``-chardev`` and ``-object``, a JSON object. A bare',
           'word is a switch that is on; ``help`` in place of an argument lists what there is. A wrong word ends the program with status 1',
           'and a message that names the option, the value and the reason.', '']
    for e, doc in s.options:
        if e.get('unbuilt') or e.get('removed'):
            continue
        if e.get('group'):
            out += [e['group'], '-' * len(e['group']), '']
        out.append('``%s``' % option_title(e))
        out.append('   %s\n' % (doc.summary() or 'accepted'))
        t = e.get('data')
        if t and s.types[t][0]['kind'] == 'struct':
            out += ['   ' + ln.replace('\n', '\n') if ln else ln for ln in rst_members(member_rows(s, t))]
    for t, title in (('Netdev', 'Network backends'), ('ChardevOptions', 'Character devices'), ('ObjectOptions', 'Objects')):
        e = s.types[t][0]
        disc = e['discriminator']
        out += [title, '-' * len(title), '', 'Common to all:', '']
        out += rst_members(member_rows(s, t, (disc,)))
        kinds = s.types[e['base'][disc]]
        for v in kinds[0]['data']:
            out += ['``%s``' % v, '~' * (len(v) + 4), '']
            text = kinds[1].members.get(v, '')
            if text:
                out += [text[0].upper() + text[1:] + '.', '']
            if v in e['data']:
                out += rst_members(member_rows(s, e['data'][v]))
    missing = [e['option'] for e, _ in s.options if e.get('unbuilt')]
    out += ['Not built yet', '-------------', '', 'These are known and say so: ' + ', '.join('``-%s``' % m for m in missing) + '.', '']
    gone = [(e['option'], e['removed']) for e, _ in s.options if e.get('removed')]
    out += ['Removed long ago', '----------------', '', 'They are refused with a hint:', '']
    out += ['* ``-%s``: write ``%s``' % g for g in gone] + ['']
    return '\n'.join(out)


def esc(t):
    return t.replace('\\', '\\e').replace('-', '\\-').replace("'", '\\(aq')


def man(s):
    out = ['.\\" SPDX-License-Identifier: BSD-2-Clause', '.\\" made by scripts/gen_manpage.py from softmmu/qapi; do not edit',
           '.TH PATCHBAY 1 "" "Patchbay" "User Commands"', '.SH NAME', 'patchbay\\-system\\-x86_64 \\- x86 PC system emulator',
           '.SH SYNOPSIS', '.B patchbay\\-system\\-x86_64', '[\\fIoptions\\fR]', '.SH DESCRIPTION',
           'Patchbay emulates an x86 PC and, above all, its network. It takes the command line, monitor and QMP that people and programs use for QEMU.']
    for e, doc in s.options:
        if e.get('unbuilt') or e.get('removed'):
            continue
        if e.get('group'):
            out.append('.SH ' + e['group'].upper())
        out += ['.TP', '.B ' + esc(option_title(e)), esc(doc.summary() or 'accepted')]
    out.append('.SH USER\\-MODE NETWORK')
    for m, w, opt, lst, text in member_rows(s, 'NetdevUser'):
        out += ['.TP', '.B ' + esc('%s=%s' % (m, w.replace('\\', ''))), esc(text)]
    out.append('.SH EXAMPLES')
    for text, cmd in EXAMPLES:
        out += [esc(text) + ':', '.PP', '.RS', '.nf', esc(cmd), '.fi', '.RE', '.PP']
    out += ['.SH EXIT STATUS', '0 after an orderly end, 1 after an error on the command line or at start.', '.SH SEE ALSO',
            'The documentation in docs/user.']
    return '\n'.join(out) + '\n'


def main():
    s = schema()
    pages = {ROOT / 'docs/user/options.rst': rst(s), ROOT / 'docs/patchbay.1': man(s)}
    stale = [p for p, text in pages.items() if not p.exists() or p.read_text() != text]
    if '--check' in sys.argv[1:]:
        for p in stale:
            print('%s is not what the schema says: run scripts/gen_manpage.py' % p.relative_to(ROOT))
        sys.exit(1 if stale else 0)
    for p, text in pages.items():
        p.write_text(text)


if __name__ == '__main__':
    main()
