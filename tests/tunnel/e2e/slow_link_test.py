#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A link far slower than those who write: they are slowed down to it, steadily, and soon."""

import os
import select
import socket
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tunnel_lab

# What a quarter of a mebibyte in the tunnel, its window, and its sockets on both sides may hold.
# What the writer's own socket would hold, megabytes on a loopback, is the writer's.
WRITER_SOCKET_BYTES = 65_536
MOST_BYTES_AHEAD = 1_000_000
WATCHED_BYTES = 2_000_000


@tunnel_lab.needs()
class SlowLinkTest(tunnel_lab.LabCase):
    LINK = "rate 10mbit; queue 50ms; delay 10ms"

    def test_who_writes_is_not_far_ahead_of_who_reads(self):
        listener = self.lab.server.listen(tunnel_lab.HTTP_PORT)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, WRITER_SOCKET_BYTES)
        self.lab.start_server("--allow-target", f"localhost:{tunnel_lab.HTTP_PORT}")
        (port,) = self.lab.client.free_ports(1)
        self.lab.start_client("-L", f"{port}:localhost:{tunnel_lab.HTTP_PORT}")
        reader = self.lab.client.connect(port)
        writer, _ = listener.accept()
        sent = received = most_ahead = 0
        writer.setblocking(False)
        piece = bytes(65_536)
        while received < WATCHED_BYTES:
            readable, writable, _ = select.select([reader], [writer], [])
            if writable:
                sent += writer.send(piece)
            if readable:
                received += len(reader.recv(1 << 20))
            most_ahead = max(most_ahead, sent - received)
        for each in (reader, writer, listener):
            each.close()

        self.assertLess(most_ahead, MOST_BYTES_AHEAD)


if __name__ == "__main__":
    tunnel_lab.main()
