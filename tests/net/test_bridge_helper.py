#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""patchbay-bridge-helper alone, in a network namespace: access lists, arguments, what it makes, whom it becomes, and arguments at random."""

import array
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lib'))
import netns  # noqa: E402
import tap  # noqa: E402
from netns import ip, links  # noqa: E402
from tap import Skip, check, equal  # noqa: E402
from vm import binary  # noqa: E402

ACL = '/etc/qemu/bridge.conf'
USAGE = 'Usage: patchbay-bridge-helper [--use-vnet] --br=bridge --fd=unixfd\n'
NOBODY = 65534


def helper():
    return str(Path(binary()).parent / 'patchbay-bridge-helper')


def run(*args, path=None, prefix=(), env=None):
    """Status, stderr and the descriptor that came, if any. @SOCK@ in an argument is the number of its socket."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with ours, theirs:
        args = [a.replace('@SOCK@', str(theirs.fileno())) for a in args]
        p = subprocess.run([*prefix, path or helper(), *args], pass_fds=[theirs.fileno()], stderr=subprocess.PIPE, timeout=30, env=env)
        theirs.close()
        ours.settimeout(5)
        fd = None
        data, anc, _, _ = ours.recvmsg(16, 1024)
        for level, kind, value in anc:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                fds = array.array('i')
                fds.frombytes(value[:len(value) // 4 * 4])
                equal(len(fds), 1, 'descriptors')
                fd = fds[0]
        return p.returncode, p.stderr.decode(errors='replace'), fd


def allowed(conf, br='br0', files=None):
    with open(ACL, 'w') as f:
        f.write(conf)
    for name, text in (files or {}).items():
        with open(f'/etc/qemu/{name}', 'w') as f:
            f.write(text)
    status, err, fd = run('--use-vnet', f'--br={br}', '--fd=@SOCK@')
    if fd is not None:
        os.close(fd)
    equal(fd is not None, status == 0, f'{conf!r}: {err}')
    return status == 0, err


def test_access_lists():
    """allow, deny, all, include, comments, blanks; deny wins wherever it stands; whatever is not understood means no."""
    with links('link add br0 type bridge', 'link add br1 type bridge', remove=['br0', 'br1']):
        for conf, want in (
                ('allow br0\n', True), ('allow all\n', True), ('allow br0', True), ('  allow\t br0  \n', True), ('allow br0 # mine\n', True),
                ('# allow br0\n', False), ('', False), ('\n\n', False), ('allow br1\n', False), ('allow br00\n', False), ('allow br\n', False),
                ('allow br0\ndeny br0\n', False), ('deny br0\nallow br0\n', False), ('allow all\ndeny br0\n', False),
                ('deny all\nallow br0\n', False), ('allow br0\ndeny br1\n', True), ('allow ALL\n', False), ('allow br0\r\n', True),
                ('include /etc/qemu/other\n', True), ('include /etc/qemu/other\ndeny br0\n', False), ('allow br0\ninclude /etc/qemu/no\n', False)):
            got, err = allowed(conf, files={'other': 'allow br0\n', 'no': 'deny all\n'})
            equal(got, want, f'{conf!r}: {err}')
            check(want or 'access denied by acl file\n' == err, f'{conf!r}: {err}')
        for conf, text in (
                ('bogus br0\n', 'Unknown command `bogus\'\n'), ('allow br0\nbogus\n', 'Unknown command `bogus\'\n'),
                ('include /etc/qemu/nosuch\n', 'failed to open `/etc/qemu/nosuch\': No such file or directory\n'),
                ('include\n', 'include without a file\n'), ('allow abcdefghijklmnop\n', 'name `abcdefghijklmnop\' too long\n'),
                ('include ' + ACL + '\n', 'more than 8 levels of include\n'),
                ('allow br0' + ' ' * 2000 + '\n', f'a line of `{ACL}\' is longer than 1022 bytes\n')):
            got, err = allowed(conf)
            equal((got, err), (False, text + f'failed to parse default acl file `{ACL}\'\n'), conf)
        os.unlink(ACL)
        status, err, fd = run('--br=br0', '--fd=@SOCK@')
        equal((status, err, fd), (1, f'failed to parse default acl file `{ACL}\'\n', None), 'no list')


def test_arguments():
    """Everything that is not a bridge and a socket is refused before anything is made."""
    with open(ACL, 'w') as f:
        f.write('allow all\n')
    for args, err in (
            ((), USAGE), (('--br=br0',), USAGE), (('--fd=@SOCK@',), USAGE), (('--br=', '--fd=@SOCK@'), USAGE),
            (('--br=br0', '--fd=@SOCK@', '--bogus'), USAGE), (('--br=br0', '--fd=@SOCK@', 'x'), USAGE), (('--help',), USAGE),
            (('--br=br0', '--fd=abc'), "`abc' is not the number of a UNIX socket\n"),
            (('--br=br0', '--fd='), "`' is not the number of a UNIX socket\n"),
            (('--br=br0', '--fd=-1'), "`-1' is not the number of a UNIX socket\n"),
            (('--br=br0', '--fd=1000'), "`1000' is not the number of a UNIX socket\n"),
            (('--br=br0', '--fd=2'), "`2' is not the number of a UNIX socket\n"),
            (('--br=br0', '--fd=99999999999999999999'), "`99999999999999999999' is not the number of a UNIX socket\n"),
            (('--br=abcdefghijklmnop', '--fd=@SOCK@'), "name `abcdefghijklmnop' too long: 16\n"),
            (('--br=nosuch', '--fd=@SOCK@'), "failed to get mtu of bridge `nosuch': No such device\n"),
            (('--br=pv0', '--fd=@SOCK@'), "failed to add interface `tap0' to bridge `pv0': Operation not supported\n")):
        with links('link add pv0 type veth peer name pv1', remove=['pv0']):
            equal(run(*args), (1, err, None), str(args))
    check('tap' not in ip('-br link').stdout, 'nothing is left')


def test_own_list():
    """Our own list comes first; the common one counts where there is none."""
    own = re.search(rb'(/[ -~]*)/patchbay/bridge\.conf', Path(helper()).read_bytes()).group(1).decode()
    with links('link add br0 type bridge', remove=['br0']):
        netns.tmpfs(own)
        try:
            equal(allowed('allow br0\n')[0], True, 'common list')
            os.mkdir(f'{own}/patchbay')
            Path(f'{own}/patchbay/bridge.conf').write_text('deny br0\n')
            equal(allowed('allow br0\n')[0], False, 'own list')
        finally:
            netns.umount(own)


def test_makes():
    """A tap with vnet header on request, in the bridge, with its MTU, a MAC of fe:, up; gone when its descriptor is closed."""
    with links('link add br0 type bridge', 'link set br0 mtu 1280 up', remove=['br0']):
        with open(ACL, 'w') as f:
            f.write('allow br0\n')
        for vnet in (True, False):
            status, err, fd = run(*(['--use-vnet'] if vnet else []), '--br=br0', '--fd=@SOCK@')
            equal((status, err), (0, ''), 'helper')
            link = ip('link show tap0').stdout
            check('master br0' in link and 'mtu 1280' in link and 'link/ether fe:' in link and ',UP' in link, link)
            flags = int(Path('/sys/class/net/tap0/tun_flags').read_text(), 16)
            equal(bool(flags & netns.IFF_VNET_HDR), vnet, 'vnet header')
            os.close(fd)
            check('tap0' not in ip('-br link').stdout, 'gone')


def test_rights():
    """Set-user-ID root, run by nobody: makes the tap, as nobody, with CAP_NET_ADMIN alone; without the bit it cannot."""
    if not shutil.which('setpriv'):
        raise Skip('setpriv (util-linux)')
    with links('link add br0 type bridge', remove=['br0']), tempfile.TemporaryDirectory() as tmp:
        os.chmod(tmp, 0o755)
        copy = f'{tmp}/helper'
        shutil.copy(helper(), copy)
        with open(ACL, 'w') as f:
            f.write('allow br0\n')
        as_nobody = ['setpriv', f'--reuid={NOBODY}', f'--regid={NOBODY}', '--clear-groups', '--inh-caps=-all', '--bounding-set=+all']
        node = os.stat('/dev/net/tun').st_mode
        os.chmod('/dev/net/tun', 0o666)         # as udev has it
        try:
            os.chmod(copy, 0o755)
            status, err, fd = run('--br=br0', '--fd=@SOCK@', path=copy, prefix=as_nobody)
            equal((status, fd), (1, None), 'without the bit')
            check('Operation not permitted' in err, err)
            os.chmod(copy, 0o4755)
            status, err, fd = run('--br=br0', '--fd=@SOCK@', path=copy, prefix=as_nobody)
            equal((status, err), (0, ''), 'set-user-ID')
            os.close(fd)
            os.chmod(ACL, 0o600)                # it reads the list as its caller: no way around its rights
            status, err, fd = run('--br=br0', '--fd=@SOCK@', path=copy, prefix=as_nobody)
            equal((status, fd), (1, None), 'unreadable list')
        finally:
            os.chmod('/dev/net/tun', node & 0o777)


def test_random_arguments():
    """Thousands of odd argument lists: status 0 or 1, never a signal, never a tap that stays."""
    rng = random.Random(1)
    words = ['--br=', '--fd=', '--use-vnet', '--br', '--fd', 'br0', '@SOCK@', '0', '-1', '%s%n', 'all', '\n', '#', 'x' * 5000, '', '--', '=', '\xff']
    with links('link add br0 type bridge', remove=['br0']):
        for conf in ('allow br0\n', 'allow all\ndeny\n', ''.join(chr(rng.randrange(1, 256)) for _ in range(3000))):
            with open(ACL, 'w', encoding='latin-1') as f:
                f.write(conf)
            for _ in range(150):
                args = [''.join(rng.choices(words, k=rng.randrange(1, 4))) for _ in range(rng.randrange(6))]
                status, err, fd = run(*args, env={'PATH': '/nowhere', 'LD_DEBUG_OUTPUT': '/etc/qemu/x', 'IFS': 'b'})
                check(status in (0, 1) and (status == 0) == (fd is not None), f'{args}: {status}: {err}')
                if fd is not None:
                    os.close(fd)
        for _ in range(150):
            conf = bytes(rng.choices(b'allowdenyincluder \t\n#br0/\x00\xff', k=rng.randrange(200)))
            with open(ACL, 'wb') as f:
                f.write(conf)
            status, err, fd = run('--br=br0', '--fd=@SOCK@')
            check(status in (0, 1), f'{conf}: {status}: {err}')
            if fd is not None:
                os.close(fd)
        check('tap' not in ip('-br link').stdout, 'nothing is left')


if __name__ == '__main__':
    why = netns.enter() if '--list' not in sys.argv else None
    if why:
        print(f'1..0 # SKIP {why}')
        sys.exit(0)
    if '--list' not in sys.argv:
        netns.tmpfs('/etc/qemu')
        os.chmod('/etc/qemu', 0o755)
    sys.exit(tap.main(globals()))
