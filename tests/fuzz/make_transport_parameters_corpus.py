#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seed corpus of transport_parameters_fuzz beside this file."""

import pathlib

CORPUS = pathlib.Path(__file__).parent / "corpus" / "transport_parameters_fuzz"


def varint(value, size=None):
    size = size or next(s for s in (1, 2, 4, 8) if value < 1 << (8 * s - 2))
    prefix = {1: 0, 2: 1, 4: 2, 8: 3}[size] << (8 * size - 2)
    return (prefix | value).to_bytes(size, "big")


def parameter(identifier, value=b""):
    return varint(identifier) + varint(len(value)) + value


def number(identifier, value):
    return parameter(identifier, varint(value))


def preferred(identifier=b"\xb1\xb2\xb3\xb4", ipv4=bytes([192, 0, 2, 1, 1, 187]), extra=b""):
    ipv6 = bytes.fromhex("20010db8000000000000000000000001") + b"\x01\xbb"
    return parameter(0x0D, ipv4 + ipv6 + bytes([len(identifier)]) + identifier + TOKEN + extra)


def versions(*numbers):
    return parameter(0x11, b"".join(n.to_bytes(4, "big") for n in numbers))


TOKEN = bytes(range(16))
NUMBERS = {1: 30000, 3: 1472, 4: 1 << 20, 5: 70000, 6: 80000, 7: 90000, 8: 100, 9: 3, 10: 10,
           11: 26, 14: 8, 0x20: 65535, 0xFF04DE1B: 1000}
CLIENT = (b"".join(number(i, v) for i, v in NUMBERS.items()) + parameter(0x0C)
          + parameter(0x0F, b"\xc1\xc2\xc3") + parameter(0x2AB2) + versions(1, 0x6B3343CF, 1))
SERVER = (CLIENT + parameter(0x00, bytes(8)) + parameter(0x02, TOKEN) + preferred()
          + parameter(0x10, b"\x52"))

INPUTS = {
    "empty": b"",
    "client": CLIENT,
    "server": SERVER,
    "server_cut": SERVER[:-1],
    "wide_varints": varint(4, 8) + varint(8, 4) + varint(5, 8),
    "greatest_numbers": b"".join(number(i, (1 << 62) - 1) for i in (1, 3, 4, 5, 6, 7, 14, 0x20)),
    "streams_at_bound": number(8, 1 << 60) + number(9, 1 << 60),
    "streams_above_bound": number(8, (1 << 60) + 1),
    "ack_delay_at_bound": number(11, 16383) + number(10, 20) + number(0xFF04DE1B, 16383000),
    "ack_delay_above_bound": number(11, 16384),
    "min_ack_delay_above_max": number(0xFF04DE1B, 25001),
    "number_with_rest": parameter(4, b"\x05\x00"),
    "payload_too_small": number(3, 1199),
    "empty_connection_ids": parameter(0x00) + parameter(0x0F) + parameter(0x10),
    "longest_connection_ids": b"".join(parameter(i, bytes(20)) for i in (0x00, 0x0F, 0x10)),
    "connection_id_too_long": parameter(0x0F, bytes(21)),
    "token_short": parameter(0x02, bytes(15)),
    "flag_with_value": parameter(0x0C, b"\x01"),
    "preferred_no_ipv4": preferred(ipv4=bytes(6)),
    "preferred_port_zero": preferred(ipv4=bytes([192, 0, 2, 1, 0, 0])),
    "preferred_empty_id": preferred(identifier=b""),
    "preferred_longest_id": preferred(identifier=bytes(20)),
    "preferred_id_of_21_bytes": preferred(identifier=bytes(21)),
    "preferred_too_long": preferred(extra=b"\x00"),
    "preferred_with_empty_source": parameter(0x0F) + preferred(),
    "versions_zero": versions(1, 0, 1),
    "versions_chosen_alone": versions(1),
    "versions_many": versions(1, *range(1, 40)),
    "versions_chosen_late": versions(30, *range(1, 40)),
    "versions_zero_late": versions(1, *range(1, 40), 0),
    "versions_odd_length": parameter(0x11, bytes([0, 0, 0, 1, 0])),
    "reserved": parameter(27, b"\xff\xff") + parameter(31 * 1000 + 27) + parameter((1 << 62) - 1),
    "duplicate_known": number(4, 1) + number(4, 1),
    "duplicate_unknown": parameter(0x1234) + number(4, 1) + parameter(0x1234),
    "duplicate_other_width": number(4, 1) + varint(4, 2) + b"\x01\x01",
    "tiny_parameters": b"".join(parameter(i) for i in range(0x1000, 0x1000 + 1365)),
    "too_long": parameter(27, bytes(4094)),
}

CORPUS.mkdir(parents=True, exist_ok=True)
for name, data in INPUTS.items():
    (CORPUS / name).write_bytes(data)
