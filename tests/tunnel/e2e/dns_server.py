#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Answers every DNS question over UDP with as many bytes of text as the name's first label says."""

import socket
import struct
import sys

HEADER_BYTES = 12
NAME_OF_QUESTION = 0xC000 | HEADER_BYTES  # RFC 1035 §4.1.4: a pointer to it.
TXT, IN = 16, 1
STRING_BYTES = 255


def answer(query):
    end = query.index(b"\0", HEADER_BYTES) + 5
    label = query[HEADER_BYTES + 1:HEADER_BYTES + 1 + query[HEADER_BYTES]]
    text = b"x" * int(label)
    strings = [text[i:i + STRING_BYTES] for i in range(0, len(text), STRING_BYTES)]
    data = b"".join(bytes([len(string)]) + string for string in strings)
    header = query[:2] + struct.pack("!5H", 0x8400, 1, 1, 0, 0)
    record = struct.pack("!HHHIH", NAME_OF_QUESTION, TXT, IN, 0, len(data))
    return header + query[HEADER_BYTES:end] + record + data


def main():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", int(sys.argv[1])))
        print("ready", flush=True)
        while True:
            query, client = server.recvfrom(65_535)
            server.sendto(answer(query), client)


if __name__ == "__main__":
    main()
