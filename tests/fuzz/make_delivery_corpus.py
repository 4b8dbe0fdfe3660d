#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seed corpora of reassembler_fuzz and send_buffer_fuzz beside this file."""

import pathlib
import random

CORPUS = pathlib.Path(__file__).parent / "corpus"

# Sizes as OperationBytes::NextSize() reads them.
ZERO, ONE, FIVE, PACKET, BLOCK_4K, BLOCK_8K = 0, 1, 4, 9, 10, 11


def op(number, flavour=0):
    return flavour * 16 + number


# Reassembler: where a segment goes, by the number of its operation.
NEXT, FROM_READ, AT_END, BACK = 0, 4, 5, 6
BATCH_END, CONSUME, FINAL_SIZE, DISCARD = 11, 12, 14, 15
FIN = 15


def segment(place, size, distance=0, flavour=0):
    return [op(place, flavour), size] + ([distance] if place >= 4 else [])


IN_ORDER = segment(NEXT, PACKET)
AHEAD = segment(9, PACKET, 40)

REASSEMBLER = {
    "empty": [],
    "in_order": IN_ORDER * 8 + [op(CONSUME, 15)],
    "kept": IN_ORDER * 5 + [op(BATCH_END)] + IN_ORDER * 3 + [op(CONSUME), PACKET] + [op(BATCH_END)],
    "gap_closed": segment(7, PACKET, 13) + IN_ORDER * 3 + [op(CONSUME, 15)],
    "far_ahead": AHEAD + segment(10, BLOCK_8K, 200) + segment(NEXT, BLOCK_8K) * 4,
    "fragments": sum((segment(4, ONE, place) + [0] for place in range(250, 0, -2)), []),
    "overlaps": AHEAD + segment(9, BLOCK_4K, 35) + segment(9, FIVE, 45) + segment(BACK, PACKET, 90),
    "duplicates": IN_ORDER * 3 + segment(FROM_READ, PACKET, 0) + segment(BACK, PACKET, 255),
    "fin": IN_ORDER * 2 + segment(NEXT, FIVE, 0, FIN) + [0] + [op(CONSUME, 15)],
    "fin_twice": IN_ORDER + segment(NEXT, FIVE, 0, FIN) + [0] + segment(NEXT, ZERO, 0, FIN) + [0],
    "fin_below_data": AHEAD + segment(NEXT, FIVE, 0, FIN) + [0],
    "data_beyond_fin": segment(NEXT, FIVE, 0, FIN) + [0] + IN_ORDER,
    "reset": IN_ORDER + [op(FINAL_SIZE, 15), 0, FIVE, 0] + IN_ORDER,
    "discard": IN_ORDER + AHEAD + [op(DISCARD, 15), 0] + IN_ORDER * 2 + [op(BATCH_END)],
    "changed_data": AHEAD + segment(9, PACKET, 40, 14) + [0, 7],
}

# SendBuffer.
COPY, CORD, END, PROBE, LOST, ACKED, SEND = 0, 2, 3, 4, 5, 7, 10
OLD, NEW = 0, 7
ALL = 15


def write(size):
    return [op(COPY), size]


def send(size, flavour=2):
    return [op(SEND, flavour), size]


FINISH = [op(END, 14), 0, 1]
RESET = [op(END, 14), 0, 0]
FLIGHT = write(BLOCK_8K) * 2 + send(PACKET) * 10

SEND_BUFFER = {
    "empty": [],
    "all_acked": FLIGHT + FINISH + send(PACKET) * 4 + [op(ACKED, ALL)],
    "small_writes": (write(ONE) + send(PACKET)) * 20 + [op(ACKED, ALL)],
    "cord": [op(CORD, 5), PACKET, ONE, BLOCK_8K, BLOCK_4K, PACKET] + send(BLOCK_4K) * 6 + [op(ACKED, ALL)],
    "losses": FLIGHT + [op(LOST, OLD), 3, op(LOST, OLD), 7] + send(PACKET) * 4 + [op(ACKED, ALL)],
    "late_ack": FLIGHT + [op(LOST, NEW), 2, op(ACKED, NEW), 2] + send(PACKET) * 2,
    "acks_apart": FLIGHT + sum(([op(ACKED, OLD), back] for back in range(0, 10, 2)), []),
    "lost_before_unsent": write(PACKET) + send(FIVE) + [op(LOST, OLD), 0] + send(PACKET),
    "probe": FLIGHT + [op(PROBE), PACKET, op(LOST, NEW), 0, op(ACKED, NEW), 0],
    "fin_alone": FINISH + send(ZERO) + [op(LOST, OLD), 0] + send(ZERO) + [op(ACKED, OLD), 0],
    "blocked": write(PACKET) + send(PACKET, 0) + [FIVE] + send(PACKET, 1) + send(PACKET),
    "reset": FLIGHT + RESET + [op(ACKED, OLD), 1, op(LOST, OLD), 2] + send(PACKET),
}


def write_corpus(target, inputs):
    directory = CORPUS / target
    directory.mkdir(parents=True, exist_ok=True)
    for name, data in inputs.items():
        (directory / name).write_bytes(bytes(data))
    for seed in range(3):
        (directory / f"random_{seed}").write_bytes(random.Random(seed).randbytes(600))


write_corpus("reassembler_fuzz", REASSEMBLER)
write_corpus("send_buffer_fuzz", SEND_BUFFER)
