#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seed corpus of connection_fuzz beside this file."""

import pathlib
import random

CORPUS = pathlib.Path(__file__).parent / "corpus" / "connection_fuzz"

# Operations, by number.
(FLIGHT, ONE_RTT, HANDSHAKE, INITIAL, PAYLOAD, DAMAGED, DATAGRAM, REPLAY, TIME, READ, LOSE, WRITE,
 CONSUME, END_STREAM, SEND_DATAGRAM, APP_CALL, MOVE, ACK, HEADER, ANSWER_PATH) = range(20)

# The first byte.
CLIENT, READY, NO_IDS, NO_PEER_ID, NO_ID, LARGE, NARROW, KEEP_ALIVE = (1 << n for n in range(8))

# Kinds of frames.
(PADDING, PING, CRYPTO, MAX_DATA, MAX_STREAMS, STREAMS_BLOCKED, NEW_ID, RETIRE_ID, CHALLENGE,
 RESPONSE, FRAME_DATAGRAM, DONE, FRAME_ACK, CLOSE) = range(14)
# The low three bits choose among the frames of streams.
RESET_STREAM, STOP_SENDING, MAX_STREAM_DATA, STREAM_DATA_BLOCKED = 16, 17, 18, 19
STREAM, STREAM_TO_END, STREAM_FIN = 15, 36, 159

NONE = 0  # Of mutations.
FLIP, CUT, INSERT = 0xe0, 0xf0, 0xf8


def big(index):
    """A byte that stands for number `index` of the interesting ones."""
    return next(b for b in range(0xc0, 0xff) if b % 21 == index)


def frames(*which, mutation=(NONE,)):
    flat = [byte for frame in which for byte in frame]
    return [len(which) - 1] + flat + list(mutation)


def stream(id, offset, size, kind=STREAM):
    return [kind, id, offset, size]


MILLISECOND, PTO, SECOND, LONG = 3, 6, 8, 9
HANDSHAKE_ROUND = [FLIGHT, READ]
ECHO = [ONE_RTT] + frames(stream(0, 0, 50)) + [CONSUME, 0, WRITE, 0x80, 9, READ, ACK, 3]

