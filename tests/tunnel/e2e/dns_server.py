#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Answers DNS questions over UDP: for text, with as many bytes as the name's first label says.

Below `missing` there are no names, and of those below `broken` nothing can be found out. The other
names that have addresses are in ADDRESSES.
"""

import socket
import struct
import sys

HEADER_BYTES = 12
NAME_OF_QUESTION = 0xC000 | HEADER_BYTES  # RFC 1035 §4.1.4: a pointer to it.
A, TXT, AAAA, IN = 1, 16, 28, 1
STRING_BYTES = 255
# RFC 1035 §4.1.1.
REFUSALS = {b"missing": 3, b"broken": 2}
# In the lab nobody has those of 10.0.1 and 2001:db8.
ADDRESSES = {
    (b"dead", A): [socket.inet_aton(f"10.0.1.{host}") for host in (101, 102, 103)],
    (b"half-dead", AAAA): [socket.inet_pton(socket.AF_INET6, "2001:db8::9")],
    (b"half-dead", A): [socket.inet_aton("127.0.0.1")],
}


def text_of(size):
    text = b"x" * size
    strings = [text[i:i + STRING_BYTES] for i in range(0, size, STRING_BYTES)]
    return b"".join(bytes([len(string)]) + string for string in strings)


def labels_of(query):
    at, labels = HEADER_BYTES, []
    while query[at] != 0:
        labels.append(query[at + 1:at + 1 + query[at]])
        at += 1 + query[at]
    return labels


def answer(query):
    end = query.index(b"\0", HEADER_BYTES) + 5
    labels = labels_of(query)
    refusal = REFUSALS.get(labels[-1], 0)
    if refusal:
        header = query[:2] + struct.pack("!5H", 0x8580 | refusal, 1, 0, 0, 0)
        return header + query[HEADER_BYTES:end]
    (kind,) = struct.unpack("!H", query[end - 4:end - 2])
    values = [text_of(int(labels[0]))] if kind == TXT else ADDRESSES.get((labels[-1], kind), [])
    header = query[:2] + struct.pack("!5H", 0x8580, 1, len(values), 0, 0)
    records = [struct.pack("!HHHIH", NAME_OF_QUESTION, kind, IN, 0, len(value)) + value
               for value in values]
    return header + query[HEADER_BYTES:end] + b"".join(records)


def main():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", int(sys.argv[1])))
        print("ready", flush=True)
        while True:
            query, client = server.recvfrom(65_535)
            server.sendto(answer(query), client)


if __name__ == "__main__":
    main()
