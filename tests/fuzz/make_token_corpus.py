#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seed corpora of token_fuzz and key_file_fuzz beside this file."""

import pathlib
import struct

CORPUS = pathlib.Path(__file__).parent / "corpus"
ISSUED = 1_800_000_000
IP = bytes(10) + b"\xff\xff" + bytes([192, 0, 2, 7])


def contents(issued=ISSUED, ip=IP, scope=0):
    return struct.pack(">Q16sI", issued, ip, scope)


def retry(port=4433, original=b"\x01\x02\x03\x04\x05\x06\x07\x08", source=b"", **kwargs):
    ids = bytes([len(original)]) + original + bytes([len(source)]) + source
    return contents(**kwargs) + struct.pack(">H", port) + ids


def sealed(is_retry, plaintext):
    return bytes([1, is_retry]) + plaintext


KEY = bytes(range(32)).hex()
OTHER_KEYS = ["%02x" % first + KEY[2:] for first in range(0xA0, 0xA8)]
COMPLETE = f"token-key {KEY}\nticket-key {OTHER_KEYS[0]}\nreset-key {OTHER_KEYS[1]}\n"

TOKENS = {
    "raw_empty": b"\x00",
    "raw_zeros": bytes(1 + 59),
    "raw_new_token_marker": b"\x00\x9d\xa2" + bytes(57),
    "raw_retry_marker": b"\x00\x9d\x51" + bytes(71),
    "new_token": sealed(0, contents()),
    "new_token_expired": sealed(0, contents(issued=0)),
    "new_token_future": sealed(0, contents(issued=2**64 - 1)),
    "new_token_farthest_future": sealed(0, contents(issued=2**63 - 1)),
    "new_token_other_ip": sealed(0, contents(ip=bytes(15) + b"\x01")),
    "new_token_other_scope": sealed(0, contents(scope=2)),
    "new_token_short": sealed(0, contents()[:-1]),
    "retry": sealed(1, retry()),
    "retry_other_port": sealed(1, retry(port=4434)),
    "retry_other_connection_id": sealed(1, retry(source=b"\x09")),
    "retry_longest": sealed(1, retry(original=bytes(20), source=bytes(20))),
    "retry_id_past_end": sealed(1, retry()[:-2] + b"\xff\x00"),
    "retry_id_of_21_bytes": sealed(1, retry(original=bytes(21), source=bytes(3))),
    "retry_trailing_byte": sealed(1, retry() + b"\x00"),
    "mask_none": b"\x02",
    "mask_marker": b"\x02\x00\xf3",
    "mask_key_id": b"\x02\x00\x00\x01",
    "mask_last_byte": b"\x02" + bytes(58) + b"\x01",
}

KEY_FILES = {
    "complete": COMPLETE.encode(),
    "rotation": (COMPLETE + "".join(f"token-key {k}\n" for k in OTHER_KEYS[2:])).encode(),
    "comments": b"# keys\r\n\t\r\n" + COMPLETE.replace("\n", " # old\r\n").encode(),
    "no_reset_key": COMPLETE.rsplit("reset", 1)[0].encode(),
    "twice": (COMPLETE + f"token-key {KEY}").encode(),
    "zero_key": b"token-key " + b"0" * 64,
    "short_key": b"ticket-key " + KEY[1:].encode(),
    "no_key": b"reset-key\n",
    "unknown_word": b"tokens \x00\xff\n",
    "two_keys_a_line": f"token-key {KEY} {KEY}".encode(),
    "empty": b"",
}


def write(target, inputs):
    directory = CORPUS / target
    directory.mkdir(parents=True, exist_ok=True)
    for name, data in inputs.items():
        (directory / name).write_bytes(data)


write("token_fuzz", TOKENS)
write("key_file_fuzz", KEY_FILES)
