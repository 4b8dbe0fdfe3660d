#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Instructions a packet of packet protection, beside those of the bare AEAD.

    bazel build --config=opt //bench:crypto_instructions
    bench/crypto_instructions.py PATH/TO/crypto_instructions

Needs valgrind, whose callgrind counts. Unlike times these numbers are the same on a busy machine.
They are of the processor that valgrind imitates (AVX2 and AES-NI, but no AVX-512), for which
BoringSSL may choose other code than for the real one.
"""

import re
import subprocess
import sys

TRAIN_PACKETS = 44
FEW, MANY = 10, 60
PROTECTIONS = ("bare_aead", "packet", "train", "key_phases")


def count(program, arguments):
    run = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, *arguments],
        check=True, capture_output=True, text=True)
    return int(re.search(r"Collected : (\d+)", run.stderr).group(1))


def per_packet(program, operation, cipher, packet_bytes):
    few, many = (count(program, (operation, cipher, str(packet_bytes), str(trains)))
                 for trains in (FEW, MANY))
    return (many - few) / ((MANY - FEW) * TRAIN_PACKETS)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    program = sys.argv[1]
    for cipher in ("aes128", "aes256", "chacha20"):
        for operation in ("single", "train"):
            instructions = per_packet(program, f"header_{operation}", cipher, 1452)
            print(f"header {cipher:8} {operation:29} {instructions:8.1f}", flush=True)
        for packet_bytes in (1200, 1452, 8900):
            for operation in ("seal", "open"):
                bare = None
                for protection in PROTECTIONS:
                    instructions = per_packet(program, f"{operation}_{protection}", cipher,
                                              packet_bytes)
                    bare = bare or instructions
                    print(f"{operation:6} {cipher:8} {packet_bytes:5} {protection:23} "
                          f"{instructions:8.1f} {100 * (instructions / bare - 1):+6.1f} %",
                          flush=True)


if __name__ == "__main__":
    main()
