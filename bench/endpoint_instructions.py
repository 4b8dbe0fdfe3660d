#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Instructions a packet of a bulk transfer, sender and receiver, beside those of the cipher.

    bazel build --config=opt //bench:endpoint_transfer //bench:crypto_instructions
    bench/endpoint_instructions.py PATH/TO/endpoint_transfer PATH/TO/crypto_instructions

Needs valgrind, whose callgrind counts. Unlike times these numbers are the same on a busy machine.
Of each side all is counted, the cipher included; what the bare AEAD and the header masks of the
same packets take is counted apart and taken off.
"""

import re
import subprocess
import sys

FEW, MANY = 100, 400
CIPHER = "aes128"
TRAIN_PACKETS = 44


def callgrind(program, arguments, toggle=None):
    options = ["--tool=callgrind", "--callgrind-out-file=/dev/null"]
    if toggle:
        options += [f"--toggle-collect={toggle}"]
    run = subprocess.run(["valgrind", *options, program, *arguments], check=True,
                         capture_output=True, text=True)
    return int(re.search(r"Collected : (\d+)", run.stderr).group(1)), run.stdout


def side(program, function):
    counts = []
    for ticks in (FEW, MANY):
        instructions, output = callgrind(program, ("--cipher", CIPHER, "--ticks", str(ticks)),
                                         f"godwit::EndpointPair::{function}*")
        counts.append((instructions, int(re.search(r"packets (\d+)", output).group(1))))
    (few, few_packets), (many, many_packets) = counts
    return (many - few) / (many_packets - few_packets)


def cipher(program, operation, function):
    # Only within the function: the benchmark's own copying of packets does not count.
    few, many = (callgrind(program, (operation, CIPHER, "1452", str(trains)),
                           f"godwit::{function}*")[0] for trains in (10, 60))
    if many == few:
        sys.exit(f"no {function} in {program}: was it inlined?")
    return (many - few) / (50 * TRAIN_PACKETS)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    transfer, crypto = sys.argv[1:]
    masks = cipher(crypto, "header_train", "HeaderWorkload::RunTrain")
    ours_together = 0
    for name, function, operation, workload in (
            ("sender", "SenderTurn", "seal_bare_aead", "SealWorkload::RunBare"),
            ("receiver", "ReceiverTurn", "open_bare_aead", "OpenWorkload::RunBare")):
        total = side(transfer, function)
        bare = cipher(crypto, operation, workload) + masks
        ours_together += total - bare
        print(f"{name:9} {total:8.1f} bare {bare:8.1f} ours {total - bare:8.1f}", flush=True)
    print(f"ours together {ours_together:8.1f}")


if __name__ == "__main__":
    main()
