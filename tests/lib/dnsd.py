#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A name server for one name, on 127.0.0.1:53 of the network namespace it runs in: patchbay.test is 192.0.2.7 (RFC 1035)."""

import ctypes
import signal
import socket
import struct

NAME = b'\x08patchbay\x04test\0'


def answer(query):
    ident, _, questions = struct.unpack('>HHH', query[:6])
    end = query.index(b'\0', 12) + 5
    name, qtype = query[12:end - 4], struct.unpack('>H', query[end - 4:end - 2])[0]
    known = name.lower() == NAME
    records = b'\xc0\x0c' + struct.pack('>HHIH', 1, 1, 60, 4) + socket.inet_aton('192.0.2.7') if known and qtype == 1 else b''
    flags = 0x8180 if known else 0x8183
    return struct.pack('>HHHHHH', ident, flags, questions, 1 if records else 0, 0, 0) + query[12:end] + records


def main():
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)   # PR_SET_PDEATHSIG: go when the emulator goes
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(('127.0.0.1', 53))
    while True:
        query, peer = s.recvfrom(2048)
        s.sendto(answer(query), peer)


if __name__ == '__main__':
    main()
