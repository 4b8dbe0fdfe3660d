#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seed corpus of frame_decoder_fuzz beside this file: one file a frame type and more.

    python3 tests/fuzz/make_frame_decoder_corpus.py
"""

import pathlib

FOLDER = pathlib.Path(__file__).parent / "corpus" / "frame_decoder_fuzz"

# The first byte of an input: encryption level, who sent the packet, what it was not offered.
INITIAL, ZERO_RTT, HANDSHAKE, ONE_RTT = range(4)
FROM_CLIENT, FROM_SERVER = 0, 4
NO_ACK_FREQUENCY = 8
NO_DATAGRAM, DATAGRAM_OF_4, DATAGRAM_OF_64 = 0x10, 0x20, 0x30

# Payloads of 1-RTT packets from a server.
FRAMES = {
    "padding": "00 00 00",
    "ping": "01",
    "ack": "02 40ff 07 00 03",
    "ack_ranges": "02 40ff 07 03 02 00 00 01 12 21 05",
    "ack_ranges_to_zero": "02 05 00 01 03 00 00",
    "ack_range_below_zero": "02 05 00 01 03 01 00",
    "ack_with_ecn": "03 40ff 07 01 03 02 05 01 02 8000ffff",
    "reset_stream": "04 04 05 4600",
    "stop_sending": "05 07 08",
    "crypto": "06 09 03 da7a00",
    "new_token": "07 03 da7a00",
    "stream": "08 01 da7a00",
    "stream_fin": "09 01 da7a00",
    "stream_length": "0a 01 03 da7a00",
    "stream_length_fin": "0b 01 03 da7a00",
    "stream_offset": "0c 01 7f00 da7a00",
    "stream_offset_fin": "0d 01 7f00 da7a00",
    "stream_offset_length": "0e 01 7f00 03 da7a00",
    "stream_offset_length_fin": "0f 01 7f00 03 da7a00",
    "stream_too_far": "0e 00 fffffffffffffffe 03 da7a00",
    "max_data": "10 80100000",
    "max_stream_data": "11 0b c000001000000000",
    "max_streams_bidi": "12 4100",
    "max_streams_uni": "13 d000000000000000",
    "data_blocked": "14 80100000",
    "stream_data_blocked": "15 10 80100000",
    "streams_blocked_bidi": "16 4100",
    "streams_blocked_uni": "17 d000000000000000",
    "new_connection_id": "18 02 01 08 c1c1c1c1c1c1c1c1" + 16 * "70",
    "retire_connection_id": "19 16",
    "path_challenge": "1a 0102030405060708",
    "path_response": "1b 0102030405060708",
    "connection_close": "1c 0a 06 03 627965",
    "application_close": "1d 4123 03 627965",
    "handshake_done": "1e",
    "immediate_ack": "1f",
    "datagram": "30 da7a00",
    "datagram_length": "31 03 da7a00",
    "ack_frequency": "40af 01 0a 80005000 03",
    "type_not_minimal": "4001",
    "type_unknown": "20 00",
    "wide_varints": "0e c000000000000001 80000040 4003 da7a00 10 c000000000000001",
    "no_frames": "",
    # Refused, as the ones above whose names say what is wrong.
    "ack_first_range_below_zero": "02 03 00 00 04",
    "ack_with_ecn_below_zero": "03 05 00 01 03 01 00 00 00 00",
    "ack_ranges_truncated": "02 3f 00 ffffffffffffffff 00 00 00 00 00 00",
    "crypto_too_far": "06 ffffffffffffffff 01 aa",
    "crypto_beyond_packet": "06 00 02 aa",
    "new_token_empty": "07 00",
    "new_token_beyond_packet": "07 02 aa",
    "stream_to_end_too_far": "0c 00 ffffffffffffffff aa",
    "stream_beyond_packet": "0a 00 ffffffffffffffff aa",
    "stream_truncated": "0e 04",
    "max_streams_too_large": "12 d000000000000001",
    "streams_blocked_too_large": "17 d000000000000001",
    "new_connection_id_empty": "18 01 00 00" + 16 * "70",
    "new_connection_id_of_21_bytes": "18 01 00 15" + 21 * "c1" + 16 * "70",
    "new_connection_id_beyond_packet": "18 01 00 03 c1c1",
    "new_connection_id_token_truncated": "18 01 00 01 c1" + 15 * "70",
    "new_connection_id_retires_too_much": "18 01 02 01 c1" + 16 * "70",
    "path_challenge_truncated": "1a 01020304050607",
    "connection_close_beyond_packet": "1c 00 00 02 aa",
    "application_close_beyond_packet": "1d 00 02 aa",
    "datagram_beyond_packet": "31 02 aa",
    "ack_frequency_delay_too_large": "40af 00 00 80fa0000 00",
    "ack_frequency_truncated": "40af 00 00",
    "type_truncated": "40",
    "type_largest": "ffffffffffffffff",
}

PACKETS = {
    "initial_packet": (INITIAL | FROM_CLIENT, "06 00 04 01000000" + 40 * "00"),
    "handshake_packet": (HANDSHAKE | FROM_SERVER, "02 00 00 00 00 06 4064 02 0800 01 00"),
    "zero_rtt_packet": (ZERO_RTT | FROM_CLIENT, "0a 00 03 474554 0b 04 00 31 01 aa"),
    "ack_in_zero_rtt": (ZERO_RTT | FROM_CLIENT, "02 00 00 00 00"),
    "new_token_from_client": (ONE_RTT | FROM_CLIENT, "07 03 da7a00"),
    "handshake_done_from_client": (ONE_RTT | FROM_CLIENT, "1e"),
    "stream_in_initial": (INITIAL | FROM_CLIENT, "0a 00 01 aa"),
    "retire_connection_id_in_zero_rtt": (ZERO_RTT | FROM_CLIENT, "19 00"),
    "application_close_in_handshake": (HANDSHAKE | FROM_SERVER, "1d 00 00"),
    "ack_frequency_not_offered": (ONE_RTT | NO_ACK_FREQUENCY, "40af 00 00 80fa0000 00"),
    "immediate_ack_not_offered": (INITIAL | NO_ACK_FREQUENCY, "1f"),
    "datagram_not_offered": (ONE_RTT | NO_DATAGRAM, "31 02 aa"),
    "datagram_at_limit": (ONE_RTT | DATAGRAM_OF_4, "31 02 aabb 30 aabbcc"),
    "datagram_above_limit": (ONE_RTT | DATAGRAM_OF_4, "31 4002 aabb"),
    "datagram_below_64_bytes": (ONE_RTT | DATAGRAM_OF_64, "30" + 63 * "aa"),
    "datagram_above_64_bytes": (ONE_RTT | DATAGRAM_OF_64, "30" + 64 * "aa"),
    "busy_packet": (
        ONE_RTT | FROM_CLIENT,
        "03 7000 05 01 20 00 10 01 02 03 10 80100000 11 04 80200000 40af 02 0a 80005000 00 "
        "18 03 00 04 c2c2c2c2" + 16 * "71" + "31 02 abcd 0e 04 8000ff00 05 68656c6c6f 01 "
        "0c 08 4100 776f726c64"),
}


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    seeds = {name: (ONE_RTT | FROM_SERVER, payload) for name, payload in FRAMES.items()}
    for name, (packet, payload) in {**seeds, **PACKETS}.items():
        (FOLDER / name).write_bytes(bytes([packet]) + bytes.fromhex(payload))


if __name__ == "__main__":
    main()
