#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Instructions a request, of both sides: the engine and the application's handler.

    bazel build --config=opt //bench:engine_requests
    bench/request_instructions.py PATH/TO/engine_requests [OUTSTANDING]

Needs valgrind, whose callgrind counts. Unlike times these numbers are the same on a busy machine.
The cipher is in them; sockets and clocks are not.
"""

import re
import subprocess
import sys

FEW, MANY = 3000, 9000


def callgrind(program, outstanding, requests, side):
    run = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                          f"--toggle-collect=godwit::*RequestPair::{side}T*",
                          program, outstanding, str(requests)], check=True, capture_output=True,
                         text=True)
    return (int(re.search(r"Collected : (\d+)", run.stderr).group(1)),
            int(re.search(r"requests (\d+)", run.stdout).group(1)))


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    program = sys.argv[1]
    outstanding = sys.argv[2] if len(sys.argv) == 3 else "100"
    for side in ("Client", "Server"):
        few, few_requests = callgrind(program, outstanding, FEW, side)
        many, many_requests = callgrind(program, outstanding, MANY, side)
        if many == few:
            sys.exit(f"nothing was counted of the {side}: was it inlined?")
        print(f"{side.lower()} {(many - few) / (many_requests - few_requests):9.1f}", flush=True)


if __name__ == "__main__":
    main()