SCRIPTS = {
    "handshake": (0, HANDSHAKE_ROUND * 4),
    "handshake_large": (LARGE, HANDSHAKE_ROUND * 6),
    "handshake_lost": (0, [FLIGHT, LOSE, TIME, SECOND, READ] + HANDSHAKE_ROUND * 3),
    "handshake_no_credit": (LARGE, [FLIGHT, LOSE, TIME, SECOND, DATAGRAM, 40] + [0] * 40 + [TIME, SECOND, READ]),
    "handshake_early_data": (0, [FLIGHT, READ, ONE_RTT] + frames(stream(0, 0, 20)) + HANDSHAKE_ROUND * 2),
    "handshake_replayed": (0, HANDSHAKE_ROUND * 2 + [REPLAY, 0, REPLAY, 1, READ] + HANDSHAKE_ROUND),
    "handshake_alert": (0, [INITIAL] + frames([CRYPTO, 0, 60]) + [READ, FLIGHT, READ]),
    "handshake_late_crypto": (0, HANDSHAKE_ROUND + [HANDSHAKE] + frames([CRYPTO, 10, 30]) + HANDSHAKE_ROUND * 2),
    "client": (CLIENT, [READ] + HANDSHAKE_ROUND * 3 + [ONE_RTT] + frames([DONE]) + ECHO),
    "client_empty_id": (CLIENT | NO_ID, [READ] + HANDSHAKE_ROUND * 3 + [ONE_RTT] + frames([DONE]) + ECHO),
    "client_lost": (CLIENT, [LOSE, TIME, SECOND, READ] + HANDSHAKE_ROUND * 2 + [TIME, SECOND] + HANDSHAKE_ROUND),
    "echo": (READY, ECHO * 3),
    "transfer": (READY, ([WRITE, 0x81, 10, READ, ACK, 3, TIME, MILLISECOND] * 8)),
    "transfer_lost": (READY, [WRITE, 0x81, 10, LOSE, WRITE, 0, 10, READ, ACK, 3, TIME, PTO, READ, ACK, 3]),
    "single_acks": (READY, [WRITE, 0x81, 10, READ] + [ACK, 0x83, 0, ACK, 0x83, 5, ACK, 0x83, 2, TIME, PTO, READ]),
    "black_out": (READY, [WRITE, 0x81, 9] + [TIME, SECOND, LOSE] * 5 + [READ, ACK, 3, READ]),
    "fragments": (READY, sum(([ONE_RTT] + frames(stream(0, 2 * n + 1, 1), stream(0, 2 * n, 1)) for n in range(20)), [])),
    "to_the_end": (READY, [ONE_RTT] + frames([PING], [STREAM_TO_END, 0, 0, 77]) + [CONSUME, 0]),
    "fin_and_reset": (READY, [ONE_RTT] + frames(stream(0, 0, 9, STREAM_FIN)) + [CONSUME, 0, ONE_RTT] + frames([RESET_STREAM, 4, 1, 9]) + [READ]),
    "stop_sending": (READY, [WRITE, 0x81, 9, READ, ONE_RTT] + frames([STOP_SENDING, 3, 7]) + [READ, ACK, 3]),
    "app_resets": (READY, [WRITE, 0x80, 9, READ, END_STREAM, 1, 1, 5, READ, ACK, 3, END_STREAM, 2, 1, 5, READ]),
    "app_finishes": (READY, [WRITE, 0x80, 9, END_STREAM, 0, 1, READ, ACK, 3, ONE_RTT] + frames(stream(1, 0, 5, STREAM_FIN)) + [CONSUME, 1]),
    "priorities": (READY, [WRITE, 0x81, 10, WRITE, 0x81, 10, END_STREAM, 3, 3, END_STREAM, 0x87, 7, READ, ACK, 3, READ]),
    "narrow": (READY | NARROW, [ONE_RTT] + frames(stream(0, 0, 150), stream(4, 0, 150)) + [CONSUME, 0, READ, CONSUME, 4, READ]),
    "limits": (READY, [ONE_RTT] + frames([MAX_DATA, big(20)], [MAX_STREAMS, big(17)], [MAX_STREAM_DATA, 1, big(20)]) + [WRITE, 0x81, 10, READ]),
    "blocked": (READY, [ONE_RTT] + frames([STREAMS_BLOCKED, 200], [STREAM_DATA_BLOCKED, 0, 9], [MAX_DATA + 120, 9]) + [READ]),
    "above_limits": (READY | NARROW, [ONE_RTT] + frames(stream(0, big(5), 3)) + [READ]),
    "new_ids": (READY, [ONE_RTT] + frames([NEW_ID, 1, 0, 1], [NEW_ID, 2, 0, 2], [NEW_ID, 3, 2, 3]) + [READ, ACK, 3, APP_CALL, 1, READ]),
    "retired_ids": (READY, [HEADER, 5 + 8, 1, ONE_RTT] + frames([RETIRE_ID, 0]) + [READ, TIME, SECOND, HEADER, 5, 4, ONE_RTT] + frames([RETIRE_ID, 1])),
    "no_ids": (READY | NO_IDS, [HEADER, 5, 0, APP_CALL, 1, ONE_RTT] + frames([PING]) + [READ]),
    "peer_without_id": (READY | NO_PEER_ID, ECHO + [MOVE, 0x41, ONE_RTT] + frames([PING]) + [READ, ANSWER_PATH, 0]),
    "rebinding": (READY, [MOVE, 0x41, HEADER, 0x7f, 120, ONE_RTT] + frames([PING]) + [READ, ANSWER_PATH, 0, READ, TIME, SECOND, READ]),
    "migration": (READY, [ONE_RTT] + frames([NEW_ID, 1, 0, 1], [NEW_ID, 2, 0, 2]) + [MOVE, 0x81, WRITE, 0x81, 9, HEADER, 7, 120, ONE_RTT] + frames([PING]) + [READ, ANSWER_PATH, 0, READ, MOVE, 0, ONE_RTT] + frames([PING]) + [READ]),
    "migration_fails": (READY, [MOVE, 0x81, ONE_RTT] + frames([PING]) + [READ, TIME, SECOND, TIME, SECOND, TIME, SECOND, READ]),
    "many_places": (READY, sum(([MOVE, 0x80 + n, ONE_RTT] + frames([PING]) + [READ] for n in range(12)), [])),
    "probing": (READY, [ONE_RTT] + frames([NEW_ID, 1, 0, 1]) + [MOVE, 0x82, ONE_RTT] + frames([CHALLENGE, 9]) + [READ, MOVE, 0, ONE_RTT] + frames([PING])),
    "challenges": (READY, ([ONE_RTT] + frames([CHALLENGE, 1], [CHALLENGE, 2], [CHALLENGE, 3], [RESPONSE, 4])) * 5 + [READ]),
    "key_updates": (READY, ([APP_CALL, 7, ONE_RTT] + frames([PING]) + [READ, ACK, 3, TIME, SECOND]) * 3 + [APP_CALL, 0, WRITE, 0x81, 5, READ, ACK, 3]),
    "wrong_generation": (READY, [APP_CALL, 0, WRITE, 0x81, 5, READ, HEADER, 4, 0, ACK, 3]),
    "datagrams": (READY, [SEND_DATAGRAM, 50, SEND_DATAGRAM, 210, READ, ACK, 3, ONE_RTT] + frames([FRAME_DATAGRAM, 99], [FRAME_DATAGRAM, 0])),
    "numbers_jump": (READY, [HEADER, 1, big(3), ONE_RTT] + frames([PING]) + [HEADER, 2, 3, ONE_RTT] + frames([PING]) + [READ, REPLAY, 0]),
    "short_numbers": (READY, [HEADER, 0, ONE_RTT] + frames([PING]) + [HEADER, 8, ONE_RTT] + frames([PING]) + [READ]),
    "reserved_bits": (READY, [HEADER, 3, 0x10, ONE_RTT] + frames([PING]) + [READ]),
    "batch": (READY, [HEADER, 6 + 8, 4] + ([ONE_RTT] + frames(stream(0, 0, 9))) * 5 + [READ]),
    "acks": (READY, [WRITE, 0x81, 8, READ, ONE_RTT] + frames([FRAME_ACK, 3, 3], [FRAME_ACK, 9, 0]) + [ONE_RTT] + frames([FRAME_ACK, big(9), 0])),
    "peer_closes": (READY, ECHO + [ONE_RTT] + frames([CLOSE + 200, 0, 0], [PING]) + [READ, ONE_RTT] + frames([PING])),
    "app_closes": (READY, ECHO + [APP_CALL, 6, 0, 5, READ] + ([ONE_RTT] + frames([PING]) + [READ]) * 4 + [TIME, SECOND]),
    "reset_token": (READY | CLIENT | NO_ID, [APP_CALL, 5, 1, DATAGRAM, 30] + [0x41] * 30),
    "mtu": (READY, [APP_CALL, 3, big(15), WRITE, 0x81, 10, READ, ACK, 3, APP_CALL, 3, 200, TIME, LONG, WRITE, 0, 10, READ]),
    "controller": (READY, [WRITE, 0x81, 11, READ, APP_CALL, 2, ACK, 3, READ, ACK, 3, WRITE, 0, 11, READ]),
    "damaged": (READY, [DAMAGED, 3] + frames([PING], mutation=(FLIP, 2, 9)) + [FLIP, 5, 1, DAMAGED, 3] + frames([PING]) + [CUT, 9, READ]),
    "mutated_frames": (READY, [ONE_RTT] + frames(stream(0, 0, 9), [PING], mutation=(FLIP, 1, 0x80)) + [READ]),
    "payload": (READY, [PAYLOAD, 6, 0x02, 0x00, 0x00, 0x00, 0x00, 0x1e, READ]),
    "handshake_done_to_server": (READY, [ONE_RTT] + frames([DONE]) + [READ]),
    "keep_alive": (READY | KEEP_ALIVE, [TIME, LONG, READ, ACK, 3, TIME, LONG, READ, FLIGHT]),
    "idle": (READY, ECHO + [TIME, LONG, TIME, LONG]),
}


CORPUS.mkdir(parents=True, exist_ok=True)
for name, (options, operations) in SCRIPTS.items():
    (CORPUS / name).write_bytes(bytes([options] + operations))
for seed in range(4):
    (CORPUS / f"random_{seed}").write_bytes(random.Random(seed).randbytes(800))
