#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""fuzz_corpus.py - a fuzz target's corpus: many small files in a directory, or one file in the tree

Usage: fuzz_corpus.py pack DIRECTORY FILE [MAX_BYTES]      inputs in order of length; more bytes than that: an error
       fuzz_corpus.py unpack FILE DIRECTORY                one file an input, named by its SHA-1 as libFuzzer does
       fuzz_corpus.py list FILE...                         inputs, bytes, mean length of each

tests/fuzz/driver.c says what the file looks like.
"""
import hashlib
import sys
from pathlib import Path

MAGIC = 'patchbay-fuzz-corpus 1'


def packed(inputs):
    """The bytes of a corpus; the same inputs always give the same bytes"""
    body = b''.join(len(i).to_bytes(2, 'little') + i for i in sorted(set(inputs), key=lambda i: (len(i), i)))
    return f'{MAGIC} {len(set(inputs))} {hashlib.sha256(body).hexdigest()}\n'.encode() + body


def unpacked(data):
    """The inputs of a corpus; ValueError when it is none"""
    line, end, body = data.partition(b'\n')
    words = line.decode('ascii', 'replace').split()
    if not end or len(words) != 4 or ' '.join(words[:2]) != MAGIC or hashlib.sha256(body).hexdigest() != words[3]:
        raise ValueError('not a corpus, or damaged')
    inputs, at = [], 0
    while at < len(body):
        size = int.from_bytes(body[at:at + 2], 'little')
        inputs.append(body[at + 2:at + 2 + size])
        at += 2 + size
    if at != len(body) or len(inputs) != int(words[2]):
        raise ValueError('an input is cut off')
    return inputs


def main(argv):
    if len(argv) in (3, 4) and argv[0] == 'pack':
        data = packed([p.read_bytes() for p in Path(argv[1]).iterdir() if p.stat().st_size < 65536])
        if len(argv) == 4 and len(data) > int(argv[3]):
            return f'{argv[2]} would have {len(data)} bytes, more than {argv[3]}'
        Path(argv[2]).parent.mkdir(parents=True, exist_ok=True)
        Path(argv[2]).write_bytes(data)
    elif len(argv) == 3 and argv[0] == 'unpack':
        Path(argv[2]).mkdir(parents=True, exist_ok=True)
        for i in unpacked(Path(argv[1]).read_bytes()):
            (Path(argv[2]) / hashlib.sha1(i).hexdigest()).write_bytes(i)
    elif len(argv) >= 2 and argv[0] == 'list':
        for f in argv[1:]:
            data = Path(f).read_bytes()
            inputs = unpacked(data)
            mean = sum(map(len, inputs)) / max(1, len(inputs))
            print(f'{Path(f).stem:18} {len(inputs):6} inputs {len(data):8} bytes, mean length {mean:.0f}')
    else:
        return __doc__
    return None


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
