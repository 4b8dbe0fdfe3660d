#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seed corpus of packet_header_fuzz: one file a line of SEEDS.

The first byte of an input holds the rules (low five bits: size of the connection ids in short
headers; 0x20: the fixed bit is ignored), the rest is the datagram. Run it after a change here:

    python3 tests/fuzz/make_packet_header_corpus.py
"""

import pathlib

FOLDER = pathlib.Path(__file__).parent / "corpus" / "packet_header_fuzz"

BODY = bytes(range(0xA0, 0xA0 + 20)).hex()  # packet number, payload and tag
INITIAL = "c0 00000001 04 01020304 00 00 14" + BODY
ZERO_RTT = "d0 00000001 04 01020304 00 14" + BODY
HANDSHAKE = "e0 00000001 04 01020304 00 14" + BODY
ONE_RTT = "40 01020304" + BODY
STRANGER = "e0 00000001 04 01020305 00 14" + BODY

SEEDS = {
    # RFC 9001 A.2 (its header), A.3, A.4, A.5
    "rfc9001_client_initial": "00 c000000001088394c8f03e5157080000449e7b9aec34" + "d1" * 1178,
    "rfc9001_server_initial": (
        "00 cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69"
        "797554780bb38cc5a99f5ede4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f"
        "3bded74b562bfb19fb84022f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc42158"
        "407dd074ee"),
    "rfc9001_retry": "00 ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba",
    "rfc9001_short": "00 4cfe4189655e5cd55c41f69080575d7999c25a5bfb",
    "initial": "04" + INITIAL,
    "initial_token": "00 c1 00000001 00 02 5566 03 aabbcc 4014" + BODY,
    "initial_token_wide": "00 c1 00000001 00 02 5566 80000003 aabbcc 80000014" + BODY,
    "zero_rtt": "04" + ZERO_RTT,
    "handshake": "04" + HANDSHAKE,
    "handshake_length_8": "00 e3 00000001 00 00 c000000000000014" + BODY,
    "handshake_cids_20": "14 e2 00000001 14" + "dd" * 20 + "14" + "55" * 20 + "14" + BODY,
    "handshake_cid_21": "00 e2 00000001 15" + "dd" * 21 + "00 14" + BODY,
    "handshake_reserved_bits": "00 ef 00000001 00 00 14" + BODY,
    "one_rtt": "04" + ONE_RTT,
    "one_rtt_all_bits": "04 7f 01020304" + BODY,
    "one_rtt_cid_20": "14 40" + "dd" * 20 + BODY,
    "greased_one_rtt": "24 00 01020304" + BODY,
    "greased_handshake": "24 a0 00000001 04 01020304 00 14" + BODY,
    "greased_refused": "04 a0 00000001 04 01020304 00 14" + BODY,
    "coalesced": "04" + INITIAL + ZERO_RTT + HANDSHAKE + ONE_RTT,
    "coalesced_stranger": "04" + INITIAL + STRANGER + HANDSHAKE,
    "coalesced_short_stranger": "04" + INITIAL + "40 01020305" + BODY,
    "coalesced_zeros": "04" + INITIAL + "00" * 100,
    "coalesced_garbage": "04" + INITIAL + "ffffffffff",
    "coalesced_too_short": "04 e0 00000001 04 01020304 00 13" + BODY[:38] + HANDSHAKE,
    "coalesced_retry": "04" + INITIAL + "f0 00000001 04 01020304 00" + BODY,
    "length_zero": "04 e0 00000001 04 01020304 00 00" + HANDSHAKE,
    "length_lies": "00 e0 00000001 00 00 ffffffffffffffff" + BODY,
    "token_lies": "00 c0 00000001 00 00 ffffffffffffffff 14" + BODY,
    "retry": "00 f5 00000001 02 aabb 02 ccdd 746f6b656e" + "ee" * 16,
    "retry_empty_token": "00 f5 00000001 02 aabb 02 ccdd" + "ee" * 16,
    "retry_cids_20": "00 f5 00000001 14" + "dd" * 20 + "14" + "55" * 20 + "77" + "ee" * 16,
    "retry_cid_21": "00 f5 00000001 15" + "dd" * 21 + "00 77" + "ee" * 16,
    "coalesced_other_id_size": "04" + INITIAL + "e0 00000001 03 010203 00 14" + BODY + HANDSHAKE,
    "version_negotiation": "00 d5 00000000 01 dd 03 aabbcc 00000001 1a2a3a4a",
    "version_negotiation_cids_255": "00 80 00000000 ff" + "dd" * 255 + "ff" + "55" * 255 +
                                    "00000001",
    "version_negotiation_empty": "00 80 00000000 00 00",
    "version_negotiation_cut": "00 80 00000000 00 00 00000001 0000",
    "version_2": "00 d0 6b3343cf 00 00 00 14" + BODY,
    "version_reserved": "00 c0 1a2a3a4a 04 01020304 00 00 14" + BODY,
    "stateless_reset": "08 5b" + "a7" * 26 + "000102030405060708090a0b0c0d0e0f",
    "empty": "00",
}


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in SEEDS.items():
        (FOLDER / name).write_bytes(bytes.fromhex(text))


if __name__ == "__main__":
    main()
